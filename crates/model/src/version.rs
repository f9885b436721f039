//! The analyzer version: a hash of everything that can change a result.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Identifies one way of analysing: model, precision, runtime and its version, preprocessing, parameters, sampler.
/// Results of equal versions may be compared and reused; anything else is a different derivation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnalyzerVersion(String);

impl AnalyzerVersion {
    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AnalyzerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is no analyzer version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no analyzer version: that is 16 hexadecimal digits")]
pub struct VersionError(String);

impl FromStr for AnalyzerVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 16 && digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(VersionError(text.to_owned()))
        }
    }
}

impl Serialize for AnalyzerVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Collects named ingredients; their order of arrival does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionBuilder {
    ingredients: BTreeMap<String, String>,
}

impl VersionBuilder {
    /// Sets one ingredient; a later value replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.ingredients.insert(name.to_owned(), value.to_string());
        self
    }

    /// The ingredients, for people who ask why two versions differ.
    pub fn ingredients(&self) -> &BTreeMap<String, String> {
        &self.ingredients
    }

    /// First 64 bits of SHA-256 over length-prefixed names and values, so no two sets run together.
    pub fn build(&self) -> AnalyzerVersion {
        let mut hash = Sha256::new();
        for part in self.ingredients.iter().flat_map(|(name, value)| [name, value]) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let head = hash.finalize().iter().take(8).fold(0_u64, |head, byte| head << 8 | u64::from(*byte));
        AnalyzerVersion(format!("{head:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> VersionBuilder {
        VersionBuilder::default().with("model", "a").with("precision", "f32").with("threshold", 0.4)
    }

    #[test]
    fn every_ingredient_changes_the_version() {
        let versions = [
            sample().build(),
            sample().with("model", "b").build(),
            sample().with("precision", "bf16").build(),
            sample().with("threshold", 0.5).build(),
            sample().with("extra", "").build(),
        ];
        for (i, a) in versions.iter().enumerate() {
            assert!(versions[i + 1..].iter().all(|b| a != b), "{i}");
        }
    }

    #[test]
    fn a_version_reads_back() {
        let version = sample().build();
        assert_eq!(version.as_str().parse(), Ok(version.clone()));
        for text in ["", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg"] {
            assert_eq!(text.parse::<AnalyzerVersion>(), Err(VersionError(text.to_owned())));
        }
    }

    #[test]
    fn order_does_not_matter_and_parts_do_not_run_together() {
        let other =
            VersionBuilder::default().with("threshold", 0.4).with("precision", "f32").with("model", "a");
        assert_eq!(sample().build(), other.build());
        let glued = |name: &str, value: &str| VersionBuilder::default().with(name, value).build();
        assert_ne!(glued("ab", "c"), glued("a", "bc"));
    }
}
