//! The seam for reading. Readers see whole commits, while another process may be writing.

use std::fmt;

use async_trait::async_trait;
use ocelli_model::{Detection, TrackId, Verdict};

use crate::{
    Account, AnalyzerId, AnalyzerRecord, DerivationId, FrameResult, LedgerId, LedgerRecord, RunId, RunRecord,
    SeriesId, Span, StoreError, TrackRecord,
};

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this one.
    pub run: Option<RunId>,
    /// Only those of sources with this key.
    pub source_key: Option<String>,
    /// Only those of sources whose name is this, or ends in a slash and this.
    pub source_name: Option<String>,
}

/// Which frames of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameQuery {
    /// Whose results.
    pub series: SeriesId,
    /// Only those that this ledger counts.
    pub ledger: Option<LedgerId>,
    /// With these tracks.
    pub derivation: Option<DerivationId>,
    /// From this PTS.
    pub from: i64,
    /// To before this PTS.
    pub to: i64,
    /// Most frames on a page, 1 to 100,000.
    pub limit: u32,
    /// Those with the largest PTS come first, instead of last.
    pub newest_first: bool,
}

/// A stored result.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFrame {
    /// Media time.
    pub pts: i64,
    /// What was seen.
    pub result: FrameResult,
    /// One per detection, or none at all where objects are not followed.
    pub tracks: Vec<Option<TrackId>>,
}

/// Which detections of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionQuery {
    /// Of which run.
    pub run: RunId,
    /// By which analyzer.
    pub analyzer: AnalyzerId,
    /// Only this class.
    pub label: Option<String>,
    /// At least this confident.
    pub confidence: f32,
    /// From this PTS.
    pub from: i64,
    /// To before this PTS.
    pub to: i64,
    /// Goes on after this PTS and ordinal, as [`Page::next`] said.
    pub after: Option<(i64, u32)>,
    /// Most rows, 1 to 100,000.
    pub limit: u32,
}

/// A stored detection.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDetection {
    /// Media time of its frame.
    pub pts: i64,
    /// Its place in the frame's result.
    pub ordinal: u32,
    /// What was seen.
    pub detection: Detection,
}

/// Part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, C> {
    /// In ascending order of media time, unless asked for otherwise.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<C>,
}

/// A line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Number of the 10 s window, counted from the run's t0.
    pub window: i64,
    /// Which slots (pictures).
    pub span: Span,
    /// `None`: the line says that they were due.
    pub verdict: Option<Verdict>,
    /// Why.
    pub reason: String,
    /// PTS of the frame, where one was chosen and not analysed.
    pub pts: Option<i64>,
}

impl<'a> FromIterator<&'a LedgerRow> for Account {
    /// The sums of a ledger's lines.
    fn from_iter<T: IntoIterator<Item = &'a LedgerRow>>(rows: T) -> Self {
        let mut account = Self::default();
        for row in rows {
            match row.verdict {
                None => account.due(row.window, row.span.count),
                Some(verdict) => account.verdict(row.window, verdict, row.span.count),
            }
        }
        account
    }
}

/// What is known.
#[async_trait]
pub trait Results: Send + Sync + fmt::Debug {
    /// Runs in the order in which they began.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError>;

    /// Analyzer versions in the order in which they were first used.
    async fn analyzers(&self) -> Result<Vec<AnalyzerRecord>, StoreError>;

    /// Ledgers of a run, or of all.
    async fn ledgers(&self, run: Option<RunId>) -> Result<Vec<LedgerRecord>, StoreError>;

    /// The lines of a ledger by span. Pictures that no other line of their kind stands between share one.
    async fn ledger_rows(&self, ledger: LedgerId) -> Result<Vec<LedgerRow>, StoreError>;

    /// Results by PTS; the next page begins with the PTS in [`Page::next`].
    async fn frames(&self, query: &FrameQuery) -> Result<Page<StoredFrame, i64>, StoreError>;

    /// Detections by PTS and ordinal.
    async fn detections(
        &self,
        query: &DetectionQuery,
    ) -> Result<Page<StoredDetection, (i64, u32)>, StoreError>;

    /// Tracks by first PTS and id.
    async fn tracks(&self, derivation: DerivationId) -> Result<Vec<TrackRecord>, StoreError>;

    /// Everything that does not fit together, one line for people each; empty: all is well. Reads it all.
    async fn check(&self) -> Result<Vec<String>, StoreError>;
}
