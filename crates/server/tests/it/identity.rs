//! The PTS in each JPEG is that of the frame whose number is seen in it.

use std::path::Path;

use ocelli_testkit::{Clip, Container, ts, variety};

use crate::{
    args,
    frames::{frames, numbers},
    ocelli::ocelli,
};

fn extract(input: &Path, fps: &str, out: &Path) {
    ocelli(args!["extract", input, "--fps", fps, "--out", out]).whole();
}

/// Extracts at several rates; every number stands at its own PTS, and `all` gives every one.
fn check(name: &str, clip: &Clip, degrees: u32, (width, height): (usize, usize)) {
    let expected = variety::numbers(clip);
    let size = if degrees.is_multiple_of(180) { (width, height) } else { (height, width) };
    for fps in ["all", "3.7"] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("frames");
        extract(&clip.cached(), fps, &out);
        let (frames, seen) = (frames(&out), numbers(&out, size));
        assert_eq!(frames.len(), seen.len(), "{name} at {fps}");
        for (frame, number) in frames.iter().zip(seen) {
            let (number, turned) =
                number.unwrap_or_else(|| panic!("{name} at {fps}: no number at {}", frame.pts));
            assert_eq!((expected.get(&frame.pts), turned), (Some(&number), degrees), "{name} at {fps}");
            let base = clip.time_base();
            assert_eq!((frame.run, frame.time_base), (0, (base.num(), base.den())), "{name}");
        }
        let times = frames.iter().map(|frame| &frame.pts);
        assert!(times.clone().is_sorted_by(|a, b| a < b), "{name} at {fps}");
        assert!(fps != "all" || times.eq(expected.keys()), "{name}: every picture");
        assert!(frames.len() >= 3, "{name} at {fps}");
    }
}

#[test]
fn every_codec_in_every_container() {
    for (name, clip) in variety::containers() {
        check(&name, &clip, 0, (192, 128));
    }
}

#[test]
fn any_time() {
    for (name, clip) in variety::times() {
        check(name, &clip, 0, (192, 128));
    }
}

#[test]
fn any_shape() {
    for (name, clip, degrees) in variety::shapes() {
        check(name, &clip, degrees, if name.contains("odd") { (193, 131) } else { (192, 128) });
    }
}

#[test]
fn a_size_that_changes_in_mid_stream_changes_the_jpegs() {
    let clip = |width, height| Clip::new(width, height).container(Container::Ts).frames(30);
    let parts = [clip(192, 128), clip(256, 144).start_pts(100)];
    let bytes = parts.each_ref().map(|clip| std::fs::read(clip.cached()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("joined.ts"), dir.path().join("frames"));
    std::fs::write(&path, ts::join(&bytes)).unwrap();
    extract(&path, "all", &out);
    let size = |jpeg: &[u8]| {
        // The baseline frame header (T.81, B.2.2): marker, length, precision, height, width.
        let at = jpeg.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
        [jpeg[at + 7], jpeg[at + 8], jpeg[at + 5], jpeg[at + 6]]
    };
    let sizes: Vec<_> = frames(&out).iter().map(|frame| size(&frame.jpeg)).collect();
    assert_eq!(sizes, [[[0, 192, 0, 128]; 30], [[1, 0, 0, 144]; 30]].concat());
}
