//! What a stream reads, as configured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Source, SourceError, pull::Stop};

/// Where media comes from and how it is read. Serialised with its secrets, for the store; shown without them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// Where.
    pub url: SourceUrl,
    /// A file: begins anew at its end, each turn a run of its own.
    #[serde(default)]
    pub repeat: bool,
    /// How fast a file is read.
    #[serde(default)]
    pub pace: Pace,
    /// Handed over by somebody who is not trusted: read and decoded in a process without rights.
    #[serde(default)]
    pub untrusted: bool,
}

/// How fast a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As fast as it can be worked on; nothing is ever dropped.
    #[default]
    Fast,
    /// As a camera would send it, by its media times; overload drops.
    RealTime,
}

/// A place of media. Its credentials are shown to nobody: `Display` and `Debug` leave them out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceUrl(String);

/// Opens what a stream reads.
pub trait OpenSource: Send + Sync + fmt::Debug {
    /// Blocking; `stop` ends waits, now and of the source's later calls.
    fn open(&self, spec: &SourceSpec, stop: &Stop) -> Result<Box<dyn Source>, SourceError>;
}

/// Why a word is no place of media.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceUrlError(pub String);

impl SourceUrl {
    /// With its secrets: for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SourceUrl {
    type Err = SourceUrlError;

    fn from_str(word: &str) -> Result<Self, SourceUrlError> {
        if word.is_empty() {
            return Err(SourceUrlError("the URL is empty".to_owned()));
        }
        Ok(Self(word.to_owned()))
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        write!(f, "{scheme}://{}", rest.split('?').next().unwrap_or_default())
    }
}

impl fmt::Debug for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SourceSpec {
    /// Whether media comes at its own pace, so that overload drops instead of waiting.
    pub fn is_live(&self) -> bool {
        self.pace == Pace::RealTime || !self.url.0.starts_with("file:")
    }
}
