//! Several instances of one model.

use std::{fs, thread};

use ocelli_analyze::{
    DetectorConfig, load,
    runtime::{Precision, RuntimeName},
};
use ocelli_model::Detection;

use crate::{
    inputs::{SSD, UPSTREAM, home, model_file, runtime_folder, skips},
    reference::cases,
};

fn check_instances(runtime: RuntimeName) {
    let case = cases(SSD, "ffmpeg").into_iter().find(|case| case.input == "vtest.avi").unwrap();
    if case.skips() {
        return;
    }
    let (runtime, precision) = (Some(runtime), Some(Precision::F32));
    let config = DetectorConfig { runtime, precision, ..DetectorConfig::default() };
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
fn instances_on_two_threads_agree_to_the_last_bit() {
    for runtime in RuntimeName::ALL {
        check_instances(runtime);
    }
}

#[test]
fn runtimes_tell_their_version_and_devices() {
    for (name, version) in [(RuntimeName::OpenVino, "2026.4.0"), (RuntimeName::OnnxRuntime, "1.31.1")] {
        if skips(&[runtime_folder(name), model_file(SSD)]) {
            continue;
        }
        let info = name.probe(&home()).unwrap();
        assert_eq!(info.name, name);
        assert!(info.version.starts_with(version), "{}", info.version);
        assert!(info.path.starts_with(fs::canonicalize(runtime_folder(name)).unwrap()));
        assert!(info.devices.iter().any(|device| device == "CPU"), "{:?}", info.devices);
    }
}
