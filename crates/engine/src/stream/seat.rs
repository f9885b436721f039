//! What the rest of the server sees of a stream, whatever it is doing.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicBool};

use ocelli_model::StreamId;
use ocelli_sinks::FrameCache;
use tokio::sync::broadcast;

use super::{LatestFrame, News, StreamState, StreamStatus, Update, counters::Counters};

/// Updates that a follower may be behind before it misses some: at 30 frames a second, half a minute.
const FOLLOWED: usize = 1024;

/// Status, news, newest frame and counts of one stream.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: StreamId,
    pub(super) counters: Counters,
    /// Somebody wants a picture although no frames are written.
    pub(super) wants_picture: AtomicBool,
    /// Somebody wants the next picture looked at whether anything moves or not.
    pub(super) wants_look: AtomicBool,
    /// Why the last picture that failed did.
    failure: Mutex<String>,
    status: Mutex<StreamStatus>,
    newest: Arc<FrameCache<LatestFrame>>,
    updates: broadcast::Sender<Arc<Update>>,
    seq: Mutex<u64>,
}

impl Seat {
    pub(super) fn new(status: StreamStatus, newest: Arc<FrameCache<LatestFrame>>) -> Self {
        Self {
            id: status.id.clone(),
            counters: Counters::default(),
            wants_picture: AtomicBool::default(),
            wants_look: AtomicBool::default(),
            failure: Mutex::default(),
            status: Mutex::new(status),
            newest,
            updates: broadcast::channel(FOLLOWED).0,
            seq: Mutex::default(),
        }
    }

    pub(super) fn status(&self) -> StreamStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the status; followers are told unless only counts rose.
    pub(super) fn update(&self, change: impl FnOnce(&mut StreamStatus)) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let before = (status.state, status.last_error.clone(), status.restart_count);
        change(&mut status);
        if (status.state, &status.last_error, status.restart_count) != (before.0, &before.1, before.2) {
            let status = Arc::new(status.clone());
            self.tell(News::Status(status));
        }
    }

    /// A picture failed.
    pub(super) fn failed(&self, reason: &str) {
        reason.clone_into(&mut self.failure.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Why nothing at all was seen, where pictures were due since it was started and each of them failed.
    pub(super) fn all_failed(&self) -> Option<String> {
        let tally = self.status().tally;
        let none = tally.failed > 0 && tally.analysed + tally.gated + tally.dropped == 0;
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        none.then(|| format!("not one picture could be used; of the last: {failure}"))
    }

    pub(super) fn state(&self, state: StreamState) {
        self.update(|status| status.state = state);
    }

    /// The newest frame, where there is memory for it.
    pub(super) fn latest(&self) -> Option<Arc<LatestFrame>> {
        self.newest.get(&self.id)
    }

    pub(super) fn set_latest(&self, latest: LatestFrame) {
        let bytes = latest.jpeg.len() + size_of::<LatestFrame>();
        self.newest.put(&self.id, Arc::new(latest), bytes);
    }

    pub(super) fn forget_latest(&self) {
        self.newest.remove(&self.id);
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<Update>> {
        self.updates.subscribe()
    }

    /// Costs next to nothing where nobody follows.
    pub(super) fn tell(&self, news: News) {
        // Until it is sent: two threads tell, and followers see a rising count.
        let mut seq = self.seq.lock().unwrap_or_else(PoisonError::into_inner);
        *seq += 1;
        if self.updates.receiver_count() > 0 {
            // Fails only where the last follower has just gone.
            self.updates.send(Arc::new(Update { seq: *seq, news, encoded: std::sync::OnceLock::new() })).ok();
        }
    }

    pub(super) fn is_followed(&self) -> bool {
        self.updates.receiver_count() > 0
    }
}
