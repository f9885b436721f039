//! Entries of the ledger.

use ocelli_model::Verdict;
use ocelli_store::{Entry, FrameQuery, Settled};

use crate::backend::{Backend, ledger, pts, result, run, slots};

pub(crate) async fn due_is_counted_once<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    for (first, last) in [(0, 3), (2, 5), (0, 0), (11, 12), (8, 14)] {
        store.commit(&[Entry::Due { ledger: open.ledger, span: slots(first, last) }]).await.unwrap();
    }
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled, Settled { due: vec![slots(0, 5), slots(8, 14)], ..Settled::default() });
    assert_eq!(store.ledgers(Some(run)).await.unwrap()[0].due, 13);
}

pub(crate) async fn an_analysis_reads_back<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let entry = |slot: i64, labels: &[&str]| Entry::Analysed {
        ledger: open.ledger,
        span: slots(slot, slot),
        pts: pts(slot),
        result: Some(result(labels)),
    };
    store.commit(&[Entry::Due { ledger: open.ledger, span: slots(0, 2) }]).await.unwrap();
    store.commit(&[entry(0, &["cat", "dog"]), entry(1, &[]), entry(2, &["dog"])]).await.unwrap();
    // Again, and otherwise: changes nothing.
    store.commit(&[entry(0, &["cow"])]).await.unwrap();
    let query =
        FrameQuery { series: open.series, ledger: None, derivation: None, from: 0, to: 10_000, limit: 10 };
    let page = store.frames(&query).await.unwrap();
    let found: Vec<_> = page.rows.iter().map(|frame| (frame.pts, frame.result.clone())).collect();
    let expected = [(100, result(&["cat", "dog"])), (1100, result(&[])), (2100, result(&["dog"]))];
    assert_eq!((found.as_slice(), page.next), (expected.as_slice(), None));
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled.verdicts, [(slots(0, 2), Verdict::Analysed)]);
    assert_eq!(settled.results, [100, 1100, 2100]);
}
