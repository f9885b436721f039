//! A writer killed at any point: what it acknowledged is there, and the ledger says what was in hand.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    sync::Arc,
};

use ocelli_model::{TrackId, Verdict};
use ocelli_store::{
    Access, Appender, Entry, OpenLedger, ResultLog as _, Results as _, RunFilter, RunState, SqliteStore,
};

use crate::{
    backend::{analysed, due, ledger, pts, result, run, slots},
    child,
};

/// Times that a writer is killed.
const ROUNDS: u64 = 50;
/// Appends that the writer has under way at most; each is one slot.
const IN_HAND: usize = 6;
/// Slots that are due beyond them.
const AHEAD: i64 = 3;

#[tokio::test]
async fn what_was_acknowledged_survives() {
    let folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut short) = (BTreeSet::new(), 0);
    for round in 0..ROUNDS {
        // 0 to 12 lines, in no order: at 0 it is not even sure that there is a store.
        let lines = (round * 7 + round * round) % 13;
        let said = kill_after(folder.path(), lines as usize);
        acknowledged.extend(said);
        let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "round {round}");
        let runs = store.runs(&RunFilter::default()).await.unwrap();
        assert!(runs.iter().all(|run| run.state == RunState::Unclean), "round {round}: {runs:?}");
        let ledgers = store.ledgers(None).await.unwrap();
        let held: u64 = ledgers.iter().map(|ledger| ledger.tally.analysed).sum();
        assert!(held >= acknowledged.len() as u64, "round {round}");
        for ledger in &ledgers {
            let unsettled = ledger.due - ledger.tally.due();
            assert!(unsettled <= IN_HAND as u64 + AHEAD as u64, "round {round}: {ledger:?}");
            short += u64::from(unsettled > 0);
            let open = OpenLedger { ledger: ledger.id, series: ledger.series, derivation: ledger.derivation };
            let settled = store.settled(open).await.unwrap();
            let analysed = |slot: &i64| {
                settled
                    .verdicts
                    .iter()
                    .any(|(span, verdict)| span.contains(*slot) && *verdict == Verdict::Analysed)
                    && settled.results.binary_search(&pts(*slot)).is_ok()
            };
            let missing: Vec<_> = acknowledged.iter().filter(|slot| !analysed(slot)).collect();
            assert_eq!(missing, Vec::<&i64>::new(), "round {round}");
        }
        store.close().await.unwrap();
    }
    assert!(acknowledged.len() > 100, "{} slots: the writers were killed too early", acknowledged.len());
    assert!(short > 0, "no kill met a slot in hand: the writers were killed too late");
}

/// Starts a writer and kills it (SIGKILL) when it has acknowledged `lines` slots, while it goes on. All that it
/// acknowledged until then.
fn kill_after(folder: &Path, lines: usize) -> Vec<i64> {
    let mut child = child::command(":", "faults::killed::child_writes_for_ever", folder).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut text, mut seen) = (String::new(), 0);
    while seen < lines {
        assert_ne!(output.read_line(&mut text).unwrap(), 0, "the writer ended by itself: {text}");
        seen = text.matches("durable").count();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    output.read_to_string(&mut text).unwrap();
    // The last line may be half a line.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let slots = whole.lines().filter_map(|line| line.split_once("durable ")?.1.parse().ok());
    slots.collect()
}

#[tokio::test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent what is durable")]
async fn child_writes_for_ever() {
    let store = SqliteStore::open(&child::folder(), Access::Write).await.unwrap();
    let run = run(&store, "a", 0).await;
    let open = ledger(&store, run, "m", "1").await;
    let settled = store.settled(open).await.unwrap();
    let appender = Appender::start(Arc::new(store), &tokio::runtime::Handle::current());
    let first = settled.verdicts.last().map_or(0, |(span, _)| span.last + 1);
    let mut pending = std::collections::VecDeque::new();
    for slot in first.. {
        // Told before they are analysed, as a decoder does.
        let told = appender.append(vec![due(open, slots(slot, slot + AHEAD))]).await;
        let tracks = vec![Some(TrackId(1)), None];
        let tracked = Entry::Tracked { derivation: open.derivation.unwrap(), pts: pts(slot), tracks };
        let entries = vec![analysed(open, slot, Some(result(&["cat", "dog"]))), tracked];
        pending.push_back((slot, told, appender.append(entries).await));
        if pending.len() == IN_HAND {
            let (slot, told, written) = pending.pop_front().unwrap();
            told.await.unwrap();
            written.await.unwrap();
            println!("durable {slot}");
        }
    }
}
