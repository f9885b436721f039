//! The archive behind the seam.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use ocelli_archive::{Archive, ArchiveError, LiveView};
use ocelli_model::StreamId;
use ocelli_store::{RecordingGap, RecordingUse, SegmentClass, SegmentQuery, SegmentRecord};

use super::log::{Clip, MediaError, MediaLog, Still};

#[async_trait]
impl MediaLog for Archive {
    fn live(&self, stream: &StreamId) -> Option<LiveView> {
        self.live(stream)
    }

    async fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, MediaError> {
        Ok(self.index().segments(query).await?)
    }

    async fn gaps(&self, stream: &StreamId) -> Result<Vec<RecordingGap>, MediaError> {
        Ok(self.index().gaps(stream).await?)
    }

    async fn recording(&self, stream: &StreamId) -> Result<Option<RecordingUse>, MediaError> {
        let all = self.index().recordings().await?;
        Ok(all.into_iter().find(|kept| kept.stream == *stream))
    }

    async fn read(&self, segment: &SegmentRecord, range: Range<u64>) -> Result<Bytes, MediaError> {
        Ok(self.read(segment, range).await?)
    }

    async fn clip(&self, _stream: &StreamId, _run: u32, _pts: Range<i64>) -> Result<Clip, MediaError> {
        Err(MediaError::Unavailable("clips come with the archive's reader".to_owned()))
    }

    async fn still(
        &self,
        _stream: &StreamId,
        _run: u32,
        _pts: i64,
        _quality: u8,
    ) -> Result<Still, MediaError> {
        Err(MediaError::Unavailable("stills come with the archive's reader".to_owned()))
    }

    async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, MediaError> {
        Ok(self.classify(stream, numbers, class, unpin).await?)
    }
}

impl From<ArchiveError> for MediaError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Index(cause) => Self::Store(cause),
            // Keys of objects name streams and numbers, which whoever asks knows.
            missing @ ArchiveError::Missing(_) => Self::Missing(missing.to_string()),
            ArchiveError::Folder { .. } | ArchiveError::InUse { .. } | ArchiveError::Read { .. } => {
                tracing::error!(%error, "the archive is not available");
                Self::Unavailable("the archive is not available; the server's log says why".to_owned())
            }
            ArchiveError::Recording(_) | ArchiveError::Invalid(_) | ArchiveError::Damaged { .. } => {
                Self::Broken(Box::new(error))
            }
        }
    }
}
