//! Decoded pictures through our own tensor kernel.

use ocelli_analyze::{
    Analyzer as _,
    runtime::{Precision, RuntimeName},
};
use ocelli_media::pixel::{Matrix, OwnedPicture, Range};

use crate::{
    inputs::{SSD, YOLOX, detector, footage, raw_pictures, unmatched},
    reference::{Case, cases},
};

/// Planes as coded, no conversion.
fn planes(case: &Case) -> Vec<OwnedPicture> {
    let (width, height) = (case.width, case.height);
    let (luma, chroma) = ((width * height) as usize, (width.div_ceil(2) * height.div_ceil(2)) as usize);
    let jpeg = case.input != "vtest.avi";
    let (format, range) = if jpeg { ("yuvj420p", Range::Full) } else { ("yuv420p", Range::Limited) };
    let raw = raw_pictures(&footage(&case.input), "select=not(mod(n\\,20))", format, luma + 2 * chroma);
    let picture = |bytes: Vec<u8>| OwnedPicture {
        width,
        height,
        planes: [
            bytes[..luma].to_vec(),
            bytes[luma..luma + chroma].to_vec(),
            bytes[luma + chroma..].to_vec(),
        ],
        range,
        matrix: Matrix::Bt601,
    };
    raw.into_iter().map(picture).collect()
}

/// At least 98 % of what the reference finds after scaling with `OpenCV`'s area filter, those near the threshold aside.
fn check(model: &str) {
    let (mut expected_count, mut missed_count) = (0, 0);
    for case in cases(model, "opencv") {
        if case.skips() {
            return;
        }
        let mut detector = detector(model, 0.3, RuntimeName::OpenVino, Precision::F32);
        let pictures = planes(&case);
        assert_eq!(pictures.len(), case.frames.len());
        for (frame, picture) in pictures.iter().enumerate() {
            let found = detector.analyze(&picture.as_picture()).unwrap();
            let mut expected = case.detections(frame);
            expected.retain(|one| one.confidence >= 0.45);
            missed_count += unmatched(&expected, &found, 0.9, 0.15).len();
            expected_count += expected.len();
        }
    }
    assert!(expected_count >= 200, "compared {expected_count}");
    assert!(missed_count * 50 <= expected_count, "missed {missed_count} of {expected_count}");
}

#[test]
fn ssd_sees_the_same_through_our_kernel() {
    check(SSD);
}

#[test]
fn yolox_sees_the_same_through_our_kernel() {
    check(YOLOX);
}
