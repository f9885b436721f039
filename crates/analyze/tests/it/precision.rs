//! bf16 against f32.

use ocelli_analyze::{
    cpu_features,
    runtime::{Precision, RuntimeName},
};

use crate::{
    inputs::{SSD, YOLOX, detector, unmatched},
    reference::cases,
};

/// At least 98 % of what f32 finds, those within 0.05 of the threshold aside, in nearly the same place.
fn check(model: &str) {
    let cpu = cpu_features();
    if !cpu.has("avx512_bf16") && !cpu.has_amx() {
        return;
    }
    let (mut expected_count, mut missed_count) = (0, 0);
    for case in cases(model, "ffmpeg") {
        if case.skips() {
            return;
        }
        let mut exact = detector(model, 0.45, RuntimeName::OpenVino, Precision::F32);
        let mut rough = detector(model, 0.3, RuntimeName::OpenVino, Precision::Bf16);
        for rgb in case.pictures() {
            case.fill(&rgb, exact.input_mut().unwrap());
            case.fill(&rgb, rough.input_mut().unwrap());
            let expected = exact.detect(&case.placement()).unwrap();
            let found = rough.detect(&case.placement()).unwrap();
            missed_count += unmatched(&expected, &found, 0.9, 0.1).len();
            expected_count += expected.len();
        }
    }
    assert!(expected_count >= 200, "compared {expected_count}");
    assert!(missed_count * 50 <= expected_count, "missed {missed_count} of {expected_count}");
}

#[test]
fn ssd_in_bf16_finds_what_it_finds_in_f32() {
    check(SSD);
}

#[test]
fn yolox_in_bf16_finds_what_it_finds_in_f32() {
    check(YOLOX);
}
