//! What goes wrong with a stream, and on whose side.

use std::{io, time::Duration};

use ocelli_net::{ClientError, Refused};

use super::url::RtspUrl;
use crate::Fault;

/// How retina's error of a connection begins; it has no type of its own.
const CONNECT: &str = "Unable to connect to RTSP server: ";
/// How its errors of a broken connection begin.
const BROKEN: [&str; 2] = ["Error reading from RTSP peer: ", "Error writing to RTSP peer: "];

/// Why a stream cannot be opened or read on. No text of it holds a secret of the URL.
#[derive(Debug, thiserror::Error)]
pub enum RtspError {
    /// Not a URL of a stream, or of a kind that is not supported.
    #[error("the URL cannot be used: {0}")]
    Url(&'static str),
    /// No runtime for the connection.
    #[error("cannot start the network's runtime")]
    Runtime(#[source] io::Error),
    /// The name leads nowhere.
    #[error("cannot find the host")]
    Resolve(#[source] io::Error),
    /// The address policy.
    #[error("the address is not allowed")]
    Address(#[source] Refused),
    /// Nobody listens there, or no way leads there.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The certificates of this machine cannot be used.
    #[error(transparent)]
    Certificates(ClientError),
    /// The server does not prove who it is.
    #[error("the server's certificate is not trusted: {0}")]
    Untrusted(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// 401 or 403 without credentials.
    #[error("the server asks for a user and a password; write them into the URL")]
    CredentialsMissing,
    /// 401 or 403 with credentials.
    #[error("the server refuses this user or password")]
    CredentialsRefused,
    /// 404.
    #[error("the server has no such stream")]
    NotFound,
    /// Another status.
    #[error("the server refuses with status {0}")]
    Status(u16),
    /// No video in what the server describes.
    #[error("the stream has no video")]
    NoVideo,
    /// Video that is neither H.264 nor H.265.
    #[error("the stream's video is {0}; only H.264 and H.265 are supported")]
    Codec(String),
    /// Old servers of a kind that mixes up its connections; retina would reconnect wherever they say.
    #[error("the server's software is too old to be used over TCP")]
    TooOld,
    /// Malformed answers or media.
    #[error("the server breaks the protocol: {0}")]
    Protocol(String),
    /// The connection ended in a way that is no end of a stream.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The connection may live, but no picture came.
    #[error("no picture for {} s", .0.as_secs_f64())]
    Stalled(Duration),
}

impl RtspError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Url(_)
            | Self::Address(_)
            | Self::Untrusted(_)
            | Self::CredentialsMissing
            | Self::CredentialsRefused
            | Self::NotFound => Fault::Caller,
            Self::NoVideo | Self::Codec(_) | Self::TooOld => Fault::Media,
            Self::Resolve(_) | Self::Unreachable(_) | Self::NoAnswer(_) | Self::Broken(_) => Fault::Network,
            Self::Status(_) | Self::Protocol(_) => Fault::Server,
            Self::Stalled(_) => Fault::Stalled,
            Self::Runtime(_) | Self::Certificates(_) => Fault::Machine,
        }
    }

    /// From that of an encrypted connection.
    pub(super) fn of_tls(error: &io::Error, url: &RtspUrl) -> Self {
        let words = url.clean(&error.to_string());
        // What rustls says; the rest is the network.
        if error.kind() == io::ErrorKind::InvalidData {
            Self::Untrusted(words)
        } else {
            Self::Unreachable(words)
        }
    }

    /// From retina's, which has a status or words.
    pub(super) fn of(error: &retina::Error, url: &RtspUrl) -> Self {
        let words = error.to_string();
        match error.status_code() {
            Some(401 | 403) if url.credentials().is_none() => return Self::CredentialsMissing,
            Some(401 | 403) => return Self::CredentialsRefused,
            Some(404) => return Self::NotFound,
            // A good answer that cannot be read is told in words below.
            Some(status) if !(200..300).contains(&status) => return Self::Status(status),
            _ => {}
        }
        if let Some(cause) = words.strip_prefix(CONNECT) {
            return Self::Unreachable(url.clean(cause));
        }
        match BROKEN.iter().find_map(|start| words.strip_prefix(start)) {
            Some(cause) => Self::Broken(url.clean(cause)),
            None => Self::Protocol(url.clean(&words)),
        }
    }
}
