//! Durable facts: streams, sources, runs, analyzer versions, results, the ledger, tracks, references to media.
//!
//! Four narrow seams, [`ResultLog`] (write), [`Results`] (read), [`Streams`] and [`Segments`], decide where they are kept. A backend passes the
//! conformance suite in `tests/it/conformance`. What a call acknowledged survives a killed process and a power cut.

mod appender;
mod compare;
mod embedded;
mod error;
mod facts;
mod ids;
mod ledger;
mod log;
mod query;
mod segments;
mod streams;
mod words;

pub use appender::{Appender, Pending};
pub use compare::{Comparison, SAME_OBJECT, SAME_PLACE, compare};
pub use embedded::{Access, SqliteStore};
pub use error::{Fault, StoreError};
pub use facts::{
    AnalyzerRecord, Blob, BlobKind, FrameResult, LedgerRecord, NewAnalyzer, NewLedger, NewRun, NewSource,
    RunRecord, RunState, SourceKind, SourceRecord, TrackRecord,
};
pub use ids::{AnalyzerId, DerivationId, LedgerId, RunId, SeriesId, SourceId};
pub use ledger::{Account, LedgerClock, Span, WINDOW_SECONDS, WindowAccount};
pub use log::{Entry, OpenLedger, ResultLog, Settled};
pub use query::{
    DetectionQuery, FrameQuery, LedgerRow, Page, Results, RunFilter, StoredDetection, StoredFrame,
};
pub use segments::{RecordingGap, RecordingUse, SegmentClass, SegmentQuery, SegmentRecord, Segments};
pub use streams::{AnchorOrigin, EndState, Pruned, StreamEnd, StreamRecord, Streams, WallAnchor};
