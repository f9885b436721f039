//! Stored results in order of media time, a page at a time.

use std::collections::VecDeque;

use ocelli_store::{FrameQuery, OpenLedger, StoreError, StoredFrame};

use super::Kept;

/// Frames in memory at once.
const PAGE: u32 = 256;

/// Goes through the results that a ledger counted before this pass.
#[derive(Debug)]
pub(super) struct Replay {
    query: FrameQuery,
    page: VecDeque<StoredFrame>,
    /// Nothing follows the page.
    exhausted: bool,
}

impl Replay {
    pub(super) fn new(open: OpenLedger) -> Self {
        let (series, ledger) = (open.series, Some(open.ledger));
        let (from, to, limit) = (i64::MIN, i64::MAX, PAGE);
        let query = FrameQuery { series, ledger, derivation: None, from, to, limit, newest_first: false };
        Self { query, page: VecDeque::new(), exhausted: false }
    }

    /// The next frame, if its PTS is before `end` or, `inclusive`, at it.
    pub(super) fn next_until(
        &mut self,
        kept: &Kept,
        end: i64,
        inclusive: bool,
    ) -> Result<Option<StoredFrame>, StoreError> {
        if self.page.is_empty() && !self.exhausted {
            let page = kept.wait(kept.results.frames(&self.query))?;
            self.page = page.rows.into();
            match page.next {
                Some(next) => self.query.from = next,
                None => self.exhausted = true,
            }
        }
        let due = |frame: &mut StoredFrame| frame.pts < end || (inclusive && frame.pts == end);
        Ok(self.page.pop_front_if(due))
    }
}
