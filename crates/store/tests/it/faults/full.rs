//! No room: nothing of the failed batch is there, and there is again when there is room.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use ocelli_store::{
    Access, Appender, Entry, Fault, ResultLog as _, Results as _, RunFilter, RunState, SqliteStore,
    StoreError, Streams as _,
};
use tokio::runtime::Handle;

use crate::{
    backend::{analysed, due, ledger, result, run, slots, stream_run},
    child,
};

/// Files of the child end at 2 MB or so (shells count in units of 512 or 1024 bytes).
const LIMIT: &str = "trap '' XFSZ; ulimit -S -f 4000";

/// Runs the child on a store, and makes room when it says that there is none. The number that it said then.
fn fill_and_make_room(folder: &Path, child: &str) -> u64 {
    let mut child = child::command(LIMIT, child, folder).stdin(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let full = output.find(|line| line.contains("full after")).expect("the child says when it is full");
    let pid = child.id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status().unwrap();
    assert!(lifted.success());
    child.stdin.take().unwrap().write_all(b"there is room\n").unwrap();
    assert!(output.any(|line| line.contains("went on")), "the child goes on when there is room");
    assert!(child.wait().unwrap().success());
    full.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let written = fill_and_make_room(folder.path(), "faults::full::child_fills_the_disk");
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    let found = &store.ledgers(None).await.unwrap()[0];
    assert_eq!((found.due, found.tally.analysed), (written + 1, written + 1));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// Streams of a server: each loses its run, and goes on with a new one when there is room.
#[tokio::test]
async fn streams_go_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let written = fill_and_make_room(folder.path(), "faults::full::child_appends_of_two_streams");
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    let states: Vec<_> = runs.iter().map(|run| (run.run.ordinal, run.state)).collect();
    let (lost, new) = ((0, RunState::Unclean), (1, RunState::Whole));
    assert_eq!(states, [lost, lost, new, new]);
    let ledgers = store.ledgers(None).await.unwrap();
    assert_eq!(ledgers.iter().take(2).map(|ledger| ledger.tally.analysed).sum::<u64>(), written);
    assert!(ledgers[2..].iter().all(|ledger| (ledger.due, ledger.tally.analysed) == (3, 3)));
}

#[tokio::test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent how far it is")]
async fn child_appends_of_two_streams() {
    let store = Arc::new(SqliteStore::open(&child::folder(), Access::Write).await.unwrap());
    let appender = Appender::start(Arc::<SqliteStore>::clone(&store), &Handle::current());
    let labels = vec!["cat"; 200];
    let entries =
        |open, slot| vec![due(open, slots(slot, slot)), analysed(open, slot, Some(result(&labels)))];
    let (mut streams, mut written) = (Vec::new(), 0);
    for key in ["a", "b"] {
        let run = stream_run(&*store, key, 0).await;
        streams.push((key, run, ledger(&*store, run, "m", "1").await, appender.lane()));
    }
    for slot in 0.. {
        // Both in one batch, and further ones behind them that nobody waits for.
        let mut pending = Vec::new();
        for (_, _, open, lane) in &streams {
            pending.push(lane.append(entries(*open, slot)).await);
        }
        let mut failed = 0;
        for pending in pending {
            match pending.await {
                Ok(()) => written += 1,
                Err(error) => {
                    assert!(matches!(error, StoreError::Full { .. } | StoreError::Closed), "{error:?}");
                    failed += 1;
                }
            }
        }
        if failed > 0 && streams.iter().all(|(_, _, _, lane)| lane.has_ended()) {
            break;
        }
    }
    println!("full after {written}");
    std::io::stdin().lines().next().unwrap().unwrap();
    for (key, lost, open, lane) in streams {
        assert!(lane.append(entries(open, 1_000_000)).await.await.is_err(), "what was lost stays lost");
        let run = store.next_ordinal(key).await.unwrap();
        let run = stream_run(&*store, key, run).await;
        let open = ledger(&*store, run, "m", "1").await;
        let lane = lane.lane();
        let end = |run, state| Entry::Run { run, state, last_pts: None };
        drop(lane.append(vec![end(lost, RunState::Unclean)]).await);
        for slot in 0..3 {
            lane.append(entries(open, slot)).await.await.unwrap();
        }
        lane.append(vec![end(run, RunState::Whole)]).await.await.unwrap();
    }
    appender.close().await.unwrap();
    store.close().await.unwrap();
    println!("went on");
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
