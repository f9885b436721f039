//! How publishes end.

use std::{io, time::Duration};

use crate::Fault;

/// Why a publish is over. Its words go to the publisher, to the log, and to whoever reads the stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    /// As the publisher said.
    #[error("the publisher left")]
    Left,
    /// The connection ended without a word.
    #[error("the publisher's connection broke")]
    Broken,
    /// The connection may live, but no picture came, or media time stood still.
    #[error("the publisher sent no new picture for {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// Pictures came that nobody can decode.
    #[error("the publisher sent pictures and never their parameters (the sequence header)")]
    Unexplained,
    /// Somebody else publishes to the same stream now.
    #[error("another publisher took over")]
    TakenOver,
    /// The stream did not take what came; the publisher's connection was held up meanwhile.
    #[error("the stream did not take what the publisher sent for {} s", .0.as_secs_f64())]
    Behind(Duration),
    /// Bytes that are no RTMP, or more of them than is allowed.
    #[error("the publisher breaks the protocol: {0}")]
    Protocol(String),
    /// A codec that nothing here reads.
    #[error("{0}")]
    Unsupported(String),
    /// Whoever read the stream reads it no more.
    #[error("the stream was stopped")]
    Unread,
    /// The server goes.
    #[error("the server takes no publishers any more")]
    Closed,
}

impl Ending {
    /// None of them is lasting: the next publisher may do better.
    fn fault(&self) -> Fault {
        match self {
            Self::Left | Self::Broken | Self::TakenOver | Self::Unread => Fault::Network,
            Self::Stalled(_) => Fault::Stalled,
            Self::Behind(_) | Self::Closed => Fault::Machine,
            Self::Unexplained | Self::Protocol(_) | Self::Unsupported(_) => Fault::Server,
        }
    }
}

/// Why nothing published can be read, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The publish is over.
    #[error(transparent)]
    Ended(Ending),
    /// Two streams of one key.
    #[error("another stream reads what is published to this key")]
    KeyTaken,
    /// Nothing listens for publishers.
    #[error("this program takes no publishers")]
    NoServer,
    /// No runtime to wait in.
    #[error("cannot start the network's runtime")]
    Runtime(#[source] io::Error),
}

impl PublishError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Ended(ending) => ending.fault(),
            Self::KeyTaken | Self::NoServer => Fault::Caller,
            Self::Runtime(_) => Fault::Machine,
        }
    }
}
