//! A store that fails in the middle of a pass: what was told is kept, and the next pass finishes the work.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use ocelli_engine::RecordError;
use ocelli_store::{
    AnalyzerId, Entry, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog, RunId, Settled,
    SourceId, SqliteStore, StoreError,
};

use super::{How, Shop, gaps::clip, untimed};

/// Has room for so many more commits.
#[derive(Debug)]
struct Filling {
    store: Arc<SqliteStore>,
    room: AtomicU64,
}

#[async_trait]
impl ResultLog for Filling {
    async fn source(&self, source: &NewSource) -> Result<SourceId, StoreError> {
        self.store.source(source).await
    }

    async fn run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        self.store.run(run).await
    }

    async fn analyzer(&self, analyzer: &NewAnalyzer) -> Result<AnalyzerId, StoreError> {
        self.store.analyzer(analyzer).await
    }

    async fn ledger(&self, ledger: &NewLedger) -> Result<OpenLedger, StoreError> {
        self.store.ledger(ledger).await
    }

    async fn settled(&self, ledger: OpenLedger) -> Result<Settled, StoreError> {
        self.store.settled(ledger).await
    }

    async fn commit(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let left = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(1));
        match left {
            Ok(_) => self.store.commit(entries).await,
            Err(_) => Err(StoreError::Full { path: "full".into() }),
        }
    }
}

const SECOND: i64 = 90_000;

/// Passes that break off at their first commit, their second, and so on, until one ends; then all is as in a calm store.
fn broken_everywhere(before: &[(i64, i64)]) {
    let folder = tempfile::tempdir().unwrap();
    let how = How::new("7.5");
    let calm = Shop::open(&folder.path().join("calm"));
    let whole = calm.pass(&clip(), &how);
    for room in 0.. {
        let shop = Shop::open(&folder.path().join(format!("room-{room}")));
        let mut looked = 0;
        for (start, end) in before {
            looked += shop.pass(&clip(), &how.clone().between(start * SECOND, end * SECOND)).looked;
        }
        let log = Arc::new(Filling { store: Arc::clone(&shop.store), room: room.into() });
        let broken = shop.pass_through(&clip(), &how, log);
        looked += broken.looked;
        let kept = shop.contents();
        let ended = match broken.ended {
            Ok(_) => true,
            Err(RecordError::Store(StoreError::Full { .. })) => false,
            Err(other) => panic!("{room}: {other:?} hides that there is no room"),
        };
        assert_eq!(untimed(&broken.told), untimed(&whole.told)[..broken.told.len()], "{room}");
        let frames = kept.first().and_then(|run| run.ledgers.first()).map_or(0, |ledger| ledger.frames.len());
        assert!(broken.told.len() <= frames, "{room}: what was told is kept");
        let last = shop.pass(&clip(), &how);
        assert_eq!(untimed(&last.told), untimed(&whole.told), "{room}");
        assert_eq!(shop.contents(), calm.contents(), "{room}");
        assert!(looked + last.looked >= whole.looked, "{room}");
        if ended {
            return;
        }
    }
}

#[test]
fn a_first_pass() {
    broken_everywhere(&[]);
}

#[test]
fn a_pass_that_fills_a_gap_and_derives_the_tracks_anew() {
    broken_everywhere(&[(0, 1), (4, 9)]);
}
