//! Rights as values: roles, the streams they extend to, and for whom.

use std::{fmt, str::FromStr};

use ocelli_model::StreamId;
use serde::{Deserialize, Serialize};

/// What somebody may do. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See streams, their pictures, results and status.
    Viewer,
    /// Create, change, start, stop and delete streams as well.
    Operator,
    /// Everything, the server's own settings included.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// As it is written in files, claims and the OpenAPI document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; use viewer, operator or admin")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(word: &str) -> Result<Self, RoleError> {
        let named = Self::ALL.into_iter().find(|role| role.as_str() == word);
        named.ok_or_else(|| RoleError(word.to_owned()))
    }
}

/// Which parts of the interface a request is for; anonymous access is opened for one of them at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contract {
    /// Our own interface, and everything that belongs to no other contract.
    Native,
    /// Contract 1, the frame extraction service: all below `/api/v1/video-pipeline/`.
    VideoPipeline,
    /// Contract 3, the media analyzer: all below `/api/streaming/`, `/api/streams/`, `/streaming/` and `/ws/stream/`.
    MediaAnalyzer,
}

/// Where the paths of contracts begin.
const PLACES: [(&str, Contract); 5] = [
    ("/api/v1/video-pipeline", Contract::VideoPipeline),
    ("/api/streaming", Contract::MediaAnalyzer),
    ("/api/streams", Contract::MediaAnalyzer),
    ("/streaming", Contract::MediaAnalyzer),
    ("/ws/stream", Contract::MediaAnalyzer),
];

impl Contract {
    /// The contract that a path belongs to.
    pub fn of(path: &str) -> Self {
        let is_below = |place: &str| {
            path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = PLACES.into_iter().find(|(place, _)| is_below(place));
        found.map_or(Self::Native, |(_, contract)| contract)
    }
}

/// One stream, or all whose ids begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exactly(StreamId),
    Prefix(String),
}

/// The streams that a grant extends to. Written as a list of ids and of beginnings such as `front-*`; where the list is
/// left out, or holds `*`, to all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Option<Vec<String>>", into = "Option<Vec<String>>")]
pub struct StreamScope {
    /// Nothing here means no limit; an empty list means no stream at all.
    only: Option<Vec<Pattern>>,
}

/// Why a list names no streams.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamScopeError {
    /// A word that no stream id can equal or begin with.
    #[error("{0:?} names no streams; write an id such as cam1, or its beginning and a star such as front-*")]
    Pattern(String),
    /// More words than anybody needs, each of which costs time at every request.
    #[error(
        "a grant names at most {MOST_PATTERNS} streams or beginnings; group them by a beginning such as front-*"
    )]
    Many,
}

/// Most words of one grant.
const MOST_PATTERNS: usize = 1000;

impl StreamScope {
    /// Every stream, now and later.
    pub const ALL: Self = Self { only: None };

    /// The streams that a list names; `None` is all.
    pub fn of<Word: AsRef<str>>(words: Option<&[Word]>) -> Result<Self, StreamScopeError> {
        let Some(words) = words else { return Ok(Self::ALL) };
        if words.len() > MOST_PATTERNS {
            return Err(StreamScopeError::Many);
        }
        let only = words.iter().map(|word| pattern(word.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let all = only.iter().any(|pattern| matches!(pattern, Pattern::Prefix(start) if start.is_empty()));
        Ok(Self { only: (!all).then_some(only) })
    }

    /// Whether the stream is among them.
    pub fn contains(&self, stream: &StreamId) -> bool {
        let fits = |pattern: &Pattern| match pattern {
            Pattern::Exactly(id) => id == stream,
            Pattern::Prefix(start) => stream.as_str().starts_with(start),
        };
        self.only.as_ref().is_none_or(|only| only.iter().any(fits))
    }

    /// Whether it has no limit.
    pub fn is_all(&self) -> bool {
        self.only.is_none()
    }
}

fn pattern(word: &str) -> Result<Pattern, StreamScopeError> {
    let wrong = || StreamScopeError::Pattern(word.to_owned());
    match word.strip_suffix('*') {
        Some("") => Ok(Pattern::Prefix(String::new())),
        // What a stream id may begin with is itself one.
        Some(start) => match start.parse::<StreamId>() {
            Ok(start) => Ok(Pattern::Prefix(start.into())),
            Err(_) => Err(wrong()),
        },
        None => word.parse().map(Pattern::Exactly).map_err(|_error| wrong()),
    }
}

impl TryFrom<Option<Vec<String>>> for StreamScope {
    type Error = StreamScopeError;

    fn try_from(words: Option<Vec<String>>) -> Result<Self, StreamScopeError> {
        Self::of(words.as_deref())
    }
}

impl From<StreamScope> for Option<Vec<String>> {
    fn from(scope: StreamScope) -> Self {
        let written = |pattern| match pattern {
            Pattern::Exactly(id) => id.into(),
            Pattern::Prefix(start) => start + "*",
        };
        scope.only.map(|only| only.into_iter().map(written).collect())
    }
}

impl fmt::Display for StreamScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Option::<Vec<String>>::from(self.clone()) {
            None => f.write_str("all streams"),
            Some(words) if words.is_empty() => f.write_str("no stream"),
            Some(words) => f.write_str(&words.join(", ")),
        }
    }
}

/// A role for somebody, limited to streams or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who: the name of a token, the subject of a JWT, `anonymous`. For logs and rates, never a secret.
    pub subject: String,
    /// What it allows.
    pub role: Role,
    /// On which streams.
    pub streams: StreamScope,
}

impl Grant {
    /// Whether it allows what needs `role` on `target`.
    pub fn allows(&self, role: Role, target: Target<'_>) -> bool {
        self.role >= role
            && match target {
                Target::Nothing => true,
                Target::Stream(stream) => self.streams.contains(stream),
                Target::Everything => self.streams.is_all(),
            }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// No stream: the role alone decides.
    Nothing,
    /// This one, whether it exists or not.
    Stream(&'a StreamId),
    /// All of them at once, or the server itself: a grant that is limited to streams does not do.
    Everything,
}
