//! `--store`: what is kept, what is not done twice, and what survives.

mod again;
mod commands;
mod faults;
mod gaps;
mod kills;

use std::path::{Path, PathBuf};

use ocelli_testkit::Clip;
use serde_json::Value;

use crate::{
    args,
    ocelli::{Ran, ocelli},
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
