//! Precision, lock file and analyzer version.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use ocelli_analyze::{
    DetectorConfig, DetectorModel, LOCK_FILE, Upstream, catalogue::Catalogue, cpu_features, load,
    runtime::Precision,
};

use crate::inputs::{SSD, UPSTREAM, YOLOX, home, model_file, runtime_folder, skips};

/// A data directory with the real runtime and models, and a lock file of its own.
fn own_home() -> Option<tempfile::TempDir> {
    if skips(&[runtime_folder(), model_file(SSD)]) {
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
fn a_given_precision_leaves_the_lock_file_alone() {
    let Some(own) = own_home() else { return };
    let config = DetectorConfig { precision: Some(Precision::F32), ..DetectorConfig::default() };
    load(&config, own.path(), UPSTREAM).unwrap();
    assert!(!own.path().join("models").join(LOCK_FILE).try_exists().unwrap());
    Catalogue::new(own.path()).verify().unwrap();
}

#[test]
fn whatever_can_change_a_result_changes_the_version() {
    if skips(&[runtime_folder(), model_file(SSD), model_file(YOLOX)]) {
        return;
    }
    let base = DetectorConfig { precision: Some(Precision::F32), ..DetectorConfig::default() };
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
