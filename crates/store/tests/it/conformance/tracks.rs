//! Tracks: a derivation that follows results.

use ocelli_model::TrackId;
use ocelli_store::{Entry, FrameQuery, OpenLedger, TrackRecord};

use crate::backend::{Backend, Store, analysed, due, ledger, pts, result, run, slots};

fn tracked(open: OpenLedger, slot: i64, tracks: &[u64]) -> Entry {
    let tracks = tracks.iter().map(|track| Some(TrackId(*track)).filter(|track| track.0 > 0)).collect();
    Entry::Tracked { derivation: open.derivation.unwrap(), pts: pts(slot), tracks }
}

fn track(
    open: OpenLedger,
    track: u64,
    label: &str,
    slots: (i64, i64),
    detections: u64,
    best: f32,
) -> TrackRecord {
    TrackRecord {
        derivation: open.derivation.unwrap(),
        track: TrackId(track),
        label: label.to_owned(),
        first_pts: pts(slots.0),
        last_pts: pts(slots.1),
        detections,
        best,
    }
}

/// Slots 0 to 2 with a cat and a dog each, tracked.
async fn three<B: Backend>(backend: &B) -> (std::sync::Arc<dyn Store>, OpenLedger) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    let mut entries = vec![due(open, slots(0, 5))];
    entries.extend((0..3).map(|slot| analysed(open, slot, Some(result(&["cat", "dog"])))));
    store.commit(&entries).await.unwrap();
    store.commit(&[tracked(open, 0, &[1, 2]), tracked(open, 1, &[2, 1])]).await.unwrap();
    store.commit(&[tracked(open, 2, &[0, 1])]).await.unwrap();
    (store, open)
}

pub(crate) async fn tracks_follow_results<B: Backend>(backend: &B) {
    let (_, open) = three(backend).await;
    let store = backend.open().await;
    // Known already.
    store.commit(&[tracked(open, 1, &[7, 8])]).await.unwrap();
    let expected = [track(open, 1, "cat", (0, 2), 3, 0.9), track(open, 2, "dog", (0, 1), 2, 0.9)];
    assert_eq!(store.tracks(open.derivation.unwrap()).await.unwrap(), expected);
    let mut query = FrameQuery {
        series: open.series,
        ledger: None,
        derivation: None,
        from: 0,
        to: 9999,
        limit: 9,
        newest_first: false,
    };
    assert!(store.frames(&query).await.unwrap().rows.iter().all(|frame| frame.tracks.is_empty()));
    query.derivation = open.derivation;
    let found: Vec<_> =
        store.frames(&query).await.unwrap().rows.into_iter().map(|frame| frame.tracks).collect();
    let known = |track| Some(TrackId(track));
    assert_eq!(found, [[known(1), known(2)], [known(2), known(1)], [None, known(1)]]);
    assert_eq!(store.settled(open).await.unwrap().tracked_through, Some(pts(2)));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn results_in_between_void_tracks<B: Backend>(backend: &B) {
    let (store, open) = three(backend).await;
    // After the last: nothing is void.
    store.commit(&[analysed(open, 5, Some(result(&["cat"])))]).await.unwrap();
    assert_eq!(store.settled(open).await.unwrap().tracked_through, Some(pts(2)));
    store.commit(&[tracked(open, 5, &[1])]).await.unwrap();
    let store = backend.open().await;
    store.commit(&[analysed(open, 4, Some(result(&["cow"])))]).await.unwrap();
    assert_eq!(store.settled(open).await.unwrap().tracked_through, None);
    assert_eq!(store.tracks(open.derivation.unwrap()).await.unwrap(), []);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    // In one batch: what was tracked before the result came is void, what comes after it holds.
    let derive = |slots: &[i64]| slots.iter().map(|slot| tracked(open, *slot, &[1, 2])).collect::<Vec<_>>();
    let mut entries = derive(&[0, 1, 2]);
    entries.push(analysed(open, 3, Some(result(&["pig", "hen"]))));
    store.commit(&entries).await.unwrap();
    assert_eq!(store.settled(open).await.unwrap().tracked_through, Some(pts(2)));
    let mut entries = derive(&[0, 1, 2, 3]);
    entries.push(Entry::Untracked { derivation: open.derivation.unwrap() });
    entries.extend(derive(&[0, 1]));
    store.commit(&entries).await.unwrap();
    let expected = [track(open, 1, "cat", (0, 1), 2, 0.9), track(open, 2, "dog", (0, 1), 2, 0.9 - 0.1)];
    assert_eq!(store.tracks(open.derivation.unwrap()).await.unwrap(), expected);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn order_is_kept<B: Backend>(backend: &B) {
    let (store, open) = three(backend).await;
    for (entry, why) in [
        (tracked(open, 3, &[]), "no result"),
        (tracked(open, 2, &[1, 1]), "a track twice"),
        (
            Entry::Tracked { derivation: ocelli_store::DerivationId(99), pts: 0, tracks: vec![] },
            "no derivation",
        ),
    ] {
        assert!(store.commit(&[entry]).await.is_err(), "{why}");
    }
    store.commit(&[analysed(open, 3, Some(result(&["cat"])))]).await.unwrap();
    let error = store.commit(&[tracked(open, 3, &[1, 2])]).await.unwrap_err();
    assert!(error.to_string().contains("2 identities for the 1 detections"), "{error}");
    assert_eq!(store.settled(open).await.unwrap().tracked_through, Some(pts(2)));
}
