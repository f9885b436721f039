//! Other processes, other rights.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use ocelli_store::{Access, ResultLog as _, Results as _, RunFilter, RunState, SqliteStore, StoreError};

use super::{filled, three};
use crate::{
    backend::{ledger, run},
    child,
};

/// A child that has a store open and a commit in it, until told to end; and what else it says.
fn holder(folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = child::command(":", "faults::others::child_holds", folder);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.by_ref().lines().any(|line| line.unwrap().contains("holds")), "the child opens the store");
    (child, output)
}

#[tokio::test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent how far it is")]
async fn child_holds() {
    let store = SqliteStore::open(&child::folder(), Access::Write).await.unwrap();
    let run = run(&store, "a", 0).await;
    let open = ledger(&store, run, "m", "1").await;
    store.commit(&three(open)).await.unwrap();
    println!("holds");
    std::io::stdin().lines().next();
    store.close().await.unwrap();
}

#[tokio::test]
async fn one_process_writes_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _output) = holder(folder.path());
    let error = SqliteStore::open(folder.path(), Access::Write).await.unwrap_err();
    let pid = format!("process {} (it-", child.id());
    assert!(matches!(&error, StoreError::InUse { holder, .. } if holder.starts_with(&pid)), "{error:?}");
    assert!(error.to_string().contains("reading commands work"), "{error}");
    let reader = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    let state = async || reader.runs(&RunFilter::default()).await.unwrap()[0].state;
    assert_eq!(state().await, RunState::Open);
    assert_eq!(reader.ledgers(None).await.unwrap()[0].tally.analysed, 3);
    let refused = reader.commit(&[]).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
    assert_eq!(state().await, RunState::Unclean);
    // Within a process, too.
    let error = SqliteStore::open(folder.path(), Access::Write).await.unwrap_err();
    let pid = format!("process {}", std::process::id());
    assert!(matches!(&error, StoreError::InUse { holder, .. } if holder.starts_with(&pid)), "{error:?}");
    store.close().await.unwrap();
    SqliteStore::open(folder.path(), Access::Write).await.unwrap();
}

/// Whoever may only read can: after an orderly end, beside a writer, and after its death.
#[tokio::test]
async fn reading_needs_no_right_to_write() {
    let ended = tempfile::tempdir().unwrap();
    filled(ended.path()).await;
    check_read_only(ended.path());
    let held = tempfile::tempdir().unwrap();
    let (mut child, _output) = holder(held.path());
    check_read_only(held.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(fs::metadata(held.path().join("ocelli.db-wal")).unwrap().len() > 0);
    check_read_only(held.path());
    allow(held.path(), 0o755, 0o644);
    let (mut child, _output) = holder(held.path());
    child.stdin.take().unwrap().write_all(b"end\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!fs::exists(held.path().join("ocelli.db-wal")).unwrap());
}

fn allow(folder: &Path, mode: u32, files: u32) {
    for file in fs::read_dir(folder).unwrap() {
        fs::set_permissions(file.unwrap().path(), fs::Permissions::from_mode(files)).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

/// Reads in a process that may not write there. Root may everywhere: then it is one of `nobody`'s, who may not run this
/// program where it lies, either.
fn check_read_only(folder: &Path) {
    allow(folder, 0o555, 0o444);
    let program = tempfile::tempdir().unwrap();
    let copy = program.path().join("it");
    // Not by this process: one that another test starts would hold the copy open, and it could not be run.
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status();
    assert!(copied.unwrap().success());
    allow(program.path(), 0o755, 0o755);
    let mut child = child::command_of(&copy, ":", "faults::others::child_only_reads", folder);
    if fs::write(folder.join("probe"), "").is_ok() {
        fs::remove_file(folder.join("probe")).unwrap();
        child.uid(65534).gid(65534).current_dir("/");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
#[ignore = "the child of another test"]
async fn child_only_reads() {
    let folder = child::folder();
    assert!(fs::write(folder.join("probe"), "").is_err(), "this process may write there");
    let store = SqliteStore::open(&folder, Access::Read).await.unwrap();
    assert_eq!(store.ledgers(None).await.unwrap()[0].tally.analysed, 3);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let error = SqliteStore::open(&folder, Access::Write).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("check its permissions"), "{error}");
}
