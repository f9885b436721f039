//! Stored results of a stream.

mod pages;

use std::sync::Arc;

use axum::{Json, extract::State};
use ocelli_store::{AnalyzerRecord, LedgerRecord, RunRecord};
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) use self::pages::Series;
use self::pages::{Question, Spot};
use super::{
    streams::page,
    window::{Ends, run_of},
};
use crate::{
    extract::{Named, Params},
    failure::Failure,
    state::Shared,
    view::{FrameView, Listed},
};

/// What the engine calls the writing of frames.
pub(crate) const FRAMES: &str = "frames";

/// Which results.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ResultsQuery {
    /// Ordinal of the run within the stream; the newest if left out.
    run: Option<u32>,
    /// Only those of this model. `frames` stands for pictures that were written to the folder, and is left out unless named.
    model: Option<String>,
    /// Only those of this analyzer version.
    analyzer_version: Option<String>,
    /// Only frames with a detection of this class, and of each only those detections.
    class: Option<String>,
    /// Only frames with a detection at least this confident, 0 to 1, and of each only those detections.
    min_confidence: Option<f32>,
    /// From this media time in ticks.
    from_pts: Option<i64>,
    /// To before this media time in ticks.
    to_pts: Option<i64>,
    /// From this media time in seconds.
    from_seconds: Option<f64>,
    /// To before this media time in seconds.
    to_seconds: Option<f64>,
    /// Most frames, 1 to 500; 100 if left out.
    limit: Option<usize>,
    /// `next_cursor` of the page before, with everything else as it was.
    #[param(value_type = Option<String>)]
    cursor: Option<Spot>,
}

/// Gives stored results
///
/// One entry per frame and analyzer, by media time. They are durable: what was given once stays. The ledger tells which
/// frames have none, and why.
#[utoipa::path(get, path = "/api/v1/streams/{id}/results", operation_id = "list_results", tag = "results",
    params(("id" = String, Path, description = "Name of the stream"), ResultsQuery),
    responses((status = 200, description = "A page of results", body = Listed<FrameView>)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn results(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<ResultsQuery>,
) -> Result<Json<Listed<FrameView>>, Failure> {
    let limit = page(query.limit, 500)?;
    if query.min_confidence.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        return Err(Failure::invalid("min_confidence: give a number from 0 to 1"));
    }
    let Some(run) = run_of(&shared, &id, query.run).await? else {
        return Ok(Json(Listed { items: Vec::new(), next_cursor: None }));
    };
    let ends = Ends {
        from_pts: query.from_pts,
        to_pts: query.to_pts,
        from_seconds: query.from_seconds,
        to_seconds: query.to_seconds,
    };
    let span = ends.ticks(run.run.time_base)?;
    let (model, version) = (query.model.as_deref(), query.analyzer_version.as_deref());
    let mut asked = analyses(&shared, &run, model, version).await?;
    // Pictures that were written are results too, of nothing that anybody looks for unless it is named.
    if model.is_none() && version.is_none() {
        asked.retain(|(analyzer, _)| analyzer.analyzer.model != FRAMES);
    }
    let analyses: Vec<Series> = asked.into_iter().fold(Vec::new(), Series::gathered);
    let question = Question {
        run: run.id,
        span,
        class: query.class,
        confidence: query.min_confidence,
        start: query.cursor,
        limit,
    };
    let found = question.answer(&shared, &analyses).await?;
    let keep = |detection: &_| question.wants(detection);
    let view = |(series, frame): &(&Series, _)| FrameView::of(&id, &run, &series.analyzer, frame, keep);
    let items = found.rows.iter().map(view).collect();
    Ok(Json(Listed { items, next_cursor: found.next.map(|spot| spot.to_string()) }))
}

/// Ledgers of a run with their analyzers, in the order in which they were first used. Neither filter names anything that
/// is not there: such a question has no answer but an empty one, for a model may come later.
pub(crate) async fn analyses(
    shared: &Shared,
    run: &RunRecord,
    model: Option<&str>,
    version: Option<&str>,
) -> Result<Vec<(AnalyzerRecord, LedgerRecord)>, Failure> {
    let results = &shared.state.results;
    let analyzers = results.analyzers().await?;
    let ledgers = results.ledgers(Some(run.id)).await?;
    let wanted = |analyzer: &&AnalyzerRecord| {
        let known = &analyzer.analyzer;
        model.is_none_or(|model| known.model == model)
            && version.is_none_or(|version| known.version.as_str() == version)
    };
    let paired = ledgers.into_iter().filter_map(|ledger| {
        let analyzer = analyzers.iter().filter(wanted).find(|analyzer| analyzer.id == ledger.analyzer)?;
        Some((analyzer.clone(), ledger))
    });
    Ok(paired.collect())
}
