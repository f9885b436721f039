use std::process::Command;

use proptest::prelude::*;

use super::*;

/// One picture by FFmpeg's tool.
fn made(size: &str, options: &[&str]) -> Vec<u8> {
    let source = format!("testsrc2=s={size}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "1"]).args(options);
    let made = command.args(["-f", "image2pipe", "-"]).output().unwrap();
    assert!(made.status.success(), "{options:?}");
    made.stdout
}

const JPEG: [&str; 2] = ["-c:v", "mjpeg"];
const IS_PNG: [&str; 4] = ["-c:v", "png", "-pix_fmt", "rgb24"];

#[test]
fn pictures_are_what_their_headers_say() {
    let cases: [(&str, &[&str], Kind); 6] = [
        ("320x240", &JPEG, Kind::Jpeg),
        ("38x2", &["-c:v", "mjpeg", "-pix_fmt", "yuvj444p"], Kind::Jpeg),
        ("64x64", &["-c:v", "mjpeg", "-pix_fmt", "gray"], Kind::Jpeg),
        ("320x242", &IS_PNG, Kind::Png),
        ("64x64", &["-c:v", "png", "-pix_fmt", "rgba"], Kind::Png),
        ("64x64", &["-c:v", "png", "-pix_fmt", "monob"], Kind::Png),
    ];
    for (size, options, kind) in cases {
        let (width, height) = size.split_once('x').unwrap();
        let expected = Look { kind, width: width.parse().unwrap(), height: height.parse().unwrap() };
        assert_eq!(look(&made(size, options)), Ok(expected), "{options:?}");
    }
}

#[test]
fn what_is_cut_anywhere_is_refused() {
    for options in [&JPEG[..], &IS_PNG] {
        let whole = made("64x64", options);
        for length in 0..whole.len() - 1 {
            assert!(look(&whole[..length]).is_err(), "{options:?} {length}");
        }
        // What follows the end harms nobody.
        assert!(look(&[&whole[..], b"more"].concat()).is_ok());
    }
}

#[test]
fn each_refusal_says_why() {
    let with = |whole: &[u8], find: &[u8], at: usize, new: &[u8]| {
        let mut whole = whole.to_vec();
        let found = whole.windows(find.len()).position(|window| window == find).unwrap();
        whole[found + at..][..new.len()].copy_from_slice(new);
        whole
    };
    let (jpeg, png) = (made("64x64", &JPEG), made("64x64", &IS_PNG));
    let sof = |at, new: &[u8]| with(&jpeg, b"\xff\xc0", at, new);
    let ihdr = |at, new: &[u8]| with(&png, b"IHDR", at, new);
    let text = |size: usize| {
        let mut chunk = (size as u32).to_be_bytes().to_vec();
        chunk.extend(b"zTXt");
        chunk.resize(chunk.len() + size + 4, 0);
        let after_header = 8 + 12 + 13;
        [&png[..after_header], &chunk, &png[after_header..]].concat()
    };
    let cases = [
        (Vec::new(), "empty"),
        (vec![0xff; MOST_BYTES + 1], "larger than 16 MiB"),
        (b"GIF89a".to_vec(), "neither JPEG nor PNG"),
        (b"<html>".to_vec(), "neither JPEG nor PNG"),
        (b"\xff\xd8\xff\xd9".to_vec(), "has no picture"),
        (b"\xff\xd8\xff\xda\0\x02\xff\xd9".to_vec(), "no frame header"),
        (b"\xff\xd8abc".to_vec(), "marker is missing"),
        (sof(1, &[0xc3]), "lossless"),
        (sof(1, &[0xc9]), "arithmetic"),
        (sof(4, &[12]), "8 bit"),
        (sof(9, &[4]), "three components"),
        (sof(5, &[0, 0]), "64x0 pixels"),
        (sof(5, &[0xff, 0xff]), "64x65535 pixels"),
        (sof(5, &[0x20, 0, 0x20, 0]), "8192x8192 pixels"),
        (ihdr(4, &[0x7f; 8]), "pixels"),
        (ihdr(12, &[16]), "8 bit"),
        (ihdr(13, &[5]), "of no kind"),
        (ihdr(14, &[1]), "no known way"),
        (with(&png, b"IHDR", 0, b"JHDR"), "not its first chunk"),
        (with(&png, b"IDAT", 0, b"JDAT"), "has no picture"),
        (text(MOST_BESIDE + 1), "larger than 64 KiB"),
    ];
    for (bytes, expected) in cases {
        let error = look(&bytes).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(look(&text(100)).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_panic(start in 0..3_usize, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
        let starts = [&b"\xff\xd8\xff"[..], PNG, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"];
        look(&[starts[start], &rest].concat()).ok();
    }
}
