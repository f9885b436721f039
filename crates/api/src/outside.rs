//! What the routes need and neither engine nor store gives: examining files, the policy for sources, how the process stands.

use std::{fmt, path::Path};

use async_trait::async_trait;
use ocelli_engine::StreamSpec;
use serde::Serialize;
use utoipa::ToSchema;

use crate::EngineMetrics;

/// What a file holds, as contract 1 tells it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VideoInfo {
    /// Container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// Codec of the video, such as `h264`.
    pub codec: String,
    /// Width of the displayed picture in pixels.
    pub width: u32,
    /// Height of the displayed picture in pixels.
    pub height: u32,
    /// Pictures per second; null where the file does not tell.
    pub fps: Option<f64>,
    /// Length in seconds; null where the file does not tell.
    pub duration: Option<f64>,
}

/// Why a file tells nothing. The words say what is wrong with it, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No container of video is recognised, or it holds no video.
    #[error("the file is not a video: {0}")]
    NotAVideo(String),
    /// A video that cannot be read: corrupted, truncated.
    #[error("the video is damaged: {0}")]
    Damaged(String),
    /// Examining it took more memory or time than allowed, or crashed the process that examined it.
    #[error("the file could not be examined safely: {0}")]
    Killed(String),
    /// Nothing could be examined; the file may be good.
    #[error("files cannot be examined now: {0}")]
    Unavailable(String),
}

/// Examines files that nobody vouches for, in a process without rights, and the machine's hardware.
#[async_trait]
pub trait MediaProbe: Send + Sync + fmt::Debug {
    /// What the file holds. Bounded in time and memory whatever it is.
    async fn video_info(&self, path: &Path) -> Result<VideoInfo, ProbeError>;

    /// Hardware that decodes here, found by opening each device: names as in `force_format`.
    async fn hardware(&self) -> Vec<String>;
}

/// Says early which sources are refused. What connects checks again: names may resolve to something else by then.
pub trait SourcePolicy: Send + Sync + fmt::Debug {
    /// `Err`: what is wrong and what to do, for people, without secrets. Must not block on the network.
    fn check(&self, spec: &StreamSpec) -> Result<(), String>;
}

/// How the process stands.
pub trait Operation: Send + Sync + fmt::Debug {
    /// Everything that is counted, at this moment.
    fn metrics(&self) -> EngineMetrics;

    /// Why streams cannot be started now, each with what to do; empty: they can.
    fn obstacles(&self) -> Vec<String>;
}
