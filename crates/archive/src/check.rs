//! The index against the media.

use std::collections::{BTreeMap, BTreeSet};

use ocelli_model::StreamId;
use ocelli_store::{RecordingGap, SegmentQuery, SegmentRecord};

use crate::{
    ArchiveError,
    archive::Shared,
    files::folder_of,
    object::{LARGEST, MEDIA, OPEN, Object, OpenName, key},
    recovery::{parts_of, record},
    writer::reason,
};

/// Rows that are looked at at once.
const PAGE: u32 = 256;

/// What does not fit, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which stream.
    pub stream: StreamId,
    /// Key of the object.
    pub location: String,
    /// What.
    pub fault: Mismatch,
    /// It was put right.
    pub mended: bool,
}

/// How index and media can differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The index has it, the archive not. Mended, it is a gap.
    Missing,
    /// The media makes no sense. Mended, it is a gap.
    Damaged(String),
    /// The index says something else about it than its bytes. Mended, the bytes are right.
    Differs(String),
    /// The index had it, and removed it. Mended, it is gone.
    Removed,
    /// The index never had it, as where an old copy of the store is used. Mended, it is entered; when it came in is not known.
    Unknown,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let location = &self.location;
        match &self.fault {
            Mismatch::Missing => write!(f, "{location} is in the index, its media is missing")?,
            Mismatch::Damaged(why) => write!(f, "{location} is damaged: {why}")?,
            Mismatch::Differs(how) => write!(f, "{location} is not what the index says: {how}")?,
            Mismatch::Removed => write!(f, "{location} was removed from the index, its media is there")?,
            Mismatch::Unknown => write!(f, "{location} is there, the index never heard of it")?,
        }
        if self.mended { f.write_str(" (mended)") } else { Ok(()) }
    }
}

impl Shared {
    /// Reads all media. Blocks; nothing is removed by others meanwhile.
    pub(crate) fn check(&self, mend: bool) -> Result<Vec<Finding>, ArchiveError> {
        let mut passed = self.runtime.block_on(self.removing.lock());
        passed.clear();
        let mut streams: BTreeSet<StreamId> = BTreeSet::new();
        for used in self.runtime.block_on(self.index.recordings())? {
            streams.insert(used.stream);
        }
        streams.extend(self.listed(MEDIA)?.iter().filter_map(|folder| folder.name.parse().ok()));
        let mut findings = Vec::new();
        for stream in &streams {
            // Listed first: what is sealed later is in the index then.
            let objects = self.objects(stream)?;
            self.check_rows(stream, mend, &mut findings)?;
            self.check_objects(stream, objects, mend, &mut findings)?;
        }
        Ok(findings)
    }

    fn check_rows(
        &self,
        stream: &StreamId,
        mend: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<(), ArchiveError> {
        let mut from = 0;
        loop {
            let query = SegmentQuery {
                stream: Some(stream.clone()),
                numbers: Some(from..u64::MAX),
                limit: PAGE,
                ..SegmentQuery::default()
            };
            let page = self.runtime.block_on(self.index.segments(&query))?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.number.saturating_add(1);
            for row in &page {
                let Some((fault, right)) = self.compare(row)? else { continue };
                if mend {
                    self.mend(row, &fault, right)?;
                }
                let (stream, location) = (stream.clone(), row.location.clone());
                findings.push(Finding { stream, location, fault, mended: mend });
            }
        }
    }

    /// What is wrong with a row, and the right one if there is any.
    fn compare(
        &self,
        row: &SegmentRecord,
    ) -> Result<Option<(Mismatch, Option<SegmentRecord>)>, ArchiveError> {
        let bytes = match self.read(&row.location, 0..LARGEST) {
            Ok(bytes) => bytes,
            Err(ArchiveError::Missing(_)) => return Ok(Some((Mismatch::Missing, None))),
            Err(error) => return Err(error),
        };
        let size = bytes.len() as u64;
        let name = OpenName { number: row.number, run: row.run, began_ms: row.began_ms };
        let (object, right) = match Object::read(&bytes) {
            Ok(object) => match record(&row.stream, &name, &object) {
                Some(right) => (object, right),
                None => return Ok(Some((Mismatch::Damaged("it holds no picture".to_owned()), None))),
            },
            Err(error) => return Ok(Some((Mismatch::Damaged(error.to_string()), None))),
        };
        let whole = object.scan.whole as u64;
        let differs = |what: &str, said: &dyn std::fmt::Display, found: &dyn std::fmt::Display| {
            Mismatch::Differs(format!("{what} {said}, found {found}"))
        };
        let fault = if whole < size {
            Mismatch::Damaged(format!("of its {size} bytes {whole} are whole"))
        } else if size != row.bytes {
            differs("bytes", &row.bytes, &size)
        } else if row.first_pts != right.first_pts {
            differs("first PTS", &row.first_pts, &right.first_pts)
        } else if row.end_pts > right.end_pts || row.end_pts <= row.first_pts {
            // It may be less: a picture lasts to the next segment at most.
            differs("end", &row.end_pts, &right.end_pts)
        } else if (&row.init, row.init_bytes) != (&right.init, right.init_bytes) {
            differs("initialisation", &row.init, &right.init)
        } else if (row.keyframe, row.time_base) != (right.keyframe, right.time_base) {
            Mismatch::Differs("its first picture or its time base".to_owned())
        } else {
            return Ok(None);
        };
        let location = row.location.clone();
        Ok(Some((fault, Some(SegmentRecord { ended_ms: row.ended_ms, class: row.class, location, ..right }))))
    }

    fn mend(
        &self,
        row: &SegmentRecord,
        fault: &Mismatch,
        right: Option<SegmentRecord>,
    ) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Read { location: row.location.clone(), source };
        let index = &self.index;
        let right = right.filter(|right| right.first_pts < right.end_pts);
        if right.is_none() {
            // Told first: what is missing is never missing without a word.
            let gap = RecordingGap {
                stream: row.stream.clone(),
                run: row.run,
                first_pts: row.first_pts,
                end_pts: Some(row.end_pts),
                began_ms: row.began_ms,
                reason: match fault {
                    Mismatch::Damaged(why) => format!("its media is damaged: {why}"),
                    _ => "its media is missing".to_owned(),
                },
            };
            self.runtime.block_on(index.put_gap(&gap))?;
        }
        self.runtime.block_on(index.remove_segments(&row.stream, &[row.number]))?;
        match right {
            Some(right) => {
                if let (Mismatch::Damaged(_), Some(object)) = (fault, key(&row.location)) {
                    self.files.cut(&object, right.bytes).map_err(failed)?;
                }
                Ok(self.runtime.block_on(index.put_segment(&right))?)
            }
            None => self.remove_objects(std::iter::once(row.location.as_str())),
        }
    }

    /// Locations and sizes of a stream's objects.
    fn objects(&self, stream: &StreamId) -> Result<BTreeMap<String, u64>, ArchiveError> {
        let mut objects = BTreeMap::new();
        for run in self.listed(&format!("{MEDIA}/{stream}"))?.iter().filter(|entry| entry.bytes.is_none()) {
            for file in self.listed(&format!("{MEDIA}/{stream}/{}", run.name))? {
                if let Some(bytes) = file.bytes {
                    objects.insert(format!("{stream}/{}/{}", run.name, file.name), bytes);
                }
            }
        }
        Ok(objects)
    }

    /// Objects without a row.
    fn check_objects(
        &self,
        stream: &StreamId,
        objects: BTreeMap<String, u64>,
        mend: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<(), ArchiveError> {
        let spent = self.runtime.block_on(self.index.next_segment(stream))?;
        let open: BTreeSet<u64> = self
            .listed(&format!("{OPEN}/{stream}"))?
            .iter()
            .filter_map(|file| OpenName::read(&file.name).map(|name| name.number))
            .collect();
        for location in objects.into_keys() {
            let Some((_, number)) = parts_of(&location) else {
                tracing::warn!(file = location, "is none of ours");
                continue;
            };
            // One with an open name is about to be entered, by its recorder or the next start.
            if open.contains(&number)
                || self.known(stream, number)?.is_some_and(|row| row.location == location)
            {
                continue;
            }
            // Listed before its row was put right, or removed meanwhile.
            if !self.is_there(&location)? {
                continue;
            }
            let fault = if number < spent { Mismatch::Removed } else { Mismatch::Unknown };
            let mended = mend && self.mend_object(stream, number, &location, &fault)?;
            findings.push(Finding { stream: stream.clone(), location, fault, mended });
        }
        Ok(())
    }

    fn is_there(&self, location: &str) -> Result<bool, ArchiveError> {
        let failed = |source| ArchiveError::Read { location: location.to_owned(), source };
        let Some(object) = key(location) else { return Ok(false) };
        Ok(self.files.size(&object).map_err(failed)?.is_some())
    }

    fn mend_object(
        &self,
        stream: &StreamId,
        number: u64,
        location: &str,
        fault: &Mismatch,
    ) -> Result<bool, ArchiveError> {
        if *fault == Mismatch::Removed {
            self.remove_objects(std::iter::once(location))?;
            return Ok(true);
        }
        let run = folder_of(location).rsplit('/').next().and_then(|run| run.parse().ok());
        let object = Object::read(&self.read(location, 0..LARGEST)?);
        let (Some(run), Ok(object)) = (run, object) else { return Ok(false) };
        let name = OpenName { number, run, began_ms: (self.config.now_ms)() };
        let Some(row) = record(stream, &name, &object).filter(|row| row.location == location) else {
            return Ok(false);
        };
        match self.runtime.block_on(self.index.put_segment(&row)) {
            Ok(()) => Ok(true),
            Err(error) => {
                tracing::warn!(location, error = %reason(&error), "could not be entered");
                Ok(false)
            }
        }
    }
}
