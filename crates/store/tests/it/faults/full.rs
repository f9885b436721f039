//! No room: nothing of the failed batch is there, and there is again when there is room.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use ocelli_store::{Access, Entry, Fault, ResultLog as _, Results as _, SqliteStore, StoreError};

use crate::{
    backend::{analysed, due, ledger, result, run, slots},
    child,
};

/// Files of the child end at 2 MB or so (shells count in units of 512 or 1024 bytes).
const LIMIT: &str = "trap '' XFSZ; ulimit -S -f 4000";

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = child::command(LIMIT, "faults::full::child_fills_the_disk", folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let full = output.find(|line| line.contains("full after")).expect("the child says when it is full");
    let pid = child.id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status().unwrap();
    assert!(lifted.success());
    child.stdin.take().unwrap().write_all(b"there is room\n").unwrap();
    assert!(output.any(|line| line.contains("went on")), "the child goes on when there is room");
    assert!(child.wait().unwrap().success());
    let written: u64 = full.rsplit_once(' ').unwrap().1.parse().unwrap();
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    let found = &store.ledgers(None).await.unwrap()[0];
    assert_eq!((found.due, found.tally.analysed), (written + 1, written + 1));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent how far it is")]
async fn child_fills_the_disk() {
    let store = SqliteStore::open(&child::folder(), Access::Write).await.unwrap();
    let run = run(&store, "a", 0).await;
    let open = ledger(&store, run, "m", "1").await;
    let labels = vec!["cat"; 500];
    let batch = |slot| -> Vec<Entry> {
        vec![due(open, slots(slot, slot)), analysed(open, slot, Some(result(&labels)))]
    };
    let mut slot = 0;
    let error = loop {
        match store.commit(&batch(slot)).await {
            Ok(()) => slot += 1,
            Err(error) => break error,
        }
    };
    for error in [error, store.commit(&batch(slot)).await.unwrap_err()] {
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(error.fault(), Fault::Environment);
        assert!(error.to_string().contains("free some space"), "{error}");
    }
    let settled = store.settled(open).await.unwrap();
    assert_eq!((settled.due, settled.results.len() as i64), (vec![slots(0, slot - 1)], slot));
    println!("full after {slot}");
    std::io::stdin().lines().next().unwrap().unwrap();
    store.commit(&batch(slot)).await.unwrap();
    store.close().await.unwrap();
    println!("went on");
}
