//! What a suite needs of a backend, and the facts that it writes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ocelli_model::{
    AnalyzerVersion, BoundingBox, Detection, SamplingPlan, TimeBase, Verdict, VersionBuilder,
};
use ocelli_store::{
    AnalyzerId, Entry, FrameResult, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog,
    Results, RunId, Segments, SourceKind, Span, StreamRecord, Streams,
};

/// A store of some kind.
pub(crate) trait Store: ResultLog + Results + Streams + Segments {}
impl<T: ResultLog + Results + Streams + Segments> Store for T {}

/// Makes and opens stores of one kind. What it opened before is closed by then.
#[async_trait::async_trait]
pub(crate) trait Backend: Send + Sync {
    /// A new, empty place.
    fn new() -> Self;
    /// The store there, to write.
    async fn open(&self) -> Arc<dyn Store>;
    /// Closes what was opened.
    async fn close(&self);
}

pub(crate) fn version(name: &str) -> AnalyzerVersion {
    VersionBuilder::default().with("name", name).build()
}

pub(crate) fn source(key: &str) -> NewSource {
    let name = format!("/videos/{key}.mp4");
    NewSource { kind: SourceKind::File, key: key.to_owned(), name, bytes: 1000, seen_ms: 1 }
}

pub(crate) fn analyzer(name: &str) -> NewAnalyzer {
    let ingredients = BTreeMap::from([("model".to_owned(), name.to_owned())]);
    NewAnalyzer { version: version(name), model: name.to_owned(), ingredients, seen_ms: 5 }
}

/// Milliseconds as ticks, slots counted from 100.
pub(crate) async fn run(store: &dyn Store, key: &str, ordinal: u32) -> RunId {
    let source = store.source(&source(key)).await.unwrap();
    let time_base = TimeBase::new(1, 1000).unwrap();
    let run = NewRun { source, ordinal, time_base, t0: 100, began_ms: 10 + i64::from(ordinal) };
    store.run(&run).await.unwrap()
}

/// As [`run`], of a stream: those of a file with the same key are others. Began at 0 ms.
pub(crate) async fn stream_run(store: &dyn Store, key: &str, ordinal: u32) -> RunId {
    let source = NewSource { kind: SourceKind::Stream, bytes: 0, ..source(key) };
    let source = store.source(&source).await.unwrap();
    let time_base = TimeBase::new(1, 1000).unwrap();
    store.run(&NewRun { source, ordinal, time_base, t0: 100, began_ms: 0 }).await.unwrap()
}

/// A ledger with a tracker.
pub(crate) async fn ledger(store: &dyn Store, run: RunId, name: &str, plan: &str) -> OpenLedger {
    let analyzer = store.analyzer(&analyzer(name)).await.unwrap();
    open_ledger(store, run, analyzer, plan).await
}

pub(crate) async fn open_ledger(
    store: &dyn Store,
    run: RunId,
    analyzer: AnalyzerId,
    plan: &str,
) -> OpenLedger {
    let plan: SamplingPlan = plan.parse().unwrap();
    let tracker = Some(version("tracker"));
    store.ledger(&NewLedger { run, analyzer, plan, tracker }).await.unwrap()
}

/// The PTS that slot `slot` of a plan of 1 fps chose.
pub(crate) fn pts(slot: i64) -> i64 {
    100 + slot * 1000
}

/// Detections of these labels, told apart by their numbers.
pub(crate) fn result(labels: &[&str]) -> FrameResult {
    let detection = |(at, label): (usize, &&str)| Detection {
        label: Arc::from(*label),
        confidence: 0.9 - at as f32 * 0.1,
        bbox: BoundingBox { x: 0.1 * at as f32, y: -0.25, width: 1.0 / 3.0, height: f32::MIN_POSITIVE },
    };
    FrameResult {
        width: 640,
        height: 360,
        detections: labels.iter().enumerate().map(detection).collect(),
        took: Duration::from_micros(1234),
    }
}

pub(crate) fn slots(first: i64, last: i64) -> Span {
    Span::slots(first, last)
}

pub(crate) fn due(open: OpenLedger, span: Span) -> Entry {
    Entry::Due { ledger: open.ledger, span }
}

pub(crate) fn unseen(open: OpenLedger, span: Span, verdict: Verdict) -> Entry {
    Entry::Unseen { ledger: open.ledger, span, verdict, reason: String::new(), pts: None }
}

/// Of a plan of 1 fps.
pub(crate) fn analysed(open: OpenLedger, slot: i64, result: Option<FrameResult>) -> Entry {
    Entry::Analysed { ledger: open.ledger, span: slots(slot, slot), pts: pts(slot), result }
}

/// Whose specification holds a secret.
pub(crate) fn stream(id: &str) -> StreamRecord {
    StreamRecord {
        id: id.parse().unwrap(),
        spec: format!(r#"{{"source":"rtsp://user:secret@{id}/ä"}}"#),
        wanted: true,
        ended: None,
        decode: 3,
        decode_cleared: 2,
        frames: i64::MAX as u64,
        restarts: 7,
        created_ms: 10,
        changed_ms: 20,
        started_ms: None,
    }
}
