//! Pages of results: several series of one run as one list.

use std::{fmt, str::FromStr};

use ocelli_model::Detection;
use ocelli_store::{
    AnalyzerRecord, DerivationId, DetectionQuery, FrameQuery, LedgerRecord, Page, RunId, SeriesId,
    StoredFrame,
};
use serde::Deserialize;

use crate::{failure::Failure, state::Shared};

/// Detections read at once while frames are looked for.
const READ_AT_ONCE: u32 = 2000;

/// Results of one analyzer over a run.
#[derive(Debug)]
pub(crate) struct Series {
    id: SeriesId,
    pub(crate) analyzer: AnalyzerRecord,
    derivation: Option<DerivationId>,
}

impl Series {
    /// A series is counted by one ledger per sampling plan; tracks are those of the newest that has any.
    pub(crate) fn gathered(
        mut all: Vec<Self>,
        (analyzer, ledger): (AnalyzerRecord, LedgerRecord),
    ) -> Vec<Self> {
        match all.iter_mut().find(|series| series.id == ledger.series) {
            Some(known) => known.derivation = ledger.derivation.or(known.derivation),
            None => all.push(Self { id: ledger.series, analyzer, derivation: ledger.derivation }),
        }
        all
    }

    fn spot(&self, pts: i64) -> Spot {
        Spot { pts, analyzer: self.analyzer.id.0 }
    }

    pub(crate) fn query(&self, from: i64, to: i64, limit: usize) -> FrameQuery {
        let (series, derivation) = (self.id, self.derivation);
        FrameQuery { series, ledger: None, derivation, from, to, limit: limit as u32, newest_first: false }
    }
}

/// A place in the list, which is in order of media time, and of analyzers where those are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Spot {
    pts: i64,
    analyzer: i64,
}

/// A word that no page gave as its `next_cursor`.
#[derive(Debug, thiserror::Error)]
#[error("cursor: give the next_cursor of the page before, as it was")]
pub(super) struct SpotError;

impl FromStr for Spot {
    type Err = SpotError;

    fn from_str(word: &str) -> Result<Self, SpotError> {
        let number = |word: &str| word.parse().map_err(|_error| SpotError);
        let (pts, analyzer) = word.split_once('_').ok_or(SpotError)?;
        Ok(Self { pts: number(pts)?, analyzer: number(analyzer)? })
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
        write!(f, "{}_{}", self.pts, self.analyzer)
    }
}

/// Frames with their series.
type Answer<'a> = Result<Page<(&'a Series, StoredFrame), Spot>, Failure>;

/// Which frames.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) run: RunId,
    pub(super) span: (i64, i64),
    pub(super) class: Option<String>,
    pub(super) confidence: Option<f32>,
    pub(super) start: Option<Spot>,
    pub(super) limit: usize,
}

impl Question {
    /// Whether a detection is among those asked for.
    pub(super) fn wants(&self, detection: &Detection) -> bool {
        self.class.as_deref().is_none_or(|class| *detection.label == *class)
            && self.confidence.is_none_or(|least| detection.confidence >= least)
    }

    /// A page of frames, each with its series.
    pub(super) async fn answer<'a>(&self, shared: &Shared, series: &'a [Series]) -> Answer<'a> {
        let _permit = shared.long_reads.acquire().await.expect("nothing closes it");
        if self.class.is_some() || self.confidence.is_some() {
            return self.with_detections(shared, series).await;
        }
        let mut all = Vec::new();
        for one in series {
            let query = one.query(self.from(one), self.span.1, self.limit + 1);
            let page = shared.state.results.frames(&query).await?;
            all.extend(page.rows.into_iter().map(|frame| (one, frame)));
        }
        all.sort_by_key(|(series, frame)| series.spot(frame.pts));
        let next = all.get(self.limit).map(|(series, frame)| series.spot(frame.pts));
        all.truncate(self.limit);
        Ok(Page { rows: all, next })
    }

    /// Only frames with detections that are asked for.
    async fn with_detections<'a>(&self, shared: &Shared, series: &'a [Series]) -> Answer<'a> {
        let mut spots = Vec::new();
        for one in series {
            let times = self.times(shared, one).await?;
            spots.extend(times.into_iter().map(|pts| one.spot(pts)));
        }
        spots.sort_unstable();
        let next = spots.get(self.limit).copied();
        spots.truncate(self.limit);
        let mut rows = Vec::with_capacity(spots.len());
        for one in series {
            let mine = spots.iter().filter(|spot| **spot == one.spot(spot.pts)).map(|spot| spot.pts);
            let found = frames(shared, one, mine.collect()).await?;
            rows.extend(found.into_iter().map(|frame| (one, frame)));
        }
        rows.sort_by_key(|(series, frame)| series.spot(frame.pts));
        Ok(Page { rows, next })
    }

    /// Where the list begins in this series.
    fn from(&self, series: &Series) -> i64 {
        let start = self.start.map_or(i64::MIN, |start| {
            // Those of analyzers before it were on the page before.
            start.pts.saturating_add(i64::from(series.analyzer.id.0 < start.analyzer))
        });
        start.max(self.span.0)
    }

    /// Media times of frames with detections that are asked for, one more than fits.
    async fn times(&self, shared: &Shared, series: &Series) -> Result<Vec<i64>, Failure> {
        let mut query = DetectionQuery {
            run: self.run,
            analyzer: series.analyzer.id,
            label: self.class.clone(),
            confidence: self.confidence.unwrap_or(0.0),
            from: self.from(series),
            to: self.span.1,
            after: None,
            limit: READ_AT_ONCE,
        };
        let mut times = Vec::new();
        loop {
            let page = shared.state.results.detections(&query).await?;
            times.extend(page.rows.iter().map(|detection| detection.pts));
            times.dedup();
            query.after = page.next;
            if query.after.is_none() || times.len() > self.limit {
                times.truncate(self.limit + 1);
                return Ok(times);
            }
        }
    }
}

/// The frames with these media times, ascending: one question for each unbroken stretch would need to know the stretches, so
/// it is one for all while few others lie between, else one for each.
async fn frames(shared: &Shared, series: &Series, times: Vec<i64>) -> Result<Vec<StoredFrame>, Failure> {
    let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
        return Ok(Vec::new());
    };
    let results = &shared.state.results;
    let all = results.frames(&series.query(first, last.saturating_add(1), 2 * times.len())).await?;
    if all.next.is_none() {
        let asked = all.rows.into_iter().filter(|frame| times.binary_search(&frame.pts).is_ok());
        return Ok(asked.collect());
    }
    let mut found = Vec::with_capacity(times.len());
    for pts in times {
        found.extend(results.frames(&series.query(pts, pts.saturating_add(1), 1)).await?.rows);
    }
    Ok(found)
}
