//! What an earlier process left: segments that were growing, and removals that were under way.

use std::collections::BTreeMap;

use bytes::Bytes;
use ocelli_model::StreamId;
use ocelli_store::{SegmentClass, SegmentQuery, SegmentRecord};

use crate::{
    ArchiveError,
    archive::Shared,
    files::{Listed, folder_of},
    object::{LARGEST, OPEN, Object, OpenName, REMOVING, key, location},
    writer::reason,
};

/// A segment that was growing when its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Of which stream.
    pub stream: StreamId,
    /// Its number.
    pub number: u64,
    /// Whole parts in it; with none there is no segment.
    pub parts: usize,
    /// Bytes of half a part at its end that were cut off.
    pub cut: u64,
}

/// What a start found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) recovered: Vec<Recovered>,
    /// The first number that no open name had, by stream.
    pub(crate) next: BTreeMap<StreamId, u64>,
}

impl Shared {
    /// Seals what lies open. Blocks.
    pub(crate) fn recover(&self) -> Result<Found, ArchiveError> {
        self.finish_removing()?;
        let mut found = Found::default();
        for folder in self.listed(OPEN)? {
            let name = folder.name;
            let Ok(stream) = name.parse::<StreamId>() else {
                tracing::warn!(file = %format!("{OPEN}/{name}"), "is none of ours");
                continue;
            };
            let files = self.listed(&format!("{OPEN}/{stream}"))?;
            let read = |name: &str| {
                let read = OpenName::read(name);
                if read.is_none() {
                    tracing::warn!(file = %format!("{OPEN}/{stream}/{name}"), "is none of ours");
                }
                read
            };
            let mut names: Vec<_> = files.iter().filter_map(|file| read(&file.name)).collect();
            names.sort_unstable();
            for name in names {
                let next = found.next.entry(stream.clone()).or_default();
                *next = (*next).max(name.number.saturating_add(1));
                found.recovered.extend(self.recover_one(&stream, &name)?);
            }
        }
        for Recovered { stream, number, parts, cut } in &found.recovered {
            tracing::info!(%stream, number, parts, cut, "a segment that was being recorded is whole now");
        }
        Ok(found)
    }

    pub(crate) fn listed(&self, folder: &str) -> Result<Vec<Listed>, ArchiveError> {
        let failed = |source| ArchiveError::Folder { path: self.config.folder.join(folder), source };
        self.files.list(folder).map_err(failed)
    }

    /// Nothing where it was sealed and only its open name was left, or where it cannot be read: then it stays.
    fn recover_one(&self, stream: &StreamId, name: &OpenName) -> Result<Option<Recovered>, ArchiveError> {
        let open = name.key(stream);
        let failed = |source| ArchiveError::Read { location: open.clone(), source };
        let size = self.files.size(&open).map_err(failed)?.unwrap_or(0);
        if size > LARGEST {
            tracing::error!(file = open, size, "is too large for a segment, and stays where it is");
            return Ok(None);
        }
        let bytes = Bytes::from(self.files.read(&open, 0..u64::MAX).map_err(failed)?);
        let mut told = Recovered { stream: stream.clone(), number: name.number, parts: 0, cut: size };
        let object = match Object::read(&bytes) {
            Ok(object) if object.extent.is_some() => object,
            // Nobody has seen anything of it.
            _ => {
                self.files.remove(&open).map_err(failed)?;
                return Ok(Some(told));
            }
        };
        (told.parts, told.cut) = (object.scan.parts.len(), size - object.scan.whole as u64);
        let Some(record) = record(stream, name, &object) else { return Ok(None) };
        if let Some(known) = self.known(stream, name.number)? {
            if (known.run, known.bytes) == (record.run, record.bytes) {
                self.link(&open, &record)?;
                self.files.remove(&open).map_err(failed)?;
            } else {
                tracing::error!(
                    file = open,
                    "is another segment than the index has of its number, and stays where it is"
                );
            }
            return Ok(None);
        }
        self.files.cut(&open, record.bytes).map_err(failed)?;
        self.link(&open, &record)?;
        self.runtime.block_on(self.index.put_segment(&record))?;
        self.files.remove(&open).map_err(failed)?;
        Ok(Some(told))
    }

    /// Its object, again where it is there already.
    fn link(&self, open: &str, record: &SegmentRecord) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Read { location: record.location.clone(), source };
        let Some(object) = key(&record.location) else { return Ok(()) };
        self.files.link(open, &object).map_err(failed)?;
        self.files.sync_folder(folder_of(&object)).map_err(failed)
    }

    /// The row of a number.
    pub(crate) fn known(
        &self,
        stream: &StreamId,
        number: u64,
    ) -> Result<Option<SegmentRecord>, ArchiveError> {
        let query = SegmentQuery {
            stream: Some(stream.clone()),
            numbers: Some(number..number.saturating_add(1)),
            limit: 1,
            ..SegmentQuery::default()
        };
        Ok(self.runtime.block_on(self.index.segments(&query))?.pop())
    }

    /// Removes what a batch of retention named and the index does not hold any more.
    fn finish_removing(&self) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Read { location: REMOVING.to_owned(), source };
        if self.files.size(REMOVING).map_err(failed)?.is_none() {
            return Ok(());
        }
        let list = self.files.read(REMOVING, 0..u64::MAX).map_err(failed)?;
        let list = String::from_utf8_lossy(&list);
        for location in list.lines() {
            let Some((stream, number)) = parts_of(location) else { continue };
            if self.known(&stream, number)?.is_none()
                && let Err(error) = self.remove_objects(std::iter::once(location))
            {
                tracing::warn!(location, error = %reason(&error), "could not be removed");
            }
        }
        self.files.remove(REMOVING).map_err(failed)
    }
}

/// Stream and number of a location.
pub(crate) fn parts_of(location: &str) -> Option<(StreamId, u64)> {
    let mut words = location.split('/');
    let (stream, _run, file) = (words.next()?, words.next()?, words.next()?);
    Some((stream.parse().ok()?, file.strip_suffix(".mp4")?.parse().ok()?))
}

/// The row of an object. Wall time follows from media time: how the pictures came in has gone with the process.
pub(crate) fn record(stream: &StreamId, name: &OpenName, object: &Object) -> Option<SegmentRecord> {
    let extent = object.extent?;
    let time_base = object.tracks.video.time_base;
    let ms = time_base.seconds(extent.end_pts.saturating_sub(extent.first_pts)) * 1000.0;
    Some(SegmentRecord {
        stream: stream.clone(),
        number: name.number,
        run: name.run,
        time_base,
        first_pts: extent.first_pts,
        end_pts: extent.end_pts,
        keyframe: extent.keyframe,
        began_ms: name.began_ms,
        ended_ms: name.began_ms.saturating_add(ms as i64),
        init: object.init.clone(),
        init_bytes: object.scan.init as u32,
        bytes: object.scan.whole as u64,
        location: location(stream, name.run, name.number),
        class: SegmentClass::Other,
    })
}
