//! `--store`: what is kept, what is not done twice, and what survives.

mod again;
mod commands;
mod faults;
mod gaps;
mod kills;
mod walk;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ocelli_testkit::Clip;
use serde_json::Value;

use crate::{
    args,
    ocelli::{Ran, ocelli, skipped},
    results::lines,
};

/// Three groups of pictures, with B-frames.
fn clip() -> PathBuf {
    Clip::new(192, 128).frames(90).params("keyint=15:bframes=2").cached()
}

/// `analyze` with a store.
fn analyze(input: &Path, store: &Path, more: &[std::ffi::OsString]) -> Ran {
    let mut args = args!["analyze", input, "--store", store].to_vec();
    args.extend_from_slice(more);
    ocelli(&args)
}

/// All results of a store as `analyze` printed them.
fn exported(store: &Path, more: &[std::ffi::OsString]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results.jsonl");
    let mut args = args!["results", "export", "--format", "jsonl", "--out", out, "--store", store].to_vec();
    args.extend_from_slice(more);
    ocelli(&args).whole();
    lines(&std::fs::read(&out).unwrap())
}

/// Every ledger of the store as JSON; all balance, and the store is whole.
#[track_caller]
fn ledgers(store: &Path) -> Vec<Value> {
    ocelli(args!["store", "check", "--store", store]).whole();
    let ledgers = lines(&ocelli(args!["ledger", "--json", "--store", store]).whole().stdout);
    assert!(ledgers.iter().all(|ledger| ledger["balanced"] == true), "{ledgers:?}");
    ledgers
}

/// Of all windows of a ledger: due, and one verdict.
fn sum(ledger: &Value, verdict: &str) -> (u64, u64) {
    let windows = ledger["windows"].as_array().expect("windows");
    let add =
        |pointer: &str| windows.iter().map(|window| window.pointer(pointer).unwrap().as_u64().unwrap()).sum();
    (add("/due"), add(&format!("/verdicts/{verdict}")))
}

/// Every row of every table, to see whether anything was added.
fn contents(store: &Path) -> Vec<String> {
    let runs = ocelli(args!["runs", "--json", "--store", store]).whole();
    let mut rows: Vec<String> = lines(&runs.stdout).iter().map(Value::to_string).collect();
    rows.extend(exported(store, &[]).iter().map(Value::to_string));
    rows.extend(ledgers(store).iter().map(Value::to_string));
    rows
}

/// Lines without the time that they took.
fn untimed(lines: &[Value]) -> Vec<Value> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        line["timing_ms"] = Value::Null;
    }
    lines
}

/// Runs the binary until `lines` were printed, then kills it; what was printed, and whether it was killed.
fn killed_after(args: &[std::ffi::OsString], lines: usize) -> (Vec<Value>, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.args(args).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen: Vec<Value> = printed.by_ref().take(lines).map(|line| parsed(&line.unwrap())).collect();
    child.kill().unwrap();
    // What was in the pipe was printed too; the last line may be cut short.
    let rest = printed.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
    let seen = seen.into_iter().chain(rest).collect();
    (seen, child.wait().unwrap().code().is_none())
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The second model, where it lies beside the project.
fn yolox() -> Option<PathBuf> {
    let shared = std::env::var_os("OCELLI_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("models/yolox_nano.onnx");
    if !path.try_exists().unwrap_or(false) {
        skipped(&format!("{} is not here (OCELLI_SHARED)", path.display()));
        return None;
    }
    Some(path)
}
