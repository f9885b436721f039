//! How far back in time a picture may still arrive, given the stream's reorder depth.

/// The largest PTS values seen, and what follows from them: at most `depth` pictures may precede a picture in
/// decode order and follow it in output order (H.264 `max_num_reorder_frames`, H.265 `sps_max_num_reorder_pics`),
/// so nothing earlier than the `depth + 1` largest is still to come.
#[derive(Debug, Default)]
pub(super) struct Horizon {
    /// Ascending, at most `depth + 1`.
    largest: Vec<i64>,
    depth: usize,
    floor: Option<i64>,
}

/// No codec here reorders deeper (H.264 and H.265 limit the decoded picture buffer to 16).
const DEEPEST: u32 = 16;

impl Horizon {
    pub(super) fn push(&mut self, pts: i64, depth: u32) {
        self.depth = depth.min(DEEPEST) as usize;
        let at = self.largest.partition_point(|&seen| seen <= pts);
        self.largest.insert(at, pts);
        while self.largest.len() > self.depth + 1 {
            self.largest.remove(0);
        }
        if self.largest.len() == self.depth + 1 {
            // A stream whose depth grows must not reopen what was closed.
            self.floor = self.floor.max(self.largest.first().copied());
        }
    }

    /// No picture before this PTS is still to come.
    pub(super) fn floor(&self) -> Option<i64> {
        self.floor
    }

    /// Whether `pts` cannot belong to this run: a step backwards beyond the reorder depth, or too far forwards.
    pub(super) fn breaks(&self, pts: i64, longest_gap: i64) -> bool {
        let behind = self.floor.is_some_and(|floor| pts < floor);
        let ahead = self.largest.last().is_some_and(|&last| pts.saturating_sub(last) > longest_gap);
        behind || ahead
    }
}
