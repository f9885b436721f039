//! The newest frames of all streams in a bounded amount of memory.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ocelli_model::StreamId;

/// Holds the newest frame of each stream, as long as there is room. Where there is none, frames of streams that nobody asked
/// for go first, then those that were not asked for longest: a frame that is new never pushes one out that is wanted more.
///
/// Shared by all streams; each call takes a lock for as long as a map needs.
pub struct FrameCache<F> {
    most_bytes: usize,
    held: Mutex<Held<F>>,
}

struct Held<F> {
    streams: HashMap<StreamId, Slot<F>>,
    /// Those whose frame is held: the first goes first.
    order: BTreeMap<Rank, StreamId>,
    bytes: usize,
    /// Counts calls.
    now: u64,
}

/// When a stream was last asked for (0: never), and, among those that never were, when it came.
type Rank = (u64, u64);

struct Slot<F> {
    rank: Rank,
    frame: Option<(Arc<F>, usize)>,
}

impl<F> fmt::Debug for FrameCache<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held();
        f.debug_struct("FrameCache")
            .field("most_bytes", &self.most_bytes)
            .field("bytes", &held.bytes)
            .field("frames", &held.order.len())
            .finish_non_exhaustive()
    }
}

impl<F> FrameCache<F> {
    /// Holds frames of at most so many bytes together.
    pub fn new(most_bytes: usize) -> Self {
        let held = Held { streams: HashMap::new(), order: BTreeMap::new(), bytes: 0, now: 0 };
        Self { most_bytes, held: Mutex::new(held) }
    }

    /// The newest frame of `stream`, which takes the place of the one before, and its size in memory. One for which there is no
    /// room is let go, and the one before all the same: it is no longer the newest.
    pub fn put(&self, stream: &StreamId, frame: Arc<F>, bytes: usize) {
        let mut held = self.held();
        held.take_out(stream);
        let rank = held.slot(stream).rank;
        let Some(room) = self.most_bytes.checked_sub(bytes) else { return };
        while held.bytes > room {
            let first = held.order.first_key_value().filter(|(first, _)| **first < rank);
            let Some(first) = first.map(|(_, stream)| stream.clone()) else { return };
            held.take_out(&first);
        }
        held.hold(stream, frame, bytes);
    }

    /// The newest frame of `stream`, if it is held. Asked for, it stays longer, and is held when the next one comes.
    pub fn get(&self, stream: &StreamId) -> Option<Arc<F>> {
        let mut held = self.held();
        let frame = held.take_out(stream);
        held.now += 1;
        let rank = (held.now, 0);
        held.slot(stream).rank = rank;
        let (frame, bytes) = frame?;
        held.hold(stream, Arc::clone(&frame), bytes);
        Some(frame)
    }

    /// Forgets a stream: it was deleted, or begins anew.
    pub fn remove(&self, stream: &StreamId) {
        let mut held = self.held();
        held.take_out(stream);
        held.streams.remove(stream);
    }

    /// Bytes of all frames that are held.
    pub fn bytes(&self) -> usize {
        self.held().bytes
    }

    /// Frames that are held.
    pub fn frames(&self) -> usize {
        self.held().order.len()
    }

    fn held(&self) -> MutexGuard<'_, Held<F>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Held<F> {
    fn slot(&mut self, stream: &StreamId) -> &mut Slot<F> {
        if !self.streams.contains_key(stream) {
            self.now += 1;
            self.streams.insert(stream.clone(), Slot { rank: (0, self.now), frame: None });
        }
        self.streams.get_mut(stream).expect("it was put there just now")
    }

    fn hold(&mut self, stream: &StreamId, frame: Arc<F>, bytes: usize) {
        let slot = self.slot(stream);
        slot.frame = Some((frame, bytes));
        let rank = slot.rank;
        self.order.insert(rank, stream.clone());
        self.bytes += bytes;
    }

    fn take_out(&mut self, stream: &StreamId) -> Option<(Arc<F>, usize)> {
        let slot = self.streams.get_mut(stream)?;
        let (frame, bytes) = slot.frame.take()?;
        self.order.remove(&slot.rank);
        self.bytes -= bytes;
        Some((frame, bytes))
    }
}
