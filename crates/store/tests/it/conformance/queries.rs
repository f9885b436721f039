//! Pages and filters.

use std::sync::Arc;

use ocelli_store::{DetectionQuery, FrameQuery, RunId, StoredFrame};

use crate::backend::{Backend, Store, analysed, due, ledger, open_ledger, pts, result, run, slots};

const LABELS: [&[&str]; 4] = [&["cat", "dog", "cat"], &[], &["dog"], &["cat", "dog"]];

/// 20 slots, with the labels above in turn; and as much of another run.
async fn filled<B: Backend>(backend: &B) -> (Arc<dyn Store>, FrameQuery, DetectionQuery, RunId) {
    let store = backend.open().await;
    let (run, other) = (run(&*store, "a", 0).await, run(&*store, "a", 1).await);
    let analyzer = store.analyzer(&crate::backend::analyzer("m")).await.unwrap();
    let open = open_ledger(&*store, run, analyzer, "1").await;
    for ledger in [open, ledger(&*store, other, "m", "1").await] {
        let mut entries = vec![due(ledger, slots(0, 19))];
        entries.extend((0..20).map(|slot| analysed(ledger, slot, Some(result(LABELS[slot as usize % 4])))));
        store.commit(&entries).await.unwrap();
    }
    let frames = FrameQuery {
        series: open.series,
        ledger: Some(open.ledger),
        derivation: None,
        from: i64::MIN,
        to: i64::MAX,
        limit: 7,
        newest_first: false,
    };
    let detections = DetectionQuery {
        run,
        analyzer,
        label: None,
        confidence: 0.0,
        from: i64::MIN,
        to: i64::MAX,
        after: None,
        limit: 4,
    };
    (store, frames, detections, other)
}

pub(crate) async fn frames_by_page<B: Backend>(backend: &B) {
    let (store, query, _, _) = filled(backend).await;
    let (mut from, mut sizes, mut seen) = (Some(query.from), Vec::new(), Vec::new());
    while let Some(next) = from {
        let page = store.frames(&FrameQuery { from: next, ..query }).await.unwrap();
        sizes.push(page.rows.len());
        seen.extend(page.rows.into_iter().map(|frame| (frame.pts, frame.result.detections.len())));
        from = page.next;
    }
    assert_eq!(sizes, [7, 7, 6]);
    assert_eq!(seen, (0..20).map(|slot| (pts(slot), LABELS[slot as usize % 4].len())).collect::<Vec<_>>());
    // To before, from including; exactly full pages have no next.
    let page = store.frames(&FrameQuery { from: pts(3), to: pts(10), ..query }).await.unwrap();
    assert_eq!((page.rows[0].pts, page.rows.len(), page.next), (pts(3), 7, None));
    for (from, to) in [(pts(19) + 1, i64::MAX), (pts(5), pts(5)), (pts(6), pts(5))] {
        assert_eq!(store.frames(&FrameQuery { from, to, ..query }).await.unwrap().rows, []);
    }
    assert!(store.frames(&FrameQuery { limit: 0, ..query }).await.is_err());
    // The other way round: the same frames, their detections in their own order.
    let (mut to, mut sizes, mut newest) = (Some(query.to), Vec::new(), Vec::new());
    while let Some(before) = to {
        let page = store.frames(&FrameQuery { to: before, newest_first: true, ..query }).await.unwrap();
        sizes.push(page.rows.len());
        let labels = |frame: &StoredFrame| {
            frame.result.detections.iter().map(|detection| detection.label.to_string()).collect::<Vec<_>>()
        };
        newest.extend(page.rows.iter().map(|frame| (frame.pts, labels(frame))));
        to = page.next.map(|next| next + 1);
    }
    assert_eq!(sizes, [7, 7, 6]);
    let expected = (0..20)
        .rev()
        .map(|slot| (pts(slot), LABELS[slot as usize % 4].iter().map(ToString::to_string).collect()));
    assert_eq!(newest, expected.collect::<Vec<_>>());
}

pub(crate) async fn detections_by_page<B: Backend>(backend: &B) {
    let (store, _, query, other) = filled(backend).await;
    let all = async |query: &DetectionQuery| {
        let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = store.detections(&DetectionQuery { after, ..query.clone() }).await.unwrap();
            assert!(page.rows.len() <= query.limit as usize);
            found.extend(page.rows);
            pages += 1;
            after = page.next;
            if after.is_none() {
                return (found, pages);
            }
        }
    };
    let expected = |label: Option<&str>, least: f32, from: i64, to: i64| {
        let frames = (0..20_i64).filter(|slot| (from..to).contains(&pts(*slot)));
        let of = |slot: i64| {
            let found = result(LABELS[slot as usize % 4]).detections;
            found.into_iter().enumerate().map(move |(at, detection)| (pts(slot), at as u32, detection))
        };
        let wanted = move |label: Option<&str>, least: f32, detection: &ocelli_model::Detection| {
            label.is_none_or(|label| *detection.label == *label) && detection.confidence >= least
        };
        frames.flat_map(of).filter(|(_, _, it)| wanted(label, least, it)).collect::<Vec<_>>()
    };
    for (label, least, from, to) in [
        (None, 0.0, i64::MIN, i64::MAX),
        (Some("cat"), 0.0, i64::MIN, i64::MAX),
        (Some("cat"), 0.8, pts(3), pts(16)),
        (Some("dog"), 0.0, pts(2), pts(3)),
        (Some("cow"), 0.0, i64::MIN, i64::MAX),
        (None, 0.95, i64::MIN, i64::MAX),
    ] {
        let label_text = label.map(str::to_owned);
        let asked = DetectionQuery { label: label_text, confidence: least, from, to, ..query.clone() };
        let (found, pages) = all(&asked).await;
        let found: Vec<_> = found.into_iter().map(|it| (it.pts, it.ordinal, it.detection)).collect();
        let expected = expected(label, least, from, to);
        assert_eq!(found, expected, "{label:?} {least} {from} {to}");
        assert_eq!(pages, expected.len().div_ceil(4).max(1));
    }
    let (found, _) = all(&DetectionQuery { run: other, ..query.clone() }).await;
    assert_eq!(found.len(), 30);
    let (found, _) = all(&DetectionQuery { run: RunId(99), ..query.clone() }).await;
    assert_eq!(found, []);
    assert!(store.detections(&DetectionQuery { limit: 0, ..query }).await.is_err());
}
