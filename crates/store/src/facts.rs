//! What is kept, as values. Times named `_ms` are wall time in milliseconds since 1970, given by the caller.

use std::{collections::BTreeMap, time::Duration};

use ocelli_model::{AnalyzerVersion, Detection, SamplingPlan, Tally, TimeBase, TrackId};

use crate::{AnalyzerId, DerivationId, LedgerId, RunId, SeriesId, SourceId};

/// What kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file, known by the SHA-256 of its content: the same bytes are the same source wherever they lie.
    File,
    /// A configured stream, known by its id.
    Stream,
}

/// Where media comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// What it is.
    pub kind: SourceKind,
    /// Identity within the kind: 64 hexadecimal digits of a SHA-256, or a stream id.
    pub key: String,
    /// As the user last named it; for people.
    pub name: String,
    /// Size of a file, 0 of a stream.
    pub bytes: u64,
    /// Now.
    pub seen_ms: i64,
}

/// A stored source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its key in the store.
    pub id: SourceId,
    /// What was given; `name` and `seen_ms` are those of the last time.
    pub source: NewSource,
}

/// One unbroken piece of a source, when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Of which source.
    pub source: SourceId,
    /// Counts from 0 within the source.
    pub ordinal: u32,
    /// Seconds per tick of all its media times.
    pub time_base: TimeBase,
    /// PTS that its slots count from.
    pub t0: i64,
    /// Now.
    pub began_ms: i64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// A process works on it.
    Open,
    /// Read to its end.
    Whole,
    /// Ended early on purpose, or because the source ended early.
    Partial,
    /// The process died, or could not write what came: it ends at its last committed slot.
    Unclean,
}

/// A stored run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its key in the store.
    pub id: RunId,
    /// What was given; `began_ms` is that of the first time.
    pub run: NewRun,
    /// Its source.
    pub source: SourceRecord,
    /// How it stands.
    pub state: RunState,
    /// Largest PTS read, where it ended.
    pub last_pts: Option<i64>,
    /// Where its media, and what was made of it, lies.
    pub blobs: Vec<Blob>,
}

/// What a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// The media itself.
    Media,
    /// A video with boxes drawn on it.
    Annotated,
}

/// A reference to bytes that lie outside the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub kind: BlobKind,
    /// An absolute path or a URL without credentials.
    pub location: String,
    /// Its size.
    pub bytes: u64,
    /// When it was seen there.
    pub seen_ms: i64,
}

/// One way of analysing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnalyzer {
    /// Hash of everything that can change a result.
    pub version: AnalyzerVersion,
    /// Id of its model in the catalogue.
    pub model: String,
    /// What the version was made from.
    pub ingredients: BTreeMap<String, String>,
    /// Now.
    pub seen_ms: i64,
}

/// A stored analyzer version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzerRecord {
    /// Its key in the store.
    pub id: AnalyzerId,
    /// What was given; `seen_ms` is that of the first time.
    pub analyzer: NewAnalyzer,
}

/// The account of one analyzer version over one run under one sampling plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLedger {
    /// Over which run.
    pub run: RunId,
    /// Which analyzer version.
    pub analyzer: AnalyzerId,
    /// Which frames are due.
    pub plan: SamplingPlan,
    /// The version of the tracker that follows its objects, if one does.
    pub tracker: Option<AnalyzerVersion>,
}

/// A stored ledger, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRecord {
    /// Its key in the store.
    pub id: LedgerId,
    /// The series whose results it counts.
    pub series: SeriesId,
    /// Over which run.
    pub run: RunId,
    /// Which analyzer version.
    pub analyzer: AnalyzerId,
    /// Which frames are due.
    pub plan: SamplingPlan,
    /// Its tracks, newest derivation.
    pub derivation: Option<DerivationId>,
    /// Slots (pictures, where every picture is due) that were due.
    pub due: u64,
    /// What became of them. Less than `due` by what was in hand when a process died.
    pub tally: Tally,
    /// What was before this PTS was removed, or is about to be; `None`: nothing was.
    pub kept_pts: Option<i64>,
}

/// What one analyzer saw in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameResult {
    /// Width of the displayed picture in pixels.
    pub width: u32,
    /// Height of the displayed picture in pixels.
    pub height: u32,
    /// In the analyzer's order. All numbers are finite.
    pub detections: Vec<Detection>,
    /// Wall time from planes to detections.
    pub took: Duration,
}

/// One object followed across frames.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackRecord {
    /// Which derivation found it.
    pub derivation: DerivationId,
    /// Unique within that derivation.
    pub track: TrackId,
    /// The class.
    pub label: String,
    /// First and last PTS at which it was detected.
    pub first_pts: i64,
    /// See `first_pts`.
    pub last_pts: i64,
    /// Frames in which it was detected.
    pub detections: u64,
    /// The highest confidence.
    pub best: f32,
}
