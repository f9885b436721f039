//! Which segments something was seen in. Results come while their segment grows, or later: the row says it either way, with one
//! write.

use std::{collections::BTreeSet, ops::Range};

use ocelli_model::StreamId;
use ocelli_store::{SegmentClass, SegmentQuery, SegmentRecord, StoreError};

use crate::{Archive, ArchiveError, archive::Shared, lane::Lane};

/// Media times that wait for their segment. The oldest go where there are more: nothing was recorded of them.
const MOST_WAITING: usize = 4096;
/// Segments that may share a media time: leading pictures of one are shown among those of the one before.
const MOST_SHARED: u32 = 4;

/// What was seen of a stream, as far as its rows do not say so.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Run and PTS, until a segment has taken them.
    waiting: BTreeSet<(u32, i64)>,
    /// Run and first PTS of the segment that grows: from there on nothing is in the index.
    open: Option<(u32, i64)>,
    /// A segment whose row says so: what else is seen in it changes nothing.
    marked: Option<(u32, Range<i64>)>,
}

impl Events {
    /// Something was seen. True: its segment may be in the index.
    fn saw(&mut self, run: u32, pts: i64) -> bool {
        if self.marked.as_ref().is_some_and(|(known, range)| *known == run && range.contains(&pts)) {
            return false;
        }
        self.waiting.insert((run, pts));
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_first();
        }
        self.open.is_none_or(|(open, first)| run != open || pts < first)
    }

    pub(crate) fn begin(&mut self, run: u32, first_pts: i64) {
        self.open = Some((run, first_pts));
    }

    /// Something was seen in a segment that is about to be entered.
    fn holds(&self, segment: &SegmentRecord) -> bool {
        let range = (segment.run, segment.first_pts)..(segment.run, segment.end_pts);
        !range.is_empty() && self.waiting.range(range).next().is_some()
    }

    /// A segment is in the index: whoever saw something in it looks there from now on.
    fn entered(&mut self, segment: &SegmentRecord) {
        let range = segment.first_pts..segment.end_pts;
        if self.open.is_some_and(|(run, first)| run == segment.run && range.contains(&first)) {
            self.open = None;
        }
    }

    /// The row of a segment says that something was seen in it.
    fn mark(&mut self, segment: &SegmentRecord) {
        let range = segment.first_pts..segment.end_pts;
        self.waiting.retain(|(run, pts)| *run != segment.run || !range.contains(pts));
        self.marked = Some((segment.run, range));
    }
}

impl Archive {
    /// Something was seen at a media time of a run, durably: the segment that holds it is one with an event, whether it is whole or still
    /// grows. Nothing where it is not recorded; what is pinned stays so. Blocks for the index at most, so it is not for tasks.
    pub fn saw(&self, stream: &StreamId, run: u32, pts: i64) -> Result<(), ArchiveError> {
        let lane = self.lane(stream);
        if !lane.events().saw(run, pts) {
            return Ok(());
        }
        let (index, runtime) = (self.index(), self.runtime());
        let query = SegmentQuery {
            stream: Some(stream.clone()),
            run: Some(run),
            pts: Some(pts..pts.saturating_add(1)),
            limit: MOST_SHARED,
            ..SegmentQuery::default()
        };
        for segment in runtime.block_on(index.segments(&query))? {
            // One that is pinned keeps it in mind.
            if segment.class != SegmentClass::Event {
                let numbers = segment.number..segment.number + 1;
                // Not through this archive, which may be busy removing: what goes meanwhile was too old anyway.
                runtime.block_on(index.classify(stream, numbers, SegmentClass::Event, false))?;
            }
            lane.events().mark(&segment);
        }
        Ok(())
    }
}

impl Shared {
    /// Enters a segment, with what was seen in it up to then, and meanwhile.
    pub(crate) fn enter(&self, lane: &Lane, record: &SegmentRecord) -> Result<(), StoreError> {
        let seen = lane.events().holds(record);
        let class = if seen { SegmentClass::Event } else { record.class };
        let record = SegmentRecord { class, ..record.clone() };
        self.runtime.block_on(self.index.put_segment(&record))?;
        lane.events().entered(&record);
        if !seen {
            if !lane.events().holds(&record) {
                return Ok(());
            }
            let numbers = record.number..record.number + 1;
            self.runtime.block_on(self.index.classify(
                &record.stream,
                numbers,
                SegmentClass::Event,
                false,
            ))?;
        }
        lane.events().mark(&record);
        Ok(())
    }
}
