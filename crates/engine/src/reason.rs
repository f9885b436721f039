//! Errors as one line, where they end up in a report, and how often they do.

use std::{collections::BTreeMap, error::Error};

/// Reasons that are counted apart.
const MOST_REASONS: usize = 64;

/// An error and its causes.
pub(crate) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Adds one to a reason: its own while there are few, then all that is new together. Decoders put places and byte
/// counts into their words, so that a damaged file has as many reasons as pictures.
pub(crate) fn count(reasons: &mut BTreeMap<String, u64>, reason: String) {
    let own = reasons.len() < MOST_REASONS || reasons.contains_key(&reason);
    *reasons.entry(if own { reason } else { "other reasons".to_owned() }).or_default() += 1;
}
