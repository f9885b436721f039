//! Segments of recordings.

use std::ops::Range;

use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{Fault, RecordingGap, RecordingUse, SegmentClass, SegmentQuery, SegmentRecord};

use crate::backend::{Backend, Store};

fn id(name: &str) -> StreamId {
    name.parse().unwrap()
}

/// Two seconds from `number` times two on, in a new run every ten.
fn segment(stream: &str, number: u64) -> SegmentRecord {
    let run = (number / 10) as u32;
    let begin = number as i64 * 2000;
    SegmentRecord {
        stream: id(stream),
        number,
        run,
        time_base: TimeBase::new(1001, 90_000).unwrap(),
        first_pts: begin - 10_000,
        end_pts: begin - 8000,
        keyframe: !number.is_multiple_of(3),
        began_ms: begin,
        ended_ms: begin + 1960,
        init: "0123456789abcdef".to_owned(),
        init_bytes: 700,
        bytes: 1000 + number,
        location: format!("{stream}/{run}/{number}.mp4"),
        class: SegmentClass::Other,
    }
}

async fn put(store: &dyn Store, stream: &str, numbers: Range<u64>) -> Vec<SegmentRecord> {
    let segments: Vec<_> = numbers.map(|number| segment(stream, number)).collect();
    for segment in &segments {
        store.put_segment(segment).await.unwrap();
    }
    segments
}

fn of(stream: &str) -> SegmentQuery {
    SegmentQuery { stream: Some(id(stream)), limit: 1000, ..SegmentQuery::default() }
}

async fn numbers(store: &dyn Store, query: SegmentQuery) -> Vec<u64> {
    store.segments(&query).await.unwrap().iter().map(|segment| segment.number).collect()
}

pub(crate) async fn segments_are_kept<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let (b, a) = (put(&*store, "b", 0..3).await, put(&*store, "a", 5..7).await);
    // The same again, also after it was classified, and out of order.
    store.classify(&id("b"), 1..2, SegmentClass::Event, false).await.unwrap();
    store.put_segment(&b[1]).await.unwrap();
    let late = put(&*store, "a", 2..3).await;
    let other = SegmentRecord { end_pts: b[0].end_pts + 1, ..b[0].clone() };
    assert_eq!(store.put_segment(&other).await.unwrap_err().fault(), Fault::Caller);
    let store = backend.open().await;
    let mut expected: Vec<_> = late.into_iter().chain(a).chain(b).collect();
    expected[4].class = SegmentClass::Event;
    let everything = SegmentQuery { limit: 100, ..SegmentQuery::default() };
    assert_eq!(store.segments(&everything).await.unwrap(), expected);
    assert_eq!(store.segments(&SegmentQuery { limit: 2, ..everything }).await.unwrap(), expected[..2]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn segments_are_found<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let mut all = put(&*store, "cam", 0..40).await;
    put(&*store, "cam2", 0..40).await;
    // Longer than the others, and with pictures that are shown before some of the segment before it.
    let long = SegmentRecord {
        first_pts: all[39].first_pts + 1500,
        end_pts: all[39].end_pts + 9000,
        began_ms: all[39].began_ms + 1999,
        ended_ms: all[39].ended_ms + 60_000,
        number: 40,
        ..all[39].clone()
    };
    store.put_segment(&long).await.unwrap();
    all.push(long);
    let store = backend.open().await;
    let check = async |query: SegmentQuery, wanted: &dyn Fn(&SegmentRecord) -> bool| {
        let expected: Vec<u64> = all.iter().filter(|s| wanted(s)).map(|s| s.number).collect();
        assert_eq!(numbers(&*store, query.clone()).await, expected, "{query:?}");
        let newest = SegmentQuery { newest_first: true, limit: 3, ..query };
        let expected: Vec<u64> = expected.into_iter().rev().take(3).collect();
        assert_eq!(numbers(&*store, newest.clone()).await, expected, "{newest:?}");
    };
    check(of("cam"), &|_| true).await;
    check(SegmentQuery { run: Some(2), ..of("cam") }, &|s| s.run == 2).await;
    check(SegmentQuery { numbers: Some(7..12), ..of("cam") }, &|s| (7..12).contains(&s.number)).await;
    check(SegmentQuery { numbers: Some(38..u64::MAX), ..of("cam") }, &|s| s.number >= 38).await;
    check(of("nobody"), &|_| false).await;
    let edges = [i64::MIN, -10_001, -10_000, -9999, -8000, 10_000, 12_000, 69_999, 79_000, 100_000, i64::MAX];
    for (at, start) in edges.iter().enumerate() {
        for end in &edges[at..] {
            let range = *start..*end;
            for run in [0, 1, 3] {
                let query = SegmentQuery { run: Some(run), pts: Some(range.clone()), ..of("cam") };
                let overlaps = |s: &SegmentRecord| s.first_pts < range.end && s.end_pts > range.start;
                check(query, &|s| s.run == run && overlaps(s)).await;
            }
            let query = SegmentQuery { wall_ms: Some(range.clone()), ..of("cam") };
            let came = |s: &SegmentRecord| s.began_ms < range.end && s.ended_ms >= range.start;
            check(query.clone(), &came).await;
            let query = SegmentQuery { numbers: Some(3..39), run: Some(3), ..query };
            check(query, &|s| came(s) && s.run == 3 && s.number < 39).await;
        }
    }
}

pub(crate) async fn numbers_are_never_given_twice<B: Backend>(backend: &B) {
    let store = backend.open().await;
    assert_eq!(store.next_segment(&id("cam")).await.unwrap(), 0);
    put(&*store, "cam", 0..3).await;
    put(&*store, "other", 8..9).await;
    assert_eq!(store.next_segment(&id("cam")).await.unwrap(), 3);
    assert_eq!(store.next_segment(&id("other")).await.unwrap(), 9);
    store.remove_segments(&id("cam"), &[2, 0, 1, 77, u64::MAX]).await.unwrap();
    store.remove_segments(&id("nobody"), &[2]).await.unwrap();
    let store = backend.open().await;
    assert!(numbers(&*store, of("cam")).await.is_empty());
    assert_eq!(numbers(&*store, of("other")).await, [8]);
    assert_eq!(store.next_segment(&id("cam")).await.unwrap(), 3);
    assert_eq!(store.next_segment(&id("nobody")).await.unwrap(), 0);
}

pub(crate) async fn what_is_pinned_stays_so<B: Backend>(backend: &B) {
    use SegmentClass::{Event, Other, Pinned};
    let store = backend.open().await;
    put(&*store, "cam", 0..6).await;
    put(&*store, "cam2", 0..6).await;
    let cam = id("cam");
    let check = async |numbers: Range<u64>, class, unpin, found: u64, expected: [SegmentClass; 6]| {
        assert_eq!(store.classify(&cam, numbers.clone(), class, unpin).await.unwrap(), found);
        let classes = store.segments(&of("cam")).await.unwrap().into_iter().map(|s| s.class);
        assert_eq!(classes.collect::<Vec<_>>(), expected, "{numbers:?} {class:?} {unpin}");
    };
    check(2..4, Pinned, false, 2, [Other, Other, Pinned, Pinned, Other, Other]).await;
    check(3..u64::MAX, Event, false, 3, [Other, Other, Pinned, Pinned, Event, Event]).await;
    check(0..6, Other, false, 6, [Other, Other, Pinned, Pinned, Other, Other]).await;
    check(3..5, Event, true, 2, [Other, Other, Pinned, Event, Event, Other]).await;
    check(2..4, Other, true, 2, [Other, Other, Other, Event, Event, Other]).await;
    // What was seen before it was pinned, or meanwhile, is not forgotten.
    check(4..6, Pinned, false, 2, [Other, Other, Other, Event, Pinned, Pinned]).await;
    check(0..6, Other, false, 6, [Other, Other, Other, Other, Pinned, Pinned]).await;
    check(5..6, Event, false, 1, [Other, Other, Other, Other, Pinned, Pinned]).await;
    check(4..6, Pinned, true, 2, [Other, Other, Other, Other, Pinned, Pinned]).await;
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    check(3..6, Other, true, 3, [Other, Other, Other, Other, Event, Event]).await;
    check(2..3, Pinned, false, 1, [Other, Other, Pinned, Other, Event, Event]).await;
    check(5..6, Other, false, 1, [Other, Other, Pinned, Other, Event, Other]).await;
    check(3..4, Event, true, 1, [Other, Other, Pinned, Event, Event, Other]).await;
    check(90..99, Pinned, false, 0, [Other, Other, Pinned, Event, Event, Other]).await;
    assert_eq!(store.classify(&id("nobody"), 0..9, Pinned, true).await.unwrap(), 0);
    assert!(store.segments(&of("cam2")).await.unwrap().iter().all(|s| s.class == Other));
}

pub(crate) async fn what_recordings_take<B: Backend>(backend: &B) {
    let store = backend.open().await;
    assert_eq!(store.recordings().await.unwrap(), []);
    put(&*store, "b", 0..40).await;
    put(&*store, "a", 7..8).await;
    store.remove_segments(&id("b"), &[0, 1, 39]).await.unwrap();
    let store = backend.open().await;
    let used = |stream, segments, bytes, oldest_ms, newest_ms| RecordingUse {
        stream: id(stream),
        segments,
        bytes,
        oldest_ms,
        newest_ms,
    };
    let bytes = (2..39).map(|number| 1000 + number).sum();
    assert_eq!(
        store.recordings().await.unwrap(),
        [used("a", 1, 1007, 14_000, 15_960), used("b", 37, bytes, 4000, 77_960)]
    );
    store.remove_segments(&id("a"), &[7]).await.unwrap();
    assert_eq!(store.recordings().await.unwrap().len(), 1);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn gaps_are_told<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let gap = |run, first_pts, end_pts, began_ms| RecordingGap {
        stream: id("cam"),
        run,
        first_pts,
        end_pts,
        began_ms,
        reason: "the disk was too slow".to_owned(),
    };
    // The clock was set back before the last.
    let (first, second, open) =
        (gap(0, -7000, None, 3000), gap(0, -1000, Some(-900), 9000), gap(2, 0, None, 50));
    for told in [&open, &second, &first] {
        store.put_gap(told).await.unwrap();
    }
    let ended = RecordingGap { end_pts: Some(-6900), ..first };
    store.put_gap(&RecordingGap { reason: "later".to_owned(), began_ms: 1, ..ended.clone() }).await.unwrap();
    // That it lasts was known before its end was.
    store.put_gap(&RecordingGap { end_pts: None, ..second.clone() }).await.unwrap();
    let store = backend.open().await;
    assert_eq!(store.gaps(&id("cam")).await.unwrap(), [ended, second, open.clone()]);
    assert_eq!(store.gaps(&id("other")).await.unwrap(), []);
    assert_eq!(store.next_segment(&id("cam")).await.unwrap(), 0);
    // They go with what lies around them.
    put(&*store, "cam", 0..9).await;
    store.remove_segments(&id("cam"), &[0, 1, 2, 3, 4]).await.unwrap();
    assert_eq!(store.gaps(&id("cam")).await.unwrap(), std::slice::from_ref(&open));
    store.remove_segments(&id("cam"), &[5, 6, 7, 8]).await.unwrap();
    assert_eq!(store.gaps(&id("cam")).await.unwrap(), [open]);
    put(&*store, "cam", 30..31).await;
    store.remove_segments(&id("cam"), &[30]).await.unwrap();
    assert_eq!(store.gaps(&id("cam")).await.unwrap(), []);
}

pub(crate) async fn bad_segments<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let good = segment("cam", 4);
    let refused = |error: ocelli_store::StoreError| assert_eq!(error.fault(), Fault::Caller, "{error}");
    for bad in [
        SegmentRecord { number: i64::MAX as u64, ..good.clone() },
        SegmentRecord { bytes: u64::MAX, ..good.clone() },
        SegmentRecord { init_bytes: 2000, ..good.clone() },
        SegmentRecord { end_pts: good.first_pts - 1, ..good.clone() },
        SegmentRecord { first_pts: i64::MIN, end_pts: i64::MAX, ..good.clone() },
        SegmentRecord { ended_ms: good.began_ms - 1, ..good.clone() },
        SegmentRecord { location: String::new(), ..good.clone() },
        SegmentRecord { location: "x".repeat(5000), ..good.clone() },
        SegmentRecord { init: "\0".to_owned(), ..good.clone() },
    ] {
        refused(store.put_segment(&bad).await.unwrap_err());
    }
    for limit in [0, 100_001] {
        refused(store.segments(&SegmentQuery { limit, ..of("cam") }).await.unwrap_err());
    }
    refused(store.segments(&SegmentQuery { pts: Some(0..9), ..of("cam") }).await.unwrap_err());
    let gap = RecordingGap {
        stream: id("cam"),
        run: 0,
        first_pts: 5,
        end_pts: Some(4),
        began_ms: 0,
        reason: String::new(),
    };
    refused(store.put_gap(&gap).await.unwrap_err());
    refused(
        store.put_gap(&RecordingGap { reason: "x".repeat(5000), end_pts: None, ..gap }).await.unwrap_err(),
    );
    assert_eq!(store.segments(&of("cam")).await.unwrap(), []);
    // A run of its own time base may be any.
    store.put_segment(&SegmentRecord { number: i64::MAX as u64 - 1, run: u32::MAX, ..good }).await.unwrap();
    assert_eq!(store.next_segment(&id("cam")).await.unwrap(), i64::MAX as u64);
}
