//! Damaged streams through sampler and decoder: a picture that is not what was coded is *failed*, never a result, and
//! every chosen picture has one verdict, in order of media time.
//!
//! What cannot be told, and is left out here: bits flipped in residual data that still parse, and units of codecs that
//! count nothing libav looks at (MPEG-2, MPEG-4, VP8, VP9, AV1) lost without a trace in the container. Nor does libav say a word
//! of a reference missing from a CRA picture's set (H.265): where no picture between the loss and the CRA is decoded, RASL
//! pictures after it may pass.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Cursor, Read, Seek, SeekFrom},
    sync::Arc,
};

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, CodecParameters,
    bitstream::PictureReader,
    libav::{DemuxError, Demuxer},
};
use ocelli_model::SamplingPlan;
use ocelli_testkit::{Clip, fault, zoo};

use crate::sampling::product::{Product, Units, run, units};

const FRAMES: u32 = 48;
const RATES: [&str; 4] = ["all", "4", "7.5", "15"];

/// PTS and MD5 of every picture of the undamaged clip.
type Clean = BTreeMap<i64, String>;

#[derive(Debug, Default)]
struct Judged {
    right: usize,
    failed: usize,
    /// PTS of pictures that passed as whole, yet are other than what was coded.
    wrong: Vec<i64>,
}

fn all(input: &Units) -> Product {
    run(input, 0, SamplingPlan::All, None)
}

fn clean(input: &Units) -> Clean {
    all(input).pictures.into_iter().map(|(pts, hash)| (pts, hash.unwrap())).collect()
}

/// Units read anew, as the engine does it: what cannot be read counts as a reference.
fn reread(parameters: &Arc<CodecParameters>, units: impl Iterator<Item = AccessUnit>) -> Units {
    let mut reader = PictureReader::new(parameters);
    let units = units.map(|unit| {
        let info = reader.read(&unit.data, unit.container_keyframe).unwrap_or_else(|_| reader.unreadable());
        (unit, Some(info))
    });
    Units { parameters: Arc::clone(parameters), units: units.collect() }
}

/// The stream without the units from `at` on.
fn without(input: &Units, at: usize, count: usize) -> Units {
    let lost = at..at + count;
    let kept = input.units.iter().enumerate().filter(|(index, _)| !lost.contains(index));
    reread(&input.parameters, kept.map(|(_, (unit, _))| unit.clone()))
}

/// Verdicts are whole and in order; what they say of each picture.
fn judge(name: &str, product: &Product, clean: &Clean) -> Judged {
    let mut verdicts: Vec<i64> = product.pictures.iter().map(|(pts, _)| *pts).collect();
    let steps_back = verdicts.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    assert!(steps_back < product.runs.max(1), "{name}: in order within each run: {verdicts:?}");
    verdicts.sort_unstable();
    let chosen: Vec<i64> = product.chosen.iter().map(|(pts, _)| *pts).collect();
    assert_eq!(verdicts, chosen, "{name}: one verdict a picture");
    let mut judged = Judged::default();
    for (pts, hash) in &product.pictures {
        match hash {
            Err(_) => judged.failed += 1,
            Ok(hash) if clean.get(pts) == Some(hash) => judged.right += 1,
            Ok(_) => judged.wrong.push(*pts),
        }
    }
    judged
}

/// Loses each unit in turn, and pairs: nothing wrong passes, and not everything fails.
fn check_losses(clips: Vec<(&'static str, Clip)>) {
    for (name, clip) in clips {
        let input = units(&clip.cached(), usize::MAX);
        let clean = clean(&input);
        let (mut right, mut failed) = (0, 0);
        for (at, fps) in (1..input.units.len()).zip(RATES.iter().cycle()) {
            let damaged = without(&input, at, 1 + at % 2);
            let name = format!("{name} without unit {at}, at {fps} fps");
            let fps = if name.starts_with("h265 RASL") { "all" } else { fps };
            let judged = judge(&name, &run(&damaged, 0, fps.parse().unwrap(), None), &clean);
            assert!(judged.wrong.is_empty(), "{name}: {:?}", judged.wrong);
            right += judged.right;
            failed += judged.failed;
        }
        assert!(right > 0, "{name}");
        assert!(failed > 0 || name == "h264 intra only", "{name}: every loss went unnoticed");
    }
}

#[test]
fn h264_pictures_after_a_lost_unit_are_right_or_failed() {
    check_losses(zoo::h264(FRAMES));
}

#[test]
fn h265_pictures_after_a_lost_unit_are_right_or_failed() {
    check_losses(zoo::h265(FRAMES));
}

#[test]
fn every_chosen_picture_has_a_verdict_in_order_whatever_bits_are_flipped() {
    for (name, clip) in zoo::all(FRAMES) {
        let input = units(&clip.cached(), usize::MAX);
        let clean = clean(&input);
        let mut failed = 0;
        for seed in 0..12 {
            let damaged = input.units.iter().enumerate().map(|(at, (unit, _))| {
                let mut unit = unit.clone();
                if at as u64 % 5 == seed % 5 {
                    // Half of the flips in the headers.
                    let reach = if seed % 2 == 0 { 24 } else { usize::MAX };
                    unit.data = Bytes::from(fault::flip_bits(&unit.data, seed ^ at as u64, 2, 0..reach));
                }
                unit
            });
            let damaged = reread(&input.parameters, damaged);
            let fps = RATES[seed as usize % RATES.len()];
            let product = run(&damaged, 0, fps.parse().unwrap(), None);
            failed += judge(&format!("{name}, seed {seed}"), &product, &clean).failed;
        }
        // libav's VP8, VP9 and MJPEG decoders take nearly any bits for a picture.
        let silent = ["vp8", "vp9 with hidden references", "mjpeg"].contains(&name);
        assert!(failed > 0 || silent, "{name}: no damage was noticed");
    }
}

#[test]
fn a_change_of_parameters_that_cannot_be_opened_fails_its_pictures_only() {
    let clip = &zoo::h264(FRAMES)[0].1;
    let input = units(&clip.cached(), usize::MAX);
    let clean = clean(&input);
    let mut broken = CodecParameters::new(
        ocelli_media::Codec::Other("no such codec".to_owned()),
        Bytes::new(),
        input.parameters.time_base,
    );
    broken.reorder_hint = 0;
    let broken = Arc::new(broken);
    let damaged = input.units.iter().enumerate().map(|(at, (unit, info))| {
        let mut unit = unit.clone();
        if (10..20).contains(&at) {
            unit.parameters = Arc::clone(&broken);
        }
        (unit, *info)
    });
    let damaged = Units { parameters: Arc::clone(&input.parameters), units: damaged.collect() };
    let judged = judge("broken parameters", &all(&damaged), &clean);
    // The next keyframe is unit 30.
    assert_eq!((judged.right, judged.failed, judged.wrong), (28, 20, vec![]));
}

/// A transport stream, then padding without end, although it tells a size.
struct Endless(Cursor<Vec<u8>>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => {
                self.0.set_position(self.0.get_ref().len() as u64 - 188 * 512);
                self.0.read(buffer)
            }
            read => Ok(read),
        }
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_demuxer_that_reads_without_end_is_stopped() {
    let mut bytes = fs::read(zoo::h264(300)[0].1.cached()).unwrap();
    let padding: Vec<u8> = [0x47, 0x1f, 0xff, 0x10].into_iter().chain([0xff; 184]).collect();
    for _ in 0..512 {
        bytes.extend(&padding);
    }
    let mut demuxer = Demuxer::open(Box::new(Endless(Cursor::new(bytes)))).unwrap();
    let mut units = 0;
    let error = loop {
        match demuxer.next_unit() {
            Ok(unit) => units += u32::from(unit.is_some()),
            Err(error) => break error,
        }
    };
    assert!(units > 200, "{units} units before the padding: {error}");
    assert!(matches!(&error, DemuxError::Read(cause) if cause.to_string().contains("damaged")), "{error:?}");
}
