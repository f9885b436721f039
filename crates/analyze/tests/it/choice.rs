//! Precision, lock file and analyzer version.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use ocelli_analyze::{
    DetectorConfig, DetectorError, DetectorModel, LOCK_FILE, Upstream,
    catalogue::Catalogue,
    cpu_features, load,
    runtime::{Precision, RuntimeName},
};

use crate::inputs::{SSD, UPSTREAM, YOLOX, home, model_file, runtime_folder, skips};

/// A data directory with the real runtime and models, and a lock file of its own.
fn own_home() -> Option<tempfile::TempDir> {
    if skips(&[RuntimeName::ALL.map(runtime_folder).to_vec(), vec![model_file(SSD)]].concat()) {
        return None;
    }
    let own = tempfile::tempdir().unwrap();
    symlink(home().join("runtimes"), own.path().join("runtimes")).unwrap();
    fs::create_dir(own.path().join("models")).unwrap();
    let file = model_file(SSD);
    symlink(&file, own.path().join("models").join(file.file_name().unwrap())).unwrap();
    Some(own)
}

#[test]
fn the_first_load_writes_the_lock_file_and_later_ones_obey_it() {
    let Some(own) = own_home() else { return };
    let lock = own.path().join("models").join(LOCK_FILE);
    let open = || load(&DetectorConfig::default(), own.path(), UPSTREAM).unwrap();
    let chosen = open();
    let text = fs::read_to_string(&lock).unwrap();
    let ours = cpu_features().precision();
    assert!(text.contains(&format!("\"precision\": \"{ours}\"")), "{text}");
    assert!(text.contains("\"runtime\": \"openvino\"") && text.contains("2026.4.0"), "{text}");
    assert_eq!(open().version(), chosen.version());
    if !cpu_features().has("avx512_bf16") && !cpu_features().has_amx() {
        return;
    }
    let (from, to) = match ours {
        Precision::F32 => ("\"f32\"", "\"bf16\""),
        Precision::Bf16 => ("\"bf16\"", "\"f32\""),
    };
    fs::write(&lock, text.replace(from, to)).unwrap();
    let obeyed = open();
    assert_eq!(format!("\"{}\"", obeyed.ingredients().ingredients()["precision"]), to);
    assert_ne!(obeyed.version(), chosen.version());
}

#[test]
fn the_locked_runtime_is_the_one_that_runs() {
    let Some(own) = own_home() else { return };
    let lock = own.path().join("models").join(LOCK_FILE);
    let runs = |config: DetectorConfig| {
        let model = load(&config, own.path(), UPSTREAM)?;
        let part = |name: &str| model.ingredients().ingredients()[name].clone();
        Ok::<_, DetectorError>((part("runtime"), part("precision")))
    };
    let f32_of = |runtime: &str| (runtime.to_owned(), "f32".to_owned());
    let with = |runtime, precision| DetectorConfig { runtime, precision, ..DetectorConfig::default() };
    let onnx = Some(RuntimeName::OnnxRuntime);
    assert_eq!(runs(with(onnx, None)).unwrap(), f32_of("onnxruntime"), "asked for");
    assert!(!lock.try_exists().unwrap(), "and not written down");
    runs(DetectorConfig::default()).unwrap();
    let text = fs::read_to_string(&lock).unwrap().replace("openvino", "onnxruntime").replace("bf16", "f32");
    fs::write(&lock, &text).unwrap();
    assert_eq!(runs(DetectorConfig::default()).unwrap(), f32_of("onnxruntime"));
    assert_eq!(runs(with(None, Some(Precision::F32))).unwrap(), f32_of("onnxruntime"));
    assert_eq!(runs(with(Some(RuntimeName::OpenVino), Some(Precision::F32))).unwrap(), f32_of("openvino"));
    let error = runs(with(None, Some(Precision::Bf16))).unwrap_err().to_string();
    assert!(error.contains("ONNX Runtime") && error.contains("bf16") && error.contains("f32"), "{error}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), text);
}

#[test]
fn either_runtime_alone_is_enough_and_a_locked_one_is_missed() {
    for name in RuntimeName::ALL {
        let Some(own) = own_home() else { return };
        fs::remove_file(own.path().join("runtimes")).unwrap();
        fs::create_dir(own.path().join("runtimes")).unwrap();
        let link = own.path().join(name.folder());
        symlink(runtime_folder(name), &link).unwrap();
        let model = load(&DetectorConfig::default(), own.path(), UPSTREAM).unwrap();
        assert_eq!(model.ingredients().ingredients()["runtime"], name.as_str());
        let [other] = RuntimeName::ALL.into_iter().filter(|other| *other != name).collect::<Vec<_>>()[..]
        else {
            unreachable!("there are two")
        };
        fs::rename(&link, own.path().join("gone")).unwrap();
        symlink(runtime_folder(other), own.path().join(other.folder())).unwrap();
        let error = load(&DetectorConfig::default(), own.path(), UPSTREAM).unwrap_err();
        assert!(matches!(error, DetectorError::RuntimeGone { .. }), "{error}");
        let text = error.to_string();
        assert!(
            [name.title(), SSD, "./dev setup", "models bench"].iter().all(|part| text.contains(part)),
            "{text}"
        );
    }
}

#[test]
fn a_given_precision_leaves_the_lock_file_alone() {
    let Some(own) = own_home() else { return };
    let config = DetectorConfig { precision: Some(Precision::F32), ..DetectorConfig::default() };
    load(&config, own.path(), UPSTREAM).unwrap();
    assert!(!own.path().join("models").join(LOCK_FILE).try_exists().unwrap());
    Catalogue::open(own.path()).unwrap().verify().unwrap();
}

#[test]
fn whatever_can_change_a_result_changes_the_version() {
    if skips(&[runtime_folder(RuntimeName::OpenVino), model_file(SSD), model_file(YOLOX)]) {
        return;
    }
    let (runtime, precision) = (Some(RuntimeName::OpenVino), Some(Precision::F32));
    let base = DetectorConfig { runtime, precision, ..DetectorConfig::default() };
    let open = |config: DetectorConfig, upstream| load(&config, &home(), upstream).unwrap();
    let version = |model: DetectorModel| model.version().to_string();
    let plain = open(base.clone(), UPSTREAM);
    let names: Vec<&str> = plain.ingredients().ingredients().keys().map(String::as_str).collect();
    let expected = [
        "classes",
        "confidence",
        "cpu class",
        "decoder",
        "detector",
        "model",
        "most candidates",
        "overlap",
        "precision",
        "preprocessing",
        "runtime",
        "runtime version",
        "sampler",
    ];
    assert_eq!(names, expected);
    for name in names {
        let other = plain.ingredients().clone().with(name, "something else").build();
        assert_ne!(&other, plain.version(), "{name}");
    }
    let yolox = model_file(YOLOX).to_str().unwrap().to_owned();
    let person = vec!["person".to_owned()];
    let versions = [
        version(plain),
        version(open(base.clone(), Upstream { sampler: "2", ..UPSTREAM })),
        version(open(base.clone(), Upstream { decoder: "other", ..UPSTREAM })),
        version(open(DetectorConfig { confidence: Some(0.5), ..base.clone() }, UPSTREAM)),
        version(open(DetectorConfig { classes: Some(person), ..base.clone() }, UPSTREAM)),
        version(open(DetectorConfig { model: Some(yolox), ..base.clone() }, UPSTREAM)),
    ];
    assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), versions.len(), "{versions:?}");
    assert_eq!(version(open(base, UPSTREAM)), versions[0]);
}
