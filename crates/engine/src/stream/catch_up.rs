//! After a crash: what was recorded and has no verdict yet is read again from the recording, and the ledger closes.

use ocelli_archive::Archive;
use ocelli_media::sampler::Resume;
use ocelli_model::{SamplingPlan, SlotClock, StreamId, TimeBase};
use ocelli_store::{RunFilter, RunRecord, RunState, SegmentQuery, SourceKind, StoreError};

use super::fleet::Shared;
use crate::Known;

/// Runs that are gone through again at most: each crash leaves one.
const MOST_RUNS: usize = 8;
/// Segments looked at to find where reading may begin: no more lie in one GOP.
const MOST_SEGMENTS: u32 = 64;
/// The rule of slots looks back to the second keyframe before a slot; one more, for a slot that lies across one.
const KEYFRAMES: usize = 3;

/// A run that a process left without an end, of which the recording holds media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsettled {
    pub(super) run: u32,
    /// PTS that its slots count from, where anything of it was kept.
    pub(super) begun: Option<(i64, TimeBase)>,
    /// Whether any analyzer has a ledger of it.
    pub(super) has_ledgers: bool,
}

/// Where such a run is taken up.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenUp {
    pub(super) resume: Option<Resume>,
    /// PTS that reading must not begin after.
    pub(super) from: i64,
}

/// Runs of a stream to catch up with, oldest first.
pub(super) fn unsettled(
    shared: &Shared,
    archive: &Archive,
    id: &StreamId,
) -> Result<Vec<Unsettled>, StoreError> {
    let runtime = &shared.kept.runtime;
    let filter = RunFilter { source_key: Some(id.to_string()), ..RunFilter::default() };
    let mut runs = runtime.block_on(shared.kept.results.runs(&filter))?;
    runs.retain(|run| run.source.source.kind == SourceKind::Stream);
    runs.sort_unstable_by_key(|run| run.run.ordinal);
    let mut found = Vec::new();
    for RunRecord { id, run, state, .. } in &runs {
        if *state == RunState::Unclean {
            let ledgers = runtime.block_on(shared.kept.results.ledgers(Some(*id)))?;
            let begun = Some((run.t0, run.time_base));
            found.push(Unsettled { run: run.ordinal, begun, has_ledgers: !ledgers.is_empty() });
        }
    }
    // One of which the recording knows and the store does not: it was killed before its first result.
    if let Some(run) = newest_run(shared, archive, id)?
        && runs.iter().all(|known| known.run.ordinal != run)
    {
        found.push(Unsettled { run, begun: None, has_ledgers: false });
    }
    Ok(found.split_off(found.len().saturating_sub(MOST_RUNS)))
}

/// The newest run of which anything is recorded.
pub(super) fn newest_run(
    shared: &Shared,
    archive: &Archive,
    id: &StreamId,
) -> Result<Option<u32>, StoreError> {
    let stream = Some(id.clone());
    let newest = SegmentQuery { stream, newest_first: true, limit: 1, ..SegmentQuery::default() };
    let segments = shared.kept.runtime.block_on(archive.index().segments(&newest))?;
    Ok(segments.first().map(|segment| segment.run))
}

/// Where a run is taken up: at the first slot without a verdict. `None` where none of it is of these analyzers: others looked at it.
pub(super) fn taken_up(plan: SamplingPlan, unsettled: Unsettled, known: &Known) -> Option<TakenUp> {
    let Some((t0, base)) = unsettled.begun else {
        return Some(TakenUp { resume: None, from: i64::MIN });
    };
    if unsettled.has_ledgers && !known.has_ledger(unsettled.run) {
        return None;
    }
    let settled = known.settled_through(unsettled.run, plan);
    Some(match plan {
        SamplingPlan::Rate(rate) => {
            let first_slot = settled.map_or(0, |last| last.saturating_add(1).max(0));
            let from = SlotClock::new(t0, base, rate).first_pts(first_slot).max(t0);
            TakenUp { resume: Some(Resume { t0, first_slot }), from }
        }
        SamplingPlan::All => {
            let resume = Some(Resume { t0, first_slot: 0 });
            TakenUp { resume, from: settled.unwrap_or(t0).max(t0) }
        }
    })
}

/// The PTS at which reading begins so that slots from `from` on are decided as they were, or would have been; `None` where that much
/// is not recorded any more.
pub(super) fn reading_from(
    shared: &Shared,
    archive: &Archive,
    (id, run): (&StreamId, u32),
    from: i64,
) -> Result<Option<i64>, StoreError> {
    let before = SegmentQuery {
        stream: Some(id.clone()),
        run: Some(run),
        pts: Some(i64::MIN..from.saturating_add(1)),
        newest_first: true,
        limit: MOST_SEGMENTS,
        ..SegmentQuery::default()
    };
    let segments = shared.kept.runtime.block_on(archive.index().segments(&before))?;
    let keyframes = segments.iter().filter(|segment| segment.keyframe).map(|segment| segment.first_pts);
    Ok(keyframes.take(KEYFRAMES).last())
}
