//! The archive behind the seam.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use ocelli_archive::{Archive, ArchiveError, LiveView};
use ocelli_engine::{StillError, still};
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

    async fn clip(&self, stream: &StreamId, run: u32, pts: Range<i64>) -> Result<Clip, MediaError> {
        let clip = self.clip(stream, run, pts).await?;
        let (first_pts, end_pts, time_base, length) =
            (clip.first_pts, clip.end_pts, clip.time_base, clip.bytes);
        let pieces = stream::try_unfold(clip, |mut clip| async {
            Ok::<_, MediaError>(clip.next().await?.map(|piece| (piece, clip)))
        });
        Ok(Clip { first_pts, end_pts, time_base, length, bytes: pieces.boxed() })
    }

    async fn still(&self, stream: &StreamId, run: u32, pts: i64, quality: u8) -> Result<Still, MediaError> {
        let (archive, stream) = (self.clone(), stream.clone());
        let made = tokio::task::spawn_blocking(move || still(&archive, (&stream, run), pts, quality)).await;
        let ocelli_engine::Still { jpeg, pts, time_base } =
            made.map_err(|panic| MediaError::Broken(panic.into()))??;
        Ok(Still { jpeg, pts, time_base })
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

impl From<StillError> for MediaError {
    fn from(error: StillError) -> Self {
        match error {
            StillError::Archive(cause) => cause.into(),
            missing @ (StillError::Missing | StillError::TooFar | StillError::Damaged) => {
                Self::Missing(missing.to_string())
            }
            error => Self::Broken(Box::new(error)),
        }
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
