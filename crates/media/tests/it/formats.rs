//! Pixel formats, palettes and odd containers: what comes out is what FFmpeg's own tool makes of the same file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use ocelli_media::{
    Rotation,
    decode::Decoder as _,
    libav::{DemuxError, Demuxer, Frame, LibavDecoder},
    pixel::{Matrix, Range},
};
use ocelli_testkit::Clip;

/// Writes `frames` test pictures with FFmpeg's tool.
fn make(folder: &Path, name: &str, size: (usize, usize), options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source = format!("testsrc2=s={}x{}:r=10:d=0.3", size.0, size.1);
    let input = ["-v", "error", "-y", "-f", "lavfi", "-i", &source];
    let made = Command::new("ffmpeg").args(input).args(options).arg(&path).status().unwrap();
    assert!(made.success(), "{name}");
    path
}

/// Every picture of a file, straight through demuxer and decoder.
fn decoded(path: &Path) -> Vec<Frame> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    let mut decoder = LibavDecoder::open(demuxer.parameters()).unwrap();
    let mut frames = Vec::new();
    while let Some(unit) = demuxer.next_unit().unwrap() {
        decoder.send(&unit, true).unwrap();
        while let Some(decoded) = decoder.receive().unwrap() {
            frames.push(decoded.frame.unwrap().unwrap());
        }
    }
    assert_eq!(demuxer.damage(), None, "{}", path.display());
    frames
}

/// The planes of a frame, rows close together.
fn tight(frame: &Frame) -> Vec<u8> {
    let picture = frame.picture();
    let chroma = (picture.width.div_ceil(2), picture.height.div_ceil(2));
    let sizes = [(picture.width, picture.height), chroma, chroma];
    let rows = picture.planes.iter().zip(sizes).flat_map(|(plane, (width, rows))| {
        (0..rows as usize).map(move |y| &plane.data[y * plane.stride..][..width as usize])
    });
    rows.flatten().copied().collect()
}

/// What FFmpeg's tool makes of the same file in 4:2:0 of this range, all pictures after each other.
fn converted(path: &Path, range: Range) -> Vec<u8> {
    let range = if range == Range::Full { "full" } else { "limited" };
    let flags = "bicubic+accurate_rnd+full_chroma_inp+full_chroma_int";
    let filter = format!("scale=out_range={range}:out_color_matrix=bt601:flags={flags},format=yuv420p");
    let input = ["-v", "error", "-i"];
    let output = ["-vf", &filter, "-f", "rawvideo", "-"];
    Command::new("ffmpeg").args(input).arg(path).args(output).output().unwrap().stdout
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / (squares as f64).max(1e-9)).log10()
}

fn check(path: &Path) {
    let frames = decoded(path);
    assert_eq!(frames.len(), 3, "{}", path.display());
    let expected = converted(path, frames[0].picture().range);
    let size = expected.len() / frames.len();
    for (frame, expected) in frames.iter().zip(expected.chunks(size)) {
        let found = psnr(&tight(frame), expected);
        assert!(found > 30.0, "{} at {}: {found} dB", path.display(), frame.pts);
    }
}

#[test]
fn every_pixel_format_of_every_size_becomes_what_ffmpeg_makes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let formats = [
        "nv12",
        "nv21",
        "p010le",
        "yuyv422",
        "yuv422p10le",
        "yuv444p",
        "yuvj422p",
        "gray",
        "rgb24",
        "bgra",
        "yuv410p",
    ];
    for size in [(322, 242), (330, 18), (17, 17), (64, 64), (1922, 1082)] {
        for format in formats {
            let name = format!("{format}-{}x{}.nut", size.0, size.1);
            check(&make(folder.path(), &name, size, &["-c:v", "rawvideo", "-pix_fmt", format]));
        }
    }
}

#[test]
fn palettes_reach_the_decoder() {
    let folder = tempfile::tempdir().unwrap();
    let size = (322, 242);
    for (name, codec) in [("raw.avi", "rawvideo"), ("raw.nut", "rawvideo"), ("rle.mov", "qtrle")] {
        let options =
            ["-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse", "-pix_fmt", "pal8"];
        let options = [&options[..], &["-c:v", codec]].concat();
        check(&make(folder.path(), name, size, &options));
    }
}

#[test]
fn a_palette_that_was_sent_with_a_dropped_picture_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse", "-pix_fmt", "pal8"];
    let path = make(folder.path(), "raw.avi", (322, 242), &[&options[..], &["-c:v", "rawvideo"]].concat());
    let mut demuxer = Demuxer::open(Box::new(File::open(&path).unwrap())).unwrap();
    let mut decoder = LibavDecoder::open(demuxer.parameters()).unwrap();
    demuxer.next_unit().unwrap();
    decoder.send(&demuxer.next_unit().unwrap().unwrap(), true).unwrap();
    let frame = decoder.receive().unwrap().unwrap().frame.unwrap().unwrap();
    let expected = converted(&path, frame.picture().range);
    let size = expected.len() / 3;
    assert!(psnr(&tight(&frame), &expected[size..2 * size]) > 30.0);
}

#[test]
fn a_matrix_of_no_standard_is_taken_for_the_usual_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["-c:v", "libx264", "-bf", "0", "-bsf:v", "h264_metadata=matrix_coefficients=200"];
    let frames = decoded(&make(folder.path(), "matrix.ts", (320, 240), &options));
    assert_eq!(frames.len(), 3);
    assert!(frames.iter().all(|frame| frame.picture().matrix == Matrix::Bt601));
}

#[test]
fn what_libavformat_cannot_parse_is_no_damage_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    // A live stream that goes on with other parameter sets: the demuxer's parser still has the first. Long
    // enough that the change is not within what is probed.
    let fast = ["-vf", "fps=25,loop=loop=-1:size=7", "-frames:v", "100", "-c:v", "libx264"];
    let first = [&fast[..], &["-profile:v", "baseline"]].concat();
    let params = "cabac=1:ref=4:weightp=2:bframes=3";
    let second = [&fast[..], &["-x264-params", params, "-output_ts_offset", "4"]].concat();
    let mut joined = std::fs::read(make(folder.path(), "1.flv", (320, 240), &first)).unwrap();
    let next = std::fs::read(make(folder.path(), "2.flv", (640, 480), &second)).unwrap();
    // After the header of 9 bytes and the size of no tag before.
    joined.extend_from_slice(&next[13..]);
    let path = folder.path().join("joined.flv");
    std::fs::write(&path, joined).unwrap();
    let mut demuxer = Demuxer::open(Box::new(File::open(&path).unwrap())).unwrap();
    let units = std::iter::from_fn(|| demuxer.next_unit().unwrap()).count();
    assert_eq!((units, demuxer.damage()), (200, None));
}

#[test]
fn ticks_longer_than_any_clock_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "ticks.avi", (64, 64), &["-c:v", "mjpeg"]);
    let mut bytes = std::fs::read(path).unwrap();
    let header = bytes.windows(4).position(|name| name == b"strh").unwrap();
    // dwScale and dwRate of AVISTREAMHEADER.
    bytes[header + 28..][..8].copy_from_slice(&[0x83, 0x84, 0x1e, 0, 1, 0, 0, 0]);
    let opened = Demuxer::open(Box::new(std::io::Cursor::new(bytes)));
    assert!(matches!(opened, Err(DemuxError::Ticks { num: 2_000_003, den: 1 })), "{opened:?}");
}

#[test]
fn mirrored_pictures_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(make(folder.path(), "plain.mp4", (64, 64), &["-c:v", "mpeg4"])).unwrap();
    // a, b, c and d of the matrix (ISO/IEC 14496-12, 6.2.2).
    let cases = [
        ([1, 0, 0, 1], Rotation::None),
        ([0, 1, -1, 0], Rotation::Clockwise),
        ([-1, 0, 0, -1], Rotation::Half),
        ([-1, 0, 0, 1], Rotation::None),
        ([1, 0, 0, -1], Rotation::Half),
        ([0, 1, 1, 0], Rotation::Clockwise),
        ([0, -1, -1, 0], Rotation::Counterclockwise),
    ];
    for (matrix, expected) in cases {
        let mut bytes = bytes.clone();
        let track = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
        for (value, at) in matrix.into_iter().zip([44, 48, 56, 60]) {
            bytes[track + at..][..4].copy_from_slice(&(value * 65_536_i32).to_be_bytes());
        }
        let demuxer = Demuxer::open(Box::new(std::io::Cursor::new(bytes))).unwrap();
        assert_eq!(demuxer.parameters().rotation, expected, "{matrix:?}");
    }
}

#[test]
fn pictures_that_nobody_wants_come_out_without_pixels() {
    // B-frames: what comes out after a unit is not that unit's picture.
    let path = Clip::new(64, 48).frames(30).params("keyint=30:bframes=2:b-adapt=0").cached();
    let mut demuxer = Demuxer::open(Box::new(File::open(&path).unwrap())).unwrap();
    let mut decoder = LibavDecoder::open(demuxer.parameters()).unwrap();
    let (mut wanted, mut seen, mut count) = (Vec::new(), Vec::new(), 0);
    loop {
        let unit = demuxer.next_unit().unwrap();
        match &unit {
            Some(unit) => {
                let wants = unit.pts % 3 == 0;
                wanted.extend(wants.then_some(unit.pts));
                decoder.send(unit, wants).unwrap();
            }
            None => decoder.send_end(),
        }
        while let Some(decoded) = decoder.receive().unwrap() {
            count += 1;
            seen.extend(decoded.frame.is_some().then_some(decoded.pts));
        }
        if unit.is_none() {
            break;
        }
    }
    wanted.sort_unstable();
    assert_eq!((seen, count), (wanted, 30));
}
