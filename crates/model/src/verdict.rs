//! What became of a due slot.

use serde::Serialize;

/// What became of a due slot for one analyzer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
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
