//! Pictures that browsers do not play, as H.264: each is there, at its own PTS, and shows what it showed.

use std::{collections::BTreeMap, fs::File, path::Path, sync::Arc};

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, Codec, CodecParameters,
    cmaf::Framing,
    decode::Decoder as _,
    libav::{Demuxer, LibavDecoder, VideoTranscodeError, VideoTranscoder},
};
use ocelli_model::TimeBase;
use ocelli_testkit::{Clip, ClipCodec, Container, read_number, variety};

fn units(path: &Path) -> Vec<AccessUnit> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    std::iter::from_fn(|| demuxer.next_unit().unwrap()).collect()
}

/// What comes of them, and how many were left out.
fn transcoded(units: &[AccessUnit]) -> (Vec<AccessUnit>, usize) {
    let (mut transcoder, mut made, mut left_out) = (VideoTranscoder::default(), Vec::new(), 0);
    for unit in units {
        left_out += usize::from(transcoder.push(unit).is_err());
        made.extend(std::iter::from_fn(|| transcoder.next_unit()));
    }
    left_out += usize::from(transcoder.end().is_err());
    made.extend(std::iter::from_fn(|| transcoder.next_unit()));
    (made, left_out)
}

/// The number that each picture shows.
fn read(units: &[AccessUnit]) -> BTreeMap<i64, u32> {
    let mut found = BTreeMap::new();
    for alike in units.chunk_by(|a, b| Arc::ptr_eq(&a.parameters, &b.parameters)) {
        let mut decoder = LibavDecoder::open(&alike[0].parameters).unwrap();
        let mut take = |decoder: &mut LibavDecoder| {
            while let Some(decoded) = decoder.receive().unwrap() {
                let frame = decoded.frame.unwrap().unwrap();
                let picture = frame.picture();
                let (width, height) = (picture.width as usize, picture.height as usize);
                let luma = picture.planes[0];
                let number =
                    read_number(luma.data, luma.stride, width, height).expect("a number can be read");
                assert_eq!(found.insert(decoded.pts, number), None);
            }
        };
        for unit in alike {
            decoder.send(unit, true).unwrap();
            take(&mut decoder);
        }
        decoder.send_end();
        take(&mut decoder);
    }
    found
}

fn check(name: &str, clip: &Clip) {
    let given = units(&clip.cached());
    let (made, left_out) = transcoded(&given);
    assert_eq!(left_out, 0, "{name}");
    assert_eq!(read(&made), variety::numbers(clip), "{name}");
    assert!(made.windows(2).all(|pair| pair[0].pts < pair[1].pts), "{name}: in the order of being shown");
    let base = given[0].parameters.time_base;
    assert!(
        made.iter().all(|unit| unit.parameters.time_base == base && unit.dts == Some(unit.pts)),
        "{name}"
    );
    let mut framing = Framing::new(&made[0].parameters).unwrap();
    assert!(made[0].container_keyframe && !framing.sample(&made[0], true).unwrap().data.is_empty(), "{name}");
}

#[test]
fn every_picture_is_there_at_its_own_time() {
    let (containers, times, shapes) = (variety::containers(), variety::times(), variety::shapes());
    let all = (containers.iter().map(|(name, clip)| (name.as_str(), clip)))
        .chain(times.iter().map(|(name, clip)| (*name, clip)))
        .chain(shapes.iter().map(|(name, clip, _)| (*name, clip)));
    let mut checked = 0;
    for (name, clip) in all {
        if VideoTranscoder::is_for(&units(&clip.cached())[0].parameters.codec) {
            check(name, clip);
            checked += 1;
        }
    }
    assert!(checked >= 11, "{checked}");
}

#[test]
fn what_can_be_recorded_is_not_transcoded() {
    for codec in [Codec::H264, Codec::H265, Codec::Av1, Codec::Vp9] {
        assert!(!VideoTranscoder::is_for(&codec));
    }
    for name in ["mjpeg", "png", "mpeg2video", "mpeg4", "vp8", "rawvideo"] {
        assert!(VideoTranscoder::is_for(&Codec::named(name)));
    }
}

fn jpegs(width: usize, height: usize, frames: u32) -> Vec<AccessUnit> {
    let clip =
        Clip::new(width, height).frames(frames).rate(25, 1).codec(ClipCodec::Mjpeg).container(Container::Mkv);
    units(&clip.cached())
}

#[test]
fn keyframes_come_every_two_seconds_of_stream_time() {
    for step in [40, 400, 3000] {
        let mut given = jpegs(192, 128, 150);
        for (pts, unit) in (0..).map(|n| n * step).zip(&mut given) {
            unit.pts = pts;
        }
        let (made, _) = transcoded(&given);
        let keyframes: Vec<i64> =
            made.iter().filter(|unit| unit.container_keyframe).map(|unit| unit.pts).collect();
        let expected: Vec<i64> = (0..150).map(|n| n * step).collect();
        let mut last = None;
        let due = expected.into_iter().filter(|pts| {
            let due = last.is_none_or(|last| pts - last >= 2000);
            last = if due { Some(*pts) } else { last };
            due
        });
        assert_eq!(keyframes, due.collect::<Vec<_>>(), "{step}");
    }
}

/// The decoder of PNG takes pictures that nobody calls keyframes for differences to the one before.
#[test]
fn png_pictures_are_whole() {
    let clip = Clip::new(192, 128).frames(12).cached();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("png.mkv");
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(clip).args(["-c:v", "png"]).arg(&path);
    assert!(ffmpeg.status().unwrap().success());
    let given = units(&path);
    let (made, left_out) = transcoded(&given);
    assert_eq!((made.len(), left_out), (12, 0));
    assert_eq!(read(&made).into_values().collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
}

#[test]
fn another_size_begins_anew() {
    let small = jpegs(192, 128, 10);
    let mut large = jpegs(256, 144, 10);
    let odd = variety::shapes().into_iter().find(|(name, ..)| *name == "mjpeg 4:4:4, odd size").unwrap().1;
    let mut odd = units(&odd.cached());
    for (units, later) in [(&mut large, 1000), (&mut odd, 2000)] {
        for unit in units {
            unit.pts += later;
        }
    }
    let given = [small, large, odd].concat();
    let (made, left_out) = transcoded(&given);
    assert_eq!((made.len(), left_out), (given.len(), 0));
    let mut sizes: Vec<_> = made.iter().map(|unit| (unit.parameters.width, unit.parameters.height)).collect();
    sizes.dedup();
    assert_eq!(sizes, [(192, 128), (256, 144), (194, 132)]);
    for pair in made.windows(2).filter(|pair| !Arc::ptr_eq(&pair[0].parameters, &pair[1].parameters)) {
        assert!(pair[1].container_keyframe);
    }
    assert_eq!(read(&made).len(), given.len());
}

#[test]
fn a_picture_that_is_damaged_is_left_out_and_no_other() {
    let mut given = jpegs(192, 128, 20);
    given[3].data = Bytes::from_static(b"no picture");
    given[7].data = given[7].data.slice(..given[7].data.len() / 2);
    given[9].damaged = true;
    given[11].data = Bytes::new();
    let (made, left_out) = transcoded(&given);
    let whole: Vec<i64> =
        (0..20).filter(|n| ![3, 7, 9, 11].contains(n)).map(|n: usize| given[n].pts).collect();
    assert_eq!(made.iter().map(|unit| unit.pts).collect::<Vec<_>>(), whole);
    assert!((3..=4).contains(&left_out), "{left_out}");
    let unknown = CodecParameters::new(Codec::named("nothing"), Bytes::new(), TimeBase::SECOND);
    let unit = AccessUnit::new(0, Bytes::from_static(b"x"), Arc::new(unknown));
    let refused = VideoTranscoder::default().push(&unit);
    assert!(matches!(refused, Err(VideoTranscodeError::Decode(_))), "{refused:?}");
}
