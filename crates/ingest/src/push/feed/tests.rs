use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use ocelli_media::{Codec, CodecParameters};
use ocelli_model::TimeBase;
use tokio::task::yield_now;

use super::*;

fn limits() -> FeedLimits {
    FeedLimits { bytes: 1000, time: Duration::from_secs(1), patience: Duration::from_secs(5) }
}

fn picture(time: i64, bytes: usize) -> Item {
    let parameters = CodecParameters::new(Codec::H264, Bytes::new(), TimeBase::new(1, 1000).unwrap());
    Item::Picture(AccessUnit::new(time, vec![0; bytes].into(), parameters.into()))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

#[test]
fn bytes_and_media_time_are_bounded() {
    run(async {
        for (first, second) in [(picture(0, 600), picture(40, 401)), (picture(0, 1), picture(1001, 1))] {
            let feed = Feed::new(limits());
            assert_eq!(feed.push(first).await, Ok(false));
            let writing = tokio::spawn({
                let (feed, second) = (Arc::clone(&feed), second.clone());
                async move { feed.push(second).await }
            });
            yield_now().await;
            assert!(!writing.is_finished(), "there is no room");
            feed.pop().await.unwrap();
            assert_eq!(writing.await.unwrap(), Ok(true), "it had to wait");
        }
        let feed = Feed::new(limits());
        assert_eq!(feed.push(picture(0, 5000)).await, Ok(false), "whatever it is, alone it goes through");
        assert!(feed.try_push(picture(0, 1)).unwrap().is_some());
        feed.pop().await.unwrap();
        // Times that go back do not fill it, nor do the largest there are.
        for time in [5000, 0, i64::MIN] {
            assert_eq!(feed.push(picture(time, 1)).await, Ok(false), "{time}");
        }
        assert!(feed.try_push(picture(i64::MAX, 1)).unwrap().is_some());
    });
}

#[test]
fn patience_ends() {
    run(async {
        let patience = Duration::from_millis(10);
        let feed = Feed::new(FeedLimits { patience, ..limits() });
        feed.push(picture(0, 1000)).await.unwrap();
        let behind = feed.push(picture(0, 1)).await.unwrap_err();
        assert_eq!(behind, Ending::Behind(patience));
    });
}

#[test]
fn either_side_ends_it_and_what_waits_is_still_taken() {
    run(async {
        let feed = Feed::new(limits());
        feed.push(picture(7, 1000)).await.unwrap();
        let writing = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { (feed.push(picture(8, 1)).await, feed.over().await) }
        });
        yield_now().await;
        feed.end(Ending::TakenOver);
        feed.end(Ending::Left);
        let (pushed, over) = writing.await.unwrap();
        assert_eq!((pushed, over), (Err(Ending::TakenOver), Ending::TakenOver));
        assert!(matches!(feed.pop().await, Ok(Item::Picture(unit)) if unit.pts == 7));
        assert_eq!(feed.pop().await.unwrap_err(), Ending::TakenOver);
        let feed = Feed::new(limits());
        feed.push(picture(7, 1000)).await.unwrap();
        feed.forsake();
        assert_eq!(feed.pop().await.unwrap_err(), Ending::Unread);
        assert_eq!(feed.push(picture(8, 1)).await, Err(Ending::Unread));
    });
}

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    fn of(self: &Arc<Self>, feed: &Feed, item: Item) -> usize {
        let waker = Waker::from(Arc::clone(self));
        let mut pop = pin!(feed.pop());
        assert!(pop.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let before = self.0.load(Ordering::Relaxed);
        assert!(feed.try_push(item).unwrap().is_none());
        let wakes = self.0.load(Ordering::Relaxed) - before;
        // Taken all the same.
        assert!(feed.try_pop().is_some());
        wakes
    }
}

#[test]
fn a_reader_that_rests_is_woken_by_what_it_waits_for() {
    let (feed, wakes) = (Feed::new(limits()), Arc::new(Wakes::default()));
    let keyframe = |time| {
        let Item::Picture(unit) = picture(time, 1) else { unreachable!() };
        Item::Picture(AccessUnit { container_keyframe: true, ..unit })
    };
    assert_eq!(wakes.of(&feed, picture(0, 1)), 1, "it does not rest");
    feed.rest(200);
    assert_eq!(wakes.of(&feed, picture(40, 1)), 0);
    assert_eq!(wakes.of(&feed, picture(199, 1)), 0);
    assert_eq!(wakes.of(&feed, picture(200, 1)), 1, "it is there");
    feed.rest(400);
    assert_eq!(wakes.of(&feed, keyframe(240)), 1, "decoding can start with it");
    assert_eq!(wakes.of(&feed, picture(280, 1)), 0);
    assert_eq!(wakes.of(&feed, picture(80, 1)), 1, "times step back");
    assert_eq!(wakes.of(&feed, picture(120, 1)), 0);
}

#[test]
fn a_reader_that_rests_is_woken_where_there_is_no_room_and_at_the_end() {
    let (feed, wakes) = (Feed::new(limits()), Arc::new(Wakes::default()));
    feed.rest(i64::MAX);
    let waker = Waker::from(Arc::clone(&wakes));
    let mut pop = pin!(feed.pop());
    assert!(pop.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(feed.try_push(picture(0, 600)).unwrap().is_none());
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert!(feed.try_push(picture(40, 600)).unwrap().is_some(), "there is no room");
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(pop.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    let mut pop = pin!(feed.pop());
    assert!(pop.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    feed.end(Ending::Left);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
}
