//! One stream as its supervisor has it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use ocelli_ingest::Stop;
use ocelli_sinks::FrameCache;
use ocelli_store::{EndState, StreamRecord};
use tokio::sync::{OwnedMutexGuard, watch};

use super::{LatestFrame, StreamSpec, StreamState, StreamStatus, seat::Seat};

/// One stream, going or not.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seat: Arc<Seat>,
    /// What is kept of it. Locked while it is written, so that writes keep their order.
    pub(super) record: tokio::sync::Mutex<StreamRecord>,
    /// Its thread has nothing more to do than to end.
    pub(super) over: AtomicBool,
    pub(super) spec: Mutex<StreamSpec>,
    /// Held by whoever starts, stops or changes it: one after the other.
    pub(super) turn: Arc<tokio::sync::Mutex<Option<Thread>>>,
}

/// Held while a stream is started, stopped or changed.
pub(super) type Turn = OwnedMutexGuard<Option<Thread>>;

/// The thread of a stream that was started.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) stop: Stop,
    /// True once it has ended.
    pub(super) ended: watch::Receiver<bool>,
}

/// Ends it and waits for that. Whoever stops waiting finds it as it was.
pub(super) async fn end(turn: &mut Option<Thread>) {
    if let Some(thread) = turn {
        thread.stop.stop();
        // An error means that the thread is gone as well.
        thread.ended.wait_for(|ended| *ended).await.ok();
    }
    *turn = None;
}

impl Entry {
    pub(super) fn new(record: StreamRecord, spec: StreamSpec, newest: &Arc<FrameCache<LatestFrame>>) -> Self {
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
            created_ms: record.created_ms,
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
    pub(super) async fn is_going(&self, turn: &mut Option<Thread>) -> bool {
        if turn.is_some() && self.over.load(Ordering::Acquire) {
            end(turn).await;
        }
        turn.as_ref().is_some_and(|thread| !*thread.ended.borrow() && thread.ended.has_changed().is_ok())
    }

    /// Shows what the record says, after a change of it.
    pub(super) fn refresh(&self, record: &StreamRecord, start: bool) {
        let source = self.spec.lock().unwrap_or_else(PoisonError::into_inner).source.url.to_string();
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
