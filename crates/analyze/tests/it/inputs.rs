//! Where models and footage are, and pictures from the ffmpeg command.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use ocelli_analyze::{
    Detector, DetectorConfig, Upstream, load,
    runtime::{Precision, RuntimeName},
};
use ocelli_model::Detection;

pub(crate) const SSD: &str = "ssdlite-mobilenet-v2";
pub(crate) const YOLOX: &str = "yolox-nano";
pub(crate) const UPSTREAM: Upstream<'static> = Upstream { sampler: "1", decoder: "test" };

/// The product's data directory.
pub(crate) fn home() -> PathBuf {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    folder("OCELLI_HOME").or_else(|| Some(data?.join("ocelli"))).expect("HOME is set")
}

/// `true`, with a line that says so, where one of `paths` is absent.
pub(crate) fn skips(paths: &[PathBuf]) -> bool {
    let absent = paths.iter().find(|path| !path.try_exists().unwrap());
    if let Some(path) = absent {
        say(&format!("skipped: no {}; `./dev setup` mends it", path.display()));
    }
    absent.is_some()
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
fn say(line: &str) {
    eprintln!("{line}");
}

pub(crate) fn footage(name: &str) -> PathBuf {
    home().join("footage").join(name)
}

pub(crate) fn runtime_folder(name: RuntimeName) -> PathBuf {
    home().join(name.folder())
}

/// The file of a model: fetched at set-up, or the test models of the shared folder.
pub(crate) fn model_file(model: &str) -> PathBuf {
    if model == SSD {
        return home().join("models/ssdlite_mobilenet_v2_coco.onnx");
    }
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = env::var_os("OCELLI_SHARED").map_or_else(beside, PathBuf::from);
    shared.join("models/yolox_nano.onnx")
}

/// A detector on the real runtime; its precision is given, so no lock file is written.
pub(crate) fn detector(model: &str, confidence: f32, runtime: RuntimeName, precision: Precision) -> Detector {
    let config = DetectorConfig {
        model: Some(model_file(model).to_str().unwrap().to_owned()),
        confidence: Some(confidence),
        runtime: Some(runtime),
        precision: Some(precision),
        ..DetectorConfig::default()
    };
    load(&config, &home(), UPSTREAM).unwrap().detector().unwrap()
}

/// Raw pictures of a file, `bytes` each, through these filters.
pub(crate) fn raw_pictures(path: &Path, filters: &str, format: &str, bytes: usize) -> Vec<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-bitexact", "-i"]).arg(path);
    command.args(["-vf", filters, "-vsync", "0", "-f", "rawvideo", "-pix_fmt", format, "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len() % bytes, 0, "whole pictures");
    output.stdout.chunks_exact(bytes).map(<[u8]>::to_vec).collect()
}

/// Of `expected`, those with no detection of the same label in `found` at this overlap and score difference.
pub(crate) fn unmatched<'a>(
    expected: &'a [Detection],
    found: &[Detection],
    overlap: f32,
    difference: f32,
) -> Vec<&'a Detection> {
    let mut free: Vec<&Detection> = found.iter().collect();
    let mut missed = Vec::new();
    for one in expected {
        let fits = |other: &&Detection| {
            other.label == one.label
                && other.bbox.iou(&one.bbox) >= overlap
                && (other.confidence - one.confidence).abs() <= difference
        };
        match free.iter().position(fits) {
            Some(index) => drop(free.remove(index)),
            None => missed.push(one),
        }
    }
    missed
}
