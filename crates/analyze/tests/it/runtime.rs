//! Several instances of one model.

use std::{fs, thread};

use ocelli_analyze::{
    DetectorConfig, load,
    runtime::{Precision, openvino},
};
use ocelli_model::Detection;

use crate::{
    inputs::{SSD, UPSTREAM, home, model_file, runtime_folder, skips},
    reference::cases,
};

#[test]
fn instances_on_two_threads_agree_to_the_last_bit() {
    let case = cases(SSD, "ffmpeg").into_iter().find(|case| case.input == "vtest.avi").unwrap();
    if case.skips() {
        return;
    }
    let config = DetectorConfig { precision: Some(Precision::F32), ..DetectorConfig::default() };
    let mut model = load(&config, &home(), UPSTREAM).unwrap();
    let detectors = [model.detector().unwrap(), model.detector().unwrap()];
    drop(model);
    let pictures = &case.pictures()[..8];
    let run = |mut detector: ocelli_analyze::Detector| -> Vec<Vec<Detection>> {
        let detect = |rgb: &Vec<u8>| {
            case.fill(rgb, detector.input_mut().unwrap());
            detector.detect(&case.placement()).unwrap()
        };
        pictures.iter().map(detect).collect()
    };
    let found = thread::scope(|scope| {
        let threads = detectors.map(|detector| scope.spawn(|| run(detector)));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(found[0], found[1]);
    assert!(found[0].windows(2).any(|pair| pair[0] != pair[1]), "different pictures, different results");
}

#[test]
fn the_runtime_tells_its_version_and_devices() {
    if skips(&[runtime_folder(), model_file(SSD)]) {
        return;
    }
    let info = openvino::probe(&home()).unwrap();
    assert!(info.version.starts_with("2026.4.0"), "{}", info.version);
    assert!(info.path.starts_with(fs::canonicalize(runtime_folder()).unwrap()));
    assert!(info.devices.iter().any(|device| device == "CPU"), "{:?}", info.devices);
}
