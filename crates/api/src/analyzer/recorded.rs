//! Recorded media, as far as contract 3 asks for it.

use ocelli_archive::LiveWindow;
use ocelli_model::StreamId;
use ocelli_store::SegmentQuery;

use crate::{failure::Failure, state::Shared};

/// A segment that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Ordinal of its run.
    pub(super) run: u32,
    /// From its first PTS to before its end.
    pub(super) pts: (i64, i64),
}

/// Number of the newest segment that live players can be given.
pub(super) fn newest_live(shared: &Shared, id: &StreamId) -> Option<u64> {
    newest(&shared.state.media.as_ref()?.live(id)?.now())
}

/// See [`newest_live`].
pub(super) fn newest(window: &LiveWindow) -> Option<u64> {
    let playable = window.segments.iter().rev().find(|segment| segment.sealed || !segment.parts.is_empty());
    playable.map(|segment| segment.number)
}

/// A segment by its number, or the newest.
pub(super) async fn segment(
    shared: &Shared,
    id: &StreamId,
    number: Option<u64>,
) -> Result<Option<Segment>, Failure> {
    let Some(media) = &shared.state.media else { return Ok(None) };
    let query = SegmentQuery {
        stream: Some(id.clone()),
        numbers: number.map(|number| number..number.saturating_add(1)),
        newest_first: true,
        limit: 1,
        ..SegmentQuery::default()
    };
    let sealed = media.segments(&query).await?.pop();
    let sealed = sealed.map(|found| Segment {
        number: found.number,
        run: found.run,
        pts: (found.first_pts, found.end_pts),
    });
    // What grows is in no index yet.
    let window = media.live(id).map(|view| view.now());
    let growing = window.iter().flat_map(|window| &window.segments).rev().find(|segment| {
        number.is_none_or(|number| segment.number == number) && (segment.sealed || !segment.parts.is_empty())
    });
    let growing = growing.map(|found| Segment {
        number: found.number,
        run: found.run,
        pts: (found.first_pts, found.end_pts),
    });
    Ok(growing.into_iter().chain(sealed).max_by_key(|segment| segment.number))
}
