//! Where who posts and who reads meet.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use ocelli_model::StreamId;
use tokio::sync::Notify;

use super::{
    FramesError, PictureError,
    picture::{Look, look},
};

/// What waits for a reader: readers of live media never wait themselves, so that more is the sign of one that hangs.
const MOST_WAITING: usize = 8;
const MOST_BYTES: usize = 32 << 20;
/// Times that go back further are a new start, as of a sender that was started again: another run.
const NEW_START_MS: i64 = 10_000;

/// When a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostedAt {
    /// In milliseconds of the sender's own media time: it becomes the PTS as it is.
    Media(i64),
    /// Nobody says: when it arrived, in milliseconds since 1970. Of two in the same millisecond the second is one later.
    Arrival(i64),
}

/// A picture that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// In milliseconds.
    pub pts: i64,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why a picture was not taken. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameRefused {
    /// No stream with this key runs.
    #[error("no running stream takes frames of this key")]
    NoReader,
    /// They come faster than they are read: the same again a little later may be taken.
    #[error("frames come faster than they are read; send it again later, or fewer of them")]
    Full,
    /// Not later than one before.
    #[error("the time of a frame must be later than that of the one before, which was {newest} ms")]
    Order {
        /// The newest time so far.
        newest: i64,
    },
    /// The picture itself.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Streams that take posted pictures, by key. Whoever posts is told at once what became of the picture: it waits for its reader, or
/// it is refused, when too many wait already. Nothing that was taken is dropped here. Taken is not durable.
#[derive(Debug, Default)]
pub struct FrameHub {
    readers: Mutex<HashMap<StreamId, Arc<Slot>>>,
}

impl FrameHub {
    /// Takes a picture: JPEG of 8 bit, baseline or progressive, or PNG of at most 8 bit a sample, as its first bytes say.
    pub fn post(&self, key: &StreamId, picture: Bytes, at: PostedAt) -> Result<Accepted, FrameRefused> {
        let slot = self.readers().get(key).cloned().ok_or(FrameRefused::NoReader)?;
        let look = look(&picture)?;
        let mut state = slot.state();
        if state.waiting.len() >= MOST_WAITING || state.bytes + picture.len() > MOST_BYTES {
            return Err(FrameRefused::Full);
        }
        let pts = state.place(at)?;
        state.newest = Some(pts);
        state.bytes += picture.len();
        state.waiting.push_back(Posted { pts, data: picture, look });
        drop(state);
        slot.posted.notify_one();
        Ok(Accepted { pts, width: look.width, height: look.height })
    }

    /// From now on pictures are taken for this key, by whoever holds the slot.
    pub(super) fn read(&self, key: &StreamId) -> Result<Arc<Slot>, FramesError> {
        match self.readers().entry(key.clone()) {
            Entry::Occupied(_) => Err(FramesError::Taken),
            Entry::Vacant(place) => Ok(Arc::clone(place.insert(Arc::default()))),
        }
    }

    /// The reader has gone.
    pub(super) fn leave(&self, key: &StreamId) {
        self.readers().remove(key);
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<StreamId, Arc<Slot>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A picture that waits.
pub(super) struct Posted {
    pub(super) pts: i64,
    pub(super) data: Bytes,
    pub(super) look: Look,
}

/// Between those who post and one reader.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    posted: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Posted>,
    bytes: usize,
    newest: Option<i64>,
}

impl State {
    fn place(&self, at: PostedAt) -> Result<i64, FrameRefused> {
        let Some(newest) = self.newest else {
            let (PostedAt::Media(pts) | PostedAt::Arrival(pts)) = at;
            return Ok(pts);
        };
        match at {
            PostedAt::Arrival(pts) => Ok(pts.max(newest.saturating_add(1))),
            PostedAt::Media(pts) if pts > newest || newest.saturating_sub(pts) > NEW_START_MS => Ok(pts),
            PostedAt::Media(_) => Err(FrameRefused::Order { newest }),
        }
    }
}

impl Slot {
    /// The oldest that waits; waits for one.
    pub(super) async fn next(&self) -> Posted {
        loop {
            // One that is posted in between is remembered.
            if let Some(posted) = self.pop() {
                return posted;
            }
            self.posted.notified().await;
        }
    }

    fn pop(&self) -> Option<Posted> {
        let mut state = self.state();
        let posted = state.waiting.pop_front()?;
        state.bytes -= posted.data.len();
        Some(posted)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("waiting", &self.state().waiting.len()).finish_non_exhaustive()
    }
}
