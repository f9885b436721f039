//! One clip for each way of coding that the slot rule names.

use crate::{Clip, ClipCodec, Container};

/// Frames and B-frames exactly where they are asked for.
const FIXED: &str = "scenecut=0:b-adapt=0";

/// Named clips of `frames` small pictures at 30 fps, each in the container in which it is most often met.
pub fn all(frames: u32) -> Vec<(&'static str, Clip)> {
    let mut clips = h264(frames);
    clips.extend(h265(frames));
    clips.extend(others(frames));
    clips
}

fn base(frames: u32) -> Clip {
    Clip::new(192, 128).frames(frames)
}

/// H.264, all of it in transport streams, so that [`crate::ts::select`] can cut it.
pub fn h264(frames: u32) -> Vec<(&'static str, Clip)> {
    let cases = [
        ("h264 without B", "keyint=30:bframes=0"),
        ("h264 intra only", "keyint=1"),
        ("h264 one non-reference B", "keyint=30:bframes=1"),
        ("h264 two non-reference B", "keyint=30:bframes=2:b-pyramid=none"),
        ("h264 three non-reference B", "keyint=50:bframes=3:b-pyramid=none"),
        ("h264 B-pyramid", "keyint=30:bframes=3:b-pyramid=normal"),
        ("h264 strict B-pyramid", "keyint=24:bframes=7:b-pyramid=strict:ref=4"),
        ("h264 open GOP", "keyint=15:min-keyint=15:bframes=3:b-pyramid=normal:open-gop=1"),
        ("h264 open GOP, no pyramid", "keyint=12:min-keyint=12:bframes=2:b-pyramid=none:open-gop=1"),
        ("h264 intra refresh", "keyint=20:intra-refresh=1:bframes=0"),
        ("h264 one endless GOP", "keyint=infinite:bframes=2"),
        ("h264 adaptive, as encoders do by default", "keyint=40:b-adapt=2:scenecut=40"),
        ("h264 interlaced (MBAFF)", "keyint=20:interlaced=1:bframes=2"),
        ("h264 four slices", "keyint=20:slices=4:bframes=2"),
    ];
    let clip = |params| base(frames).container(Container::Ts).params(FIXED).params(params);
    cases.map(|(name, params)| (name, clip(params))).into()
}

/// H.265, likewise.
pub fn h265(frames: u32) -> Vec<(&'static str, Clip)> {
    let cases = [
        ("h265 without B", "keyint=30:bframes=0"),
        ("h265 B-pyramid, closed GOP", "keyint=30:bframes=4:b-pyramid=1:open-gop=0"),
        ("h265 two non-reference B", "keyint=30:bframes=2:b-pyramid=0:open-gop=0"),
        ("h265 RASL", "keyint=18:min-keyint=18:bframes=4:b-pyramid=1:open-gop=1"),
        ("h265 RADL", "keyint=16:min-keyint=16:bframes=4:b-pyramid=1:open-gop=0:radl=2"),
        ("h265 temporal layers", "keyint=24:bframes=3:temporal-layers=1:open-gop=0"),
        ("h265 intra refresh", "keyint=20:intra-refresh=1:bframes=0"),
    ];
    let clip =
        |params| base(frames).codec(ClipCodec::X265).container(Container::Ts).params(FIXED).params(params);
    cases.map(|(name, params)| (name, clip(params))).into()
}

/// Codecs of which every picture counts as a reference.
pub fn others(frames: u32) -> Vec<(&'static str, Clip)> {
    use ClipCodec::{Av1, Mjpeg, Mpeg2, Mpeg4, Vp8, Vp9};
    let clip =
        |codec, container, options: &[&str]| base(frames).codec(codec).container(container).options(options);
    vec![
        ("mpeg4 in avi", clip(Mpeg4, Container::Avi, &["-g", "25"])),
        ("mpeg4 with B", clip(Mpeg4, Container::Mp4, &["-g", "25", "-bf", "2"])),
        ("mjpeg", clip(Mjpeg, Container::Avi, &[])),
        ("mpeg2 with B", clip(Mpeg2, Container::Ts, &["-g", "15", "-bf", "2"])),
        ("vp8", clip(Vp8, Container::WebM, &["-g", "25"])),
        ("vp9 with hidden references", clip(Vp9, Container::WebM, &["-g", "25", "-auto-alt-ref", "1"])),
        ("av1 with hidden references", clip(Av1, Container::Mkv, &["-g", "25"])),
    ]
}
