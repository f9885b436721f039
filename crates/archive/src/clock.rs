//! How old recordings are, whatever somebody sets the machine's clock to.
//!
//! Rows have wall time as the clock said it when their segment began, for that is what people look for. Age must not follow a clock that is
//! set: a day forwards would remove everything, an hour back would remove at once what comes next. So it is counted on a clock
//! that nobody sets, and for each stream it is noted from which segment on the two were how far apart. What happens to the clock while no
//! process looks counts as time that passed.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use ocelli_model::StreamId;
use ocelli_store::{RecordingUse, SegmentRecord};

use crate::{ArchiveConfig, files::Files};

/// What survives a restart: how far the clock was set, then a line for each note.
const FILE: &str = "clock";
/// The two clocks are not read at the same moment, and tick in whole milliseconds: so little was not set.
const SLACK_MS: i64 = 1000;
/// Notes of a stream. A clock that is set more often than this in the time that recordings stay loses its oldest.
const MOST_NOTES: usize = 1000;

/// From this segment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    number: u64,
    set_ms: i64,
}

#[derive(Debug, Default)]
struct Notes {
    streams: BTreeMap<StreamId, Vec<Note>>,
    /// What the file says of the clock itself.
    saved_ms: i64,
    unsaved: bool,
}

impl Notes {
    /// How far the clock was set when the newest segment of a stream began.
    fn last_ms(&self, stream: &StreamId) -> i64 {
        self.streams.get(stream).and_then(|notes| notes.last()).map_or(0, |note| note.set_ms)
    }
}

/// The wall clock, and how far it was set.
#[derive(Debug)]
pub(crate) struct Clock {
    now_ms: fn() -> i64,
    steady_ms: fn() -> i64,
    /// The wall clock less the steady one, had nobody ever set it.
    origin: i64,
    set_ms: AtomicI64,
    notes: Mutex<Notes>,
}

impl Clock {
    /// Goes on from what an earlier process noted. Time went on meanwhile: a clock that is behind what is recorded was set back.
    pub(crate) fn open(
        config: &ArchiveConfig,
        files: &dyn Files,
        recordings: &[RecordingUse],
    ) -> io::Result<Self> {
        let (now_ms, steady_ms) = (config.now_ms, config.steady_ms);
        let notes = match files.size(FILE)? {
            Some(_) => read(&String::from_utf8_lossy(&files.read(FILE, 0..u64::MAX)?)),
            None => Notes::default(),
        };
        let now = now_ms();
        let ended = recordings.iter().map(|used| used.newest_ms.saturating_sub(notes.last_ms(&used.stream)));
        let set = ended.map(|ended| now.saturating_sub(ended)).fold(notes.saved_ms, i64::min);
        Ok(Self {
            now_ms,
            steady_ms,
            origin: now.saturating_sub(steady_ms()).saturating_sub(set),
            set_ms: AtomicI64::new(set),
            notes: Mutex::new(notes),
        })
    }

    /// By how much the wall clock was set since the first process, in milliseconds; forwards is positive.
    pub(crate) fn set_ms(&self) -> i64 {
        let known = self.set_ms.load(Ordering::Relaxed);
        let apart = (self.now_ms)().saturating_sub((self.steady_ms)()).saturating_sub(self.origin);
        if apart.abs_diff(known) <= SLACK_MS.unsigned_abs() {
            return known;
        }
        self.set_ms.store(apart, Ordering::Relaxed);
        apart
    }

    /// A segment begins while the clock is set so far.
    pub(crate) fn note(&self, stream: &StreamId, number: u64, set_ms: i64) {
        let mut notes = self.lock();
        if notes.last_ms(stream) == set_ms {
            return;
        }
        tracing::warn!(%stream, number, set_ms, "the machine's clock was set; recordings are as old as before");
        let of_stream = notes.streams.entry(stream.clone()).or_default();
        of_stream.push(Note { number, set_ms });
        if of_stream.len() > MOST_NOTES {
            of_stream.remove(0);
        }
        notes.unsaved = true;
    }

    /// How long ago a segment ended, in milliseconds.
    pub(crate) fn age_ms(&self, segment: &SegmentRecord) -> i64 {
        let now = (self.now_ms)().saturating_sub(self.set_ms());
        now.saturating_sub(self.ended_ms(segment))
    }

    /// When it ended, by a wall clock that nobody ever set.
    pub(crate) fn ended_ms(&self, segment: &SegmentRecord) -> i64 {
        let notes = self.lock();
        let of_stream = notes.streams.get(&segment.stream).map_or(&[][..], Vec::as_slice);
        let before = of_stream.partition_point(|note| note.number <= segment.number);
        let set = before.checked_sub(1).map_or(0, |place| of_stream[place].set_ms);
        segment.ended_ms.saturating_sub(set)
    }

    /// Nothing of a stream is left before this segment.
    pub(crate) fn forget(&self, stream: &StreamId, before: u64) {
        let mut notes = self.lock();
        let Some(of_stream) = notes.streams.get_mut(stream) else { return };
        let gone = of_stream.partition_point(|note| note.number <= before).saturating_sub(1);
        if gone > 0 {
            of_stream.drain(..gone);
            notes.unsaved = true;
        }
    }

    /// Writes what is new. Before a segment begins: its age is known to the next process as it is to this one.
    pub(crate) fn save(&self, files: &dyn Files) -> io::Result<()> {
        let set = self.set_ms();
        let mut notes = self.lock();
        if !notes.unsaved && notes.saved_ms == set {
            return Ok(());
        }
        files.put(FILE, write(set, &notes.streams).as_bytes())?;
        (notes.unsaved, notes.saved_ms) = (false, set);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(set_ms: i64, streams: &BTreeMap<StreamId, Vec<Note>>) -> String {
    let mut text = format!("{set_ms}\n");
    for (stream, notes) in streams {
        for Note { number, set_ms } in notes {
            writeln!(text, "{stream} {number} {set_ms}").ok();
        }
    }
    text
}

/// A line that makes no sense says nothing: then recordings are as old as their wall time.
fn read(text: &str) -> Notes {
    let mut lines = text.lines();
    let saved_ms = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let mut streams = BTreeMap::<StreamId, Vec<Note>>::new();
    for line in lines {
        let mut words = line.split(' ');
        let mut word = || words.next();
        let (Some(stream), Some(number), Some(set)) = (word(), word(), word()) else { continue };
        if let (Ok(stream), Ok(number), Ok(set_ms)) = (stream.parse(), number.parse(), set.parse()) {
            streams.entry(stream).or_default().push(Note { number, set_ms });
        }
    }
    for notes in streams.values_mut() {
        notes.sort_unstable_by_key(|note| note.number);
    }
    Notes { streams, saved_ms, unsaved: false }
}
