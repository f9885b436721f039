//! Where published media waits for the stream that reads it.

mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ocelli_model::StreamId;
use tokio::{runtime::Handle, sync::Notify, time::Instant};

pub use self::source::PublishSource;
use super::{
    Admitted, Ending, OnSecond, PublishError,
    feed::{Feed, FeedLimits, Item},
};
use crate::{SourceError, Stop, pull::Driver};

/// Publishes to one stream that may wait to be read, each in turn ended by the next.
const MOST_WAITING: usize = 4;

/// How patient the hub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishOptions {
    /// Between a connection and its stream.
    pub feed: FeedLimits,
    /// Longest time without progress of media time.
    pub stall_timeout: Duration,
    /// How long a stream whose publisher left counts as running while it prepares for the next one.
    pub grace: Duration,
}

impl Default for PublishOptions {
    /// 10 s without a picture, 10 s to come back.
    fn default() -> Self {
        let patience = Duration::from_secs(10);
        Self { feed: FeedLimits::default(), stall_timeout: patience, grace: patience }
    }
}

/// Where publishers and streams meet. Clones are one hub.
#[derive(Clone, Debug, Default)]
pub struct PublishHub(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    options: PublishOptions,
    slots: Mutex<HashMap<StreamId, Slot>>,
}

/// A stream that reads what is published to its key.
#[derive(Debug)]
struct Slot {
    reading: Reading,
    /// The newest publish.
    newest: Option<Arc<Feed>>,
    /// Those that nobody reads so far, oldest first.
    waiting: VecDeque<Arc<Feed>>,
    arrived: Arc<Notify>,
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    /// Waits, or reads.
    Now,
    /// Will wait again, as long as that is.
    Until(Instant),
}

/// Why an admitted publish is refused. Its words go to the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotNow {
    #[error("the stream is not running; start it, then publish again")]
    NotRunning,
    #[error("somebody publishes to this stream already; stop that publisher first")]
    Taken,
}

impl PublishHub {
    /// Nobody publishes, nobody reads.
    pub fn new(options: PublishOptions) -> Self {
        Self(Arc::new(Shared { options, slots: Mutex::default() }))
    }

    /// As it was made.
    pub fn options(&self) -> &PublishOptions {
        &self.0.options
    }

    /// Waits until somebody publishes to `key`, and until the first picture. Publishes that bring none are passed over: their end is
    /// in the log. Blocking; `stop` ends the wait, and waits of the source. `runtime` drives timers; one of the source's own does if
    /// `None`.
    pub fn accept(
        &self,
        key: &StreamId,
        stop: &Stop,
        runtime: Option<&Handle>,
    ) -> Result<PublishSource, SourceError> {
        let driver = Driver::new(runtime).map_err(PublishError::Runtime)?;
        let claim = self.claim(key, stop)?;
        loop {
            let taking = async { Ok::<_, PublishError>(claim.take().await) };
            let feed = driver.wait(stop.unless(taking))?;
            let reader = source::Reader { feed, driver: &driver, stop };
            match reader.first() {
                Ok(first) => {
                    let feed = Arc::clone(&reader.feed);
                    return Ok(PublishSource::new(feed, first, claim, driver));
                }
                Err(SourceError::Publish(PublishError::Ended(_))) => {}
                Err(error) => {
                    reader.feed.forsake();
                    return Err(error);
                }
            }
        }
    }

    /// Whether a stream reads, or waits for, what is published to this key.
    pub fn is_read(&self, key: &StreamId) -> bool {
        self.slots().get(key).is_some_and(|slot| slot.reading == Reading::Now)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<StreamId, Slot>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self, key: &StreamId, stop: &Stop) -> Result<Claim, PublishError> {
        let mut slots = self.slots();
        let slot = slots.entry(key.clone()).or_insert_with(|| Slot {
            reading: Reading::Until(Instant::now()),
            newest: None,
            waiting: VecDeque::new(),
            arrived: Arc::default(),
        });
        if slot.reading == Reading::Now {
            return Err(PublishError::KeyTaken);
        }
        slot.reading = Reading::Now;
        let arrived = Arc::clone(&slot.arrived);
        Ok(Claim { hub: self.clone(), key: key.clone(), stop: stop.clone(), arrived })
    }

    /// A publisher is there.
    pub(super) fn offer(&self, admitted: &Admitted) -> Result<Publication, NotNow> {
        let now = Instant::now();
        let mut slots = self.slots();
        slots.retain(|_, slot| match slot.reading {
            Reading::Now => true,
            Reading::Until(end) => now < end,
        });
        let slot = slots.get_mut(&admitted.stream).ok_or(NotNow::NotRunning)?;
        if let Some(first) = slot.newest.as_ref().filter(|feed| feed.ending().is_none()) {
            match admitted.on_second {
                OnSecond::Refuse => return Err(NotNow::Taken),
                OnSecond::TakeOver => first.end(Ending::TakenOver),
            }
        }
        let feed = Feed::new(self.0.options.feed);
        slot.newest = Some(Arc::clone(&feed));
        slot.waiting.push_back(Arc::clone(&feed));
        if slot.waiting.len() > MOST_WAITING
            && let Some(oldest) = slot.waiting.pop_front()
        {
            tracing::warn!(stream = %admitted.stream, "what was published is lost: nobody read it in time");
            oldest.forsake();
        }
        slot.arrived.notify_one();
        Ok(Publication { feed })
    }
}

/// A stream's right to what is published to its key, until it is dropped.
#[derive(Debug)]
struct Claim {
    hub: PublishHub,
    key: StreamId,
    stop: Stop,
    arrived: Arc<Notify>,
}

impl Claim {
    /// Waits for the next publish.
    async fn take(&self) -> Arc<Feed> {
        loop {
            if let Some(feed) = self.try_take() {
                return feed;
            }
            self.arrived.notified().await;
        }
    }

    fn try_take(&self) -> Option<Arc<Feed>> {
        let mut slots = self.hub.slots();
        slots.get_mut(&self.key)?.waiting.pop_front()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut slots = self.hub.slots();
        if self.stop.is_asked() {
            let waiting = slots.remove(&self.key).map(|slot| slot.waiting);
            drop(slots);
            for feed in waiting.into_iter().flatten() {
                feed.forsake();
            }
        } else if let Some(slot) = slots.get_mut(&self.key) {
            slot.reading = Reading::Until(Instant::now() + self.hub.options().grace);
        }
    }
}

/// A publish on its way, as its connection holds it. Dropped without an end, it is broken.
#[derive(Debug)]
pub(super) struct Publication {
    feed: Arc<Feed>,
}

impl Publication {
    pub(super) async fn push(&self, item: Item) -> Result<bool, Ending> {
        self.feed.push(item).await
    }

    pub(super) fn damage(&self, words: impl FnOnce() -> String) {
        self.feed.damage(words);
    }

    pub(super) fn end(&self, ending: Ending) {
        self.feed.end(ending);
    }

    pub(super) async fn over(&self) -> Ending {
        self.feed.over().await
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.feed.end(Ending::Broken);
    }
}
