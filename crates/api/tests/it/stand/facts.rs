//! Facts in the store: runs of streams with results, tracks and ledgers that hold gaps.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ocelli_model::{BoundingBox, Detection, TimeBase, TrackId, Verdict, VersionBuilder};
use ocelli_store::{
    Entry, FrameResult, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog as _, RunState,
    SourceKind, Span, SqliteStore,
};

/// Slot `slot` of 1 fps in ticks of 1/90000, counted from 45000.
pub(crate) fn pts(slot: i64) -> i64 {
    45_000 + slot * 90_000
}

pub(crate) fn seen(label: &str, confidence: f32) -> Detection {
    let bbox = BoundingBox { x: 0.25, y: 0.5, width: 0.1, height: 0.2 };
    Detection { label: Arc::from(label), confidence, bbox }
}

fn result(detections: Vec<Detection>) -> FrameResult {
    FrameResult { width: 640, height: 360, detections, took: Duration::from_micros(8_900) }
}

/// A run of a stream at 1 fps, looked at by a model.
pub(crate) async fn run(store: &SqliteStore, stream: &str, ordinal: u32, model: &str) -> OpenLedger {
    let kind = SourceKind::Stream;
    let (key, name) = (stream.to_owned(), stream.to_owned());
    let source = store.source(&NewSource { kind, key, name, bytes: 0, seen_ms: 1 }).await.unwrap();
    let time_base = TimeBase::new(1, 90_000).unwrap();
    let began_ms = 1_000 + i64::from(ordinal);
    let run = NewRun { source, ordinal, time_base, t0: pts(0), began_ms };
    let run = store.run(&run).await.unwrap();
    let version = VersionBuilder::default().with("model", model).build();
    let ingredients = BTreeMap::from([("model".to_owned(), model.to_owned())]);
    let analyzer = NewAnalyzer { version, model: model.to_owned(), ingredients, seen_ms: 1 };
    let analyzer = store.analyzer(&analyzer).await.unwrap();
    let tracker = Some(VersionBuilder::default().with("tracker", 1).build());
    let plan = "1".parse().unwrap();
    store.ledger(&NewLedger { run, analyzer, plan, tracker }).await.unwrap()
}

/// Slot by slot: what was seen. `None`: failed as damaged.
pub(crate) async fn looked_at(store: &SqliteStore, open: OpenLedger, slots: &[Option<Vec<Detection>>]) {
    let ledger = open.ledger;
    let mut entries = vec![Entry::Due { ledger, span: Span::slots(0, slots.len() as i64 - 1) }];
    for (slot, detections) in slots.iter().enumerate() {
        let (at, span) = (pts(slot as i64), Span::one(slot as i64));
        match detections {
            Some(detections) => {
                let tracks = (1..=detections.len() as u64).map(|track| Some(TrackId(track))).collect();
                let result = Some(result(detections.clone()));
                entries.push(Entry::Analysed { ledger, span, pts: at, result });
                entries.push(Entry::Tracked { derivation: open.derivation.unwrap(), pts: at, tracks });
            }
            None => entries.push(Entry::Unseen {
                ledger,
                span,
                verdict: Verdict::Failed,
                reason: "damaged".to_owned(),
                pts: Some(at),
            }),
        }
    }
    store.commit(&entries).await.unwrap();
}

/// The run of a ledger has ended.
pub(crate) async fn ended(store: &SqliteStore, open: OpenLedger, last_slot: i64) {
    use ocelli_store::Results as _;
    let ledgers = store.ledgers(None).await.unwrap();
    let run = ledgers.iter().find(|ledger| ledger.id == open.ledger).unwrap().run;
    let entry = Entry::Run { run, state: RunState::Whole, last_pts: Some(pts(last_slot)) };
    store.commit(&[entry]).await.unwrap();
}
