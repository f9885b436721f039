//! The seam between the outside and a run.

use std::{io, sync::Arc};

use ocelli_media::{AccessUnit, CodecParameters, libav::DemuxError};

use crate::pull::RtspError;

/// One connection to coded video. Its end is the end of the run; a file whose media time steps holds several runs.
/// Blocking.
pub trait Source: Send + std::fmt::Debug {
    /// What a decoder must know at the start.
    fn parameters(&self) -> &Arc<CodecParameters>;

    /// The next unit in decode order, or the end.
    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError>;

    /// What was first found wrong with the input, if it could be read on: the results are then partial.
    fn damage(&self) -> Option<&str>;
}

/// Why a source cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Opening failed.
    #[error("cannot open the input")]
    Open(#[source] io::Error),
    /// A directory was named.
    #[error("the input is a directory; name a file in it")]
    Directory,
    /// A pipe, a device or a socket was named.
    #[error("the input is not a regular file")]
    Special,
    /// Nothing in it.
    #[error("the input is empty")]
    Empty,
    /// A list of other files or hosts, which are never opened on a file's word.
    #[error("the input is a playlist, which names other files or hosts; name the video itself")]
    Playlist,
    /// The end was asked for while the source waited.
    #[error("stopped while waiting for the stream")]
    Stopped,
    /// A stream from the network.
    #[error(transparent)]
    Rtsp(#[from] RtspError),
    /// Not media, or damaged.
    #[error(transparent)]
    Demux(#[from] DemuxError),
}
