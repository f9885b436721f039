//! A store killed while old results are being removed, and a writer that goes on meanwhile.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ocelli_model::TrackId;
use ocelli_store::{
    Access, Entry, FrameQuery, Pruned, ResultLog as _, Results as _, RunFilter, SqliteStore, Streams as _,
};
use tokio::sync::watch;

use crate::{
    backend::{analysed, due, ledger, pts, result, slots, stream_run},
    child,
};

/// Times that it is killed.
const ROUNDS: usize = 30;

#[tokio::test]
async fn a_kill_while_pruning_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut halves = 0;
    for round in 0..ROUNDS {
        kill_after(folder.path(), 1 + round * 5 % 11);
        let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "round {round}");
        for ledger in store.ledgers(None).await.unwrap() {
            let Some(to) = ledger.kept_pts else { continue };
            let (series, from) = (ledger.series, i64::MIN);
            let query = FrameQuery {
                series,
                ledger: None,
                derivation: ledger.derivation,
                from,
                to,
                limit: 9,
                newest_first: false,
            };
            let left = store.frames(&query).await.unwrap().rows;
            // What is still there is there whole.
            assert!(left.iter().all(|frame| frame.result.detections.len() == 150), "round {round}");
            halves += usize::from(!left.is_empty());
        }
        if round % 10 == 9 {
            store.prune(i64::MAX).await.unwrap();
            assert_eq!(store.runs(&RunFilter::default()).await.unwrap(), []);
            assert_eq!(store.prune(i64::MAX).await.unwrap(), Pruned::default());
            assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
            assert_eq!(store.next_ordinal("cam").await.unwrap(), round as u32 + 1);
        }
        store.close().await.unwrap();
    }
    assert!(halves > 0, "no kill met a removal in its middle");
}

/// Starts the writer and kills it (SIGKILL) when it has written `lines` results while others were being removed.
fn kill_after(folder: &Path, lines: usize) {
    let mut child = child::command(":", "faults::pruned::child_prunes_for_ever", folder).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let begun = output.filter(|line| line.contains("meanwhile")).take(lines).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(begun, lines, "the child ended by itself");
}

#[tokio::test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent how far it is")]
async fn child_prunes_for_ever() {
    let store = SqliteStore::open(&child::folder(), Access::Write).await.unwrap();
    let ordinal = store.next_ordinal("cam").await.unwrap();
    let run = stream_run(&store, "cam", ordinal).await;
    let open = ledger(&store, run, "m", "1").await;
    let store = Arc::new(store);
    let pruning = AtomicBool::new(false);
    let (ahead, mut written) = watch::channel(0_i64);
    let writes = async {
        let derivation = open.derivation.unwrap();
        let seen = result(&["cat"; 150]);
        for slot in 0.. {
            let mut tracks = vec![None; 150];
            tracks[0] = Some(TrackId(slot as u64 / 8 + 1));
            let entries = [
                due(open, slots(slot, slot)),
                analysed(open, slot, Some(seen.clone())),
                Entry::Tracked { derivation, pts: pts(slot), tracks },
            ];
            store.commit(&entries).await.unwrap();
            ahead.send_replace(slot);
            if pruning.load(Ordering::Relaxed) {
                println!("meanwhile {slot}");
            }
        }
    };
    let prunes = async {
        // 40 s at a time; the closed runs of earlier rounds go with them.
        for end in (40..).step_by(40) {
            written.wait_for(|slot| *slot >= end + 5).await.unwrap();
            pruning.store(true, Ordering::Relaxed);
            store.prune(end * 1000).await.unwrap();
            pruning.store(false, Ordering::Relaxed);
        }
    };
    tokio::join!(writes, prunes);
}
