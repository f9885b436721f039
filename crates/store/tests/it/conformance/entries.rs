//! Entries of the ledger.

use ocelli_model::Verdict;
use ocelli_store::{Entry, FrameQuery, LedgerRow, RunState, Settled, Span};

use crate::backend::{Backend, analysed, due, ledger, pts, result, run, slots, unseen};

pub(crate) async fn due_is_counted_once<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    for (first, last) in [(0, 3), (2, 5), (0, 0), (11, 12), (8, 14)] {
        store.commit(&[due(open, slots(first, last))]).await.unwrap();
    }
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled, Settled { due: vec![slots(0, 5), slots(8, 14)], ..Settled::default() });
    assert_eq!(store.ledgers(Some(run)).await.unwrap()[0].due, 13);
}

pub(crate) async fn an_analysis_reads_back<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let entry = |slot: i64, labels: &[&str]| analysed(open, slot, Some(result(labels)));
    store.commit(&[due(open, slots(0, 2))]).await.unwrap();
    store.commit(&[entry(0, &["cat", "dog"]), entry(1, &[]), entry(2, &["dog"])]).await.unwrap();
    // Again, and otherwise: changes nothing.
    store.commit(&[entry(0, &["cow"])]).await.unwrap();
    let store = backend.open().await;
    store.commit(&[entry(0, &["cow"])]).await.unwrap();
    let query = FrameQuery {
        series: open.series,
        ledger: None,
        derivation: None,
        from: 0,
        to: 10_000,
        limit: 10,
        newest_first: false,
    };
    let page = store.frames(&query).await.unwrap();
    let found: Vec<_> = page.rows.iter().map(|frame| (frame.pts, frame.result.clone())).collect();
    let expected = [(100, result(&["cat", "dog"])), (1100, result(&[])), (2100, result(&["dog"]))];
    assert_eq!((found.as_slice(), page.next), (expected.as_slice(), None));
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled.verdicts, [(slots(0, 2), Verdict::Analysed)]);
    assert_eq!(settled.results, [100, 1100, 2100]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn plans_share_results<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let one = ledger(&*store, run, "m", "1").await;
    let all = ledger(&*store, run, "m", "all").await;
    let picture = |at, result| Entry::Analysed { ledger: all.ledger, span: Span::one(at), pts: at, result };
    store.commit(&[due(one, slots(0, 1)), analysed(one, 0, Some(result(&["cat"])))]).await.unwrap();
    let entries = [pts(0), 500, pts(1)].map(|at| due(all, Span::one(at)));
    store.commit(&entries).await.unwrap();
    store.commit(&[picture(pts(0), None), picture(500, Some(result(&["dog"])))]).await.unwrap();
    // Brought by the other meanwhile: the stored one stays, and both count it.
    store.commit(&[picture(pts(1), Some(result(&["cow"])))]).await.unwrap();
    store.commit(&[analysed(one, 1, Some(result(&["pig"])))]).await.unwrap();
    let query = |ledger| FrameQuery {
        series: one.series,
        ledger,
        derivation: None,
        from: 0,
        to: 10_000,
        limit: 10,
        newest_first: false,
    };
    for (ledger, expected) in [
        (None, &[(100, "cat"), (500, "dog"), (1100, "cow")][..]),
        (Some(one.ledger), &[(100, "cat"), (1100, "cow")]),
        (Some(all.ledger), &[(100, "cat"), (500, "dog"), (1100, "cow")]),
    ] {
        let page = store.frames(&query(ledger)).await.unwrap();
        let found: Vec<_> =
            page.rows.iter().map(|frame| (frame.pts, &*frame.result.detections[0].label)).collect();
        assert_eq!(found, expected);
    }
    let tallies: Vec<_> =
        store.ledgers(None).await.unwrap().iter().map(|found| (found.due, found.tally.analysed)).collect();
    assert_eq!(tallies, [(2, 2), (3, 3)]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// A picture between two known ones is not known, in whatever order they come.
pub(crate) async fn pictures_are_exact<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let all = ledger(&*store, run, "m", "all").await;
    for at in [100, 300, 200, 300] {
        store.commit(&[due(all, Span::one(at)), unseen(all, Span::one(at), Verdict::Failed)]).await.unwrap();
    }
    let store = backend.open().await;
    store.commit(&[due(all, Span::one(250))]).await.unwrap();
    let settled = store.settled(all).await.unwrap();
    assert_eq!(settled.due, [100, 200, 250, 300].map(Span::one));
    assert_eq!(settled.verdicts, [100, 200, 300].map(|at| (Span::one(at), Verdict::Failed)));
    let rows = store.ledger_rows(all.ledger).await.unwrap();
    let due = Span { first: 100, last: 300, count: 4 };
    let failed = Span { count: 3, ..due };
    let expected = [(due, None), (failed, Some(Verdict::Failed))];
    assert_eq!(rows.iter().map(|row| (row.span, row.verdict)).collect::<Vec<_>>(), expected);
}

pub(crate) async fn lines_are_told<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let because = |slot, reason: &str, pts| Entry::Unseen {
        ledger: open.ledger,
        span: slots(slot, slot),
        verdict: Verdict::Failed,
        reason: reason.to_owned(),
        pts,
    };
    let entries = [
        due(open, slots(7, 12)),
        because(7, "damaged", None),
        because(8, "damaged", None),
        because(9, "late", None),
        because(10, "late", None),
        because(11, "late", Some(pts(11))),
        because(12, "late", Some(pts(12))),
    ];
    store.commit(&entries).await.unwrap();
    let line = |window, first, last, verdict, reason: &str, pts| LedgerRow {
        window,
        span: slots(first, last),
        verdict,
        reason: reason.to_owned(),
        pts,
    };
    let failed = Some(Verdict::Failed);
    let expected = [
        line(0, 7, 9, None, "", None),
        line(0, 7, 8, failed, "damaged", None),
        line(0, 9, 9, failed, "late", None),
        line(1, 10, 12, None, "", None),
        line(1, 10, 10, failed, "late", None),
        line(1, 11, 11, failed, "late", Some(pts(11))),
        line(1, 12, 12, failed, "late", Some(pts(12))),
    ];
    assert_eq!(store.ledger_rows(open.ledger).await.unwrap(), expected);
}

/// A ledger may be short where its process died, and only there.
pub(crate) async fn what_is_missing_is_told<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run_id = run(&*store, "a", 0).await;
    let died = ledger(&*store, run_id, "m", "1").await;
    store.commit(&[due(died, slots(0, 13)), analysed(died, 0, Some(result(&["cat"])))]).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let end = Entry::Run { run: run_id, state: RunState::Whole, last_pts: None };
    let store = backend.open().await;
    assert_eq!(run(&*store, "a", 0).await, run_id);
    let other = ledger(&*store, run_id, "n", "1").await;
    let whole = [due(other, slots(0, 0)), analysed(other, 0, Some(result(&[]))), end.clone()];
    store.commit(&whole).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    // Taken up again and said to be whole, it must be.
    ledger(&*store, run_id, "m", "1").await;
    store.commit(&[end]).await.unwrap();
    let said = store.check().await.unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("window 0: 10 were due, 1 have a verdict"), "{said:?}");
    assert!(said[1].contains("window 1: 4 were due, 0 have a verdict"), "{said:?}");
}
