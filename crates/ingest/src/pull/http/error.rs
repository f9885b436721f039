//! What goes wrong with media over HTTP, and on whose side.

use std::{io, time::Duration};

use ocelli_net::{ClientError, DownloadError};

use crate::Fault;

/// Why a file or stream cannot be opened or read on over HTTP. No text of it holds a secret of the URL.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No runtime for the connection.
    #[error("cannot start the network's runtime")]
    Runtime(#[source] io::Error),
    /// No connection, a refusal, or one that breaks off.
    #[error(transparent)]
    Fetch(#[from] DownloadError),
    /// Redirects and all, the server took too long to begin.
    #[error("no answer within {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// Its index lies where the server does not let us begin.
    #[error(
        "the server sends it from front to back only, and its index is at its end; write it with the index in front \
         (ffmpeg -movflags +faststart), or serve it with byte ranges"
    )]
    NoRanges,
    /// Another file is there by now.
    #[error("it was changed on the server while it was read")]
    Changed,
    /// Less than the server had said.
    #[error("the server sent less of it than it said")]
    Short,
    /// The connection may live, but nothing came that makes a picture.
    #[error("no picture for {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// What is live has no end.
    #[error("the server ended a live stream")]
    Ended,
}

impl HttpError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Client(_) | Self::Runtime(_) => Fault::Machine,
            Self::Fetch(error) => of_fetch(error),
            Self::NoRanges => Fault::Media,
            Self::Changed | Self::Short => Fault::Server,
            Self::Stalled(_) => Fault::Stalled,
            Self::NoAnswer(_) | Self::Ended => Fault::Network,
        }
    }
}

fn of_fetch(error: &DownloadError) -> Fault {
    match error {
        DownloadError::Url | DownloadError::Scheme { .. } | DownloadError::Address { .. } => Fault::Caller,
        // Asked too early, or too often (RFC 9110 section 15.5.9, RFC 6585 section 4): those pass.
        DownloadError::Status { status, .. } if status.is_client_error() => match status.as_u16() {
            408 | 425 | 429 => Fault::Server,
            _ => Fault::Caller,
        },
        DownloadError::Status { .. }
        | DownloadError::Redirect { .. }
        | DownloadError::Range { .. }
        | DownloadError::Large { .. } => Fault::Server,
        DownloadError::Transfer { .. } => Fault::Network,
        DownloadError::Silent { .. } | DownloadError::Late { .. } => Fault::Stalled,
        DownloadError::Store { .. } | DownloadError::Start(_) => Fault::Machine,
        DownloadError::Stopped { .. } => Fault::Stopped,
    }
}
