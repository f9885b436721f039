//! Streams and the wall time of their runs.

use ocelli_model::StreamId;
use ocelli_store::{AnchorOrigin, EndState, Fault, RunId, StreamEnd, StreamRecord, WallAnchor};

use crate::backend::{Backend, run, stream, stream_run};

pub(crate) async fn streams_are_kept<B: Backend>(backend: &B) {
    let mut store = backend.open().await;
    assert_eq!(store.streams().await.unwrap(), []);
    let (mut a, b, c) = (stream("cam-a"), stream("B"), stream("cam"));
    for record in [&a, &b, &c] {
        store.put_stream(record).await.unwrap();
    }
    for (state, error, started_ms) in [
        (EndState::Completed, None, Some(30)),
        (EndState::Stopped, None, None),
        (EndState::Error, Some("no such camera".to_owned()), Some(-1)),
    ] {
        a = StreamRecord {
            wanted: false,
            ended: Some(StreamEnd { state, error }),
            started_ms,
            decode_cleared: 3,
            ..a
        };
        store.put_stream(&a).await.unwrap();
        store = backend.open().await;
        assert_eq!(store.streams().await.unwrap(), [b.clone(), c.clone(), a.clone()]);
    }
    assert!(store.remove_stream(&b.id).await.unwrap());
    assert!(!store.remove_stream(&b.id).await.unwrap());
    assert!(!store.remove_stream(&"Cam".parse::<StreamId>().unwrap()).await.unwrap());
    let store = backend.open().await;
    assert_eq!(store.streams().await.unwrap(), [c, a.clone()]);
    assert!(!format!("{a:?}").contains("secret"));
}

pub(crate) async fn bad_streams<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let good = stream("cam");
    store.put_stream(&good).await.unwrap();
    let ended = |error: String| Some(StreamEnd { state: EndState::Error, error: Some(error) });
    for bad in [
        StreamRecord { spec: String::new(), ..good.clone() },
        StreamRecord { spec: "x".repeat((1 << 16) + 1), ..good.clone() },
        StreamRecord { spec: "\0".to_owned(), ..good.clone() },
        StreamRecord { ended: ended("x".repeat(5000)), ..good.clone() },
        StreamRecord { ended: ended("a\0".to_owned()), ..good.clone() },
        StreamRecord { frames: u64::MAX, ..good.clone() },
        StreamRecord { decode: 1 << 63, ..good.clone() },
    ] {
        let error = store.put_stream(&bad).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Caller, "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    assert_eq!(store.streams().await.unwrap(), [good]);
}

pub(crate) async fn ordinals_go_on<B: Backend>(backend: &B) {
    let store = backend.open().await;
    run(&*store, "cam", 7).await;
    assert_eq!(store.next_ordinal("cam").await.unwrap(), 0);
    for ordinal in [0, 1, 5] {
        stream_run(&*store, "cam", ordinal).await;
        assert_eq!(store.next_ordinal("cam").await.unwrap(), ordinal + 1);
    }
    stream_run(&*store, "other", 9).await;
    let store = backend.open().await;
    assert_eq!(store.next_ordinal("cam").await.unwrap(), 6);
    assert_eq!(store.next_ordinal("unknown").await.unwrap(), 0);
    stream_run(&*store, "cam", u32::MAX).await;
    assert_eq!(store.next_ordinal("cam").await.unwrap_err().fault(), Fault::Caller);
}

pub(crate) async fn anchors_are_added<B: Backend>(backend: &B) {
    let store = backend.open().await;
    let (first, second) = (stream_run(&*store, "a", 0).await, stream_run(&*store, "a", 1).await);
    let anchor = |pts, unix_ns, origin| WallAnchor { pts, unix_ns, origin };
    let arrival = anchor(-5, 1_700_000_000_000_000_000, AnchorOrigin::Arrival);
    let report = anchor(90_000, 1_700_000_001_000_000_001, AnchorOrigin::SenderReport);
    // The camera's clock was set back between two reports of the same picture.
    let jumped = anchor(90_000, -1, AnchorOrigin::SenderReport);
    store.anchor(first, &[report, arrival]).await.unwrap();
    store.anchor(first, &[]).await.unwrap();
    store.anchor(first, &[arrival, jumped]).await.unwrap();
    let store = backend.open().await;
    assert_eq!(store.anchors(first).await.unwrap(), [arrival, jumped, report]);
    assert_eq!(store.anchors(second).await.unwrap(), []);
    let error = store.anchor(RunId(99), &[report]).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Caller, "{error}");
}
