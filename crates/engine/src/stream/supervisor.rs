//! Keeps streams going: the one owner of all of them.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use ocelli_archive::Archive;
use ocelli_ingest::OpenSource;
use ocelli_model::StreamId;
use ocelli_sinks::{FolderError, FrameCache, Retention};
use ocelli_store::{StoreError, Streams};
use tokio::sync::broadcast;

use super::{
    LatestFrame, StreamSpec, StreamState, StreamStatus, Update,
    backoff::Backoff,
    counters::StreamCounts,
    fleet::{Fleet, Shared, lock},
    pool::Pool,
    shelf::{LoadModels, Shelf},
};
use crate::Kept;

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
    /// Where what comes is recorded; streams that want it fail if `None`.
    pub archive: Option<Archive>,
    /// Where streams themselves are kept.
    pub streams: Arc<dyn Streams>,
}

/// Keeps streams going. Methods may be called from any task; those that are `async` wait for the store, or for a
/// stream to end. What changes a stream is done to its end once it was begun, also where whoever asked goes away meanwhile.
#[derive(Debug)]
pub struct Supervisor {
    fleet: Arc<Fleet>,
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

impl Supervisor {
    /// Reads what streams there are, and sets those going that were before.
    pub async fn open(config: SupervisorConfig, parts: Parts) -> Result<Self, StreamError> {
        let Parts { opener, models, kept, archive, streams } = parts;
        let pool = Pool::start(config.threads).map_err(StreamError::Thread)?;
        let shelf = Shelf::new(models, config.threads.max(1));
        let newest = Arc::new(FrameCache::new(config.cache_bytes));
        let shared = Shared { config, opener, kept, archive, streams, shelf, pool, newest };
        let fleet = Arc::new(Fleet::open(shared).await?);
        Ok(Self { fleet })
    }

    /// Enters a stream; `start` sets it going.
    pub async fn create(
        &self,
        id: StreamId,
        spec: StreamSpec,
        start: bool,
    ) -> Result<StreamStatus, StreamError> {
        spec.check(&id)?;
        self.whole(|fleet| async move { fleet.create(id, spec, start).await }).await
    }

    /// Contract 1's decode: creates the stream or, where it is not going, gives it this to do; empties its frame folder, sets
    /// its counts to 0 and starts it. [`StreamError::Running`] where it is going.
    pub async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        self.whole(|fleet| async move { fleet.decode(id, spec).await }).await
    }

    /// Gives a stream something else to do. One that is going ends its attempt and begins another; numbering goes on.
    pub async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        let id = id.clone();
        self.whole(|fleet| async move { fleet.change(&id, spec).await }).await
    }

    /// Sets it going; nothing where it is. A file goes on where it was stopped, or begins anew where it was at its end.
    pub async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let id = id.clone();
        self.whole(|fleet| async move { fleet.start(&id).await }).await
    }

    /// Ends it and waits until its last results are durable; nothing where it is not going.
    pub async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let id = id.clone();
        self.whole(|fleet| async move { fleet.stop(&id).await }).await
    }

    /// Stops it and forgets what it was to do. Its results stay; its frames go if asked. Where that fails, the stream is still
    /// there, stopped, and can be deleted again.
    pub async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError> {
        let id = id.clone();
        self.whole(|fleet| async move { fleet.delete(&id, frames_too).await }).await
    }

    /// All streams, by name.
    pub fn list(&self) -> Vec<StreamStatus> {
        self.fleet.entries().iter().map(|entry| entry.seat.status()).collect()
    }

    /// How a stream stands.
    pub fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        Ok(self.fleet.entry(id)?.seat.status())
    }

    /// What a stream is to do.
    pub fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError> {
        Ok(lock(&self.fleet.entry(id)?.spec).clone())
    }

    /// What each stream costs and loses, by name, with the units that wait for its decoder.
    pub fn counts(&self) -> Vec<(StreamId, StreamCounts)> {
        self.fleet
            .entries()
            .iter()
            .map(|entry| (entry.seat.id.clone(), entry.seat.counters.counts()))
            .collect()
    }

    /// Whether it is about to end: nothing is started any more.
    pub fn is_closing(&self) -> bool {
        self.fleet.is_closing()
    }

    /// Stages of streams that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.fleet.shared.pool.line().waiting()
    }

    /// Its newest frame: from memory while the server has it, else from the folder; `None` where there is none yet. Of a
    /// stream that writes no frames the next picture is made one, within 3 s; where none will come, its last one is given at once.
    pub async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        self.fleet.latest(id).await
    }

    /// Has the next chosen picture looked at, whether anything moves or not. False where none will be: it does not run, or no
    /// model looks.
    pub fn look(&self, id: &StreamId) -> Result<bool, StreamError> {
        let entry = self.fleet.entry(id)?;
        let looks = !lock(&entry.spec).models.is_empty();
        let comes = looks && entry.seat.status().state == StreamState::Running;
        if comes {
            entry.seat.wants_look.store(true, Ordering::Relaxed);
        }
        Ok(comes)
    }

    /// Updates from now on.
    pub fn follow(&self, id: &StreamId) -> Result<Follower, StreamError> {
        Ok(Follower { updates: self.fleet.entry(id)?.seat.follow() })
    }

    /// Where its frames are written.
    pub fn frame_folder(&self, id: &StreamId) -> PathBuf {
        self.fleet.frame_folder(id)
    }

    /// Ends all streams in flow order: sources first, then what is on its way. Those that were going go on after the next start.
    pub async fn drain(&self) {
        self.fleet.drain().await;
    }

    async fn whole<T, F>(&self, work: impl FnOnce(Arc<Fleet>) -> F) -> Result<T, StreamError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StreamError>> + Send + 'static,
    {
        let done = tokio::spawn(work(Arc::clone(&self.fleet))).await;
        done.unwrap_or_else(|error| Err(StreamError::Thread(error.into())))
    }
}

/// What was not drained ends as it would be by a drain, though nobody waits for it.
impl Drop for Supervisor {
    fn drop(&mut self) {
        self.fleet.stop_all();
    }
}
