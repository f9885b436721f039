//! Between the task of a publisher's connection and the thread that reads its stream.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ocelli_media::{AccessUnit, AudioUnit};
use tokio::{sync::Notify, time::timeout};

use super::Ending;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedLimits {
    /// Coded bytes.
    pub bytes: usize,
    /// Media time, from the oldest to the newest.
    pub time: Duration,
    /// How long a publisher is held up, once there is no room, before the publish ends.
    pub patience: Duration,
}

impl Default for FeedLimits {
    /// 16 MiB, 2 s, 5 s.
    fn default() -> Self {
        Self { bytes: 16 << 20, time: Duration::from_secs(2), patience: Duration::from_secs(5) }
    }
}

/// What was published.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Picture(AccessUnit),
    Sound(AudioUnit),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Picture(unit) => unit.data.len(),
            Self::Sound(unit) => unit.data.len(),
        }
    }

    /// When it was sent, by media time: all of a publish counts in milliseconds.
    fn time(&self) -> i64 {
        match self {
            Self::Picture(unit) => unit.dts.unwrap_or(unit.pts),
            Self::Sound(unit) => unit.pts,
        }
    }
}

/// A queue of one writer and one reader, either of which may end it.
#[derive(Debug)]
pub(super) struct Feed {
    limits: FeedLimits,
    state: Mutex<State>,
    /// There is something, or it is over.
    filled: Notify,
    /// There is room.
    drained: Notify,
    /// It is over.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    damage: Option<String>,
    ending: Option<Ending>,
    /// Time of the newest picture.
    newest: Option<i64>,
    /// Before a picture of this time the reader can do nothing.
    rests_until: Option<i64>,
}

impl State {
    /// Whether the reader has a use for what comes now: not for sound before the picture after it, for waking it for each block costs as much
    /// as the rest of its work.
    fn wakes(&mut self, item: &Item) -> bool {
        let Item::Picture(unit) = item else { return false };
        let (time, before) = (item.time(), self.newest.replace(item.time()));
        // Times that step back say nothing of what the reader waits for.
        let steps_back = before.is_some_and(|before| time < before);
        steps_back || unit.container_keyframe || self.rests_until.is_none_or(|until| time >= until)
    }

    fn has_room(&self, item: &Item, limits: &FeedLimits) -> bool {
        // Whatever it is, it goes through alone.
        let Some(oldest) = self.items.front() else { return true };
        let span = item.time().saturating_sub(oldest.time());
        self.bytes + item.bytes() <= limits.bytes && span <= limits.time.as_millis() as i64
    }
}

impl Feed {
    pub(super) fn new(limits: FeedLimits) -> Arc<Self> {
        let (filled, drained, ended) = (Notify::new(), Notify::new(), Notify::new());
        Arc::new(Self { limits, state: Mutex::default(), filled, drained, ended })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room. Says whether it had to.
    pub(super) async fn push(&self, item: Item) -> Result<bool, Ending> {
        let Some(item) = self.try_push(item)? else { return Ok(false) };
        let mut waiting = Some(item);
        let until_room = async {
            while let Some(item) = waiting.take() {
                self.drained.notified().await;
                waiting = self.try_push(item)?;
            }
            Ok(true)
        };
        let patience = self.limits.patience;
        timeout(patience, until_room).await.unwrap_or(Err(Ending::Behind(patience)))
    }

    /// Gives the item back where there is no room.
    fn try_push(&self, item: Item) -> Result<Option<Item>, Ending> {
        let mut state = self.state();
        if let Some(ending) = &state.ending {
            return Err(ending.clone());
        }
        let room = state.has_room(&item, &self.limits);
        let wakes = state.wakes(&item) || !room;
        let left = if room {
            state.bytes += item.bytes();
            state.items.push_back(item);
            None
        } else {
            Some(item)
        };
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
        Ok(left)
    }

    /// Waits for the next, or, once all are taken, for the end.
    pub(super) async fn pop(&self) -> Result<Item, Ending> {
        loop {
            if let Some(next) = self.try_pop() {
                return next;
            }
            self.filled.notified().await;
        }
    }

    /// The next or the end, if it is there.
    pub(super) fn try_pop(&self) -> Option<Result<Item, Ending>> {
        let mut state = self.state();
        let Some(item) = state.items.pop_front() else { return state.ending.clone().map(Err) };
        state.bytes -= item.bytes();
        drop(state);
        self.drained.notify_one();
        Some(Ok(item))
    }

    /// The reader can do nothing before a picture of this time, or a keyframe, or the end; counts for what is pushed from now on.
    pub(super) fn rest(&self, until: i64) {
        self.state().rests_until = Some(until);
    }

    /// Something is wrong with what comes. The first word counts.
    pub(super) fn damage(&self, words: impl FnOnce() -> String) {
        self.state().damage.get_or_insert_with(words);
    }

    /// What was first found wrong.
    pub(super) fn damage_so_far(&self) -> Option<String> {
        self.state().damage.clone()
    }

    /// From either side; the first word counts. What waits can still be taken.
    pub(super) fn end(&self, ending: Ending) {
        self.state().ending.get_or_insert(ending);
        self.filled.notify_one();
        self.drained.notify_one();
        self.ended.notify_one();
    }

    /// Nobody will take what waits.
    pub(super) fn forsake(&self) {
        self.end(Ending::Unread);
        let mut state = self.state();
        (state.items, state.bytes) = (VecDeque::new(), 0);
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.state().ending.clone()
    }

    /// For the writer: waits until the reader, or whoever takes over, ends it.
    pub(super) async fn over(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending() {
                return ending;
            }
            self.ended.notified().await;
        }
    }
}
