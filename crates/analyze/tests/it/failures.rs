//! What is said when something is missing or wrong.

use std::{fs, os::unix::fs::symlink};

use ocelli_analyze::{
    DetectorConfig, LOCK_FILE, load,
    runtime::{LoadError, Precision, RuntimeName},
};

use crate::inputs::{SSD, UPSTREAM, home, model_file, runtime_folder, skips};

#[test]
fn a_missing_runtime_names_the_command_that_fetches_it() {
    for name in RuntimeName::ALL {
        let empty = tempfile::tempdir().unwrap();
        let absent = name.probe(empty.path()).unwrap_err();
        fs::create_dir_all(empty.path().join(name.folder())).unwrap();
        let without_library = name.probe(empty.path()).unwrap_err();
        for error in [absent, without_library] {
            assert!(matches!(error, LoadError::RuntimeMissing { .. }), "{error}");
            let text = error.to_string();
            let parts = [name.title(), name.folder(), "./dev setup"];
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
    }
}

#[test]
fn wrong_settings_are_refused_before_anything_is_loaded() {
    let empty = tempfile::tempdir().unwrap();
    let check = |config: DetectorConfig, hints: &[&str]| {
        let text = load(&config, empty.path(), UPSTREAM).unwrap_err().to_string();
        assert!(hints.iter().all(|hint| text.contains(hint)), "{text}");
    };
    for confidence in [0.0, -0.1, 1.01, f32::NAN, f32::INFINITY] {
        check(DetectorConfig { confidence: Some(confidence), ..DetectorConfig::default() }, &["confidence"]);
    }
    check(DetectorConfig::default(), &["ssdlite_mobilenet_v2_coco.onnx", "./dev setup"]);
    check(
        DetectorConfig { model: Some("nothing".to_owned()), ..DetectorConfig::default() },
        &["nothing", SSD],
    );
}

#[test]
fn wrong_classes_are_refused_with_near_matches() {
    if skips(&[runtime_folder(RuntimeName::OpenVino), model_file(SSD)]) {
        return;
    }
    let check = |classes: &[&str], hints: &[&str]| {
        let config = DetectorConfig {
            classes: Some(classes.iter().map(|class| (*class).to_owned()).collect()),
            precision: Some(Precision::F32),
            ..DetectorConfig::default()
        };
        let text = load(&config, &home(), UPSTREAM).unwrap_err().to_string();
        assert!(hints.iter().all(|hint| text.contains(hint)), "{text}");
    };
    check(&["person", "bicicle"], &["bicicle", "bicycle"]);
    check(&[], &["empty"]);
}

#[test]
fn a_damaged_lock_file_or_another_runtime_in_it_is_an_error() {
    if skips(&[runtime_folder(RuntimeName::OpenVino), model_file(SSD)]) {
        return;
    }
    let own = tempfile::tempdir().unwrap();
    let models = own.path().join("models");
    fs::create_dir(&models).unwrap();
    symlink(home().join("runtimes"), own.path().join("runtimes")).unwrap();
    symlink(model_file(SSD), models.join("ssdlite_mobilenet_v2_coco.onnx")).unwrap();
    let error = |text: &str| {
        fs::write(models.join(LOCK_FILE), text).unwrap();
        load(&DetectorConfig::default(), own.path(), UPSTREAM).unwrap_err().to_string()
    };
    assert!(error("{\"format\":1").contains("damaged"));
    fs::remove_file(models.join(LOCK_FILE)).unwrap();
    load(&DetectorConfig::default(), own.path(), UPSTREAM).unwrap();
    let good = fs::read_to_string(models.join(LOCK_FILE)).unwrap();
    let text = error(&good.replace("\"openvino\"", "\"abacus\""));
    assert!(text.contains("abacus") && text.contains(SSD), "{text}");
}

#[test]
fn what_is_no_model_is_refused() {
    for name in RuntimeName::ALL {
        if skips(&[runtime_folder(name), model_file(SSD)]) {
            continue;
        }
        let runtime = name.open(&home()).unwrap();
        let model = fs::read(model_file(SSD)).unwrap();
        let cut = &model[..model.len() / 2];
        let folder = tempfile::tempdir().unwrap();
        for bytes in [&b""[..], b"not a model", &[0xff; 4096], cut] {
            let path = folder.path().join("model.onnx");
            fs::write(&path, bytes).unwrap();
            let loaded =
                runtime.load(&path, Precision::F32).and_then(|mut loaded| loaded.instance().map(drop));
            let error = loaded.unwrap_err();
            let refused = matches!(error, LoadError::Refused { runtime, .. } if runtime == name);
            assert!(refused && error.to_string().contains(name.title()), "{} bytes: {error}", bytes.len());
        }
    }
}
