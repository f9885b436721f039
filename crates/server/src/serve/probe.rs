//! Files that nobody vouches for, and the hardware of this machine.

use std::path::Path;

use async_trait::async_trait;
use ocelli_api::{MediaProbe, ProbeError, VideoInfo};
use ocelli_ingest::{
    Stop,
    child::{self, ChildCommand},
};
use ocelli_media::libav::{Acceleration, Hardware};

/// Examines in children of this program.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) child: ChildCommand,
    /// Kinds that the configuration allows.
    pub(super) allowed: Vec<Acceleration>,
}

#[async_trait]
impl MediaProbe for Probe {
    async fn video_info(&self, path: &Path) -> Result<VideoInfo, ProbeError> {
        let (path, child) = (path.to_owned(), self.child.clone());
        let looked = tokio::task::spawn_blocking(move || child::video_info(&path, &child, &Stop::default()));
        let looked = looked.await.map_err(|error| ProbeError::Unavailable(error.to_string()))?;
        let child::VideoInfo { format, codec, width, height, rotation, fps, duration } =
            looked.map_err(|error| told(&error))?;
        // Clients are told what they will get: upright pictures.
        let turned = !matches!(rotation, ocelli_media::Rotation::None | ocelli_media::Rotation::Half);
        let (width, height) = if turned { (height, width) } else { (width, height) };
        Ok(VideoInfo { format, codec, width, height, fps, duration })
    }

    async fn hardware(&self) -> Vec<String> {
        let allowed = self.allowed.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let opens = |kind: &Acceleration| Hardware::open(*kind, None).is_ok();
            allowed.iter().filter(|kind| opens(kind)).map(ToString::to_string).collect()
        });
        opened.await.unwrap_or_default()
    }
}

fn told(error: &child::ProbeError) -> ProbeError {
    let words = error.to_string();
    match error {
        child::ProbeError::Empty | child::ProbeError::NotVideo(_) => ProbeError::NotAVideo(words),
        child::ProbeError::Unusable(_) => ProbeError::Damaged(words),
        child::ProbeError::Hostile(_) => ProbeError::Killed(words),
        child::ProbeError::Read(_) | child::ProbeError::Unavailable(_) | child::ProbeError::Stopped => {
            ProbeError::Unavailable(words)
        }
    }
}
