//! Keeps streams going.

use std::sync::Arc;

use ocelli_model::StreamId;
use ocelli_store::StoreError;
use tokio::sync::broadcast;

use super::{LatestFrame, StreamSpec, StreamStatus, Update};

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
    /// Its newest frame could not be read back.
    #[error("cannot read the newest frame")]
    Frame(#[source] std::io::Error),
}

/// Keeps streams going; the one owner of all of them. Methods may be called from any task; those that are `async` wait for
/// the store, or for a stream to end, and may be dropped: what they began goes on.
#[derive(Debug)]
pub struct Supervisor {}

/// Follows one stream live. Never holds the stream up: who reads too slowly misses updates, and is told how many.
#[derive(Debug)]
pub struct Follower {
    updates: broadcast::Receiver<Arc<Update>>,
}

/// Updates that a follower was too slow for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

impl Follower {
    /// The next update; `None` once the stream is deleted.
    pub async fn next(&mut self) -> Option<Result<Arc<Update>, Missed>> {
        match self.updates.recv().await {
            Ok(update) => Some(Ok(update)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(Missed(missed))),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[expect(clippy::unused_async, clippy::todo, clippy::missing_errors_doc, reason = "the seam comes first")]
impl Supervisor {
    /// Enters a stream; `start` sets it going.
    pub async fn create(
        &self,
        id: StreamId,
        spec: StreamSpec,
        start: bool,
    ) -> Result<StreamStatus, StreamError> {
        todo!("{id} {spec:?} {start}")
    }

    /// Contract 1's decode: creates the stream or, where it is not going, gives it this to do; empties its frame folder, sets
    /// its counts to 0 and starts it. [`StreamError::Running`] where it is going.
    pub async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        todo!("{id} {spec:?}")
    }

    /// Gives a stream something else to do. One that is going begins a new attempt; numbering goes on.
    pub async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        todo!("{id} {spec:?}")
    }

    /// Sets it going; nothing where it is.
    pub async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        todo!("{id}")
    }

    /// Ends it and waits until its last results are durable; nothing where it is not going.
    pub async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        todo!("{id}")
    }

    /// Stops it and forgets what it was to do. Its results stay; its frame folder goes if asked.
    pub async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError> {
        todo!("{id} {frames_too}")
    }

    /// All streams, by name.
    pub fn list(&self) -> Vec<StreamStatus> {
        todo!()
    }

    /// How a stream stands.
    pub fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        todo!("{id}")
    }

    /// What a stream is to do.
    pub fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError> {
        todo!("{id}")
    }

    /// Its newest frame: from memory while it is going, else from the folder; `None` where there is none yet.
    pub async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        todo!("{id}")
    }

    /// Updates from now on.
    pub fn follow(&self, id: &StreamId) -> Result<Follower, StreamError> {
        todo!("{id}")
    }

    /// Where its frames are written.
    pub fn frame_folder(&self, id: &StreamId) -> std::path::PathBuf {
        todo!("{id}")
    }

    /// Ends all streams in flow order and keeps in mind which were going: those go on after the next start.
    pub async fn drain(&self) {
        todo!()
    }
}
