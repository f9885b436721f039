use std::{sync::mpsc, thread};

use bytes::Bytes;
use ocelli_media::{AccessUnit, AudioCodec, AudioParameters, AudioUnit, Codec, CodecParameters};
use ocelli_model::TimeBase;
use tokio::runtime::Runtime;

use super::*;
use crate::{Fault, Source as _};

fn hub() -> PublishHub {
    let options = PublishOptions { grace: Duration::from_millis(1), ..PublishOptions::default() };
    PublishHub::new(options)
}

fn admitted(on_second: OnSecond) -> Admitted {
    Admitted { stream: key(), on_second }
}

fn key() -> StreamId {
    "cam1".parse().unwrap()
}

fn base() -> TimeBase {
    TimeBase::new(1, 1000).unwrap()
}

fn picture(pts: i64) -> Item {
    let parameters = CodecParameters::new(Codec::H264, Bytes::new(), base());
    Item::Picture(AccessUnit::new(pts, Bytes::from_static(b"x"), parameters.into()))
}

fn sound(pts: i64, bytes: usize) -> Item {
    let (codec, extradata) = (AudioCodec::Aac, Bytes::new());
    let parameters =
        AudioParameters { codec, extradata, sample_rate: 48_000, channels: 2, time_base: base() };
    Item::Sound(AudioUnit { pts, data: vec![0; bytes].into(), parameters: parameters.into() })
}

fn waiting() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// Publishes, once the stream is there: what has no other sign is asked for again and again.
fn offer(hub: &PublishHub, on_second: OnSecond) -> Publication {
    loop {
        match hub.offer(&admitted(on_second)) {
            Ok(publication) => return publication,
            Err(NotNow::NotRunning) => thread::yield_now(),
            Err(NotNow::Taken) => panic!("taken"),
        }
    }
}

fn push(publication: &Publication, items: impl IntoIterator<Item = Item>) {
    for item in items {
        waiting().block_on(publication.push(item)).unwrap();
    }
}

#[test]
fn a_publish_is_a_source() {
    let hub = hub();
    thread::scope(|scope| {
        scope.spawn(|| {
            let publication = offer(&hub, OnSecond::Refuse);
            push(&publication, [sound(1, 1), picture(5), sound(6, 1), sound(7, 1), picture(8)]);
            publication.damage(|| "first".to_owned());
            publication.damage(|| "second".to_owned());
            push(&publication, [picture(9)]);
            publication.end(Ending::Left);
        });
        let stop = Stop::default();
        let mut source = hub.accept(&key(), &stop, None).unwrap();
        assert_eq!((source.zero(), source.parameters().codec.clone()), (5, Codec::H264));
        let mut next = || {
            let unit = source.next_unit().unwrap()?;
            let sound: Vec<i64> = std::iter::from_fn(|| source.next_audio()).map(|unit| unit.pts).collect();
            Some((unit.pts, sound))
        };
        assert_eq!(next(), Some((5, vec![1])));
        assert_eq!(next(), Some((8, vec![6, 7])));
        assert_eq!(next(), Some((9, vec![])));
        assert_eq!(next(), None);
        assert_eq!(next(), None, "and again");
        assert_eq!(source.damage(), Some("first"));
    });
}

#[test]
fn sound_that_nobody_asks_for_is_bounded() {
    let hub = hub();
    thread::scope(|scope| {
        scope.spawn(|| {
            let publication = offer(&hub, OnSecond::Refuse);
            push(&publication, (0..10).map(|time| sound(time, 1 << 20)));
            push(&publication, [picture(9)]);
        });
        let mut source = hub.accept(&key(), &Stop::default(), None).unwrap();
        let sound: Vec<i64> = std::iter::from_fn(|| source.next_audio()).map(|unit| unit.pts).collect();
        assert_eq!(sound, [6, 7, 8, 9], "the oldest goes first");
        assert!(source.next_unit().unwrap().is_some());
        let broken = source.next_unit().unwrap_err();
        assert!(matches!(broken, SourceError::Publish(PublishError::Ended(Ending::Broken))), "{broken:?}");
        assert_eq!(broken.fault(), Fault::Network);
    });
}

#[test]
fn publishes_without_a_picture_are_passed_over() {
    let hub = hub();
    thread::scope(|scope| {
        scope.spawn(|| {
            let first = offer(&hub, OnSecond::Refuse);
            push(&first, [sound(0, 1)]);
            first.end(Ending::Unexplained);
            drop(offer(&hub, OnSecond::Refuse));
            push(&offer(&hub, OnSecond::Refuse), [picture(7)]);
        });
        let mut source = hub.accept(&key(), &Stop::default(), None).unwrap();
        assert_eq!(source.next_unit().unwrap().map(|unit| unit.pts), Some(7));
    });
}

#[test]
fn a_second_publisher_is_refused_or_takes_over() {
    let hub = hub();
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut runs = Vec::new();
            for _ in 0..2 {
                let mut source = hub.accept(&key(), &Stop::default(), None).unwrap();
                let mut pts = Vec::new();
                let end = loop {
                    match source.next_unit() {
                        Ok(Some(unit)) => pts.push(unit.pts),
                        Ok(None) => break None,
                        Err(SourceError::Publish(PublishError::Ended(ending))) => break Some(ending),
                        Err(error) => panic!("{error:?}"),
                    }
                };
                runs.push((pts, end));
            }
            runs
        });
        let first = offer(&hub, OnSecond::Refuse);
        push(&first, [picture(1)]);
        assert_eq!(hub.offer(&admitted(OnSecond::Refuse)).unwrap_err(), NotNow::Taken);
        // Before the stream has come back to wait, it counts as running.
        let second = hub.offer(&admitted(OnSecond::TakeOver)).unwrap();
        assert_eq!(waiting().block_on(first.over()), Ending::TakenOver);
        push(&second, [picture(100), picture(101)]);
        second.end(Ending::Left);
        let runs = reading.join().unwrap();
        assert_eq!(runs, [(vec![1], Some(Ending::TakenOver)), (vec![100, 101], None)]);
    });
}

#[test]
fn only_streams_that_run_are_published_to() {
    let hub = hub();
    assert_eq!(hub.offer(&admitted(OnSecond::TakeOver)).unwrap_err(), NotNow::NotRunning);
    let (stop, (reads, begun)) = (Stop::default(), mpsc::sync_channel(1));
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut source = hub.accept(&key(), &stop, None).unwrap();
            reads.send(()).unwrap();
            let error = loop {
                match source.next_unit() {
                    Ok(unit) => assert!(unit.is_some()),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, SourceError::Stopped), "{error:?}");
        });
        let publication = offer(&hub, OnSecond::Refuse);
        push(&publication, [picture(1)]);
        begun.recv().unwrap();
        let taken = hub.accept(&key(), &Stop::default(), None).unwrap_err();
        assert!(matches!(taken, SourceError::Publish(PublishError::KeyTaken)), "{taken:?}");
        assert_eq!(taken.fault(), Fault::Caller);
        stop.stop();
        reading.join().unwrap();
        assert_eq!(waiting().block_on(publication.over()), Ending::Unread);
        assert_eq!(hub.offer(&admitted(OnSecond::TakeOver)).unwrap_err(), NotNow::NotRunning);
    });
    // A wait without a publisher ends too, and leaves nothing behind.
    let error = hub.accept(&key(), &stop, None).unwrap_err();
    assert!(matches!(error, SourceError::Stopped), "{error:?}");
    assert!(hub.slots().is_empty());
}

#[test]
fn what_nobody_reads_is_bounded() {
    let hub = hub();
    let claim = hub.claim(&key(), &Stop::default()).unwrap();
    let publications: Vec<_> = (0..6)
        .map(|time| {
            let publication = hub.offer(&admitted(OnSecond::TakeOver)).unwrap();
            push(&publication, [picture(time)]);
            publication
        })
        .collect();
    let waiting = std::iter::from_fn(|| claim.try_take());
    let pts: Vec<i64> = waiting
        .map(|feed| match feed.try_pop() {
            Some(Ok(Item::Picture(unit))) => unit.pts,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pts, [2, 3, 4, 5], "the oldest are lost");
    drop(publications);
}

#[test]
fn who_comes_back_in_time_finds_the_stream_running() {
    let long =
        PublishHub::new(PublishOptions { grace: Duration::from_hours(1), ..PublishOptions::default() });
    let short = hub();
    for (hub, is_running) in [(&long, true), (&short, false)] {
        drop(hub.claim(&key(), &Stop::default()).unwrap());
        let ended = tokio::time::Instant::now() + hub.options().grace;
        while !is_running && tokio::time::Instant::now() < ended {
            thread::yield_now();
        }
        let offered = hub.offer(&admitted(OnSecond::Refuse));
        assert_eq!(offered.is_ok(), is_running);
        let Ok(publication) = offered else { continue };
        push(&publication, [picture(3)]);
        publication.end(Ending::Left);
        let mut source = hub.accept(&key(), &Stop::default(), None).unwrap();
        assert_eq!(source.next_unit().unwrap().map(|unit| unit.pts), Some(3), "nothing is lost");
        assert!(source.next_unit().unwrap().is_none());
    }
}
