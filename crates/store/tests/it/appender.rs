//! The appender, over a real store.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
};

use ocelli_store::{
    AnalyzerId, Appender, Entry, LedgerId, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog,
    RunId, Settled, SourceId, Span, StoreError,
};
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{
    backend::{Backend as _, Store, analysed, due, ledger, result, run, slots},
    embedded::Sqlite,
};

/// A store that notes how many entries each commit had, and waits for a permit before each.
#[derive(Debug)]
struct Gate {
    store: Arc<dyn Store>,
    commits: Mutex<Vec<usize>>,
    begun: AtomicUsize,
    permits: Semaphore,
    /// Commits fail as on a full disk.
    full: AtomicBool,
}

#[async_trait::async_trait]
impl ResultLog for Gate {
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
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.commits.lock().unwrap().push(entries.len());
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full { path: "disk".into() });
        }
        self.store.commit(entries).await
    }
}

struct Setting {
    /// Holds the folder.
    _backend: Sqlite,
    gate: Arc<Gate>,
    open: OpenLedger,
    appender: Appender,
}

async fn setting(permits: usize) -> Setting {
    let backend = Sqlite::new();
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let permits = Semaphore::new(permits);
    let gate = Arc::new(Gate {
        store,
        commits: Mutex::default(),
        begun: AtomicUsize::new(0),
        permits,
        full: AtomicBool::new(false),
    });
    let appender = Appender::start(Arc::clone(&gate) as Arc<dyn ResultLog>, &Handle::current());
    Setting { _backend: backend, gate, open, appender }
}

impl Setting {
    fn commits(&self) -> Vec<usize> {
        self.gate.commits.lock().unwrap().clone()
    }

    fn slot(&self, slot: i64) -> Vec<Entry> {
        vec![due(self.open, slots(slot, slot)), analysed(self.open, slot, Some(result(&["cat"])))]
    }

    async fn settled(&self) -> usize {
        self.gate.store.settled(self.open).await.unwrap().results.len()
    }
}

#[tokio::test]
async fn what_comes_together_is_committed_together() {
    let it = setting(100).await;
    let mut pending = Vec::new();
    for slot in 0..10 {
        pending.push(it.appender.append(it.slot(slot)).await);
    }
    for one in pending {
        one.await.unwrap();
    }
    assert_eq!((it.commits(), it.settled().await), (vec![20], 10));
    // What was not waited for is written before the end, and nothing after.
    drop(it.appender.append(it.slot(10)).await);
    it.appender.close().await.unwrap();
    assert_eq!(it.settled().await, 11);
    let mut late = it.appender.clone().append(it.slot(11)).await;
    assert!(matches!(late.try_ready(), Some(Err(StoreError::Closed))));
    it.appender.close().await.unwrap();
    assert_eq!((it.commits(), it.settled().await), (vec![20, 2], 11));
}

/// While a commit runs, the next batch gathers, and closes at 256 results.
#[tokio::test]
async fn batches_are_bounded() {
    let it = setting(0).await;
    let mut first = it.appender.append(it.slot(0)).await;
    while it.gate.begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(first.try_ready().is_none());
    let mut pending = vec![first];
    for slot in 1..=300 {
        pending.push(it.appender.append(it.slot(slot)).await);
    }
    it.gate.permits.add_permits(10);
    for one in pending {
        one.await.unwrap();
    }
    assert_eq!(it.commits(), [2, 512, 88]);
    // One call is never parted, however large.
    let large: Vec<_> = (301..900).flat_map(|slot| it.slot(slot)).collect();
    it.appender.append(large).await.await.unwrap();
    assert_eq!(it.commits()[3..], [1198]);
    it.appender.append(vec![]).await.await.unwrap();
    it.appender.close().await.unwrap();
}

/// One caller's fault: what came before is written, nothing of its lane afterwards, and all of others.
#[tokio::test]
async fn who_appends_what_is_not_valid_ends_its_lane_only() {
    let it = setting(100).await;
    let nowhere = OpenLedger { ledger: LedgerId(99), ..it.open };
    let other = it.appender.lane();
    let before = it.appender.append(it.slot(0)).await;
    let bad = it.appender.clone().append(vec![due(nowhere, Span::one(0))]).await;
    let after = it.appender.append(it.slot(1)).await;
    let others = other.append(it.slot(2)).await;
    before.await.unwrap();
    assert!(matches!(bad.await, Err(StoreError::Invalid(_))));
    assert!(matches!(after.await, Err(StoreError::Closed)));
    others.await.unwrap();
    assert!(it.appender.has_ended() && it.appender.clone().has_ended() && !other.has_ended());
    let later = it.appender.append(it.slot(3)).await;
    assert!(matches!(later.await, Err(StoreError::Closed)));
    it.appender.lane().append(it.slot(4)).await.await.unwrap();
    other.append(it.slot(5)).await.await.unwrap();
    assert_eq!(it.settled().await, 4);
    it.appender.close().await.unwrap();
    assert!(matches!(other.append(it.slot(6)).await.await, Err(StoreError::Closed)));
}

/// No room: everyone in the batch is told why, and what waits behind it in the same lanes is not written, although there is
/// room again by then.
#[tokio::test]
async fn after_a_full_disk_new_lanes_go_on() {
    let it = setting(0).await;
    it.gate.full.store(true, Ordering::SeqCst);
    let lanes = [it.appender.lane(), it.appender.lane(), it.appender.lane()];
    let mut first = Vec::new();
    for (slot, lane) in (0..2).zip(&lanes) {
        first.push(lane.append(it.slot(slot)).await);
    }
    while it.gate.begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut behind = Vec::new();
    for (slot, lane) in (10..13).zip(&lanes) {
        behind.push(lane.append(it.slot(slot)).await);
    }
    it.gate.permits.add_permits(1);
    for pending in first {
        let error = pending.await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    }
    it.gate.full.store(false, Ordering::SeqCst);
    it.gate.permits.add_permits(100);
    let mut outcomes = Vec::new();
    for pending in behind {
        outcomes.push(pending.await.is_ok());
    }
    assert_eq!(outcomes, [false, false, true], "the third had lost nothing");
    assert_eq!(lanes.each_ref().map(Appender::has_ended), [true, true, false]);
    lanes[0].lane().append(it.slot(20)).await.await.unwrap();
    assert_eq!(it.settled().await, 2);
    it.appender.close().await.unwrap();
    assert_eq!(it.gate.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_nobody_was_told_is_told_at_the_end() {
    let it = setting(100).await;
    it.gate.full.store(true, Ordering::SeqCst);
    let pending = it.appender.append(it.slot(0)).await;
    drop(pending);
    while it.commits().is_empty() {
        tokio::task::yield_now().await;
    }
    it.gate.full.store(false, Ordering::SeqCst);
    it.appender.lane().append(it.slot(1)).await.await.unwrap();
    assert!(matches!(it.appender.close().await, Err(StoreError::Full { .. })));
    it.appender.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_append_and_wait() {
    let it = Arc::new(setting(1000).await);
    let (appender, open) = (it.appender.clone(), it.open);
    let thread = tokio::task::spawn_blocking(move || {
        (0..40).for_each(|slot| {
            let entries = vec![due(open, slots(slot, slot)), analysed(open, slot, Some(result(&["cat"])))];
            appender.append_blocking(entries).wait_blocking().unwrap();
        });
    });
    for slot in 100..140 {
        it.appender.append(it.slot(slot)).await.await.unwrap();
    }
    thread.await.unwrap();
    it.appender.close().await.unwrap();
    assert_eq!(it.settled().await, 80);
    assert_eq!(it.gate.store.check().await.unwrap(), Vec::<String>::new());
}

/// A reader beside a writer sees whole commits: as many results as slots that are due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_commits() {
    let it = setting(10_000).await;
    let (store, open) = (Arc::clone(&it.gate.store), it.open);
    let reader = tokio::spawn(async move {
        let mut seen = 0;
        while seen < 200 {
            let settled = store.settled(open).await.unwrap();
            let due: u64 = settled.due.iter().map(|span| span.count).sum();
            assert_eq!(due, settled.results.len() as u64);
            assert!(due >= seen, "what was seen stays");
            seen = due;
        }
    });
    for slot in 0..200 {
        it.appender.append(it.slot(slot)).await.await.unwrap();
    }
    reader.await.unwrap();
    it.appender.close().await.unwrap();
}

/// Futures that are dropped in the middle leave whole commits or nothing.
#[tokio::test]
async fn a_dropped_commit_happens_wholly_or_not() {
    let it = setting(0).await;
    let mut undone = 0;
    for slot in 0..64 {
        let (polls, entries) = (1 + slot % 8, it.slot(slot));
        let mut commit = it.gate.store.commit(&entries);
        let mut left = polls;
        let dropped = std::future::poll_fn(|context| {
            left -= 1;
            match commit.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(done.map(|()| false)),
                Poll::Pending if left == 0 => Poll::Ready(Ok(true)),
                Poll::Pending => Poll::Pending,
            }
        });
        undone += u32::from(dropped.await.unwrap());
        drop(commit);
        let settled = it.gate.store.settled(it.open).await.unwrap();
        let due: u64 = settled.due.iter().map(|span| span.count).sum();
        assert_eq!(due, settled.results.len() as u64, "after {polls} polls");
    }
    assert!(undone >= 8, "a commit waits for its connection at least once");
    it.gate.store.commit(&it.slot(1000)).await.unwrap();
    assert_eq!(it.gate.store.check().await.unwrap(), Vec::<String>::new());
    it.appender.close().await.unwrap();
}
