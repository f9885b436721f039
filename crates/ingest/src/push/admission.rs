//! Who may publish.

use std::{fmt, net::IpAddr};

use ocelli_model::StreamId;

/// Decides on publishes. Asked in tasks that must not be held up: what it needs to know is in memory. Secrets are compared in
/// constant time, which lies with whoever implements it.
pub trait Admission: Send + Sync + fmt::Debug {
    /// `key` is the stream name up to the first `?`, `secret` the value of `secret` behind it, both as a stranger wrote them.
    fn admit(&self, key: &str, secret: Option<&str>, peer: IpAddr) -> Result<Admitted, Refusal>;
}

/// A publish that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// To which stream.
    pub stream: StreamId,
    /// What becomes of whoever publishes to it already.
    pub on_second: OnSecond,
}

/// What a second publisher to a stream means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnSecond {
    /// The first one stays.
    #[default]
    Refuse,
    /// The second one takes its place, in a new run.
    TakeOver,
}

/// Why somebody may not publish: for the log. The publisher is told the same in all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// No stream has this key.
    #[error("no stream has the key")]
    UnknownKey,
    /// None, or a wrong one.
    #[error("the secret is wrong or missing")]
    WrongSecret,
    /// The address is in none of the networks that may publish.
    #[error("the address may not publish to the stream")]
    WrongNetwork,
}
