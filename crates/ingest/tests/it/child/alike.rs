//! What comes through a child is what this process makes of the same file: units, pictures, damage, errors.

use std::{path::Path, process::Command, sync::Arc};

use ocelli_ingest::{Source, pull::FileSource};
use ocelli_media::{
    AccessUnit,
    decode::{Decoder, OpenDecoder},
    libav::{Frame, LibavDecoder},
    pixel::OwnedPicture,
};
use ocelli_testkit::{Clip, ClipCodec, Container, fault, zoo};

use super::{chain, file, honest, open};

/// Everything that can be told of a unit.
fn told(unit: &AccessUnit) -> String {
    let AccessUnit { pts, dts, data, container_keyframe, damaged, presentable, parameters, side } = unit;
    let set = (
        &parameters.codec,
        &parameters.extradata,
        (parameters.width, parameters.height, parameters.rotation),
        (parameters.time_base, parameters.reorder_hint, parameters.frame_rate.to_bits(), parameters.duration),
    );
    format!("{pts} {dts:?} {data:?} {container_keyframe} {damaged} {presentable} {set:?} {side:?}")
}

/// What comes of one unit, or of the end.
#[derive(Debug, PartialEq)]
enum Seen {
    Picture(i64, Option<Result<OwnedPicture, String>>, bool, Option<String>),
    Said(String),
}

/// Sends a unit, or the end, and pulls as `Decoding` does.
fn pull(decoder: &mut dyn Decoder, unit: Option<&AccessUnit>, wanted: bool, seen: &mut Vec<Seen>) {
    match unit {
        Some(unit) => {
            seen.extend(decoder.send(unit, wanted).err().map(|error| Seen::Said(error.to_string())));
        }
        None => decoder.send_end(),
    }
    for _ in 0..1024 {
        match decoder.receive() {
            Ok(None) => break,
            Ok(Some(decoded)) => {
                let planes = |frame: Frame| frame.picture().to_owned_picture();
                let frame = decoded.frame.map(|made| made.map(planes).map_err(|error| error.to_string()));
                let unit = decoded.unit_damaged.map(|error| error.to_string());
                seen.push(Seen::Picture(decoded.pts, frame, decoded.damaged, unit));
            }
            Err(error) => seen.push(Seen::Said(error.to_string())),
        }
    }
}

/// Units and how they end; pictures, of which every `nth` is wanted, with a drain and a flush in the middle.
fn all(source: &mut dyn Source, open: &OpenDecoder, nth: i64) -> (Vec<String>, Vec<Seen>) {
    let (mut units, mut seen) = (Vec::new(), Vec::new());
    let mut decoder: Option<Box<dyn Decoder>> = None;
    let end = loop {
        let unit = match source.next_unit() {
            Ok(Some(unit)) => unit,
            Ok(None) => break "end".to_owned(),
            Err(error) => break chain(&error),
        };
        units.push(told(&unit));
        if decoder.as_ref().is_none_or(|decoder| !Arc::ptr_eq(decoder.parameters(), &unit.parameters)) {
            match open(&unit.parameters) {
                Ok(opened) => decoder = Some(opened),
                Err(error) => seen.push(Seen::Said(error.to_string())),
            }
        }
        let Some(decoder) = &mut decoder else { continue };
        let count = units.len() as i64;
        if count == 40 {
            pull(&mut **decoder, None, false, &mut seen);
            decoder.flush();
        }
        pull(&mut **decoder, Some(&unit), count % nth == 0, &mut seen);
    };
    if let Some(mut decoder) = decoder {
        pull(&mut *decoder, None, false, &mut seen);
    }
    units.push(format!("{end} {:?}", source.damage()));
    (units, seen)
}

/// Compares, and says how many pictures were compared.
fn check(path: &Path, nth: i64) -> usize {
    let name = path.display();
    let here = |parameters: &_| Ok(Box::new(LibavDecoder::open(parameters)?) as Box<dyn Decoder>);
    let (mut file, mut child) = match (FileSource::open(path), open(path, &honest())) {
        (Ok(file), Ok(child)) => (file, child),
        (file, child) => {
            let [file, child] =
                [file.map(drop), child.map(drop)].map(|opened| opened.map_err(|error| chain(&error)));
            assert_eq!(file, child, "{name}");
            return 0;
        }
    };
    let there = child.decoder().expect("it decodes what it reads");
    let expected = all(&mut file, &here, nth);
    let found = all(&mut child, &*there, nth);
    for (at, (found, expected)) in found.0.iter().zip(&expected.0).enumerate() {
        assert_eq!(found, expected, "{name}: unit {at}");
    }
    assert_eq!(found.0.len(), expected.0.len(), "{name}");
    for (at, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert!(found == expected, "{name}: what came out {at}");
    }
    assert_eq!(found.1.len(), expected.1.len(), "{name}");
    let whole = |seen: &&Seen| matches!(seen, Seen::Picture(_, Some(Ok(_)), ..));
    expected.1.iter().filter(whole).count()
}

#[test]
fn every_way_of_coding_comes_through_as_it_is() {
    for (name, clip) in zoo::all(60) {
        assert!(check(&clip.cached(), 1) > 30, "{name}");
    }
}

#[test]
fn pixel_formats_turns_and_palettes_come_through() {
    let clip = || Clip::new(322, 242).frames(20);
    let clips = [
        clip().rotate(90),
        clip().pixel_format("yuv444p"),
        clip().pixel_format("yuv420p10le"),
        clip().codec(ClipCodec::Mjpeg).container(Container::Avi).pixel_format("yuvj420p"),
        clip().audio().container(Container::Ts),
        clip().container(Container::Raw).params("bframes=0"),
    ];
    for clip in clips {
        assert_eq!(check(&clip.cached(), 2), 10, "{clip:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("palette.avi");
    let filter = "split[a][b];[a]palettegen[p];[b][p]paletteuse";
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=322x242:r=10:d=2",
        "-filter_complex",
        filter,
    ]);
    let made = ffmpeg.args(["-pix_fmt", "pal8", "-c:v", "rawvideo"]).arg(&path).status().unwrap();
    assert!(made.success());
    assert_eq!(check(&path, 2), 10);
}

#[test]
fn real_footage_comes_through() {
    let home = std::env::var_os("OCELLI_HOME").map(std::path::PathBuf::from);
    let data = std::env::var_os("XDG_DATA_HOME").map(|data| Path::new(&data).join("ocelli"));
    let own = std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share/ocelli"));
    let Some(footage) = home.or(data).or(own).map(|home| home.join("footage")) else { return };
    for (name, nth) in [("vtest.avi", 25), ("bikes.mp4", 10)] {
        let path = footage.join(name);
        if path.try_exists().unwrap() {
            assert!(check(&path, nth) > 3, "{name}");
        } else {
            skipped(&path);
        }
    }
}

#[expect(clippy::print_stderr, reason = "the runner shows what a test prints")]
fn skipped(path: &Path) {
    eprintln!("skipped: {} is not here; './dev setup' mends it", path.display());
}

/// Whatever damage does: both say the same, or the child is ended and the parent goes on.
#[test]
fn damage_comes_through_and_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let gop = "keyint=12:bframes=2";
    let h264 = Clip::new(192, 128).frames(60).params(gop);
    let h265 = Clip::new(192, 128).frames(60).codec(ClipCodec::X265).container(Container::Ts).params(gop);
    let webm = Clip::new(192, 128).frames(60).codec(ClipCodec::Vp9).container(Container::WebM);
    for clip in [h264.clone(), h264.container(Container::Ts), h265, webm] {
        let whole = std::fs::read(clip.cached()).unwrap();
        for seed in 0..6 {
            check(&file(&dir, &fault::flip_bits(&whole, seed, 40, 0..whole.len())), 1);
            check(&file(&dir, &fault::lose(&whole, seed, 3, 700)), 1);
            check(&file(&dir, &fault::flip_bits(&whole, seed, 60, 0..2000)), 1);
            check(&file(&dir, &fault::truncate(&whole, whole.len() * seed as usize / 6)), 1);
        }
    }
}
