//! Which verdict replaces which.

use ocelli_model::{Tally, Verdict};

use crate::backend::{Backend, Store, analysed, due, ledger, result, run, slots, unseen};

pub(crate) async fn a_gap_is_filled<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    store.commit(&[due(open, slots(0, 24)), unseen(open, slots(3, 22), Verdict::Dropped)]).await.unwrap();
    let store = backend.open().await;
    store.commit(&[analysed(open, 12, Some(result(&["cat"])))]).await.unwrap();
    store.commit(&[unseen(open, slots(0, 4), Verdict::Gated)]).await.unwrap();
    // One gap does not replace another.
    store.commit(&[unseen(open, slots(20, 24), Verdict::Lost)]).await.unwrap();
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled.due, [slots(0, 24)]);
    assert_eq!(settled.verdicts, [(slots(0, 4), Verdict::Gated), (slots(12, 12), Verdict::Analysed)]);
    let gaps =
        [(slots(5, 11), Verdict::Dropped), (slots(13, 22), Verdict::Dropped), (slots(23, 24), Verdict::Lost)];
    assert_eq!(settled.gaps, gaps);
    let expected = Tally { analysed: 1, gated: 5, dropped: 17, lost: 2, ..Tally::default() };
    assert_eq!(tally(&*store).await, (25, expected));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn a_final_verdict_stays<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    store.commit(&[due(open, slots(0, 3)), analysed(open, 0, Some(result(&[])))]).await.unwrap();
    let finals = [(1, Verdict::Failed), (2, Verdict::Empty), (3, Verdict::Gated)];
    for (slot, verdict) in finals {
        store.commit(&[unseen(open, slots(slot, slot), verdict)]).await.unwrap();
    }
    for verdict in [Verdict::Dropped, Verdict::Lost, Verdict::Failed, Verdict::Empty, Verdict::Gated] {
        store.commit(&[unseen(open, slots(0, 3), verdict)]).await.unwrap();
    }
    // Its result would be counted by nobody.
    store.commit(&[analysed(open, 2, Some(result(&["cat"])))]).await.unwrap();
    let settled = store.settled(open).await.unwrap();
    let expected = [(0, Verdict::Analysed), (1, Verdict::Failed), (2, Verdict::Empty), (3, Verdict::Gated)];
    assert_eq!(settled.verdicts, expected.map(|(slot, verdict)| (slots(slot, slot), verdict)));
    assert_eq!((settled.gaps, settled.results), (vec![], vec![100]));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn tally(store: &dyn Store) -> (u64, Tally) {
    let found = store.ledgers(None).await.unwrap();
    (found[0].due, found[0].tally)
}
