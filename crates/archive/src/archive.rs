//! The archive as others hold it.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use ocelli_model::StreamId;
use ocelli_store::{SegmentClass, SegmentRecord, Segments};
use tokio::runtime::Handle;

use crate::{
    ArchiveConfig, ArchiveError, ArchiveReader, Clip, Finding, LiveView, Phase, Recorder, Recovered, Removed,
    clip::Plan,
    clock::Clock,
    files::{Disk, Files},
    lane::{Lane, LiveHold},
    object::key,
    retention::Passed,
    syncing::Syncing,
    writer,
};

/// Recorded streams: cheap to clone, all of it the same archive.
#[derive(Clone, Debug)]
pub struct Archive {
    shared: Arc<Shared>,
    recovered: Arc<[Recovered]>,
}

/// What recorders, writing threads and readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ArchiveConfig,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) index: Arc<dyn Segments>,
    pub(crate) runtime: Handle,
    pub(crate) syncing: Syncing,
    pub(crate) clock: Clock,
    /// Held while something is removed or pinned.
    pub(crate) removing: tokio::sync::Mutex<Passed>,
    lanes: Mutex<BTreeMap<StreamId, Seat>>,
}

/// A lane, and who works in it.
#[derive(Debug)]
struct Seat {
    lane: Arc<Lane>,
    recorded: bool,
    /// The first number that this process and those before never used.
    next: u64,
    /// Of the recorder, or of the one before while it still writes.
    thread: Option<JoinHandle<()>>,
}

impl Archive {
    /// Opens the archive, and seals what an earlier process left open. Calls of `segments` run on `runtime`, which must have several
    /// threads, or one that nobody blocks.
    pub async fn open(
        config: ArchiveConfig,
        segments: Arc<dyn Segments>,
        runtime: Handle,
    ) -> Result<Self, ArchiveError> {
        let path = config.folder.clone();
        let opened =
            Disk::open(&path).map_err(|source| ArchiveError::Folder { path: path.clone(), source })?;
        let files = opened.ok_or(ArchiveError::InUse { path })?;
        Self::open_on(config, Arc::new(files), segments, runtime).await
    }

    pub(crate) async fn open_on(
        config: ArchiveConfig,
        files: Arc<dyn Files>,
        index: Arc<dyn Segments>,
        runtime: Handle,
    ) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Folder { path: config.folder.clone(), source };
        let clock = Clock::open(&config, &*files, &index.recordings().await?).map_err(failed)?;
        let syncing = Syncing::start(Arc::clone(&files), config.sync_every)?;
        let (removing, lanes) = (tokio::sync::Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { config, files, index, runtime, syncing, clock, removing, lanes });
        let theirs = Arc::clone(&shared);
        let found = blocking(&shared.runtime, move || theirs.recover()).await?;
        for (stream, next) in found.next {
            shared.lanes().insert(stream.clone(), Seat::new(&stream, &shared.config, next));
        }
        Ok(Self { shared, recovered: found.recovered.into() })
    }

    /// What the start found half written.
    pub fn recovered(&self) -> &[Recovered] {
        &self.recovered
    }

    /// Begins to record a stream; one at a time. Blocks until what was recorded of it before is written.
    pub fn recorder(&self, stream: &StreamId) -> Result<Recorder, ArchiveError> {
        let before = {
            let mut lanes = self.shared.lanes();
            let seat =
                lanes.entry(stream.clone()).or_insert_with(|| Seat::new(stream, &self.shared.config, 0));
            if seat.recorded {
                return Err(ArchiveError::Recording(stream.clone()));
            }
            seat.recorded = true;
            seat.thread.take()
        };
        before.map(JoinHandle::join);
        let started = self.start(stream);
        if started.is_err() {
            self.shared.leave(stream, 0);
        }
        started
    }

    fn start(&self, stream: &StreamId) -> Result<Recorder, ArchiveError> {
        let (index, id) = (Arc::clone(&self.shared.index), stream.clone());
        // A task, not this thread: it may belong to the runtime.
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        self.shared.runtime.spawn(async move { tell.send(index.next_segment(&id).await).ok() });
        let gone = |_| ArchiveError::Invalid("the runtime of the archive has ended".to_owned());
        let next = told.recv().map_err(gone)??;
        let mut lanes = self.shared.lanes();
        let seat = lanes.entry(stream.clone()).or_insert_with(|| Seat::new(stream, &self.shared.config, 0));
        let (next, lane) = (next.max(seat.next), Arc::clone(&seat.lane));
        lane.queue.start();
        if lane.window().start() {
            *lane.lengths() = None;
        }
        *lane.state() = crate::RecorderState::default();
        let (shared, theirs) = (Arc::clone(&self.shared), Arc::clone(&lane));
        let thread = std::thread::Builder::new().name(format!("archive:{stream}"));
        let thread = thread.spawn(move || writer::run(shared, theirs));
        let path = self.shared.config.folder.clone();
        seat.thread = Some(thread.map_err(|source| ArchiveError::Folder { path, source })?);
        Ok(Recorder::new(Arc::clone(&self.shared), lane, next))
    }

    /// Says that a stream is to be recorded, interruptions or not.
    pub fn hold(&self, stream: &StreamId) -> LiveHold {
        LiveHold::new(self.lane(stream))
    }

    /// Where live players of a stream look; nothing before it was first recorded.
    pub fn live(&self, stream: &StreamId) -> Option<LiveView> {
        self.shared.lanes().get(stream).map(|seat| seat.lane.window().view())
    }

    /// That of a stream, made where it was not recorded yet.
    pub(crate) fn lane(&self, stream: &StreamId) -> Arc<Lane> {
        let mut lanes = self.shared.lanes();
        let seat = lanes.entry(stream.clone()).or_insert_with(|| Seat::new(stream, &self.shared.config, 0));
        Arc::clone(&seat.lane)
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// Where segments are entered.
    pub fn index(&self) -> &Arc<dyn Segments> {
        &self.shared.index
    }

    /// A piece of a segment's object, which begins with its initialisation segment; less where it ends before.
    pub async fn read(&self, segment: &SegmentRecord, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let (shared, location) = (Arc::clone(&self.shared), segment.location.clone());
        blocking(&self.shared.runtime, move || shared.read(&location, range)).await
    }

    /// Gives segments a class, as [`Segments::classify`] does. What it pinned is there: nothing is removed meanwhile.
    pub async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, ArchiveError> {
        let mut passed = self.shared.removing.lock().await;
        passed.remove(stream);
        Ok(self.shared.index.classify(stream, numbers, class, unpin).await?)
    }

    /// Reads a run from the keyframe at or before `from_pts` on.
    pub fn reader(&self, stream: &StreamId, run: u32, from_pts: i64) -> ArchiveReader {
        ArchiveReader::new(Arc::clone(&self.shared), self.live(stream), stream.clone(), run, from_pts)
    }

    /// An MP4 of a window of a run that players show from exactly the picture that is seen at its beginning. See [`Clip`].
    pub async fn clip(&self, stream: &StreamId, run: u32, pts: Range<i64>) -> Result<Clip, ArchiveError> {
        let reader = || self.reader(stream, run, pts.start);
        let (first, second) = (reader(), reader());
        let range = pts.clone();
        let planned = blocking(&self.shared.runtime, move || Plan::of(first, range)).await?;
        let nothing =
            || ArchiveError::Missing(format!("run {run} of {stream} from PTS {} to {}", pts.start, pts.end));
        Clip::new(planned.ok_or_else(nothing)?, second, self.shared.runtime.clone())
    }

    /// Compares the index with all media; `mend` puts right what differs.
    pub async fn check(&self, mend: bool) -> Result<Vec<Finding>, ArchiveError> {
        let shared = Arc::clone(&self.shared);
        blocking(&self.shared.runtime, move || shared.check(mend)).await
    }

    /// Removes what need not be kept any longer.
    pub async fn retain(&self) -> Result<Removed, ArchiveError> {
        self.shared.retain().await
    }

    /// Waits until what the ended recorder of a stream gave is in the archive; whether all of it is, or why what came last is not.
    pub async fn written(&self, stream: &StreamId) -> Phase {
        let (thread, lane) = {
            let mut lanes = self.shared.lanes();
            let Some(seat) = lanes.get_mut(stream) else { return Phase::default() };
            let thread = if seat.recorded { None } else { seat.thread.take() };
            (thread, Arc::clone(&seat.lane))
        };
        if let Some(thread) = thread {
            // A panic in it has been told by the hook.
            self.shared.runtime.spawn_blocking(|| thread.join().ok()).await.ok();
        }
        lane.state().phase.clone()
    }

    /// By how much the wall clock was set since the first recording, in milliseconds, as far as a process saw it: forwards is positive.
    pub fn clock_set_ms(&self) -> i64 {
        self.shared.clock.set_ms()
    }

    /// Waits until all that ended recorders gave is in the archive.
    pub async fn settled(&self) {
        let threads: Vec<_> = {
            let mut lanes = self.shared.lanes();
            lanes.values_mut().filter(|seat| !seat.recorded).filter_map(|seat| seat.thread.take()).collect()
        };
        for thread in threads {
            // A panic in it has been told by the hook.
            self.shared.runtime.spawn_blocking(|| thread.join().ok()).await.ok();
        }
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Seat {
    fn new(stream: &StreamId, config: &ArchiveConfig, next: u64) -> Self {
        Self { lane: Arc::new(Lane::new(stream, config)), recorded: false, next, thread: None }
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, BTreeMap<StreamId, Seat>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn lane(&self, stream: &StreamId) -> Arc<Lane> {
        Arc::clone(&self.lanes()[stream].lane)
    }

    /// A recorder ends; its thread writes what waits.
    pub(crate) fn leave(&self, stream: &StreamId, next: u64) {
        if let Some(seat) = self.lanes().get_mut(stream) {
            seat.lane.queue.end();
            seat.recorded = false;
            seat.next = seat.next.max(next);
        }
    }

    /// Blocks.
    pub(crate) fn read(&self, location: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let missing = || ArchiveError::Missing(location.to_owned());
        let object = key(location).ok_or_else(missing)?;
        match self.files.read(&object, range) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing()),
            Err(source) => Err(ArchiveError::Read { location: location.to_owned(), source }),
        }
    }
}

/// On a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ArchiveError::Invalid("the runtime of the archive has ended".to_owned())),
    }
}
