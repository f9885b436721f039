//! A run of the recording, as a source.

use std::sync::Arc;

use ocelli_archive::{Archive, ArchiveError, ArchiveReader, Media};
use ocelli_ingest::{Source, SourceError, Stop};
use ocelli_media::{AccessUnit, CodecParameters};
use ocelli_model::StreamId;

/// Its units in decode order, as they came. Ends with the run.
#[derive(Debug)]
pub(super) struct Replay {
    reader: ArchiveReader,
    parameters: Arc<CodecParameters>,
    first: Option<AccessUnit>,
    stop: Stop,
}

impl Replay {
    /// From the keyframe at or before `from`.
    pub(super) fn open(
        archive: &Archive,
        (id, run): (&StreamId, u32),
        from: i64,
        stop: &Stop,
    ) -> Result<Self, ArchiveError> {
        let mut reader = archive.reader(id, run, from);
        let first = next_picture(&mut reader)?;
        let first = first.ok_or(ArchiveError::Missing(format!("anything of run {run} from there on")))?;
        let parameters = Arc::clone(&first.parameters);
        Ok(Self { reader, parameters, first: Some(first), stop: stop.clone() })
    }
}

/// The next picture of a recording; sound is passed over.
pub(crate) fn next_picture(reader: &mut ArchiveReader) -> Result<Option<AccessUnit>, ArchiveError> {
    while let Some(media) = reader.next()? {
        if let Media::Picture(unit) = media {
            return Ok(Some(unit));
        }
    }
    Ok(None)
}

impl Source for Replay {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        if self.stop.is_asked() {
            return Err(SourceError::Stopped);
        }
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        next_picture(&mut self.reader).map_err(|error| SourceError::Recording(Box::new(error)))
    }

    /// Where the process died the run goes on, and nobody has it.
    fn damage(&self) -> Option<&str> {
        Some("its recording ends where the server did")
    }
}
