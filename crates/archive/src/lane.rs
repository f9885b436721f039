//! What a stream's recorder and its writing thread share.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ocelli_model::{StreamId, TimeBase};

use crate::{
    ArchiveConfig, Phase, RecorderState, events::Events, lengths::Lengths, live::Init, window::Window,
};

/// Most jobs that wait, however small.
const MOST_JOBS: usize = 4096;
/// Longest wait for room.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stream that is, or was, recorded.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) stream: StreamId,
    pub(crate) window: Mutex<Window>,
    pub(crate) queue: Queue,
    pub(crate) state: Mutex<RecorderState>,
    /// What recorders before promised of the window that goes on.
    lengths: Mutex<Option<Lengths>>,
    events: Mutex<Events>,
}

impl Lane {
    pub(crate) fn new(stream: &StreamId, config: &ArchiveConfig) -> Self {
        Self {
            stream: stream.clone(),
            window: Mutex::new(Window::new(config.listed)),
            queue: Queue {
                most: config.queue_bytes,
                waiting: Mutex::default(),
                changed: Condvar::new(),
                emptied: Condvar::new(),
            },
            state: Mutex::default(),
            lengths: Mutex::default(),
            events: Mutex::default(),
        }
    }

    /// Of the recorder before, if its promises bind the next one.
    pub(crate) fn lengths(&self) -> MutexGuard<'_, Option<Lengths>> {
        self.lengths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, RecorderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Recording goes on, or does not.
    pub(crate) fn phase(&self, phase: Phase) {
        let reason = match &phase {
            Phase::Recording => None,
            Phase::Paused(reason) | Phase::Failed(reason) => Some(reason.clone()),
        };
        self.state().phase = phase;
        self.window().pause(reason);
    }
}

/// As long as it is there, a stream's live playlists do not end: recording may be interrupted, and goes on.
#[derive(Debug)]
pub struct LiveHold(Arc<Lane>);

impl LiveHold {
    pub(crate) fn new(lane: Arc<Lane>) -> Self {
        lane.window().hold();
        Self(lane)
    }
}

impl Drop for LiveHold {
    fn drop(&mut self) {
        self.0.window().release();
    }
}

/// What the writing thread is to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// The next parts are of this segment.
    Begin(Begin),
    Part(Part),
    /// The segment is whole.
    End,
    /// Media from here on is left out up to the next [`Job::Begin`].
    Missed(Missed),
}

#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) number: u64,
    pub(crate) run: u32,
    pub(crate) time_base: TimeBase,
    pub(crate) began_ms: i64,
    /// How far the wall clock was set then.
    pub(crate) set_ms: i64,
    pub(crate) first_pts: i64,
    pub(crate) keyframe: bool,
    pub(crate) init: Arc<Init>,
}

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    pub(crate) first_pts: i64,
    pub(crate) end_pts: i64,
    /// When its last picture came in.
    pub(crate) arrived_ms: i64,
}

#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) run: u32,
    pub(crate) first_pts: i64,
    pub(crate) began_ms: i64,
    pub(crate) reason: String,
    /// Nothing of this run can be recorded.
    pub(crate) for_good: bool,
}

/// Jobs that wait for the disk.
#[derive(Debug)]
pub(crate) struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Something was taken out, or is out of memory.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it back where there is no room.
    pub(crate) fn part(&self, part: Part) -> Result<(), Part> {
        let mut waiting = self.lock();
        // One part goes in, however large.
        let full = waiting.bytes > 0 && waiting.bytes + part.bytes.len() > self.most;
        if full || waiting.jobs.len() >= MOST_JOBS {
            return Err(part);
        }
        waiting.bytes += part.bytes.len();
        waiting.jobs.push_back(Job::Part(part));
        self.changed.notify_one();
        Ok(())
    }

    /// Jobs without media, a few per segment. None begins a segment while there is no room, so they are bounded as well.
    pub(crate) fn put(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// There is room enough to begin again.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.bytes <= self.most / 2 && waiting.jobs.len() <= MOST_JOBS / 2
    }

    /// Waits until there is, for those that can hold their source back; not for ever, for the disk may be gone.
    pub(crate) fn wait_for_room(&self) {
        let full = |waiting: &mut Waiting| {
            !waiting.ended && (waiting.bytes > self.most / 2 || waiting.jobs.len() > MOST_JOBS / 2)
        };
        let waited = self.emptied.wait_timeout_while(self.lock(), PATIENCE, full);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The next job; nothing after the last one.
    pub(crate) fn take(&self) -> Option<Job> {
        let waits = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.ended;
        let mut waiting = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        let job = waiting.jobs.pop_front();
        drop(waiting);
        self.emptied.notify_all();
        job
    }

    /// Its bytes are on their way out of memory.
    pub(crate) fn done(&self, bytes: usize) {
        self.lock().bytes -= bytes;
        self.emptied.notify_all();
    }

    pub(crate) fn start(&self) {
        self.lock().ended = false;
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }
}
