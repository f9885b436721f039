//! Where the decode of a file began, so that it goes on after an interruption instead of beginning anew.

use std::time::UNIX_EPOCH;

use ocelli_ingest::SourceKind;
use serde::{Deserialize, Serialize};

use super::StreamSpec;

/// Beside what the stream is to do, in the same JSON.
const FIELD: &str = "begun";

/// The decode of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Ordinal, within the stream, of its first run.
    pub(super) first_run: u32,
    pub(super) file: FileMark,
}

/// Tells a file from one that was put in its place. Cheap: large files are not read for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileMark {
    bytes: u64,
    modified_ns: u64,
}

impl FileMark {
    /// Of the file that a stream reads once; `None` where it reads something else, or the file cannot be looked at.
    pub(super) fn of(spec: &StreamSpec) -> Option<Self> {
        let once = spec.source.url.kind() == SourceKind::File && !spec.source.repeat;
        let found = once.then(|| spec.source.url.file())??.metadata().ok()?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { bytes: found.len(), modified_ns: u64::try_from(modified.as_nanos()).ok()? })
    }
}

/// What a record's JSON says of it, if anything.
pub(super) fn read(json: &str) -> Option<Begun> {
    let mut spec: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json::from_value(spec.get_mut(FIELD)?.take()).ok()
}

/// Says so in a record's JSON, or takes it out.
pub(super) fn write(json: &str, begun: Option<&Begun>) -> Result<String, serde_json::Error> {
    let mut spec: serde_json::Map<_, _> = serde_json::from_str(json)?;
    match begun {
        Some(begun) => spec.insert(FIELD.to_owned(), serde_json::to_value(begun)?),
        None => spec.remove(FIELD),
    };
    serde_json::to_string(&spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_beside_the_spec_and_can_be_taken_out() {
        let spec = r#"{"source":{"url":"/a.mp4"},"fps":"1","frames":{}}"#;
        assert_eq!(read(spec), None);
        let begun = Begun { first_run: 7, file: FileMark { bytes: 1, modified_ns: u64::MAX } };
        let marked = write(spec, Some(&begun)).unwrap();
        assert_eq!(read(&marked), Some(begun));
        let of = |json: &str| serde_json::from_str::<StreamSpec>(json).unwrap();
        assert_eq!(of(&marked), of(spec), "the spec itself is the same");
        assert_eq!(read(&write(&marked, None).unwrap()), None);
    }
}
