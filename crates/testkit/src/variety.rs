//! Clips that differ in container, time or shape: what a frame's identity must survive.

use std::collections::BTreeMap;

use crate::{Clip, ClipCodec, Container};

/// Number of the first frame: none of these clips counts from 0, as its PTS does.
pub const FIRST: u32 = 1000;

fn base() -> Clip {
    Clip::new(192, 128).first_number(FIRST)
}

/// The frame number at each PTS of a clip.
pub fn numbers(clip: &Clip) -> BTreeMap<i64, u32> {
    (0..clip.len()).map(|n| (clip.pts(n), clip.number(n))).collect()
}

/// Every codec in each container in which it is met, 40 pictures each, B-frames where the codec has them.
pub fn containers() -> Vec<(String, Clip)> {
    use ClipCodec::{Av1, Mjpeg, Mpeg2, Mpeg4, Vp8, Vp9, X264, X265};
    use Container::{Avi, Mkv, Mov, Mp4, Ts, WebM};
    let pairs: [(ClipCodec, &[Container]); 8] = [
        (X264, &[Mp4, Mkv, Ts, Mov]),
        (X265, &[Mp4, Mkv, Ts]),
        (Mpeg4, &[Mp4, Avi, Mkv]),
        (Mjpeg, &[Avi, Mov, Mkv]),
        (Mpeg2, &[Ts, Mkv]),
        (Vp8, &[WebM]),
        (Vp9, &[WebM, Mp4]),
        (Av1, &[Mp4, Mkv]),
    ];
    let each = |codec, container| {
        let clip = base().frames(40).codec(codec).container(container);
        (format!("{codec:?} in {container:?}"), clip)
    };
    pairs.iter().flat_map(|(codec, list)| list.iter().map(|container| each(*codec, *container))).collect()
}

/// Variable rates, starts that are not zero, unusual constant rates; B-frames in all that can.
pub fn times() -> Vec<(&'static str, Clip)> {
    // Jumps, jitter, a pause of a second.
    let steps = [3003, 1, 90_000, 2999, 3100, 45];
    let pts: Vec<i64> = (0..50).scan(0, |at, n| Some(std::mem::replace(at, *at + steps[n % 6]))).collect();
    let variable = |codec| base().codec(codec).timestamps(90_000, &pts).params("bframes=3:b-adapt=0");
    let slow: Vec<i64> = (0..30).map(|n| n * 40 + n % 3 * 7).collect();
    let coarse = |codec| base().codec(codec).timestamps(1000, &slow).container(Container::Mkv);
    vec![
        ("h264, variable rate", variable(ClipCodec::X264)),
        ("h264, variable rate, late start", variable(ClipCodec::X264).start_pts(1_234_567)),
        (
            "h264, variable rate, starts after a day",
            variable(ClipCodec::X264).container(Container::Ts).start_pts(7_900_000_000),
        ),
        ("h265, variable rate, late start", variable(ClipCodec::X265).start_pts(1_234_567)),
        ("h265, variable rate in a transport stream", variable(ClipCodec::X265).container(Container::Ts)),
        ("vp9, variable rate, late start", coarse(ClipCodec::Vp9).start_pts(5000)),
        ("av1, variable rate, late start", coarse(ClipCodec::Av1).start_pts(5000)),
        ("mjpeg, variable rate", coarse(ClipCodec::Mjpeg)),
        ("1.1 fps", base().rate(11, 10).frames(20).params("bframes=2")),
        ("29.97 fps, late start", base().rate(30_000, 1001).start_pts(7 * 1001 + 3)),
        ("120 fps", base().rate(120, 1)),
    ]
}

/// Turned pictures, odd sizes, deep and dense colour: the clip, and by how many degrees a player turns it.
pub fn shapes() -> Vec<(&'static str, Clip, u32)> {
    let small = || base().frames(24);
    let odd = |codec| Clip::new(193, 131).first_number(FIRST).frames(24).codec(codec);
    vec![
        ("turned by 90", small().rotate(90), 90),
        ("turned by 180", small().rotate(180), 180),
        ("turned by 270", small().codec(ClipCodec::X265).rotate(270), 270),
        ("h264 10 bit", small().pixel_format("yuv420p10le"), 0),
        ("h265 10 bit, turned", small().codec(ClipCodec::X265).pixel_format("yuv420p10le").rotate(90), 90),
        ("h264 4:2:2", small().pixel_format("yuv422p"), 0),
        ("h264 4:4:4, odd size", odd(ClipCodec::X264).pixel_format("yuv444p"), 0),
        ("h264 4:2:2 10 bit", small().pixel_format("yuv422p10le"), 0),
        ("h264 grey", small().pixel_format("gray"), 0),
        ("mpeg4, odd size", odd(ClipCodec::Mpeg4), 0),
        ("vp9, odd size", odd(ClipCodec::Vp9).container(Container::WebM), 0),
        (
            "mjpeg 4:4:4, odd size",
            odd(ClipCodec::Mjpeg).container(Container::Mkv).pixel_format("yuvj444p"),
            0,
        ),
        ("h264 with sound", small().audio(), 0),
    ]
}
