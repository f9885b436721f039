//! Names of streams.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Most characters of a stream id.
const MOST: usize = 64;

/// Name of a stream: 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with `.` or `-`. Such a name is one segment of a path
/// and of a URL, is no option of a command line, and needs no quoting anywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(String);

/// Why a word names no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamIdError {
    /// Nothing.
    #[error("a stream id is empty; use 1 to 64 of A-Z a-z 0-9 . _ -")]
    Empty,
    /// Too many characters.
    #[error("a stream id is longer than 64 characters")]
    Long,
    /// A character that is not allowed, or not first.
    #[error("a stream id holds only A-Z a-z 0-9 . _ - and begins with none of . -")]
    Character,
}

impl StreamId {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(word: &str) -> Result<Self, StreamIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match word.as_bytes() {
            [] => Err(StreamIdError::Empty),
            bytes if bytes.len() > MOST => Err(StreamIdError::Long),
            [b'.' | b'-', ..] => Err(StreamIdError::Character),
            bytes if !bytes.iter().copied().all(allowed) => Err(StreamIdError::Character),
            _ => Ok(Self(word.to_owned())),
        }
    }
}

impl TryFrom<String> for StreamId {
    type Error = StreamIdError;

    fn try_from(word: String) -> Result<Self, StreamIdError> {
        word.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> Self {
        id.0
    }
}

impl Borrow<str> for StreamId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{StreamId, StreamIdError};

    #[test]
    fn ids_are_one_plain_segment_of_a_path() {
        let check = |word: &str, expected: Result<(), StreamIdError>| {
            assert_eq!(word.parse::<StreamId>().map(|_| ()), expected, "{word:?}");
        };
        for good in ["a", "cam1", "front-door_2.main", "0", "_x", &"x".repeat(64)] {
            check(good, Ok(()));
        }
        check("", Err(StreamIdError::Empty));
        check(&"x".repeat(65), Err(StreamIdError::Long));
        for bad in
            [".", "..", "../x", "a/b", "a\\b", "-rf", ".hidden", "a b", "a\0", "ä", "a\n", "%2e", "a:b"]
        {
            check(bad, Err(StreamIdError::Character));
        }
    }

    #[test]
    fn a_stored_id_is_checked_again() {
        let id: StreamId = serde_json::from_str("\"cam1\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"cam1\"");
        assert!(serde_json::from_str::<StreamId>("\"../etc\"").is_err());
    }
}
