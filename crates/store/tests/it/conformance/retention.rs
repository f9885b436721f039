//! What streams brought goes when it is old.

use ocelli_model::{TrackId, Verdict};
use ocelli_store::{
    AnchorOrigin, Blob, BlobKind, Entry, FrameQuery, OpenLedger, Pruned, RunFilter, RunId, RunState, Span,
    WallAnchor,
};

use crate::backend::{Backend, Store, analysed, due, ledger, pts, result, run, slots, stream_run, unseen};

/// Slots of a plan of 1 fps, two of three analysed with two detections of which one is followed.
async fn fill(store: &dyn Store, open: OpenLedger, track: u64, first: i64, last: i64) {
    let mut entries = vec![due(open, slots(first, last))];
    for slot in first..=last {
        if slot % 3 == 2 {
            entries.push(unseen(open, slots(slot, slot), Verdict::Gated));
            continue;
        }
        entries.push(analysed(open, slot, Some(result(&["cat", "dog"]))));
        let tracks = vec![Some(TrackId(track)), None];
        entries.push(Entry::Tracked { derivation: open.derivation.unwrap(), pts: pts(slot), tracks });
    }
    store.commit(&entries).await.unwrap();
}

async fn close(store: &dyn Store, run: RunId, last_pts: Option<i64>) {
    store.commit(&[Entry::Run { run, state: RunState::Whole, last_pts }]).await.unwrap();
}

async fn sound(store: &dyn Store) {
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

async fn runs(store: &dyn Store) -> Vec<RunId> {
    store.runs(&RunFilter::default()).await.unwrap().iter().map(|run| run.id).collect()
}

pub(crate) async fn closed_runs_go<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let mut made = Vec::new();
    for ordinal in 0..3 {
        let run = stream_run(&*store, "cam", ordinal).await;
        fill(&*store, ledger(&*store, run, "m", "1").await, 1, 0, 24).await;
        let blob = Blob { kind: BlobKind::Media, location: "/a".to_owned(), bytes: 1, seen_ms: 1 };
        let anchor = WallAnchor { pts: 100, unix_ns: 0, origin: AnchorOrigin::Arrival };
        store.commit(&[Entry::Blob { run, blob }]).await.unwrap();
        store.anchor(run, &[anchor]).await.unwrap();
        made.push(run);
    }
    // Of a file, and without anything in it.
    let file = run(&*store, "cam", 0).await;
    fill(&*store, ledger(&*store, file, "m", "1").await, 1, 0, 24).await;
    let empty = stream_run(&*store, "cam", 3).await;
    for run in [file, empty, made[1]] {
        close(&*store, run, None).await;
    }
    // Says when it ended: 24 s after it began.
    close(&*store, made[0], Some(24_100)).await;
    assert_eq!(store.prune(0).await.unwrap(), Pruned::default());
    let pruned = store.prune(24_001).await.unwrap();
    assert_eq!((pruned.runs, pruned.tracks, pruned.anchors), (2, 1, 1), "{pruned:?}");
    assert_eq!(runs(&*store).await, [made[1], made[2], file]);
    // One without such a word ends with its last window; the open one stays.
    store.prune(30_001).await.unwrap();
    assert_eq!(runs(&*store).await, [made[2], file]);
    sound(&*store).await;
    let store = backend.open().await;
    sound(&*store).await;
    // The last one ended unclean when its process did.
    let pruned = store.prune(i64::MAX).await.unwrap();
    assert_eq!(pruned.runs, 1);
    assert_eq!(runs(&*store).await, [file]);
    assert_eq!(store.anchors(made[2]).await.unwrap(), []);
    // Neither ordinals nor keys are given again.
    assert_eq!(store.next_ordinal("cam").await.unwrap(), 4);
    assert!(stream_run(&*store, "cam", 4).await > empty.max(file));
    sound(&*store).await;
}

pub(crate) async fn open_runs_keep_whole_windows<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = stream_run(&*store, "cam", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    fill(&*store, open, 1, 0, 34).await;
    let anchors = [0, 4000, 19_000, 21_000, 34_000].map(|pts| WallAnchor {
        pts,
        unix_ns: pts,
        origin: AnchorOrigin::SenderReport,
    });
    store.anchor(run, &anchors).await.unwrap();
    let check = async |before_ms: i64, first: i64, anchors_left: usize| {
        store.prune(before_ms).await.unwrap();
        let record = &store.ledgers(Some(run)).await.unwrap()[0];
        let left = 35 - first;
        assert_eq!((record.due, record.tally.due()), (left as u64, left as u64), "before {before_ms}");
        let settled = store.settled(open).await.unwrap();
        let seen: Vec<_> = (first..35).filter(|slot| slot % 3 != 2).map(pts).collect();
        assert_eq!((settled.due, settled.results), (vec![slots(first, 34)], seen), "before {before_ms}");
        assert_eq!(record.kept_pts, (first > 0).then_some(pts(first) - 500));
        assert_eq!(store.anchors(run).await.unwrap(), anchors[5 - anchors_left..], "before {before_ms}");
        sound(&*store).await;
    };
    for (before_ms, first, anchors_left) in [
        (-1, 0, 5),
        (9_999, 0, 5),
        (10_000, 10, 4),
        (29_999, 20, 3),
        // Less is asked for: what went stays away.
        (10_000, 20, 3),
        (30_000, 30, 2),
    ] {
        check(before_ms, first, anchors_left).await;
    }
    // A clock that is far ahead takes what is there, not what comes.
    store.prune(i64::MAX).await.unwrap();
    fill(&*store, open, 2, 35, 44).await;
    assert_eq!(store.settled(open).await.unwrap().due, [slots(40, 44)]);
    sound(&*store).await;
}

pub(crate) async fn what_went_stays_away<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = stream_run(&*store, "cam", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    store.commit(&[due(open, slots(0, 25))]).await.unwrap();
    store.prune(20_000).await.unwrap();
    // In hand all the while: their verdicts come late.
    let tracked = |slot| Entry::Tracked {
        derivation: open.derivation.unwrap(),
        pts: pts(slot),
        tracks: vec![Some(TrackId(1))],
    };
    let late = vec![
        due(open, slots(3, 4)),
        analysed(open, 4, Some(result(&["cat"]))),
        tracked(4),
        unseen(open, slots(5, 21), Verdict::Dropped),
        analysed(open, 22, Some(result(&["cat"]))),
        tracked(22),
    ];
    store.commit(&late).await.unwrap();
    let store = backend.open().await;
    store.commit(&late).await.unwrap();
    let settled = store.settled(open).await.unwrap();
    assert_eq!(settled.due, [slots(20, 25)]);
    assert_eq!(settled.gaps, [(slots(20, 21), Verdict::Dropped)]);
    assert_eq!(settled.results, [pts(22)]);
    assert_eq!(store.tracks(open.derivation.unwrap()).await.unwrap()[0].detections, 1);
    sound(&*store).await;
}

pub(crate) async fn tracks_that_go_on_keep_their_beginning<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = stream_run(&*store, "cam", 0).await;
    let open = ledger(&*store, run, "m", "1").await;
    for (track, first, last) in [(1, 0, 7), (2, 8, 13), (3, 14, 22)] {
        fill(&*store, open, track, first, last).await;
    }
    let tracks = async || {
        let tracks = store.tracks(open.derivation.unwrap()).await.unwrap();
        tracks
            .iter()
            .map(|track| (track.track.0, track.first_pts, track.last_pts, track.detections))
            .collect::<Vec<_>>()
    };
    let before = tracks().await;
    assert_eq!(store.prune(10_000).await.unwrap().tracks, 1);
    assert_eq!(tracks().await, before[1..]);
    sound(&*store).await;
    assert_eq!(store.prune(20_000).await.unwrap().tracks, 1);
    fill(&*store, open, 3, 23, 25).await;
    assert_eq!(tracks().await, [(3, pts(15), pts(25), 8)]);
    sound(&*store).await;
    // Followed anew from what is left.
    let derivation = open.derivation.unwrap();
    let again = |slot| Entry::Tracked { derivation, pts: pts(slot), tracks: vec![None, Some(TrackId(1))] };
    store.commit(&[Entry::Untracked { derivation }, again(18), again(21), again(22)]).await.unwrap();
    assert_eq!(tracks().await, [(1, pts(21), pts(22), 2)]);
    sound(&*store).await;
}

pub(crate) async fn plans_keep_what_others_share<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = stream_run(&*store, "cam", 0).await;
    let one = ledger(&*store, run, "m", "1").await;
    let all = ledger(&*store, run, "m", "all").await;
    let picture = |at| {
        let seen = Entry::Analysed {
            ledger: all.ledger,
            span: Span::one(at),
            pts: at,
            result: Some(result(&["cat"])),
        };
        [due(all, Span::one(at)), seen]
    };
    // From 9.0 to 10.9 s: the slots of 1 fps change window at 9.5 s, pictures at 10 s.
    for at in (9100..11_000).step_by(100) {
        store.commit(&picture(at)).await.unwrap();
    }
    let mut entries = vec![due(one, slots(9, 11))];
    for (slot, at) in [(9, 9500), (10, 9700), (11, 10_800)] {
        entries.push(Entry::Analysed { ledger: one.ledger, span: slots(slot, slot), pts: at, result: None });
    }
    store.commit(&entries).await.unwrap();
    sound(&*store).await;
    store.prune(10_000).await.unwrap();
    sound(&*store).await;
    let query = FrameQuery {
        series: one.series,
        ledger: Some(one.ledger),
        derivation: None,
        from: i64::MIN,
        to: i64::MAX,
        limit: 100,
        newest_first: false,
    };
    let of = async |query: FrameQuery| {
        let rows = store.frames(&query).await.unwrap().rows;
        rows.iter().map(|frame| frame.pts).collect::<Vec<_>>()
    };
    assert_eq!(of(query).await, [9700, 10_800], "shared by the slots that stay");
    assert_eq!(store.ledgers(Some(run)).await.unwrap()[1].due, 9, "pictures from 10.0 s on");
    store.prune(20_000).await.unwrap();
    assert_eq!(of(FrameQuery { ledger: None, ..query }).await, Vec::<i64>::new());
    sound(&*store).await;
}

/// More of everything than one transaction removes.
pub(crate) async fn many_small_steps<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let run = stream_run(&*store, "cam", 0).await;
    let open = ledger(&*store, run, "m", "all").await;
    let big = result(&vec!["cat"; 1500]);
    let small = result(&["cat", "dog"]);
    let derivation = open.derivation.unwrap();
    for batch in 0..6 {
        let mut entries = Vec::new();
        for at in batch * 500..(batch + 1) * 500 {
            let (pts, result) = (100 + at * 5, if at % 200 == 0 { &big } else { &small });
            let mut tracks = vec![None; result.detections.len()];
            tracks[1] = Some(TrackId(at as u64 + 1));
            entries.push(due(open, Span::one(pts)));
            entries.push(Entry::Analysed {
                ledger: open.ledger,
                span: Span::one(pts),
                pts,
                result: Some(result.clone()),
            });
            entries.push(Entry::Tracked { derivation, pts, tracks });
        }
        store.commit(&entries).await.unwrap();
    }
    let anchors: Vec<_> =
        (0..2500).map(|at| WallAnchor { pts: at * 6, unix_ns: 0, origin: AnchorOrigin::Arrival }).collect();
    store.anchor(run, &anchors).await.unwrap();
    let pruned = store.prune(10_000).await.unwrap();
    let expected = Pruned {
        runs: 0,
        frames: 2000,
        detections: 10 * 1500 + 1990 * 2,
        tracks: 2000,
        lines: 4000,
        anchors: 1683,
    };
    assert_eq!(pruned, expected);
    assert_eq!(store.ledgers(Some(run)).await.unwrap()[0].tally.analysed, 1000);
    sound(&*store).await;
    for ordinal in 1..300 {
        stream_run(&*store, "cam", ordinal).await;
    }
    let store = backend.open().await;
    let pruned = store.prune(100_000).await.unwrap();
    assert_eq!((pruned.runs, pruned.frames, pruned.lines), (300, 1000, 2000));
    assert_eq!(runs(&*store).await, []);
    sound(&*store).await;
}
