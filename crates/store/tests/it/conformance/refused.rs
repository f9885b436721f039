//! What is refused leaves no trace.

use ocelli_model::{TrackId, Verdict};
use ocelli_store::{
    Blob, BlobKind, DerivationId, Entry, Fault, FrameResult, LedgerId, RunId, RunState, Settled, Span,
    StoreError,
};

use crate::backend::{Backend, analysed, due, ledger, result, run, slots, source, unseen};

pub(crate) async fn nothing_of_a_bad_batch_is_written<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let good = || vec![due(open, slots(0, 3)), analysed(open, 0, Some(result(&["cat"])))];
    let all = ledger(&*store, run, "m", "all").await;
    let bad = [
        analysed(open, 1, None),
        due(ocelli_store::OpenLedger { ledger: LedgerId(99), ..open }, slots(0, 0)),
        Entry::Tracked { derivation: DerivationId(99), pts: 0, tracks: vec![] },
        Entry::Untracked { derivation: DerivationId(99) },
        Entry::Run { run: RunId(99), state: RunState::Whole, last_pts: None },
        Entry::Blob {
            run: RunId(99),
            blob: Blob { kind: BlobKind::Media, location: "a".into(), bytes: 0, seen_ms: 0 },
        },
        // Which pictures of a stretch are meant?
        due(all, Span { first: 0, last: 100, count: 3 }),
    ];
    for entry in bad {
        let mut entries = good();
        entries.push(entry.clone());
        let error = store.commit(&entries).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid(_)), "{entry:?}: {error:?}");
        assert_eq!(error.fault(), Fault::Caller);
        assert_eq!(store.settled(open).await.unwrap(), Settled::default(), "{entry:?}");
    }
    // And a good one is accepted after all that, with a label that was new in what was undone.
    store.commit(&good()).await.unwrap();
    assert_eq!(store.settled(open).await.unwrap().results, [100]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn bad_values<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let long = "x".repeat(5000);
    let with = |change: fn(&mut FrameResult)| {
        let mut result = result(&["cat", "dog"]);
        change(&mut result);
        analysed(open, 0, Some(result))
    };
    let tracked = |tracks: &[u64]| Entry::Tracked {
        derivation: open.derivation.unwrap(),
        pts: 100,
        tracks: tracks.iter().map(|track| Some(TrackId(*track))).collect(),
    };
    let because = |reason: &str| Entry::Unseen {
        ledger: open.ledger,
        span: slots(0, 0),
        verdict: Verdict::Failed,
        reason: reason.to_owned(),
        pts: None,
    };
    let entries = [
        with(|result| result.detections[1].confidence = f32::NAN),
        with(|result| result.detections[0].bbox.x = f32::INFINITY),
        with(|result| result.detections[0].bbox.height = f32::NEG_INFINITY),
        with(|result| result.detections[0].label = "".into()),
        with(|result| result.detections[0].label = "a\0b".into()),
        with(|result| result.detections[0].label = "x".repeat(300).into()),
        with(|result| result.took = std::time::Duration::MAX),
        Entry::Analysed { ledger: open.ledger, span: slots(0, 1), pts: 100, result: Some(result(&[])) },
        due(open, Span { first: 3, last: 2, count: 1 }),
        due(open, Span { first: 3, last: 3, count: 0 }),
        due(open, Span { first: 3, last: 9, count: 2 }),
        due(open, slots(i64::MIN, i64::MAX)),
        due(open, slots(0, 1 << 40)),
        unseen(open, slots(0, 0), Verdict::Analysed),
        because(&long),
        because("a\0b"),
        tracked(&[0]),
        tracked(&[u64::MAX]),
    ];
    for entry in entries {
        let error = store.commit(std::slice::from_ref(&entry)).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid(_)), "{entry:?}: {error:?}");
    }
    assert_eq!(store.settled(open).await.unwrap(), Settled::default());
    for key in ["", "a\0b", &long] {
        assert!(matches!(store.source(&source(key)).await, Err(StoreError::Invalid(_))), "{key:?}");
    }
    // Far out is not wrong: any PTS, any slot, numbers at the end of their range.
    let far = Entry::Analysed {
        ledger: open.ledger,
        span: Span::one(i64::MAX),
        pts: i64::MIN,
        result: Some({
            let mut result = result(&["cat"]);
            result.detections[0].bbox.x = f32::MAX;
            result.width = u32::MAX;
            result
        }),
    };
    store.commit(&[due(open, Span::one(i64::MAX)), due(open, Span::one(i64::MIN)), far]).await.unwrap();
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled.due, [Span::one(i64::MIN), Span::one(i64::MAX)]);
    assert_eq!(settled.results, [i64::MIN]);
}
