//! Stored analyses of a stream, the newest first.

use std::{cmp::Reverse, fmt, str::FromStr};

use ocelli_model::StreamId;
use ocelli_store::{FrameQuery, RunRecord, StoredFrame};
use serde::Deserialize;

use super::{
    analysis::{Analysis, Seen},
    moments::Moments,
    sessions::{Sessions, Stretch},
};
use crate::{
    failure::Failure,
    native::{FRAMES, Series, analyses, runs_of},
    state::Shared,
};

/// Runs that one page looks through: a camera that comes and goes has many without any analysis.
const MOST_RUNS: usize = 200;

/// A place in the list: by run and PTS, both falling, then by analyzer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Spot {
    run: u32,
    pts: i64,
    analyzer: i64,
}

/// A word that no page gave as its `next_cursor`.
#[derive(Debug, thiserror::Error)]
#[error("cursor: give the next_cursor of the page before, as it was")]
pub(super) struct SpotError;

/// Part of the list.
pub(super) struct Found {
    pub(super) analyses: Vec<Analysis>,
    pub(super) next: Option<Spot>,
}

/// Which analyses.
pub(super) struct Question<'a> {
    pub(super) stream: &'a StreamId,
    pub(super) stretch: Stretch,
    pub(super) start: Option<Spot>,
    /// At least 1.
    pub(super) limit: usize,
}

impl Stretch {
    /// Where its newest analysis may be.
    pub(super) fn last(self) -> Spot {
        let (run, pts) = self.until.unwrap_or((u32::MAX, i64::MAX));
        Spot { run, pts, analyzer: 0 }
    }
}

impl FromStr for Spot {
    type Err = SpotError;

    fn from_str(word: &str) -> Result<Self, SpotError> {
        let mut numbers = word.split('_');
        let mut next = || numbers.next().ok_or(SpotError);
        let (run, pts, analyzer) = (next()?, next()?, next()?);
        let spot = Self {
            run: run.parse().map_err(|_error| SpotError)?,
            pts: pts.parse().map_err(|_error| SpotError)?,
            analyzer: analyzer.parse().map_err(|_error| SpotError)?,
        };
        if numbers.next().is_some() { Err(SpotError) } else { Ok(spot) }
    }
}

impl TryFrom<String> for Spot {
    type Error = SpotError;

    fn try_from(word: String) -> Result<Self, SpotError> {
        word.parse()
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, pts, analyzer } = self;
        write!(f, "{run}_{pts}_{analyzer}")
    }
}

/// The newest analysis of a stream: its run and PTS.
pub(super) async fn newest(shared: &Shared, stream: &StreamId) -> Result<Option<(u32, i64)>, Failure> {
    let question = Question { stream, stretch: Stretch::ALL, start: None, limit: 1 };
    let found = question.answer(shared, &Sessions::default()).await?;
    Ok(found.analyses.first().map(Analysis::place))
}

impl Question<'_> {
    /// A page. `sessions` says which one each analysis carries.
    pub(super) async fn answer(&self, shared: &Shared, sessions: &Sessions) -> Result<Found, Failure> {
        let mut runs = runs_of(shared, self.stream).await?;
        runs.retain(|run| self.holds(run.run.ordinal));
        runs.sort_by_key(|run| Reverse(run.run.ordinal));
        let _permit = shared.long_reads.acquire().await.expect("nothing closes it");
        let (mut analyses, mut looked) = (Vec::new(), runs.iter());
        for run in looked.by_ref().take(MOST_RUNS) {
            let mut more = self.of_run(shared, run, self.limit - analyses.len()).await?;
            let next = more.next.take();
            let moments = Moments::of(shared, run).await?;
            let view =
                |(series, frame): &(&Series, StoredFrame)| self.view(run, series, frame, &moments, sessions);
            let series = more.series;
            let rows = more.rows.into_iter().map(|(at, frame)| (&series[at], frame));
            analyses.extend(rows.map(|row| view(&row)));
            if next.is_some() {
                return Ok(Found { analyses, next });
            }
            if analyses.len() == self.limit {
                break;
            }
        }
        let next = looked.next().map(|run| Spot { run: run.run.ordinal, pts: i64::MAX, analyzer: 0 });
        Ok(Found { analyses, next })
    }

    /// Whether a run may hold what is asked for.
    fn holds(&self, run: u32) -> bool {
        self.start.is_none_or(|start| run <= start.run)
            && self.stretch.after.is_none_or(|(first, _)| run >= first)
            && self.stretch.until.is_none_or(|(last, _)| run <= last)
    }

    async fn of_run(&self, shared: &Shared, run: &RunRecord, limit: usize) -> Result<OfRun, Failure> {
        let all = analyses(shared, run, None, None).await?;
        let all = all.into_iter().filter(|(analyzer, _)| analyzer.analyzer.model != FRAMES);
        let series: Vec<Series> = all.fold(Vec::new(), Series::gathered);
        let mut rows = Vec::new();
        for (at, one) in series.iter().enumerate() {
            let (from, to) = self.span(run.run.ordinal, one.analyzer.id.0);
            if from < to {
                let query = FrameQuery { newest_first: true, ..one.query(from, to, limit + 1) };
                let page = shared.state.results.frames(&query).await?;
                rows.extend(page.rows.into_iter().map(|frame| (at, frame)));
            }
        }
        let analyzer = |at: usize| series[at].analyzer.id.0;
        rows.sort_by_key(|(at, frame)| (Reverse(frame.pts), analyzer(*at)));
        let spot = |(at, frame): &(usize, StoredFrame)| Spot {
            run: run.run.ordinal,
            pts: frame.pts,
            analyzer: analyzer(*at),
        };
        let next = rows.get(limit).map(spot);
        rows.truncate(limit);
        Ok(OfRun { series, rows, next })
    }

    /// From a PTS of this run to before another.
    fn span(&self, run: u32, analyzer: i64) -> (i64, i64) {
        let same = |(other, pts): (u32, i64)| (other == run).then_some(pts);
        let from = self.stretch.after.and_then(same).map_or(i64::MIN, |pts| pts.saturating_add(1));
        let to = self.stretch.until.and_then(same).map_or(i64::MAX, |pts| pts.saturating_add(1));
        let start = self.start.filter(|start| start.run == run);
        // Those of analyzers before it were on the page before.
        let start = start.map(|start| start.pts.saturating_add(i64::from(analyzer >= start.analyzer)));
        (from, start.map_or(to, |start| start.min(to)))
    }

    fn view(
        &self,
        run: &RunRecord,
        series: &Series,
        frame: &StoredFrame,
        moments: &Moments,
        sessions: &Sessions,
    ) -> Analysis {
        let ordinal = run.run.ordinal;
        Analysis::of(Seen {
            stream: self.stream,
            session: sessions.of(ordinal, frame.pts),
            run: ordinal,
            pts: frame.pts,
            time_base: run.run.time_base,
            moments: Some(moments),
            model: &series.analyzer.analyzer.model,
            version: &series.analyzer.analyzer.version,
            result: &frame.result,
            tracks: &frame.tracks,
        })
    }
}

/// Analyses of one run: each with the place of its series.
struct OfRun {
    series: Vec<Series>,
    rows: Vec<(usize, StoredFrame)>,
    next: Option<Spot>,
}
