//! The seam for writing.

use std::fmt;

use async_trait::async_trait;
use ocelli_model::{TrackId, Verdict};

use crate::{
    AnalyzerId, Blob, DerivationId, FrameResult, LedgerId, NewAnalyzer, NewLedger, NewRun, NewSource, RunId,
    RunState, SeriesId, SourceId, Span, StoreError,
};

/// A ledger that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLedger {
    /// The ledger itself.
    pub ledger: LedgerId,
    /// Where its results go.
    pub series: SeriesId,
    /// Where its tracks go, if objects are followed.
    pub derivation: Option<DerivationId>,
}

/// What an earlier pass settled: nothing of it needs to be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Spans that were due, ascending, disjoint.
    pub due: Vec<Span>,
    /// Spans with a final verdict (analysed, gated, failed or empty), ascending, disjoint. *Dropped* and *lost* ones are
    /// gaps that may still be filled.
    pub verdicts: Vec<(Span, Verdict)>,
    /// Spans that were due and have no result that anybody may still bring: *dropped* and *lost*.
    pub gaps: Vec<(Span, Verdict)>,
    /// PTS of every result of the series, ascending, whichever plan brought it.
    pub results: Vec<i64>,
    /// The tracks follow the results up to this PTS, without a hole; `None`: not begun, or to be derived anew.
    pub tracked_through: Option<i64>,
}

/// One durable fact of a running analysis. Written again, each changes nothing; neither does one of what was removed by
/// [`crate::Streams::prune`].
///
/// Where every picture is due, a span is one picture: a stretch would say nothing about those in between.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// These slots (pictures) are due. Spans that a ledger holds already are not counted twice.
    Due {
        /// Of which ledger.
        ledger: LedgerId,
        /// Which.
        span: Span,
    },
    /// A frame was looked at: its result, and the verdict *analysed* for `span`, in place of *dropped* or *lost*. Where the
    /// slot has a final verdict already, nothing is written, the result neither.
    Analysed {
        /// Of which ledger.
        ledger: LedgerId,
        /// One slot or picture.
        span: Span,
        /// Media time of the frame.
        pts: i64,
        /// `None`: the series holds the result already, another plan brought it. One that is brought twice stays as it was
        /// first. `took` is kept in microseconds.
        result: Option<FrameResult>,
    },
    /// Slots without a result.
    Unseen {
        /// Of which ledger.
        ledger: LedgerId,
        /// Which.
        span: Span,
        /// Not *analysed*.
        verdict: Verdict,
        /// Why, for people; empty where the verdict says it all.
        reason: String,
        /// Media time of the frame, where one was chosen.
        pts: Option<i64>,
    },
    /// Identities of one frame's detections, in the order of the result's. Frames come in PTS order; up to where the tracks
    /// have come already, nothing is written. A result that comes later at or before that PTS voids the tracks.
    Tracked {
        /// Of which derivation.
        derivation: DerivationId,
        /// Media time of the frame.
        pts: i64,
        /// One per detection.
        tracks: Vec<Option<TrackId>>,
    },
    /// The tracks so far are void: results came in between. They are derived anew from the run's start.
    Untracked {
        /// Of which derivation.
        derivation: DerivationId,
    },
    /// How a run stands.
    Run {
        /// Which.
        run: RunId,
        /// *Unclean* by whoever works on it: something of it could not be written, and due slots may lack a verdict.
        state: RunState,
        /// Largest PTS read.
        last_pts: Option<i64>,
    },
    /// A reference to bytes outside; the same kind and location again replaces it.
    Blob {
        /// Of which run.
        run: RunId,
        /// The reference.
        blob: Blob,
    },
}

/// Where facts go. Calls that return `Ok` are durable. Identities are found or made: asking twice gives the same id.
/// Futures may be dropped at any time: a call then happened wholly or not at all.
#[async_trait]
pub trait ResultLog: Send + Sync + fmt::Debug {
    /// The source of this kind and key.
    async fn source(&self, source: &NewSource) -> Result<SourceId, StoreError>;

    /// The run of this source and ordinal, which is then *open*. [`StoreError::Conflict`] where it is stored with
    /// another time base or t0.
    async fn run(&self, run: &NewRun) -> Result<RunId, StoreError>;

    /// The analyzer of this version.
    async fn analyzer(&self, analyzer: &NewAnalyzer) -> Result<AnalyzerId, StoreError>;

    /// The ledger of this run, analyzer and plan, and the derivation of its tracker.
    async fn ledger(&self, ledger: &NewLedger) -> Result<OpenLedger, StoreError>;

    /// What is settled in a ledger, so that a pass goes on where an earlier one ended.
    async fn settled(&self, ledger: OpenLedger) -> Result<Settled, StoreError>;

    /// Writes all entries, or none: one transaction.
    async fn commit(&self, entries: &[Entry]) -> Result<(), StoreError>;
}
