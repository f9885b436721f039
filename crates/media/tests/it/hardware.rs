//! Hardware against software, on machines that have it.

use std::{fs::File, path::Path};

use ocelli_media::{
    decode::{Decoded, Decoder as _},
    libav::{Acceleration, Demuxer, Frame, Hardware, LibavDecoder},
};
use ocelli_testkit::{Clip, ClipCodec};

/// Levels by which pictures may differ on average: codecs are exact, copies between layouts nearly so.
const MOST_DIFFERENCE: f64 = 0.5;

#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
fn skipped(why: &dyn std::fmt::Display) {
    eprintln!("skipped: hardware against software: {why}");
}

/// Every picture of a file, in the order in which they are shown.
fn decoded(path: &Path, hardware: Option<&Hardware>) -> Vec<Frame> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    let parameters = demuxer.parameters();
    let opened = match hardware {
        None => LibavDecoder::open(parameters),
        Some(hardware) => LibavDecoder::open_on(parameters, hardware),
    };
    let mut decoder = opened.unwrap();
    let mut frames = Vec::new();
    loop {
        let unit = demuxer.next_unit().unwrap();
        match &unit {
            Some(unit) => decoder.send(unit, true).unwrap(),
            None => decoder.send_end(),
        }
        while let Some(Decoded { pts, frame, damaged, .. }) = decoder.receive().unwrap() {
            assert!(!damaged, "{pts}");
            frames.push(frame.unwrap().unwrap());
        }
        if unit.is_none() {
            return frames;
        }
    }
}

fn difference(one: &Frame, other: &Frame) -> f64 {
    let (one, other) = (one.picture(), other.picture());
    let mut sum = 0;
    for (plane, second) in one.planes.iter().zip(other.planes).take(1) {
        for y in 0..one.height as usize {
            let row = |plane: &ocelli_media::pixel::Plane<'_>| {
                plane.data[y * plane.stride..][..one.width as usize].to_vec()
            };
            let pairs = row(plane).into_iter().zip(row(&second));
            sum += pairs.map(|(a, b)| u64::from(a.abs_diff(b))).sum::<u64>();
        }
    }
    sum as f64 / f64::from(one.width * one.height)
}

#[test]
fn pictures_of_hardware_are_those_of_software() {
    let folder = tempfile::tempdir().unwrap();
    for acceleration in Acceleration::ALL {
        let hardware = match Hardware::open(acceleration, None) {
            Ok(hardware) => hardware,
            Err(reason) => {
                skipped(&reason);
                continue;
            }
        };
        // Sizes that are cropped, and a start that is not zero.
        for codec in [ClipCodec::X264, ClipCodec::X265] {
            let clip = Clip::new(636, 358).codec(codec).frames(60).start_pts(90_126_000);
            let path = clip.write(folder.path());
            let mut demuxer = Demuxer::open(Box::new(File::open(&path).unwrap())).unwrap();
            if let Err(reason) = hardware.probe(|| demuxer.next_unit().unwrap()) {
                skipped(&reason);
                continue;
            }
            let (hard, soft) = (decoded(&path, Some(&hardware)), decoded(&path, None));
            let times = |frames: &[Frame]| frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
            assert_eq!(times(&hard), times(&soft), "{acceleration}");
            for (hard, soft) in hard.iter().zip(&soft) {
                let size = |frame: &Frame| (frame.picture().width, frame.picture().height);
                assert_eq!(size(hard), size(soft));
                assert_eq!(
                    (hard.picture().range, hard.picture().matrix),
                    (soft.picture().range, soft.picture().matrix)
                );
                let difference = difference(hard, soft);
                assert!(difference <= MOST_DIFFERENCE, "{acceleration}, PTS {}: {difference}", hard.pts);
            }
        }
    }
}
