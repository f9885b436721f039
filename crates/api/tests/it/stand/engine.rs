//! An engine that keeps streams in memory and reads nothing: tests say what its streams do.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use ocelli_api::Engine;
use ocelli_engine::{
    Follower, LatestFrame, News, StreamError, StreamSpec, StreamState, StreamStatus, Update,
};
use ocelli_model::{StreamId, Tally, TimeBase};
use tokio::sync::broadcast;

/// Updates that wait for a follower before the oldest are missed.
pub(crate) const HUB: usize = 64;

#[derive(Debug)]
struct Kept {
    spec: StreamSpec,
    status: StreamStatus,
    latest: Option<Arc<LatestFrame>>,
    hub: broadcast::Sender<Arc<Update>>,
    seq: u64,
    looks: u32,
}

#[derive(Debug)]
pub(crate) struct MemoryEngine {
    frames: PathBuf,
    streams: Mutex<BTreeMap<StreamId, Kept>>,
    /// The next call that changes something fails with it.
    fails: Mutex<Option<StreamError>>,
}

pub(crate) fn id(word: &str) -> StreamId {
    word.parse().unwrap()
}

fn goes(state: StreamState) -> bool {
    matches!(state, StreamState::Starting | StreamState::Running | StreamState::Restarting)
}

impl MemoryEngine {
    pub(crate) fn new(frames: PathBuf) -> Self {
        Self { frames, streams: Mutex::default(), fails: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamId, Kept>> {
        self.streams.lock().unwrap()
    }

    fn with<T>(&self, id: &StreamId, act: impl FnOnce(&mut Kept) -> T) -> Result<T, StreamError> {
        self.lock().get_mut(id).map(act).ok_or_else(|| StreamError::Unknown(id.clone()))
    }

    fn fail(&self) -> Result<(), StreamError> {
        self.fails.lock().unwrap().take().map_or(Ok(()), Err)
    }

    pub(crate) fn fail_next(&self, error: StreamError) {
        *self.fails.lock().unwrap() = Some(error);
    }

    /// Changes how a stream stands, and tells its followers.
    pub(crate) fn set(&self, word: &str, change: impl FnOnce(&mut StreamStatus)) {
        let told = self.with(&id(word), |kept| {
            change(&mut kept.status);
            Arc::new(kept.status.clone())
        });
        self.tell(word, News::Status(told.unwrap()));
    }

    pub(crate) fn tell(&self, word: &str, news: News) {
        self.with(&id(word), |kept| {
            kept.seq += 1;
            let update = Update { seq: kept.seq, news, encoded: std::sync::OnceLock::new() };
            // Nobody may be following.
            drop(kept.hub.send(Arc::new(update)));
        })
        .unwrap();
    }

    /// Looks that were asked for.
    pub(crate) fn looks(&self, word: &str) -> u32 {
        self.with(&id(word), |kept| kept.looks).unwrap()
    }

    /// Followers of a stream.
    pub(crate) fn followers(&self, word: &str) -> usize {
        self.with(&id(word), |kept| kept.hub.receiver_count()).unwrap()
    }

    pub(crate) fn show(&self, word: &str, jpeg: &'static [u8], pts: i64) {
        let frame = LatestFrame {
            jpeg: Bytes::from_static(jpeg),
            number: Some(7),
            run: Some(2),
            media_time: Some((pts, TimeBase::new(1, 90_000).unwrap())),
            size: Some((640, 360)),
        };
        self.with(&id(word), |kept| kept.latest = Some(Arc::new(frame))).unwrap();
    }

    fn enter(&self, id: StreamId, spec: StreamSpec, start: bool) -> StreamStatus {
        let state = if start { StreamState::Starting } else { StreamState::Stopped };
        let status = StreamStatus {
            id: id.clone(),
            state,
            source: spec.source.url.to_string(),
            frame_count: 0,
            last_error: None,
            restart_count: 0,
            created_ms: 1_000,
            started_ms: start.then_some(1_000),
            run: None,
            width: None,
            height: None,
            codec: None,
            tally: Tally::default(),
        };
        let kept = Kept {
            spec,
            status: status.clone(),
            latest: None,
            hub: broadcast::Sender::new(HUB),
            seq: 0,
            looks: 0,
        };
        self.lock().insert(id, kept);
        status
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn create(&self, id: StreamId, spec: StreamSpec, start: bool) -> Result<StreamStatus, StreamError> {
        self.fail()?;
        if self.lock().contains_key(&id) {
            return Err(StreamError::Exists(id));
        }
        Ok(self.enter(id, spec, start))
    }

    async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        self.fail()?;
        if self.status(&id).is_ok_and(|status| goes(status.state)) {
            return Err(StreamError::Running(id));
        }
        Ok(self.enter(id, spec, true))
    }

    async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        self.fail()?;
        self.with(id, |kept| {
            kept.status.source = spec.source.url.to_string();
            kept.spec = spec;
            kept.status.clone()
        })
    }

    async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.fail()?;
        self.with(id, |kept| {
            if !goes(kept.status.state) {
                kept.status.state = StreamState::Starting;
            }
            kept.status.clone()
        })
    }

    async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.fail()?;
        self.with(id, |kept| {
            if goes(kept.status.state) {
                kept.status.state = StreamState::Stopped;
            }
            kept.status.clone()
        })
    }

    async fn delete(&self, id: &StreamId, _frames_too: bool) -> Result<(), StreamError> {
        self.fail()?;
        self.lock().remove(id).map(|_| ()).ok_or_else(|| StreamError::Unknown(id.clone()))
    }

    fn list(&self) -> Vec<StreamStatus> {
        self.lock().values().map(|kept| kept.status.clone()).collect()
    }

    fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.with(id, |kept| kept.status.clone())
    }

    fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError> {
        self.with(id, |kept| kept.spec.clone())
    }

    async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        self.fail()?;
        self.with(id, |kept| kept.latest.clone())
    }

    fn look(&self, id: &StreamId) -> Result<bool, StreamError> {
        self.with(id, |kept| {
            let looks = kept.status.state == StreamState::Running && !kept.spec.models.is_empty();
            kept.looks += u32::from(looks);
            looks
        })
    }

    fn follow(&self, id: &StreamId) -> Result<Follower, StreamError> {
        self.with(id, |kept| Follower::new(kept.hub.subscribe()))
    }

    fn frame_folder(&self, id: &StreamId) -> PathBuf {
        self.frames.join(id.as_str())
    }
}
