//! The seam between the outside and a run.

use std::{io, sync::Arc};

use ocelli_media::{
    AccessUnit, AudioUnit, CodecParameters,
    decode::OpenDecoder,
    libav::{DemuxError, EncodeError},
};
use ocelli_net::Refused;

use crate::{
    Fault,
    child::ChildError,
    pull::{DeviceError, HlsError, HttpError, RtspError},
    push::{FramesError, PublishError},
};

/// One connection to coded video. Its end is the end of the run; a file whose media time steps holds several runs.
/// Blocking.
pub trait Source: Send + std::fmt::Debug {
    /// What a decoder must know at the start.
    fn parameters(&self) -> &Arc<CodecParameters>;

    /// The next unit in decode order, or the end.
    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError>;

    /// Sound that came up to the unit that was returned last, oldest first: asked for after each unit until there is none. Sources
    /// bound what waits here, oldest goes first.
    fn next_audio(&mut self) -> Option<AudioUnit> {
        None
    }

    /// Whoever reads can do nothing with a unit that comes less than so many ticks after the last one (in decode order), unless decoding
    /// can start with it. A source that hears of each unit may let its reader sleep until then; the next call of
    /// [`next_unit`](Self::next_unit) counts.
    fn rest(&mut self, ticks: i64) {
        let _ = ticks;
    }

    /// What was first found wrong with the input, if it could be read on: the results are then partial.
    fn damage(&self) -> Option<&str>;

    /// What must decode its units, where not any decoder may: those of untrusted media are decoded where they are read.
    fn decoder(&self) -> Option<Box<OpenDecoder>> {
        None
    }

    /// The PTS that seconds are counted from, for people: streams start anywhere.
    fn zero(&self) -> i64 {
        0
    }

    /// The newest word on what a clock showed at a PTS, if anybody said any.
    fn anchor(&self) -> Option<WallAnchor> {
        None
    }

    /// After its end: begins anew from its start, another run, with the pace of the last turn kept. False where it
    /// cannot; whoever wants another turn then opens it again.
    fn rewind(&mut self) -> Result<bool, SourceError> {
        Ok(false)
    }
}

/// Wall time of one picture, as its sender says. The sender's clock may be wrong, and may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallAnchor {
    /// In ticks of the stream.
    pub pts: i64,
    /// What the sender's clock showed then, in nanoseconds since 1970.
    pub unix_ns: i64,
}

/// Why a source cannot be opened or read on. No text of it holds a secret of a URL.
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
    #[error(
        "the input is a playlist, which names other files or hosts; name the video itself, or write hls+ before the URL of an HLS playlist"
    )]
    Playlist,
    /// A file outside of the folders that are configured. Says nothing of whether there is one.
    #[error("only files in the configured media folders are read")]
    Outside,
    /// Untrusted media, and nothing that reads it in a process without rights.
    #[error(
        "untrusted media can be read from files only, where a process without rights can be started for it"
    )]
    NoSandbox,
    /// An address that may not be connected to.
    #[error(transparent)]
    Address(Refused),
    /// The synthetic camera's pictures cannot be made.
    #[error("cannot make the synthetic camera's pictures")]
    Synthetic(#[source] EncodeError),
    /// The end was asked for while the source waited.
    #[error("stopped while waiting for the stream")]
    Stopped,
    /// A recording of our own.
    #[error("the recording cannot be read")]
    Recording(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The process that reads untrusted media.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// A stream from the network.
    #[error(transparent)]
    Rtsp(#[from] RtspError),
    /// A file or stream over HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// What others push to us.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A camera of this machine.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Pictures that somebody posts.
    #[error(transparent)]
    Frames(#[from] FramesError),
    /// A playlist of HLS, or what it names.
    #[error(transparent)]
    Hls(#[from] HlsError),
    /// Not media, or damaged.
    #[error(transparent)]
    Demux(#[from] DemuxError),
}

impl SourceError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Open(cause) => match cause.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidFilename => Fault::Caller,
                _ => Fault::Machine,
            },
            Self::Directory
            | Self::Special
            | Self::Playlist
            | Self::Outside
            | Self::NoSandbox
            | Self::Address(_) => Fault::Caller,
            Self::Stopped => Fault::Stopped,
            Self::Rtsp(error) => error.fault(),
            Self::Http(error) => error.fault(),
            Self::Publish(error) => error.fault(),
            Self::Hls(error) => error.fault(),
            Self::Device(error) => error.fault(),
            Self::Frames(error) => error.fault(),
            Self::Demux(DemuxError::Read(_)) | Self::Synthetic(_) | Self::Recording(_) => Fault::Machine,
            // Whatever it did, the same bytes would do again.
            Self::Child(ChildError::Ended(_)) | Self::Empty | Self::Demux(_) => Fault::Media,
            Self::Child(_) => Fault::Machine,
        }
    }
}
