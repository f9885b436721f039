//! Keeps streams going: the one owner of all of them.

use std::{
    collections::BTreeMap,
    io,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ocelli_ingest::{OpenSource, Stop};
use ocelli_model::StreamId;
use ocelli_sinks::{Existing, FolderError, FrameCache, FrameFolder, Retention};
use ocelli_store::{EndState, StoreError, StreamEnd, StreamRecord, Streams};
use tokio::sync::{OwnedMutexGuard, broadcast, watch};

use super::{
    LatestFrame, StreamSpec, StreamState, StreamStatus, Update,
    backoff::Backoff,
    begun,
    counters::StreamCounts,
    going::{Going, read_newest, remove_frames},
    pool::Pool,
    seat::Seat,
    shelf::{LoadModels, Shelf},
};
use crate::Kept;

/// How long a request for a picture waits for the next one, where no frames are written.
const PICTURE_PATIENCE: Duration = Duration::from_secs(3);

/// Why a stream cannot be dealt with as asked.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// No stream of that name.
    #[error("there is no stream {0}")]
    Unknown(StreamId),
    /// The name is taken.
    #[error("stream {0} exists already")]
    Exists(StreamId),
    /// It must be stopped first.
    #[error("stream {0} is running; stop it first")]
    Running(StreamId),
    /// What it is to do makes no sense, or asks for what is not here.
    #[error("{0}")]
    Invalid(String),
    /// More streams than the configuration allows.
    #[error("there are {0} streams already, as many as the configuration allows")]
    TooMany(usize),
    /// The server is about to end.
    #[error("the server is shutting down")]
    Closing,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The operating system gave no thread.
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
    /// Its newest frame could not be read back, or its folder not be removed.
    #[error("cannot use the frame folder")]
    Frame(#[source] FolderError),
}

/// What a supervisor is told once.
#[derive(Clone, Debug)]
pub struct SupervisorConfig {
    /// Frame folders are made below it, one per stream.
    pub frames: PathBuf,
    /// Threads that decode and look, of all streams together.
    pub threads: usize,
    /// Most streams that may exist.
    pub most_streams: usize,
    /// Between attempts.
    pub backoff: Backoff,
    /// Which frames stay in the folders.
    pub retention: Retention,
    /// Memory for the newest frames of all streams together, in bytes.
    pub cache_bytes: usize,
    /// Wall time in ms since 1970.
    pub now_ms: fn() -> i64,
}

/// What a supervisor works with; only the composition root makes these.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Opens sources.
    pub opener: Arc<dyn OpenSource>,
    /// Loads models.
    pub models: Arc<dyn LoadModels>,
    /// Where results go.
    pub kept: Kept,
    /// Where streams themselves are kept.
    pub streams: Arc<dyn Streams>,
}

/// What all streams share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: SupervisorConfig,
    pub(super) opener: Arc<dyn OpenSource>,
    pub(super) kept: Kept,
    pub(super) streams: Arc<dyn Streams>,
    pub(super) shelf: Shelf,
    pub(super) pool: Pool,
    pub(super) newest: Arc<FrameCache<LatestFrame>>,
}

/// Keeps streams going. Methods may be called from any task; those that are `async` wait for the store, or for a
/// stream to end.
#[derive(Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
    streams: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    streams: BTreeMap<StreamId, Arc<Entry>>,
    closing: bool,
}

/// One stream, going or not.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seat: Arc<Seat>,
    /// What is kept of it. Locked while it is written, so that writes keep their order.
    pub(super) record: tokio::sync::Mutex<StreamRecord>,
    /// Its thread has nothing more to do than to end.
    pub(super) over: AtomicBool,
    spec: Mutex<StreamSpec>,
    /// Held by whoever starts, stops or changes it: one after the other.
    turn: Arc<tokio::sync::Mutex<Option<Thread>>>,
}

/// Held while a stream is started, stopped or changed.
type Turn = OwnedMutexGuard<Option<Thread>>;

/// The thread of a stream that was started.
#[derive(Debug)]
struct Thread {
    stop: Stop,
    /// True once it has ended.
    ended: watch::Receiver<bool>,
}

/// Follows one stream live. Never holds the stream up: who reads too slowly misses updates, and is told how many.
#[derive(Debug)]
pub struct Follower {
    updates: broadcast::Receiver<Arc<Update>>,
}

/// Updates that a follower was too slow for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

impl Follower {
    /// Follows what is sent there from now on; the hub bounds how far a follower may fall behind.
    pub fn new(updates: broadcast::Receiver<Arc<Update>>) -> Self {
        Self { updates }
    }

    /// The next update; `None` once the stream is deleted.
    pub async fn next(&mut self) -> Option<Result<Arc<Update>, Missed>> {
        match self.updates.recv().await {
            Ok(update) => Some(Ok(update)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(Missed(missed))),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Supervisor {
    /// Reads what streams there are, and sets those going that were before.
    pub async fn open(config: SupervisorConfig, parts: Parts) -> Result<Self, StreamError> {
        let Parts { opener, models, kept, streams } = parts;
        let pool = Pool::start(config.threads).map_err(StreamError::Thread)?;
        let shelf = Shelf::new(models, config.threads.max(1));
        let newest = Arc::new(FrameCache::new(config.cache_bytes));
        let shared = Arc::new(Shared { config, opener, kept, streams, shelf, pool, newest });
        let supervisor = Self { shared, streams: Mutex::default() };
        for record in supervisor.shared.streams.streams().await? {
            let spec = match serde_json::from_str::<StreamSpec>(&record.spec) {
                Ok(spec) => spec,
                Err(error) => {
                    tracing::error!(stream = %record.id, %error, "what this stream is to do cannot be read; it is left alone");
                    continue;
                }
            };
            let wanted = record.wanted;
            let entry = Arc::new(Entry::new(record, spec, &supervisor.shared.newest));
            lock(&supervisor.streams).streams.insert(entry.seat.id.clone(), Arc::clone(&entry));
            if wanted {
                let mut turn = entry.turn.lock().await;
                entry.seat.state(StreamState::Starting);
                *turn = Some(supervisor.spawn(&entry)?);
            }
        }
        Ok(supervisor)
    }

    /// Enters a stream; `start` sets it going.
    pub async fn create(
        &self,
        id: StreamId,
        spec: StreamSpec,
        start: bool,
    ) -> Result<StreamStatus, StreamError> {
        spec.check()?;
        let entry = Arc::new(Entry::new(self.new_record(&id, &spec)?, spec, &self.shared.newest));
        // Held before others can find it.
        let mut turn = Arc::clone(&entry.turn).lock_owned().await;
        {
            let mut known = lock(&self.streams);
            if known.closing {
                return Err(StreamError::Closing);
            }
            if known.streams.contains_key(&id) {
                return Err(StreamError::Exists(id));
            }
            if known.streams.len() >= self.shared.config.most_streams {
                return Err(StreamError::TooMany(known.streams.len()));
            }
            known.streams.insert(id.clone(), Arc::clone(&entry));
        }
        let begun = self.begin(&entry, &mut turn, start, |_record| {}).await;
        if begun.is_err() {
            // What could not be set going is not to be found after a restart. Where this fails too, the first error says why.
            self.shared.streams.remove_stream(&id).await.ok();
            lock(&self.streams).streams.remove(&id);
        }
        begun
    }

    /// Contract 1's decode: creates the stream or, where it is not going, gives it this to do; empties its frame folder, sets
    /// its counts to 0 and starts it. [`StreamError::Running`] where it is going.
    pub async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        spec.check()?;
        let Ok((entry, mut turn)) = self.hold(&id).await else { return self.create(id, spec, true).await };
        // One that cannot go on as configured may be told to do something else.
        let troubled = entry.seat.status().state == StreamState::Error;
        if !troubled && entry.is_going(&mut turn).await {
            return Err(StreamError::Running(id));
        }
        Self::end(&mut turn).await;
        let json = encode(&spec)?;
        let now = (self.shared.config.now_ms)();
        // What it does now is known to those who ask once it is durable.
        let anew = |record: &mut StreamRecord| {
            (record.spec, record.changed_ms) = (json, now);
            record.decode += 1;
            (record.frames, record.restarts) = (0, 0);
        };
        self.begin(&entry, &mut turn, true, anew).await
    }

    /// Gives a stream something else to do. One that is going ends its attempt and begins another; numbering goes on.
    pub async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        spec.check()?;
        let (entry, mut turn) = self.hold(id).await?;
        let going = entry.is_going(&mut turn).await;
        Self::end(&mut turn).await;
        let json = encode(&spec)?;
        let now = (self.shared.config.now_ms)();
        let change = |record: &mut StreamRecord| (record.spec, record.changed_ms) = (json, now);
        let changed = self.begin(&entry, &mut turn, going, change).await;
        if changed.is_err() && going && turn.is_none() && !self.is_closing() {
            // It goes on with what it did.
            *turn = Some(self.spawn(&entry)?);
        }
        changed
    }

    /// Sets it going; nothing where it is. A file goes on where it was stopped, or begins anew where it was at its end.
    pub async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        if entry.is_going(&mut turn).await {
            return Ok(entry.seat.status());
        }
        let again = |record: &mut StreamRecord| {
            record.restarts = 0;
            let completed = record.ended.as_ref().is_some_and(|end| end.state == EndState::Completed);
            if let (true, Ok(spec)) = (completed, begun::write(&record.spec, None)) {
                record.spec = spec;
            }
        };
        self.begin(&entry, &mut turn, true, again).await
    }

    /// Ends it and waits until its last results are durable; nothing where it is not going.
    pub async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        Self::end(&mut turn).await;
        let mut record = entry.record.lock().await;
        if record.wanted {
            let mut changed = record.clone();
            changed.wanted = false;
            self.shared.streams.put_stream(&changed).await?;
            *record = changed;
        }
        Ok(entry.seat.status())
    }

    /// Stops it and forgets what it was to do. Its results stay; its frames go if asked. Where that fails, the stream is still
    /// there, stopped, and can be deleted again.
    pub async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        Self::end(&mut turn).await;
        if frames_too {
            let folder = self.frame_folder(id);
            blocking(move || remove_frames(&folder)).await?.map_err(StreamError::Frame)?;
        }
        self.shared.streams.remove_stream(id).await?;
        entry.seat.forget_latest();
        lock(&self.streams).streams.remove(id);
        Ok(())
    }

    /// All streams, by name.
    pub fn list(&self) -> Vec<StreamStatus> {
        self.entries().iter().map(|entry| entry.seat.status()).collect()
    }

    /// How a stream stands.
    pub fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        Ok(self.entry(id)?.seat.status())
    }

    /// What a stream is to do.
    pub fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError> {
        Ok(lock(&self.entry(id)?.spec).clone())
    }

    /// What each stream costs and loses, by name, with the units that wait for its decoder.
    pub fn counts(&self) -> Vec<(StreamId, StreamCounts)> {
        self.entries().iter().map(|entry| (entry.seat.id.clone(), entry.seat.counters.counts())).collect()
    }

    /// Whether it is about to end: nothing is started any more.
    pub fn is_closing(&self) -> bool {
        lock(&self.streams).closing
    }

    /// Stages of streams that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.shared.pool.line().waiting()
    }

    /// Its newest frame: from memory while the server has it, else from the folder; `None` where there is none yet. Of a
    /// stream that writes no frames the next picture is made one, within 3 s; where none will come, its last one is given at once.
    pub async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        let entry = self.entry(id)?;
        let writes = lock(&entry.spec).frames.is_some();
        if writes {
            if let Some(latest) = entry.seat.latest() {
                return Ok(Some(latest));
            }
            let folder = self.frame_folder(id);
            let read = blocking(move || read_newest(&folder)).await?;
            return Ok(read.map_err(StreamError::Frame)?.map(Arc::new));
        }
        // In this order: a picture that is made from here on differs from the one before, and its news is heard.
        let before = entry.seat.latest();
        let mut updates = entry.seat.follow();
        entry.seat.wants_picture.store(true, Ordering::Relaxed);
        let newer = async {
            loop {
                let latest = entry.seat.latest();
                let is_new = match (&latest, &before) {
                    (Some(latest), Some(before)) => !Arc::ptr_eq(latest, before),
                    (latest, _) => latest.is_some(),
                };
                let comes = match entry.seat.status().state {
                    StreamState::Running => true,
                    StreamState::Starting => latest.is_none(),
                    _ => false,
                };
                if is_new
                    || !comes
                    || matches!(updates.recv().await, Err(broadcast::error::RecvError::Closed))
                {
                    return latest;
                }
            }
        };
        Ok(tokio::time::timeout(PICTURE_PATIENCE, newer).await.unwrap_or(before))
    }

    /// Updates from now on.
    pub fn follow(&self, id: &StreamId) -> Result<Follower, StreamError> {
        Ok(Follower { updates: self.entry(id)?.seat.follow() })
    }

    /// Where its frames are written.
    pub fn frame_folder(&self, id: &StreamId) -> PathBuf {
        self.shared.config.frames.join(id.as_str())
    }

    /// Ends all streams in flow order: sources first, then what is on its way. Those that were going go on after the next start.
    pub async fn drain(&self) {
        lock(&self.streams).closing = true;
        let entries = self.entries();
        for entry in &entries {
            // All at once; waiting for one before telling the next would take as long as all together.
            if let Some(thread) = &*entry.turn.lock().await {
                thread.stop.stop();
            }
        }
        for entry in &entries {
            Self::end(&mut *entry.turn.lock().await).await;
        }
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.streams).streams.values().cloned().collect()
    }

    fn entry(&self, id: &StreamId) -> Result<Arc<Entry>, StreamError> {
        let known = lock(&self.streams);
        known.streams.get(id).cloned().ok_or_else(|| StreamError::Unknown(id.clone()))
    }

    /// Waits for whoever starts, stops or changes it; then nobody else does.
    async fn hold(&self, id: &StreamId) -> Result<(Arc<Entry>, Turn), StreamError> {
        let entry = self.entry(id)?;
        let turn = Arc::clone(&entry.turn).lock_owned().await;
        // It may have been deleted meanwhile, and perhaps made again: that is another one.
        if self.entry(id).is_ok_and(|known| Arc::ptr_eq(&known, &entry)) {
            Ok((entry, turn))
        } else {
            Err(StreamError::Unknown(id.clone()))
        }
    }

    fn new_record(&self, id: &StreamId, spec: &StreamSpec) -> Result<StreamRecord, StreamError> {
        let now = (self.shared.config.now_ms)();
        Ok(StreamRecord {
            id: id.clone(),
            spec: encode(spec)?,
            wanted: false,
            ended: Some(StreamEnd { state: EndState::Stopped, error: None }),
            decode: 1,
            decode_cleared: 0,
            frames: 0,
            restarts: 0,
            created_ms: now,
            changed_ms: now,
            started_ms: None,
        })
    }

    /// Makes a change durable, then sets the stream going if `start` says so.
    async fn begin(
        &self,
        entry: &Arc<Entry>,
        turn: &mut Option<Thread>,
        start: bool,
        change: impl FnOnce(&mut StreamRecord),
    ) -> Result<StreamStatus, StreamError> {
        if self.is_closing() {
            return Err(StreamError::Closing);
        }
        let mut record = entry.record.lock().await;
        let mut changed = record.clone();
        change(&mut changed);
        if start {
            (changed.wanted, changed.ended) = (true, None);
            changed.started_ms = Some((self.shared.config.now_ms)());
        }
        let spec = serde_json::from_str(&changed.spec);
        let spec: StreamSpec = spec.map_err(|error| StreamError::Invalid(error.to_string()))?;
        self.shared.streams.put_stream(&changed).await?;
        *record = changed;
        let writes = spec.frames.is_some();
        *lock(&entry.spec) = spec;
        entry.refresh(&record, start);
        if start && writes && record.decode_cleared < record.decode {
            self.clear_frames(&mut record).await?;
        }
        drop(record);
        if start {
            *turn = Some(self.spawn(entry)?);
        }
        Ok(entry.seat.status())
    }

    /// Before anybody is told that a decode began: who reads the folder then must not find frames of an earlier one. A folder that
    /// cannot be emptied is the business of the stream's thread, which shows the error and tries again.
    async fn clear_frames(&self, record: &mut StreamRecord) -> Result<(), StreamError> {
        let folder = self.frame_folder(&record.id);
        if blocking(move || FrameFolder::create(folder, Existing::Overwrite)).await?.is_err() {
            return Ok(());
        }
        let mut changed = record.clone();
        changed.decode_cleared = changed.decode;
        self.shared.streams.put_stream(&changed).await?;
        *record = changed;
        Ok(())
    }

    fn spawn(&self, entry: &Arc<Entry>) -> Result<Thread, StreamError> {
        let (stop, (ending, ended)) = (Stop::default(), watch::channel(false));
        let spec = lock(&entry.spec).clone();
        let going = Going::new(Arc::clone(&self.shared), Arc::clone(entry), spec, stop.clone());
        entry.over.store(false, Ordering::Release);
        let span = tracing::info_span!("stream", stream = %entry.seat.id);
        let ours = Arc::clone(entry);
        let thread = thread::Builder::new().name(format!("stream:{}", entry.seat.id)).spawn(move || {
            let _within = span.entered();
            if panic::catch_unwind(AssertUnwindSafe(|| going.go())).is_err() {
                tracing::error!("internal error: the thread of this stream panicked");
                ours.seat.update(|status| {
                    status.state = StreamState::Error;
                    status.last_error = Some("internal error, which the log tells more about".to_owned());
                });
                ours.over.store(true, Ordering::Release);
            }
            ending.send_replace(true);
        });
        // Whoever waits for it waits for `ended`, which its end, even by panic, settles.
        thread.map(|_joined_by_ended| Thread { stop, ended }).map_err(StreamError::Thread)
    }

    async fn end(turn: &mut Option<Thread>) {
        let Some(mut thread) = turn.take() else { return };
        thread.stop.stop();
        // An error means that the thread is gone as well.
        thread.ended.wait_for(|ended| *ended).await.ok();
    }
}

/// What was not drained ends as it would be by a drain, though nobody waits for it.
impl Drop for Supervisor {
    fn drop(&mut self) {
        for entry in self.entries() {
            // Held by nobody: whoever holds it borrows the supervisor.
            if let Ok(turn) = entry.turn.try_lock()
                && let Some(thread) = &*turn
            {
                thread.stop.stop();
            }
        }
    }
}

impl Entry {
    fn new(record: StreamRecord, spec: StreamSpec, newest: &Arc<FrameCache<LatestFrame>>) -> Self {
        let state = match record.ended.as_ref().map(|end| end.state) {
            Some(EndState::Completed) => StreamState::Completed,
            Some(EndState::Error) => StreamState::Error,
            Some(EndState::Stopped) => StreamState::Stopped,
            None => StreamState::Starting,
        };
        let status = StreamStatus {
            id: record.id.clone(),
            state,
            source: spec.source.url.to_string(),
            frame_count: record.frames,
            last_error: record.ended.as_ref().and_then(|end| end.error.clone()),
            restart_count: record.restarts,
            started_ms: record.started_ms,
            run: None,
            width: None,
            height: None,
            codec: None,
            tally: ocelli_model::Tally::default(),
        };
        Self {
            seat: Arc::new(Seat::new(status, Arc::clone(newest))),
            record: tokio::sync::Mutex::new(record),
            over: AtomicBool::default(),
            spec: Mutex::new(spec),
            turn: Arc::default(),
        }
    }

    /// Whether its thread has more to do; one that is about to end is waited for.
    async fn is_going(&self, turn: &mut Option<Thread>) -> bool {
        if turn.is_some() && self.over.load(Ordering::Acquire) {
            Supervisor::end(turn).await;
        }
        turn.as_ref().is_some_and(|thread| !*thread.ended.borrow() && thread.ended.has_changed().is_ok())
    }

    /// Shows what the record says, after a change of it.
    fn refresh(&self, record: &StreamRecord, start: bool) {
        let source = lock(&self.spec).source.url.to_string();
        if record.decode_cleared < record.decode {
            self.seat.forget_latest();
        }
        self.seat.update(|status| {
            status.source = source;
            (status.frame_count, status.restart_count) = (record.frames, record.restarts);
            status.started_ms = record.started_ms;
            if start {
                (status.state, status.last_error) = (StreamState::Starting, None);
                status.tally = ocelli_model::Tally::default();
            }
        });
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StreamError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StreamError::Thread(error.into()))
}

fn encode(spec: &StreamSpec) -> Result<String, StreamError> {
    serde_json::to_string(spec).map_err(|error| StreamError::Invalid(error.to_string()))
}
