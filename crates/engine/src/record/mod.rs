//! Keeps what a pass over a source finds: the ledger of each analyzer, its results, the tracks that follow from them. What is
//! announced is durable: store first, then tell.

mod book;
mod kept;
mod known;
mod replay;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
    sync::Arc,
};

use ocelli_analyze::{DetectorModel, TrackerConfig, TrackerConfigError};
use ocelli_media::pixel::OwnedPicture;
use ocelli_model::{AnalyzerVersion, SamplingPlan, Tally, TimeBase, TrackId, Verdict};
use ocelli_store::{Entry, FrameResult, Pending, RunId, RunState, StoreError};

use crate::{Demand, Failure, Look, Looked, Notice, Place, Seen, reason::count};
use book::Book;
pub use kept::{Kept, Media};
pub(crate) use known::CountedFrom;
pub use known::Known;

/// Frames that wait for their commit: beyond that the pass waits for the store.
const MOST_WAITING: usize = 256;

/// Frames with their picture: one in 4K has 12 MB.
const MOST_PICTURES: usize = 8;

/// One analyzer of a pass, as the store knows it.
#[derive(Clone, Debug)]
pub struct AnalyzerFacts {
    /// Hash of everything that can change a result.
    pub version: AnalyzerVersion,
    /// Id of its model in the catalogue.
    pub model: String,
    /// What the version was made from.
    pub ingredients: BTreeMap<String, String>,
}

impl From<&DetectorModel> for AnalyzerFacts {
    fn from(model: &DetectorModel) -> Self {
        Self {
            version: model.version().clone(),
            model: model.entry().id.clone(),
            ingredients: model.ingredients().ingredients().clone(),
        }
    }
}

/// How a source is gone through.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Which frames are due.
    pub plan: SamplingPlan,
    /// In the order of [`Looked::looks`].
    pub analyzers: Vec<AnalyzerFacts>,
    /// How objects are followed, if they are.
    pub tracker: Option<TrackerConfig>,
    /// Wall time of its start, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What became of one frame, told once it is durable.
#[derive(Debug)]
pub struct FrameTold {
    /// Where it stands.
    pub place: Place,
    /// One per analyzer.
    pub told: Vec<Told>,
    /// The picture, where one was asked for and decoded.
    pub picture: Option<OwnedPicture>,
}

/// What one analyzer has to say of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Looked at, now or by an earlier pass.
    Seen {
        /// What was seen.
        result: FrameResult,
        /// One per detection, or none at all where objects are not followed.
        tracks: Vec<Option<TrackId>>,
    },
    /// No result.
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// Another verdict, such as *gated*.
    Settled(Verdict),
}

/// Why a pass cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Objects cannot be followed like that.
    #[error(transparent)]
    Tracker(#[from] TrackerConfigError),
    /// Frames vanished between sampler and sink: a fault of ours.
    #[error("internal error: of {due} frames that were due {told} were told in run {run}")]
    Unbalanced {
        /// Which run.
        run: u32,
        /// Counted by the sampler.
        due: u64,
        /// Counted here.
        told: u64,
    },
}

/// What became of the frames for one analyzer.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// Verdicts, those of earlier passes over the same frames included.
    pub tally: Tally,
    /// Why frames failed, with counts.
    pub reasons: BTreeMap<String, u64>,
}

/// Takes the engine's notices of one source. Calls block for the store.
#[derive(Debug)]
pub struct Recording {
    pass: Pass,
    media: Option<Media>,
    run: Option<RunBook>,
    /// Commits under way, with what is told once they are through; nothing of empty slots.
    waiting: VecDeque<(Option<Pending>, Option<FrameTold>)>,
    sums: Vec<Sums>,
    runs: Vec<RunId>,
    early: Option<Early>,
}

/// Told of each frame before it is durable.
struct Early(Box<TellEarly>);

/// Hears of a frame, and of its run in the store.
pub type TellEarly = dyn FnMut(&FrameTold, Option<RunId>) + Send;

impl std::fmt::Debug for Early {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Early")
    }
}

/// The run in hand.
#[derive(Debug)]
struct RunBook {
    ordinal: u32,
    base: TimeBase,
    id: Option<RunId>,
    books: Vec<Book>,
    /// Frames and empty slots so far.
    told: u64,
}

impl Recording {
    /// `media` says where things are kept; without it they are only tracked and told.
    pub fn new(pass: Pass, media: Option<Media>) -> Result<Self, RecordError> {
        pass.tracker.as_ref().map_or(Ok(()), TrackerConfig::check)?;
        let sums = pass.analyzers.iter().map(|_| Sums::default()).collect();
        Ok(Self { pass, media, run: None, waiting: VecDeque::new(), sums, runs: Vec::new(), early: None })
    }

    /// `tell` hears of each frame, with its run in the store, as soon as it is known, before it is durable: for whoever
    /// watches live. What earlier passes settled is no news.
    #[must_use]
    pub fn with_early(mut self, tell: Box<TellEarly>) -> Self {
        self.early = Some(Early(tell));
        self
    }

    /// Runs that began so far, by their keys in the store.
    pub fn runs(&self) -> &[RunId] {
        &self.runs
    }

    /// What earlier passes settled.
    pub fn known(&self) -> Option<Arc<Known>> {
        self.media.as_ref().map(|media| Arc::clone(&media.known))
    }

    /// Takes one notice and tells what has become durable.
    pub fn take(
        &mut self,
        notice: Notice<Looked>,
        tell: &mut impl FnMut(FrameTold) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        let taken = self.take_notice(notice, tell);
        taken.map_err(|error| self.first_cause(error))
    }

    fn take_notice(
        &mut self,
        notice: Notice<Looked>,
        tell: &mut impl FnMut(FrameTold) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        match notice {
            Notice::Run { run, t0, time_base } => self.begin_run(run, t0, time_base)?,
            Notice::Frame(seen) => self.frame(seen)?,
            Notice::Passed(place) => self.looked(place, None)?,
            Notice::Empty { first, last, .. } => self.empty(first, last),
            Notice::RunEnd { run, last_pts, due, whole } => {
                let told = self.run.as_ref().map_or(0, |book| book.told);
                if told != due {
                    return Err(RecordError::Unbalanced { run, due, told });
                }
                let state = if whole { RunState::Whole } else { RunState::Partial };
                self.end_run(state, Some(last_pts))?;
            }
        }
        Ok(self.tell_durable(false, tell)?)
    }

    /// The end of the pass, or of what there is of it: waits until everything is durable and told.
    pub fn finish(
        mut self,
        tell: &mut impl FnMut(FrameTold) -> ControlFlow<()>,
    ) -> Result<Vec<Sums>, RecordError> {
        let ended = self.end_run(RunState::Partial, None);
        // Whoever breaks off has what was told so far.
        let told = ended.and_then(|()| self.tell_durable(true, tell));
        let _broken = told.map_err(|error| self.first_cause(error.into()))?;
        Ok(self.sums)
    }

    /// Where a write before this one failed, that is what there is to say: only its own commit was told why.
    fn first_cause(&mut self, error: RecordError) -> RecordError {
        if !matches!(error, RecordError::Store(StoreError::Closed)) {
            return error;
        }
        let commits = std::mem::take(&mut self.waiting).into_iter().filter_map(|(commit, _)| commit);
        let mut failed = commits.filter_map(|commit| commit.wait_blocking().err());
        failed.find(|cause| !matches!(cause, StoreError::Closed)).map_or(error, RecordError::Store)
    }

    fn begin_run(&mut self, ordinal: u32, t0: i64, base: TimeBase) -> Result<(), StoreError> {
        let ledgers = match &self.media {
            Some(media) => media.begin_run(&self.pass, ordinal, t0, base).map(Some)?,
            None => None,
        };
        let (id, mut ledgers) = ledgers.map_or((None, Vec::new()), |(id, ledgers)| (Some(id), ledgers));
        let mut kept = ledgers.drain(..);
        let books = self.pass.analyzers.iter().map(|_| Book::new(self.pass.tracker.as_ref(), kept.next()));
        self.runs.extend(id);
        self.run = Some(RunBook { ordinal, base, id, books: books.collect(), told: 0 });
        Ok(())
    }

    fn frame(&mut self, seen: Seen<Looked>) -> Result<(), StoreError> {
        let place = seen.place;
        let looked = seen.result.unwrap_or_else(|failure| {
            // Those that have a result, or a reason, keep it.
            let wanted = |analyzer| {
                self.media.as_ref().is_none_or(|media| Demand::wants(&*media.known, analyzer, place))
            };
            let look = |analyzer| {
                if wanted(analyzer) {
                    Look::Failed(Failure { reason: failure.reason.clone() })
                } else {
                    Look::Passed
                }
            };
            let looks = (0..self.pass.analyzers.len()).map(look).collect();
            Looked { width: 0, height: 0, looks, picture: None }
        });
        self.looked(place, Some(looked))
    }

    /// One frame: `None` where nobody wanted it.
    fn looked(&mut self, place: Place, looked: Option<Looked>) -> Result<(), StoreError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        run.told += 1;
        let was_known = looked.is_none();
        let (size, looks, picture) = match looked {
            Some(looked) => ((looked.width, looked.height), looked.looks, looked.picture),
            None => ((0, 0), Vec::new(), None),
        };
        let mut looks = looks.into_iter();
        let (mut entries, mut told) = (Vec::new(), Vec::new());
        for (analyzer, book) in run.books.iter_mut().enumerate() {
            let look = looks.next().unwrap_or(Look::Passed);
            let said = book.take(place, size, look, self.media.as_ref(), analyzer, &mut entries)?;
            self.sums[analyzer].add(&said);
            told.push(said);
        }
        let frame = FrameTold { place, told, picture };
        let id = run.id;
        if let Some(Early(tell)) = self.early.as_mut().filter(|_| !was_known) {
            tell(&frame, id);
        }
        let pending = self.append(entries);
        self.waiting.push_back((pending, Some(frame)));
        Ok(())
    }

    fn empty(&mut self, first: i64, last: i64) {
        let Some(run) = &mut self.run else { return };
        let slots = last.abs_diff(first) + 1;
        run.told += slots;
        let mut entries = Vec::new();
        for (sums, book) in self.sums.iter_mut().zip(&run.books) {
            sums.tally.add(Verdict::Empty, slots);
            book.empty(first, last, &mut entries);
        }
        let pending = self.append(entries);
        self.waiting.push_back((pending, None));
    }

    fn end_run(&mut self, state: RunState, last_pts: Option<i64>) -> Result<(), StoreError> {
        let (Some(mut run), Some(media)) = (self.run.take(), &self.media) else { return Ok(()) };
        let Some(id) = run.id else { return Ok(()) };
        for book in &mut run.books {
            book.finish_tracks(media, run.base)?;
        }
        // Once it was read to its end, a pass over a part of it does not change that.
        let state = if media.whole.contains(&run.ordinal) { RunState::Whole } else { state };
        tracing::debug!(run = run.ordinal, ?state, "run ends");
        self.append(vec![Entry::Run { run: id, state, last_pts }]).map_or(Ok(()), Pending::wait_blocking)
    }

    fn append(&self, entries: Vec<Entry>) -> Option<Pending> {
        let media = self.media.as_ref().filter(|_| !entries.is_empty())?;
        Some(media.kept.appender.append_blocking(entries))
    }

    /// Tells the frames whose commits are through, `all` of them or as many as are.
    fn tell_durable(
        &mut self,
        all: bool,
        tell: &mut impl FnMut(FrameTold) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        loop {
            let waiting = self.waiting.len();
            let Some((pending, frame)) = self.waiting.front_mut() else { break };
            let drawn = frame.as_ref().is_some_and(|frame| frame.picture.is_some());
            let wait = all || waiting > if drawn { MOST_PICTURES } else { MOST_WAITING };
            if let Some(mut commit) = pending.take() {
                if wait {
                    commit.wait_blocking()?;
                } else if let Some(ready) = commit.try_ready() {
                    ready?;
                } else {
                    *pending = Some(commit);
                    break;
                }
            }
            let (_, told) = self.waiting.pop_front().expect("there is a front");
            if told.is_some_and(|told| tell(told).is_break()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Sums {
    fn add(&mut self, told: &Told) {
        self.tally.count(match told {
            Told::Seen { .. } => Verdict::Analysed,
            Told::Failed { .. } => Verdict::Failed,
            Told::Settled(verdict) => *verdict,
        });
        if let Told::Failed { reason } = told {
            count(&mut self.reasons, reason.clone());
        }
    }
}
