//! What a publisher sends, as a source.

use std::{collections::VecDeque, fmt, sync::Arc};

use ocelli_media::{AccessUnit, AudioUnit, CodecParameters};

use super::{
    super::{
        Ending, PublishError,
        feed::{Feed, Item},
    },
    Claim,
};
use crate::{Source, SourceError, Stop, pull::Driver};

/// Sound that may wait for whoever asks, in bytes and in blocks.
const MOST_SOUND: (usize, usize) = (4 << 20, 4096);

/// One publish. Times are those that the publisher sent, in milliseconds. Ends where the publisher says so; another end is an
/// error. What came before either is given first.
///
/// Blocking. Its drop tells the publisher.
pub struct PublishSource {
    feed: Arc<Feed>,
    parameters: Arc<CodecParameters>,
    first: Option<AccessUnit>,
    first_pts: i64,
    /// Decode time of the last unit.
    last: Option<i64>,
    sound: Sound,
    damage: Option<String>,
    claim: Claim,
    /// Last: the others need it when they go.
    driver: Driver,
}

/// Takes from a feed, blocking.
pub(super) struct Reader<'a> {
    pub(super) feed: Arc<Feed>,
    pub(super) driver: &'a Driver,
    pub(super) stop: &'a Stop,
}

impl Reader<'_> {
    fn next(&self) -> Result<Item, SourceError> {
        // Mostly something waits already, and nobody needs to sleep.
        if !self.stop.is_asked()
            && let Some(next) = self.feed.try_pop()
        {
            return Ok(next.map_err(PublishError::Ended)?);
        }
        let next = async { self.feed.pop().await.map_err(PublishError::Ended) };
        self.driver.wait(self.stop.unless(next))
    }

    /// The next picture; the sound on the way to it is gathered.
    fn picture(&self, sound: &mut Sound) -> Result<AccessUnit, SourceError> {
        loop {
            match self.next()? {
                Item::Picture(unit) => return Ok(unit),
                Item::Sound(unit) => sound.push(unit),
            }
        }
    }

    pub(super) fn first(&self) -> Result<(AccessUnit, Sound), SourceError> {
        let mut sound = Sound::default();
        Ok((self.picture(&mut sound)?, sound))
    }
}

impl PublishSource {
    pub(super) fn new(
        feed: Arc<Feed>,
        (first, sound): (AccessUnit, Sound),
        claim: Claim,
        driver: Driver,
    ) -> Self {
        let (parameters, first_pts) = (Arc::clone(&first.parameters), first.pts);
        Self {
            feed,
            parameters,
            first: Some(first),
            first_pts,
            last: None,
            sound,
            damage: None,
            claim,
            driver,
        }
    }
}

impl Source for PublishSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let reader = Reader { feed: Arc::clone(&self.feed), driver: &self.driver, stop: &self.claim.stop };
        let next = reader.picture(&mut self.sound);
        if self.damage.is_none() {
            self.damage = self.feed.damage_so_far();
        }
        match next {
            Ok(unit) => {
                self.last = Some(unit.dts.unwrap_or(unit.pts));
                Ok(Some(unit))
            }
            Err(SourceError::Publish(PublishError::Ended(Ending::Left))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.sound.pop()
    }

    fn rest(&mut self, ticks: i64) {
        // Ticks of a publish are milliseconds, as the feed's times are.
        if let Some(last) = self.last {
            self.feed.rest(last.saturating_add(ticks));
        }
    }

    fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn zero(&self) -> i64 {
        self.first_pts
    }
}

impl Drop for PublishSource {
    fn drop(&mut self) {
        self.feed.forsake();
    }
}

impl fmt::Debug for PublishSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishSource")
            .field("key", &self.claim.key)
            .field("first_pts", &self.first_pts)
            .finish_non_exhaustive()
    }
}

/// Sound that nobody asked for so far; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Sound {
    units: VecDeque<AudioUnit>,
    bytes: usize,
}

impl Sound {
    fn push(&mut self, unit: AudioUnit) {
        self.bytes += unit.data.len();
        self.units.push_back(unit);
        while self.bytes > MOST_SOUND.0 || self.units.len() > MOST_SOUND.1 {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<AudioUnit> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.data.len();
        Some(unit)
    }
}
