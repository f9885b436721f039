//! Sources, runs, analyzers: found or made.

use ocelli_model::TimeBase;
use ocelli_store::{Blob, BlobKind, Entry, Fault, NewRun, RunFilter, RunState, StoreError};

use crate::backend::{Backend, analysed, analyzer, due, ledger, result, run, slots, source};

pub(crate) async fn asked_twice<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let first = run(&*store, "a", 0).await;
    let open = ledger(&*store, first, "m", "1").await;
    assert_ne!(run(&*store, "a", 1).await, first);
    assert_ne!(run(&*store, "b", 0).await, first);
    assert_ne!(ledger(&*store, first, "m", "2").await.ledger, open.ledger);
    assert_eq!(ledger(&*store, first, "m", "2").await.series, open.series);
    assert_ne!(ledger(&*store, first, "n", "1").await.series, open.series);
    let store = backend.open().await;
    assert_eq!(run(&*store, "a", 0).await, first);
    assert_eq!(ledger(&*store, first, "m", "1").await, open);
}

pub(crate) async fn a_run_keeps_its_clock<B: Backend>(backend: &B) {
    let store = backend.open().await;
    run(&*store, "a", 0).await;
    let source = store.source(&source("a")).await.unwrap();
    let time_base = TimeBase::new(1, 1000).unwrap();
    let other_base = TimeBase::new(1, 90000).unwrap();
    for (time_base, t0, what) in [(other_base, 100, "time base"), (time_base, 101, "t0")] {
        let asked = store.run(&NewRun { source, ordinal: 0, time_base, t0, began_ms: 0 }).await;
        let error = asked.unwrap_err();
        assert_eq!(error.fault(), Fault::Caller);
        assert!(matches!(error, StoreError::Conflict { what: found, .. } if found == what), "{error}");
    }
    assert_eq!(store.runs(&RunFilter::default()).await.unwrap()[0].run.time_base, time_base);
}

pub(crate) async fn runs_are_found<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let mut runs = Vec::new();
    for (key, ordinal) in [("b", 2), ("a", 0), ("b%", 1)] {
        runs.push(run(&*store, key, ordinal).await);
    }
    let check = async |filter: RunFilter, expected: &[usize]| {
        let found = store.runs(&filter).await.unwrap();
        let expected: Vec<_> = expected.iter().map(|at| runs[*at]).collect();
        assert_eq!(found.iter().map(|run| run.id).collect::<Vec<_>>(), expected, "{filter:?}");
    };
    // As they began, not as they were written.
    check(RunFilter::default(), &[1, 2, 0]).await;
    check(RunFilter { run: Some(runs[2]), ..RunFilter::default() }, &[2]).await;
    check(RunFilter { source_key: Some("b".into()), ..RunFilter::default() }, &[0]).await;
    for (name, expected) in [
        ("/videos/a.mp4", &[1][..]),
        ("a.mp4", &[1]),
        ("videos/b%.mp4", &[2]),
        (".mp4", &[]),
        ("%.mp4", &[]),
        ("", &[]),
    ] {
        check(RunFilter { source_name: Some(name.into()), ..RunFilter::default() }, expected).await;
    }
    // A file that moved: the newest name is kept.
    let mut moved = source("a");
    moved.name = "elsewhere/c.mp4".to_owned();
    moved.seen_ms = 99;
    store.source(&moved).await.unwrap();
    check(RunFilter { source_name: Some("a.mp4".into()), ..RunFilter::default() }, &[]).await;
    let found = store.runs(&RunFilter { run: Some(runs[1]), ..RunFilter::default() }).await.unwrap();
    assert_eq!(found[0].source.source, moved);
}

pub(crate) async fn analyzers_are_kept<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let mut later = analyzer("a");
    later.seen_ms = 7;
    let ids = [store.analyzer(&later).await.unwrap(), store.analyzer(&analyzer("b")).await.unwrap()];
    later.seen_ms = 1;
    assert_eq!(store.analyzer(&later).await.unwrap(), ids[0]);
    later.seen_ms = 7;
    let store = backend.open().await;
    let found = store.analyzers().await.unwrap();
    let found: Vec<_> = found.into_iter().map(|record| (record.id, record.analyzer)).collect();
    assert_eq!(found, [(ids[1], analyzer("b")), (ids[0], later)]);
}

pub(crate) async fn runs_end<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let (ended, left) = (run(&*store, "a", 0).await, run(&*store, "a", 1).await);
    let media = |bytes| Blob { kind: BlobKind::Media, location: "/videos/a.mp4".into(), bytes, seen_ms: 3 };
    let end = |last_pts| Entry::Run { run: ended, state: RunState::Whole, last_pts };
    let blob = |bytes| Entry::Blob { run: ended, blob: media(bytes) };
    store.commit(&[end(Some(500)), blob(1), blob(2), end(None), end(Some(400))]).await.unwrap();
    let state = async |store: &dyn crate::backend::Store, run| {
        let found = store.runs(&RunFilter { run: Some(run), ..RunFilter::default() }).await.unwrap();
        (found[0].state, found[0].last_pts, found[0].blobs.clone())
    };
    assert_eq!(state(&*store, ended).await, (RunState::Whole, Some(500), vec![media(2)]));
    assert_eq!(state(&*store, left).await, (RunState::Open, None, vec![]));
    let store = backend.open().await;
    assert_eq!(state(&*store, ended).await.0, RunState::Whole);
    assert_eq!(state(&*store, left).await.0, RunState::Unclean);
    run(&*store, "a", 1).await;
    assert_eq!(state(&*store, left).await.0, RunState::Open);
}

/// What could not be written leaves due slots without a verdict: the run says so, as after a death.
pub(crate) async fn a_live_run_may_end_unclean<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = run(&*store, "a", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    store.commit(&[due(open, slots(0, 4)), analysed(open, 0, Some(result(&["cat"])))]).await.unwrap();
    let end = |state| [Entry::Run { run, state, last_pts: Some(900) }];
    store.commit(&end(RunState::Partial)).await.unwrap();
    assert_eq!(store.check().await.unwrap(), ["ledger 1, window 0: 5 were due, 1 have a verdict"]);
    store.commit(&end(RunState::Unclean)).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let found = store.runs(&RunFilter::default()).await.unwrap().remove(0);
    assert_eq!((found.state, found.last_pts), (RunState::Unclean, Some(900)));
}
