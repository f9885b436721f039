//! What became of a due slot.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// What became of a due slot for one analyzer. Its word is the same in the store, in JSON and for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Looked at; a result exists, with or without detections.
    Analysed,
    /// Not looked at, because a gate found nothing to see.
    Gated,
    /// Not looked at, because a queue was full.
    Dropped,
    /// Its picture could not be decoded or analysed.
    Failed,
    /// Received media covers the slot and holds no picture for it.
    Empty,
    /// The media of the slot was never received.
    Lost,
}

/// A word that is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no verdict; it is one of analysed, gated, dropped, failed, empty, lost")]
pub struct VerdictError(String);

impl Verdict {
    /// Every verdict there is.
    pub const ALL: [Self; 6] =
        [Self::Analysed, Self::Gated, Self::Dropped, Self::Failed, Self::Empty, Self::Lost];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Analysed => "analysed",
            Self::Gated => "gated",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Empty => "empty",
            Self::Lost => "lost",
        }
    }
}

impl FromStr for Verdict {
    type Err = VerdictError;

    fn from_str(word: &str) -> Result<Self, VerdictError> {
        let found = Self::ALL.into_iter().find(|verdict| verdict.word() == word);
        found.ok_or_else(|| VerdictError(word.to_owned()))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Counts of verdicts; `due` is always their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Results exist.
    pub analysed: u64,
    /// Closed by a gate.
    pub gated: u64,
    /// Overload.
    pub dropped: u64,
    /// Damaged or refused.
    pub failed: u64,
    /// No picture in the slot.
    pub empty: u64,
    /// Never received.
    pub lost: u64,
}

impl Tally {
    /// One more slot with this verdict.
    pub fn count(&mut self, verdict: Verdict) {
        self.add(verdict, 1);
    }

    /// `slots` more with this verdict.
    pub fn add(&mut self, verdict: Verdict, slots: u64) {
        *match verdict {
            Verdict::Analysed => &mut self.analysed,
            Verdict::Gated => &mut self.gated,
            Verdict::Dropped => &mut self.dropped,
            Verdict::Failed => &mut self.failed,
            Verdict::Empty => &mut self.empty,
            Verdict::Lost => &mut self.lost,
        } += slots;
    }

    /// Slots with this verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Analysed => self.analysed,
            Verdict::Gated => self.gated,
            Verdict::Dropped => self.dropped,
            Verdict::Failed => self.failed,
            Verdict::Empty => self.empty,
            Verdict::Lost => self.lost,
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: Self) {
        self.analysed += other.analysed;
        self.gated += other.gated;
        self.dropped += other.dropped;
        self.failed += other.failed;
        self.empty += other.empty;
        self.lost += other.lost;
    }

    /// Slots that were due.
    pub fn due(&self) -> u64 {
        self.analysed + self.gated + self.dropped + self.failed + self.empty + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, Verdict, VerdictError};

    #[test]
    fn words_read_back_and_are_those_of_json() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.word().parse(), Ok(verdict));
            assert_eq!(format!("{verdict:>9}").trim_start(), verdict.word());
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
            let mut tally = Tally::default();
            tally.add(verdict, 3);
            assert_eq!((tally.of(verdict), tally.due()), (3, 3));
            assert_eq!(serde_json::to_value(tally).unwrap()[verdict.word()], 3);
        }
        for bad in ["", "Analysed", "lost ", "due"] {
            assert_eq!(bad.parse::<Verdict>(), Err(VerdictError(bad.to_owned())));
        }
    }
}
