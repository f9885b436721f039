//! What goes wrong with a local camera.

use std::io;

use ocelli_media::pixel::jpeg::JpegError;

use crate::Fault;

/// Why a camera cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Nothing is plugged in there.
    #[error("this machine has no such camera")]
    Missing,
    /// Somebody else has it.
    #[error("the camera is in use by another program or stream")]
    Busy,
    /// Not ours to open.
    #[error("the camera may not be opened by this user; add it to the group 'video'")]
    Denied,
    /// A device of another kind.
    #[error("this is no camera")]
    NotCamera,
    /// It sends something else.
    #[error("the camera sends neither MJPEG nor YUYV, or not what was asked for")]
    Format,
    /// It cannot do the size.
    #[error("the camera does not send {wanted_width}x{wanted_height}; the nearest is {width}x{height}")]
    Size {
        /// As asked.
        wanted_width: u32,
        /// As asked.
        wanted_height: u32,
        /// What it would send.
        width: u32,
        /// What it would send.
        height: u32,
    },
    /// It was unplugged.
    #[error("the camera is gone")]
    Gone,
    /// Nothing came.
    #[error("no picture for {} s", .0.as_secs_f64())]
    Stalled(std::time::Duration),
    /// Its driver.
    #[error("the camera's driver refuses to {what}")]
    Driver {
        /// What it was asked to do.
        what: &'static str,
        /// What it says.
        #[source]
        cause: io::Error,
    },
    /// Its pictures cannot be compressed.
    #[error("cannot compress the camera's pictures")]
    Compress(#[source] JpegError),
    /// No runtime to wait in.
    #[error("cannot start waiting for the camera")]
    Runtime(#[source] io::Error),
}

impl DeviceError {
    /// What failed, and with that whether trying again soon may help: cameras are plugged in, and let go by others.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Denied | Self::NotCamera | Self::Format | Self::Size { .. } => Fault::Caller,
            Self::Stalled(_) => Fault::Stalled,
            Self::Missing
            | Self::Busy
            | Self::Gone
            | Self::Driver { .. }
            | Self::Compress(_)
            | Self::Runtime(_) => Fault::Machine,
        }
    }

    /// What a failed request to a driver means.
    pub(super) fn of(what: &'static str, cause: io::Error) -> Self {
        match cause.raw_os_error() {
            Some(libc::ENOENT | libc::ENXIO) => Self::Missing,
            Some(libc::EBUSY) => Self::Busy,
            Some(libc::EACCES | libc::EPERM) => Self::Denied,
            Some(libc::ENOTTY) => Self::NotCamera,
            Some(libc::ENODEV) => Self::Gone,
            _ => Self::Driver { what, cause },
        }
    }
}
