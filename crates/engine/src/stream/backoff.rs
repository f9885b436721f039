//! How long to wait before the next attempt.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

/// Doubles from `least` to `most` while attempts fail without progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first attempt again.
    pub least: Duration,
    /// However often it failed.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { least: Duration::from_secs(1), most: Duration::from_mins(1) }
    }
}

impl Backoff {
    /// The pause after `failures` attempts in a row, at least one, without progress. Up to a quarter less than the doubled
    /// one, by stream: cameras that went together do not come back together.
    pub(super) fn pause(self, stream: &str, failures: u32) -> Duration {
        let doubled = self.least.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.most);
        let mut hasher = DefaultHasher::new();
        (stream, failures).hash(&mut hasher);
        doubled.mul_f64(1.0 - (hasher.finish() % 256) as f64 / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_most_and_differ_by_stream() {
        let backoff = Backoff::default();
        let check = |failures: u32, doubled: u64| {
            let pause = backoff.pause("cam1", failures);
            let doubled = Duration::from_secs(doubled);
            assert!(pause <= doubled && pause >= doubled.mul_f64(0.75), "{failures}: {pause:?}");
        };
        for (failures, doubled) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60), (u32::MAX, 60)]
        {
            check(failures, doubled);
        }
        let pauses: std::collections::BTreeSet<_> =
            (0..50).map(|index| backoff.pause(&format!("cam{index}"), 7)).collect();
        assert!(pauses.len() > 30, "they spread");
    }
}
