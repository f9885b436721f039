//! The embedded backend: one SQLite database in a folder of its own.
//!
//! `<folder>/ocelli.db` (and, while it is in use, `-wal` and `-shm` beside it) holds everything; `<folder>/lock` says who
//! writes. One process writes, any number read meanwhile. The folder must lie on a local disk.

mod bulk;
mod check;
mod checkpoint;
mod failure;
mod identity;
mod lock;
mod open;
mod place;
mod prune;
mod read;
mod readers;
mod schema;
mod segments;
mod settled;
mod streams;
mod values;
mod window;
mod write;

use std::{fmt, ops::Range, path::Path, sync::Arc};

use async_trait::async_trait;
use ocelli_model::StreamId;
use tokio::sync::Mutex;

use self::{checkpoint::Checkpoints, lock::Lock, place::Place, readers::Readers, write::Writer};
use crate::{
    AnalyzerId, AnalyzerRecord, DerivationId, DetectionQuery, Entry, FrameQuery, LedgerId, LedgerRecord,
    LedgerRow, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, Page, Pruned, RecordingGap,
    RecordingUse, ResultLog, Results, RunFilter, RunId, RunRecord, SegmentClass, SegmentQuery, SegmentRecord,
    Segments, Settled, SourceId, StoreError, StoredDetection, StoredFrame, StreamRecord, Streams,
    TrackRecord, WallAnchor,
};

/// What a process wants with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything. Makes the store where there is none; one process at a time.
    Write,
    /// Queries only, also while another process writes.
    Read,
}

/// A store in a folder.
pub struct SqliteStore {
    place: Place,
    readers: Readers,
    writer: Option<Writing>,
}

struct Writing {
    /// `None`: closed.
    writer: Arc<Mutex<Option<Writer>>>,
    checkpoints: Checkpoints,
    /// Given back last; `None`: closed.
    lock: Mutex<Option<Lock>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("place", &self.place)
            .field("writes", &self.writer.is_some())
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in `folder`, within a Tokio runtime. An older schema becomes today's. With [`Access::Write`] the
    /// folder and the store are made where missing, and runs that another process left open are marked *unclean*.
    ///
    /// A store on a read-only medium can be read if its last writer ended in order. Where this process may not write in the
    /// folder and nobody else does, the store is read as it lies there: if a writer may come later, open it anew then.
    pub async fn open(folder: &Path, access: Access) -> Result<Self, StoreError> {
        let place = Place::new(folder)?;
        let (readers, writer) = match access {
            Access::Read => (open::to_read(&place).await?, None),
            Access::Write => {
                let (lock, writer) = open::to_write(&place).await?;
                let readers = Readers::new(open::reading(&place), place.clone());
                let writer = Arc::new(Mutex::new(Some(writer)));
                let checkpoints = Checkpoints::start(place.clone(), Arc::clone(&writer)).await?;
                (readers, Some(Writing { writer, checkpoints, lock: Mutex::new(Some(lock)) }))
            }
        };
        Ok(Self { place, readers, writer })
    }

    /// Waits for what is under way, moves everything into the database file, and lets another process write. A store
    /// that is only dropped loses nothing either.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        let Some(writing) = &self.writer else { return Ok(()) };
        writing.checkpoints.stop().await;
        let closed = match writing.writer.lock().await.take() {
            Some(writer) => writer.close().await,
            None => Ok(()),
        };
        writing.lock.lock().await.take();
        closed
    }

    fn writing(&self) -> Result<&Writing, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly {
            path: self.place.database(),
            reason: "it was opened for reading".to_owned(),
        })
    }
}

/// One transaction of the writer around a call that makes or finds an identity.
macro_rules! identify {
    ($store:ident, $make:path, $what:expr) => {{
        let mut writer = $store.writing()?.writer.lock().await;
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        writer.begin().await?;
        let made = $make(&mut writer.db, $what).await;
        writer.forget();
        writer.finish(made).await
    }};
}
use identify;

/// One transaction of the writer, begun by `$begin`, around a change of what it does not remember.
macro_rules! change {
    ($store:ident, $begin:ident, $make:path $(, $argument:expr)*) => {{
        let writing = $store.writing()?;
        let made = {
            let mut writer = writing.writer.lock().await;
            let writer = writer.as_mut().ok_or(StoreError::Closed)?;
            writer.$begin().await?;
            let made = $make(&mut writer.db $(, $argument)*).await;
            writer.finish(made).await
        };
        writing.checkpoints.committed();
        made
    }};
}
use change;

/// One snapshot around a query.
macro_rules! answer {
    ($store:ident, $query:path $(, $argument:expr)*) => {{
        let mut reader = $store.readers.take().await?;
        let answer = $query(reader.db() $(, $argument)*).await;
        reader.give_back(answer).await
    }};
}

#[async_trait]
impl ResultLog for SqliteStore {
    async fn source(&self, source: &NewSource) -> Result<SourceId, StoreError> {
        values::source(source)?;
        identify!(self, identity::source, source)
    }

    async fn run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        identify!(self, identity::run, run)
    }

    async fn analyzer(&self, analyzer: &NewAnalyzer) -> Result<AnalyzerId, StoreError> {
        values::analyzer(analyzer)?;
        identify!(self, identity::analyzer, analyzer)
    }

    async fn ledger(&self, ledger: &NewLedger) -> Result<OpenLedger, StoreError> {
        identify!(self, identity::ledger, ledger)
    }

    async fn settled(&self, ledger: OpenLedger) -> Result<Settled, StoreError> {
        answer!(self, settled::settled, ledger)
    }

    async fn commit(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let writing = self.writing()?;
        {
            let mut writer = writing.writer.lock().await;
            writer.as_mut().ok_or(StoreError::Closed)?.commit(entries).await?;
        }
        writing.checkpoints.committed();
        Ok(())
    }
}

#[async_trait]
impl Results for SqliteStore {
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError> {
        answer!(self, read::runs, filter)
    }

    async fn analyzers(&self) -> Result<Vec<AnalyzerRecord>, StoreError> {
        answer!(self, read::analyzers)
    }

    async fn ledgers(&self, run: Option<RunId>) -> Result<Vec<LedgerRecord>, StoreError> {
        answer!(self, read::ledgers, run)
    }

    async fn ledger_rows(&self, ledger: LedgerId) -> Result<Vec<LedgerRow>, StoreError> {
        answer!(self, read::ledger_rows, ledger)
    }

    async fn frames(&self, query: &FrameQuery) -> Result<Page<StoredFrame, i64>, StoreError> {
        read::limit(query.limit)?;
        answer!(self, read::frames, query)
    }

    async fn detections(
        &self,
        query: &DetectionQuery,
    ) -> Result<Page<StoredDetection, (i64, u32)>, StoreError> {
        read::limit(query.limit)?;
        answer!(self, read::detections, query)
    }

    async fn tracks(&self, derivation: DerivationId) -> Result<Vec<TrackRecord>, StoreError> {
        answer!(self, read::tracks, derivation)
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        answer!(self, check::check)
    }
}

#[async_trait]
impl Streams for SqliteStore {
    async fn put_stream(&self, stream: &StreamRecord) -> Result<(), StoreError> {
        values::stream(stream)?;
        change!(self, begin, streams::put, stream)
    }

    async fn remove_stream(&self, id: &StreamId) -> Result<bool, StoreError> {
        change!(self, begin, streams::remove, id.as_str())
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        answer!(self, streams::all)
    }

    async fn next_ordinal(&self, key: &str) -> Result<u32, StoreError> {
        answer!(self, streams::next_ordinal, key)
    }

    async fn anchor(&self, run: RunId, anchors: &[WallAnchor]) -> Result<(), StoreError> {
        change!(self, begin, streams::anchor, run, anchors)
    }

    async fn anchors(&self, run: RunId) -> Result<Vec<WallAnchor>, StoreError> {
        answer!(self, streams::anchors, run)
    }

    async fn prune(&self, before_ms: i64) -> Result<Pruned, StoreError> {
        self.prune_before(before_ms).await
    }
}

#[async_trait]
impl Segments for SqliteStore {
    async fn put_segment(&self, segment: &SegmentRecord) -> Result<(), StoreError> {
        values::segment(segment)?;
        change!(self, begin, segments::put, segment)
    }

    async fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, StoreError> {
        read::limit(query.limit)?;
        answer!(self, segments::found, query)
    }

    async fn next_segment(&self, stream: &StreamId) -> Result<u64, StoreError> {
        answer!(self, segments::next, stream)
    }

    async fn remove_segments(&self, stream: &StreamId, numbers: &[u64]) -> Result<(), StoreError> {
        change!(self, begin, segments::remove, stream, numbers)
    }

    async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, StoreError> {
        change!(self, begin, segments::classify, stream, &numbers, class, unpin)
    }

    async fn put_gap(&self, gap: &RecordingGap) -> Result<(), StoreError> {
        values::gap(gap)?;
        change!(self, begin, segments::put_gap, gap)
    }

    async fn gaps(&self, stream: &StreamId) -> Result<Vec<RecordingGap>, StoreError> {
        answer!(self, segments::gaps, stream)
    }

    async fn recordings(&self) -> Result<Vec<RecordingUse>, StoreError> {
        answer!(self, segments::recordings)
    }
}
