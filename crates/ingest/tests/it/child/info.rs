//! What a file is, and the many things that are none.

use std::path::Path;

use ocelli_ingest::{
    child::{ChildLimits, ProbeError, VideoInfo, video_info},
    pull::Stop,
};
use ocelli_media::Rotation;
use ocelli_testkit::{Clip, ClipCodec, Container, clip, fault};

use super::{file, honest};

fn info(path: &Path) -> Result<VideoInfo, ProbeError> {
    video_info(path, &honest(), &Stop::default())
}

#[test]
fn a_video_is_described() {
    let clip = Clip::new(192, 128).frames(60).rate(30, 1);
    let expected = VideoInfo {
        format: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        codec: "h264".to_owned(),
        width: 192,
        height: 128,
        rotation: Rotation::None,
        fps: Some(30.0),
        duration: Some(2.0),
    };
    assert_eq!(info(&clip.cached()).unwrap(), expected);
    let turned = info(&clip.clone().rotate(90).cached()).unwrap();
    assert_eq!(turned, VideoInfo { rotation: Rotation::Clockwise, ..expected.clone() });
    let h265 = clip.codec(ClipCodec::X265).container(Container::Mkv);
    let (format, codec) = ("matroska,webm".to_owned(), "hevc".to_owned());
    assert_eq!(info(&h265.cached()).unwrap(), VideoInfo { format, codec, ..expected });
}

/// A name, the bytes, and what they must be told as.
type Case<'a> = (&'a str, &'a [u8], &'a dyn Fn(&ProbeError) -> bool);

#[test]
fn what_is_no_video_is_told_apart_from_what_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(Clip::new(192, 128).frames(60).cached()).unwrap();
    let words = "only words that go on for a while\n".repeat(200);
    let moov = whole.windows(4).position(|four| four == b"moov").unwrap();
    let is_empty = |error: &ProbeError| matches!(error, ProbeError::Empty);
    let is_no_video = |error: &ProbeError| matches!(error, ProbeError::NotVideo(_));
    let is_damaged = |error: &ProbeError| matches!(error, ProbeError::Unusable(_));
    let cases: [Case<'_>; 6] = [
        ("nothing", b"", &is_empty),
        ("words", words.as_bytes(), &is_no_video),
        ("noise", &fault::noise(1, 100_000), &is_no_video),
        ("playlist", b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", &is_no_video),
        ("cut before its index", &whole[..moov], &is_damaged),
        ("cut in its index", &whole[..moov + 60], &is_damaged),
    ];
    for (name, bytes, expected) in cases {
        let error = info(&file(&dir, bytes)).expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
    }
    let sound = info(&clip::audio_only(dir.path())).unwrap_err();
    assert!(is_no_video(&sound), "{sound:?}");
    let picture = dir.path().join("picture.png");
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64", "-frames:v", "1"]).arg(&picture);
    assert!(ffmpeg.status().unwrap().success());
    let picture = info(&picture).unwrap_err();
    assert!(is_no_video(&picture), "{picture:?}");
}

#[test]
fn memory_that_is_not_granted_is_named() {
    // Not enough to open anything with.
    let limits = ChildLimits { memory_bytes: 64 << 10, ..ChildLimits::default() };
    let path = Clip::new(192, 128).frames(60).cached();
    let error = video_info(&path, &honest().with_limits(limits), &Stop::default()).unwrap_err();
    assert!(matches!(error, ProbeError::Hostile(_)), "{error:?}");
    let missing = info(Path::new("/nowhere/at/all.mp4")).unwrap_err();
    assert!(matches!(missing, ProbeError::Read(_)), "{missing:?}");
}
