//! What goes, and in which order: rows first, then media.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use ocelli_model::StreamId;
use ocelli_store::{SegmentClass, SegmentQuery, SegmentRecord};

use crate::{
    ArchiveError,
    archive::Shared,
    files::folder_of,
    object::{MEDIA, REMOVING, key},
};

/// Segments that go at once.
const BATCH: usize = 256;

/// By stream, from where on the last pass found something that was not old. What is left before it is what stays longest.
pub(crate) type Passed = BTreeMap<StreamId, u64>;

/// What one pass removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Segments.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Removed {
    fn count(&mut self, gone: &[SegmentRecord]) {
        self.segments += gone.len() as u64;
        self.bytes += gone.iter().map(|segment| segment.bytes).sum::<u64>();
    }
}

impl Shared {
    /// One pass by age, then by size.
    pub(crate) async fn retain(&self) -> Result<Removed, ArchiveError> {
        let mut passed = self.removing.lock().await;
        let mut removed = Removed::default();
        for used in self.index.recordings().await? {
            self.by_age(&used.stream, &mut passed, &mut removed).await?;
        }
        if let Err(error) = self.clock.save(&*self.files) {
            tracing::warn!(%error, "how far the machine's clock was set cannot be kept");
        }
        if let Some(most) = self.config.keep.bytes {
            let used: u64 = self.index.recordings().await?.iter().map(|used| used.bytes).sum();
            self.oldest(used.saturating_sub(most), &mut removed).await?;
        }
        Ok(removed)
    }

    /// Removes the oldest that may go, whatever its age, until so many bytes are free.
    pub(crate) async fn make_room(&self, bytes: u64) -> Result<Removed, ArchiveError> {
        let _alone = self.removing.lock().await;
        let mut removed = Removed::default();
        self.oldest(bytes, &mut removed).await?;
        if removed.segments > 0 {
            let Removed { segments, bytes } = removed;
            tracing::warn!(segments, bytes, "the oldest recordings made room for new ones");
        }
        Ok(removed)
    }

    /// From the oldest on. What lies between that which is too old for events and that which is too old for others was gone through
    /// before, and is gone through again only where classes have changed.
    async fn by_age(
        &self,
        stream: &StreamId,
        passed: &mut Passed,
        removed: &mut Removed,
    ) -> Result<(), ArchiveError> {
        let ms = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let keep = self.config.keep;
        let other = keep.age.map_or(i64::MAX, ms);
        let event = keep.event_age.map_or(other, ms);
        let (shortest, longest) = (other.min(event), other.max(event));
        let (mut from, mut reached) = (0, None);
        loop {
            let page = self.page(stream, from).await?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
            if from == 0 {
                self.clock.forget(stream, first.number);
            }
            let is = |test: &dyn Fn(i64) -> bool| page.iter().any(|segment| test(self.clock.age_ms(segment)));
            if is(&|age| age <= shortest) {
                passed.insert(stream.clone(), *reached.get_or_insert(from));
            }
            if !is(&|age| age > shortest) {
                return Ok(());
            }
            let known = passed.get(stream).copied().filter(|_| !is(&|age| age > longest));
            from = known.unwrap_or(0).max(last.number + 1);
            let goes = |segment: &SegmentRecord| match segment.class {
                SegmentClass::Other => self.clock.age_ms(segment) > other,
                SegmentClass::Event => self.clock.age_ms(segment) > event,
                SegmentClass::Pinned => false,
            };
            let gone: Vec<_> = page.into_iter().filter(goes).collect();
            self.remove(&gone).await?;
            removed.count(&gone);
        }
    }

    /// Removes so many bytes of what is oldest and not pinned, over all streams.
    async fn oldest(&self, bytes: u64, removed: &mut Removed) -> Result<(), ArchiveError> {
        if bytes == 0 {
            return Ok(());
        }
        let mut streams = Vec::new();
        for used in self.index.recordings().await? {
            let mut ahead = Ahead { stream: used.stream, from: 0, waiting: VecDeque::new() };
            ahead.fill(self).await?;
            streams.push(ahead);
        }
        let mut still = bytes;
        while still > 0 {
            let mut gone = Vec::new();
            while still > 0 && gone.len() < BATCH {
                let oldest = streams.iter_mut().filter(|ahead| !ahead.waiting.is_empty());
                let oldest = oldest
                    .min_by_key(|ahead| ahead.waiting.front().map(|segment| self.clock.ended_ms(segment)));
                let Some(ahead) = oldest else { break };
                if let Some(segment) = ahead.waiting.pop_front() {
                    still = still.saturating_sub(segment.bytes);
                    gone.push(segment);
                }
                if ahead.waiting.is_empty() {
                    ahead.fill(self).await?;
                }
            }
            if gone.is_empty() {
                break;
            }
            self.remove(&gone).await?;
            removed.count(&gone);
        }
        Ok(())
    }

    async fn page(&self, stream: &StreamId, from: u64) -> Result<Vec<SegmentRecord>, ArchiveError> {
        let query = SegmentQuery {
            stream: Some(stream.clone()),
            numbers: Some(from..u64::MAX),
            limit: BATCH as u32,
            ..SegmentQuery::default()
        };
        Ok(self.index.segments(&query).await?)
    }

    /// Rows, then objects. What a crash leaves in between, the next start removes: it finds a list.
    async fn remove(&self, gone: &[SegmentRecord]) -> Result<(), ArchiveError> {
        if gone.is_empty() {
            return Ok(());
        }
        let list: Vec<&str> = gone.iter().map(|segment| segment.location.as_str()).collect();
        let list = list.join("\n");
        let failed = |source| ArchiveError::Read { location: REMOVING.to_owned(), source };
        self.files.put(REMOVING, list.as_bytes()).map_err(failed)?;
        let streams: BTreeSet<&StreamId> = gone.iter().map(|segment| &segment.stream).collect();
        for stream in streams {
            let numbers = gone.iter().filter(|segment| segment.stream == *stream);
            let numbers: Vec<u64> = numbers.map(|segment| segment.number).collect();
            self.index.remove_segments(stream, &numbers).await?;
        }
        self.remove_objects(gone.iter().map(|segment| segment.location.as_str()))?;
        self.files.remove(REMOVING).map_err(failed)
    }

    /// Removes objects, and folders that are empty then.
    pub(crate) fn remove_objects<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), ArchiveError> {
        let mut folders = BTreeSet::new();
        for location in locations {
            let Some(object) = key(location) else { continue };
            let failed = |source| ArchiveError::Read { location: location.to_owned(), source };
            self.files.remove(&object).map_err(failed)?;
            folders.insert(folder_of(&object).to_owned());
        }
        for run in folders {
            self.files.remove_folder(&run);
            let stream = folder_of(&run);
            if stream != MEDIA {
                self.files.remove_folder(stream);
            }
        }
        Ok(())
    }
}

/// The oldest segments of a stream that may go.
struct Ahead {
    stream: StreamId,
    from: u64,
    waiting: VecDeque<SegmentRecord>,
}

impl Ahead {
    async fn fill(&mut self, shared: &Shared) -> Result<(), ArchiveError> {
        while self.waiting.is_empty() {
            let page = shared.page(&self.stream, self.from).await?;
            let Some(last) = page.last() else { break };
            self.from = last.number + 1;
            self.waiting.extend(page.into_iter().filter(|segment| segment.class != SegmentClass::Pinned));
        }
        Ok(())
    }
}
