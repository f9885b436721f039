//! Which stretch of a recording is asked for, in wall time or in media time, and which segments hold it.

use std::ops::Range;

use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{SegmentQuery, SegmentRecord};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    log::MediaLog,
    wall::{self, Wall},
};
use crate::failure::Failure;

/// Most segments of one answer.
const MOST_SEGMENTS: u32 = 100_000;
/// Longest stretch of wall time.
const LONGEST_MS: i64 = 7 * 86_400_000;

/// A stretch of a recording.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WindowQuery {
    /// Wall time it begins at: RFC 3339, or milliseconds since 1970.
    #[param(example = "2026-11-29T15:00:00Z")]
    pub(super) start: Option<String>,
    /// Wall time it ends before.
    #[param(example = "2026-11-29T16:00:00Z")]
    pub(super) end: Option<String>,
    /// Ordinal of a run, instead of wall time: the whole run, or what `start_pts` and `end_pts` bound.
    pub(super) run: Option<u32>,
    /// Media time it begins at, in ticks of the run's time base.
    pub(super) start_pts: Option<i64>,
    /// Media time it ends before.
    pub(super) end_pts: Option<i64>,
}

/// A stretch that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Wall(Range<i64>),
    Media(u32, Range<i64>),
}

/// A stretch of one run.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) run: u32,
    pub(super) pts: Range<i64>,
    pub(super) time_base: TimeBase,
}

impl WindowQuery {
    pub(super) fn is_empty(&self) -> bool {
        let Self { start, end, run, start_pts, end_pts } = self;
        start.is_none() && end.is_none() && run.is_none() && start_pts.is_none() && end_pts.is_none()
    }

    pub(super) fn read(&self) -> Result<Window, Failure> {
        let Self { start, end, run, start_pts, end_pts } = self;
        match (start, end, run, start_pts, end_pts) {
            (Some(start), Some(end), None, None, None) => {
                let (start, end) = (moment("start", start)?, moment("end", end)?);
                if start >= end {
                    return Err(Failure::invalid("the stretch ends before it begins: give end after start"));
                }
                if end - start > LONGEST_MS {
                    return Err(Failure::invalid(
                        "the stretch is longer than a week; ask for less at a time",
                    ));
                }
                Ok(Window::Wall(start..end))
            }
            (None, None, Some(run), start, end) => {
                let (start, end) = (start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX));
                if start >= end {
                    return Err(Failure::invalid(
                        "the stretch ends before it begins: give end_pts after start_pts",
                    ));
                }
                Ok(Window::Media(*run, start..end))
            }
            _ => Err(Failure::invalid(
                "give start and end (RFC 3339, or milliseconds since 1970), or run with start_pts and end_pts",
            )),
        }
    }
}

pub(super) fn moment(name: &str, word: &str) -> Result<i64, Failure> {
    wall::parse(word).ok_or_else(|| {
        Failure::invalid(format!(
            "{name}: {word:?} is no moment; write 2026-11-29T15:00:00Z, or milliseconds since 1970"
        ))
    })
}

impl Window {
    pub(super) fn query(&self, stream: &StreamId) -> SegmentQuery {
        let query =
            SegmentQuery { stream: Some(stream.clone()), limit: MOST_SEGMENTS, ..SegmentQuery::default() };
        match self.clone() {
            Self::Wall(wall) => SegmentQuery { wall_ms: Some(wall), ..query },
            Self::Media(run, pts) => SegmentQuery { run: Some(run), pts: Some(pts), ..query },
        }
    }

    /// Segments that hold some of it; at least one, else the failure says what there is.
    pub(super) async fn segments(
        &self,
        log: &dyn MediaLog,
        stream: &StreamId,
    ) -> Result<Vec<SegmentRecord>, Failure> {
        let segments = log.segments(&self.query(stream)).await?;
        if segments.is_empty() { Err(self.nothing(log, stream).await?) } else { Ok(segments) }
    }

    /// The stretch within one run.
    pub(super) async fn within_run(&self, log: &dyn MediaLog, stream: &StreamId) -> Result<Found, Failure> {
        let segments = self.segments(log, stream).await?;
        let [first, .., last] = &*segments else { return self.within(&segments[0], &segments[0]) };
        if first.run == last.run {
            return match (self, set_back(&segments)) {
                (Self::Wall(_), Some((before, after))) => Err(Failure::invalid(format!(
                    "the machine's clock was set back in this stretch, from after {} to {}, so that its times came more than once; ask by run and PTS",
                    Wall(before.began_ms),
                    Wall(after.began_ms)
                ))),
                _ => self.within(first, last),
            };
        }
        let mut runs = segments.chunk_by(|before, next| before.run == next.run);
        let told = runs
            .by_ref()
            .take(10)
            .map(|of_run| format!("run {} from {}", of_run[0].run, Wall(of_run[0].began_ms)));
        let told = told.collect::<Vec<_>>().join(", ");
        Err(Failure::invalid(format!(
            "the stretch spans several runs, each with media time of its own: {told}; ask for each by itself, by run"
        )))
    }

    fn within(&self, first: &SegmentRecord, last: &SegmentRecord) -> Result<Found, Failure> {
        let pts = match self {
            Self::Wall(wall) => at(first, wall.start)..at(last, wall.end),
            Self::Media(_, pts) => pts.start.max(first.first_pts)..pts.end.min(last.end_pts),
        };
        if pts.is_empty() {
            return Err(Failure::invalid("the stretch is shorter than a tick of the stream's time base"));
        }
        Ok(Found { run: first.run, pts, time_base: first.time_base })
    }

    async fn nothing(&self, log: &dyn MediaLog, stream: &StreamId) -> Result<Failure, Failure> {
        let Self::Media(run, _) = self else { return nothing_at(log, stream).await };
        let of_run = |newest_first| SegmentQuery {
            stream: Some(stream.clone()),
            run: Some(*run),
            newest_first,
            limit: 1,
            ..SegmentQuery::default()
        };
        let (oldest, newest) = (log.segments(&of_run(false)).await?, log.segments(&of_run(true)).await?);
        Ok(match (oldest.first(), newest.first()) {
            (Some(oldest), Some(newest)) => Failure::missing(
                "Not recorded",
                format!(
                    "the recording of run {run} of stream {stream} has nothing there; it reaches from PTS {} to {}",
                    oldest.first_pts, newest.end_pts
                ),
            ),
            _ => nothing_at(log, stream).await?,
        })
    }
}

/// The segments between which the clock was set back.
fn set_back(segments: &[SegmentRecord]) -> Option<(&SegmentRecord, &SegmentRecord)> {
    let pairs = segments.windows(2).map(|pair| (&pair[0], &pair[1]));
    pairs.into_iter().find(|(before, after)| after.began_ms < before.began_ms)
}

/// That nothing is recorded there, and what is.
pub(super) async fn nothing_at(log: &dyn MediaLog, stream: &StreamId) -> Result<Failure, Failure> {
    let detail = match log.recording(stream).await? {
        Some(all) => format!(
            "nothing of stream {stream} is recorded there; its recording reaches from {} to {}",
            Wall(all.oldest_ms),
            Wall(all.newest_ms)
        ),
        None => format!("nothing of stream {stream} is recorded"),
    };
    Ok(Failure::missing("Not recorded", detail))
}

/// Media time at a moment, within the segment: counted from when its first picture came.
pub(super) fn at(segment: &SegmentRecord, wall_ms: i64) -> i64 {
    let since_ms = i128::from(wall_ms.saturating_sub(segment.began_ms).max(0));
    let ticks =
        since_ms * i128::from(segment.time_base.den()) / (1_000 * i128::from(segment.time_base.num()));
    let pts = i128::from(segment.first_pts) + ticks;
    i64::try_from(pts).map_or(segment.end_pts, |pts| pts.min(segment.end_pts))
}

#[cfg(test)]
mod tests {
    use ocelli_store::SegmentClass;

    use super::*;

    #[test]
    fn stretches_are_bounded_by_wall_or_media_time() {
        let check = |query: &str, expected: Result<Window, &str>| {
            let found = serde_json::from_str::<WindowQuery>(query).unwrap().read();
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{query}"),
                (Err(Failure::Told(_, _, detail)), Err(words)) => {
                    assert!(detail.contains(words), "{query}: {detail}");
                }
                (found, _) => panic!("{query}: {found:?}"),
            }
        };
        check(r#"{"start": "1000", "end": "1970-01-01T00:00:02Z"}"#, Ok(Window::Wall(1_000..2_000)));
        check(r#"{"run": 3}"#, Ok(Window::Media(3, i64::MIN..i64::MAX)));
        check(r#"{"run": 3, "start_pts": -5, "end_pts": 5}"#, Ok(Window::Media(3, -5..5)));
        check("{}", Err("give start and end"));
        check(r#"{"start": "1000"}"#, Err("give start and end"));
        check(r#"{"start": "1000", "end": "2000", "run": 1}"#, Err("give start and end"));
        check(r#"{"start_pts": 1, "end_pts": 2}"#, Err("give start and end"));
        check(r#"{"start": "soon", "end": "2000"}"#, Err("start: \"soon\" is no moment"));
        check(r#"{"start": "2000", "end": "2000"}"#, Err("ends before it begins"));
        check(r#"{"run": 1, "start_pts": 2, "end_pts": 2}"#, Err("ends before it begins"));
        check(r#"{"start": "0", "end": "604800001"}"#, Err("longer than a week"));
    }

    #[test]
    fn a_moment_is_a_pts_counted_from_the_first_picture() {
        let segment = SegmentRecord {
            stream: "cam".parse().unwrap(),
            number: 1,
            run: 0,
            time_base: TimeBase::new(1, 90_000).unwrap(),
            first_pts: 8_000_000_000,
            end_pts: 8_000_180_000,
            keyframe: true,
            began_ms: 1_000,
            ended_ms: 3_000,
            init: String::new(),
            init_bytes: 0,
            bytes: 0,
            location: String::new(),
            class: SegmentClass::Other,
        };
        for (wall_ms, expected) in [
            (i64::MIN, 8_000_000_000),
            (1_000, 8_000_000_000),
            (1_001, 8_000_000_090),
            (2_000, 8_000_090_000),
            (3_000, 8_000_180_000),
            (i64::MAX, 8_000_180_000),
        ] {
            assert_eq!(at(&segment, wall_ms), expected, "{wall_ms}");
        }
        let film = SegmentRecord {
            time_base: TimeBase::new(1001, 24_000).unwrap(),
            first_pts: 0,
            end_pts: 48,
            ..segment
        };
        assert_eq!(at(&film, 1_041), 0);
        assert_eq!(at(&film, 1_042), 1, "a tick lasts 41.7 ms");
    }
}
