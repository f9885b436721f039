//! What a file is, found out in a child.

use std::{io, path::Path};

use ocelli_media::{CodecParameters, Rotation, libav::DemuxError};

use super::{ChildCommand, ChildEnd, ChildError, ChildSource};
use crate::{Source as _, SourceError, pull::Stop};

/// What the container and the first pictures say.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoInfo {
    /// libavformat's names of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// libavcodec's name of the codec, such as `h264`.
    pub codec: String,
    /// Pixels, as coded: before the turn that makes pictures upright. Frames come out turned.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// The turn.
    pub rotation: Rotation,
    /// Average pictures per second.
    pub fps: Option<f64>,
    /// Seconds.
    pub duration: Option<f64>,
}

/// Why there is nothing to say of a file.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Something else: sound, a still picture, words, a list of other files.
    #[error("{0}")]
    NotVideo(String),
    /// A video that is damaged, cut short, or beyond what is decoded here.
    #[error("{0}")]
    Unusable(String),
    /// It killed the process that looked at it, or was too much for its limits.
    #[error("the video cannot be read safely: the process that read it {0}")]
    Hostile(ChildEnd),
    /// Through no fault of the file.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    /// Through no fault of the file: no child can be started here, or none be locked down.
    #[error(transparent)]
    Unavailable(ChildError),
    /// The end was asked for.
    #[error("stopped")]
    Stopped,
}

/// Probes an untrusted file and reads its first unit. Blocking, for at most two of [`super::ChildLimits::wall`].
pub fn video_info(path: &Path, command: &ChildCommand, stop: &Stop) -> Result<VideoInfo, ProbeError> {
    let mut source = ChildSource::open(path, command, stop).map_err(|error| of_source(error, command))?;
    if source.format().ends_with("_pipe") {
        return Err(ProbeError::NotVideo("the file is a still picture, not a video".to_owned()));
    }
    let info = info(source.format(), source.parameters());
    match source.next_unit() {
        Ok(Some(_)) => Ok(info),
        Ok(None) => {
            Err(ProbeError::Unusable("the file holds no picture: it is damaged or cut short".to_owned()))
        }
        Err(error) => Err(of_source(error, command)),
    }
}

fn info(format: &str, parameters: &CodecParameters) -> VideoInfo {
    let rate = parameters.frame_rate;
    VideoInfo {
        format: format.to_owned(),
        codec: parameters.codec.name().to_owned(),
        width: parameters.width,
        height: parameters.height,
        rotation: parameters.rotation,
        fps: (rate > 0.0).then_some(rate),
        duration: parameters.duration.map(|ticks| parameters.time_base.seconds(ticks)),
    }
}

fn of_source(error: SourceError, command: &ChildCommand) -> ProbeError {
    match error {
        SourceError::Empty => ProbeError::Empty,
        SourceError::Playlist => ProbeError::NotVideo(error.to_string()),
        SourceError::Open(error) => ProbeError::Read(error),
        SourceError::Stopped => ProbeError::Stopped,
        SourceError::Child(ChildError::Ended(end)) => ProbeError::Hostile(end),
        SourceError::Child(error) => ProbeError::Unavailable(error),
        SourceError::Demux(error) => of_container(error, command),
        error => ProbeError::Read(io::Error::other(error)),
    }
}

fn of_container(error: DemuxError, command: &ChildCommand) -> ProbeError {
    match error {
        DemuxError::NotMedia(code) | DemuxError::Damaged(code) if code.is_no_memory() => {
            ProbeError::Hostile(ChildEnd::Memory(command.limits.memory_bytes))
        }
        DemuxError::NotMedia(_) | DemuxError::NoVideo => ProbeError::NotVideo(error.to_string()),
        DemuxError::Read(error) => ProbeError::Read(error),
        DemuxError::Broken(_)
        | DemuxError::TimeBase(_)
        | DemuxError::Ticks { .. }
        | DemuxError::NoTimes
        | DemuxError::NoDecoder(_)
        | DemuxError::Damaged(_) => ProbeError::Unusable(error.to_string()),
    }
}
