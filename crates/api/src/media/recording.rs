//! What is recorded of a stream, and what is to be kept.

use std::sync::Arc;

use axum::{Json, extract::State};
use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{RecordingGap, SegmentClass, SegmentQuery, SegmentRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    log,
    window::{Window, WindowQuery},
};
use crate::{
    access::Caller,
    extract::{JsonBody, Named, Params},
    failure::Failure,
    native::page,
    state::Shared,
    view::{Listed, rounded},
};

/// Gaps that are told, the newest.
const MOST_GAPS: usize = 1_000;

/// What is recorded of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recording)]
pub(super) struct RecordingView {
    state: RecordingWord,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Codecs of the source that browsers do not play, such as `pcm_alaw` or `mjpeg`: recorded as AAC and H.264.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encoded: Vec<String>,
    /// Sealed segments.
    segments: u64,
    /// Bytes of them.
    bytes: u64,
    /// When the oldest began, in milliseconds since 1970; null where there is none.
    oldest_ms: Option<i64>,
    /// When the newest ended.
    newest_ms: Option<i64>,
    /// Media that came and is missing; of many, the newest thousand.
    gaps: Vec<GapView>,
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RecordingState)]
enum RecordingWord {
    /// What comes is kept.
    Recording,
    /// Nothing comes: the source is away, and is waited for.
    Waiting,
    /// What comes is live only.
    Paused,
    /// Nothing is to be kept.
    Off,
}

/// Media that came and is missing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordingGap)]
struct GapView {
    run: u32,
    /// PTS of the first picture that is missing.
    first_pts: i64,
    /// PTS of the first that is there again; null while it lasts, or where the run ended in it.
    end_pts: Option<i64>,
    /// When it began, in milliseconds since 1970.
    began_ms: i64,
    /// Why.
    reason: String,
}

/// A sealed segment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Segment)]
pub(super) struct SegmentView {
    /// Counts through all runs of the stream.
    number: u64,
    run: u32,
    /// Seconds per tick as `[numerator, denominator]`.
    #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
    time_base: TimeBase,
    /// Smallest PTS of a picture in it.
    first_pts: i64,
    /// Where its last picture ends.
    end_pts: i64,
    /// Length in seconds.
    seconds: f64,
    /// It begins with a keyframe.
    keyframe: bool,
    /// When its first picture came in, in milliseconds since 1970.
    began_ms: i64,
    /// When its last picture came in.
    ended_ms: i64,
    bytes: u64,
    /// `other`, `event` or `pinned`: what retention goes by.
    class: &'static str,
}

/// Which segments.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SegmentsQuery {
    /// Wall time from which: RFC 3339, or milliseconds since 1970. With `end`.
    start: Option<String>,
    /// Wall time before which.
    end: Option<String>,
    /// Ordinal of a run, instead of wall time.
    run: Option<u32>,
    /// Media time from which, in ticks of the run's time base.
    start_pts: Option<i64>,
    /// Media time before which.
    end_pts: Option<i64>,
    /// Most segments, 1 to 1000; 100 if left out.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<u64>,
}

/// What is to be kept, or need not be any more.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pinned {
    /// Wall time from which: RFC 3339, or milliseconds since 1970.
    #[schema(example = "2026-11-29T15:00:00Z")]
    start: String,
    /// Wall time before which.
    #[schema(example = "2026-11-29T16:00:00Z")]
    end: String,
}

/// How much was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PinnedView {
    /// Segments whose class is as was asked.
    segments: u64,
}

/// Tells what is recorded
///
/// Also of a stream that was deleted, as long as its recording is kept.
#[utoipa::path(get, path = "/api/v1/streams/{id}/recording", operation_id = "read_recording", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    responses((status = 200, description = "State, extent and gaps", body = RecordingView)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
) -> Result<Json<RecordingView>, Failure> {
    let log = log(&shared)?;
    let kept = log.recording(&id).await?;
    if kept.is_none() {
        shared.state.engine.status(&id)?;
    }
    let live = log.live(&id).map(|view| view.now());
    let (state, reason) = match live.as_deref() {
        None => (RecordingWord::Off, None),
        Some(window) if window.waiting => (RecordingWord::Waiting, None),
        Some(window) if window.ended => (RecordingWord::Off, None),
        Some(window) => match &window.paused {
            Some(reason) => (RecordingWord::Paused, Some(reason.clone())),
            None => (RecordingWord::Recording, None),
        },
    };
    let mut gaps = log.gaps(&id).await?;
    gaps.drain(..gaps.len().saturating_sub(MOST_GAPS));
    Ok(Json(RecordingView {
        state,
        reason,
        encoded: live.filter(|window| !window.ended).map_or_else(Vec::new, |window| window.encoded.clone()),
        segments: kept.as_ref().map_or(0, |kept| kept.segments),
        bytes: kept.as_ref().map_or(0, |kept| kept.bytes),
        oldest_ms: kept.as_ref().map(|kept| kept.oldest_ms),
        newest_ms: kept.as_ref().map(|kept| kept.newest_ms),
        gaps: gaps.into_iter().map(GapView::from).collect(),
    }))
}

/// Lists the segments of a recording
///
/// The oldest first; all, or those that hold some of a stretch of wall or media time.
#[utoipa::path(get, path = "/api/v1/streams/{id}/recording/segments", operation_id = "list_segments", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"), SegmentsQuery),
    responses((status = 200, description = "A page of segments", body = Listed<SegmentView>)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn segments(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<SegmentsQuery>,
) -> Result<Json<Listed<SegmentView>>, Failure> {
    let limit = page(query.limit, 1000)?;
    let window = query.window()?;
    let asked = SegmentQuery {
        numbers: query.cursor.map(|last| last.saturating_add(1)..u64::MAX),
        limit: limit as u32 + 1,
        ..window.map(|window| window.query(&id)).unwrap_or_default()
    };
    let asked = SegmentQuery { stream: Some(id.clone()), ..asked };
    let mut found = log(&shared)?.segments(&asked).await?;
    if found.is_empty() && log(&shared)?.recording(&id).await?.is_none() {
        shared.state.engine.status(&id)?;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|segment| segment.number.to_string());
    Ok(Json(Listed { items: found.into_iter().map(SegmentView::from).collect(), next_cursor }))
}

impl SegmentsQuery {
    fn window(&self) -> Result<Option<Window>, Failure> {
        let Self { start, end, run, start_pts, end_pts, limit: _, cursor: _ } = self.clone();
        let asked = WindowQuery { start, end, run, start_pts, end_pts };
        if asked.is_empty() { Ok(None) } else { asked.read().map(Some) }
    }
}

/// Keeps a stretch of a recording
///
/// Retention leaves the segments that hold some of it, until they are unpinned.
#[utoipa::path(post, path = "/api/v1/streams/{id}/recording/pin", operation_id = "pin_recording", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    request_body(content = Pinned, example = json!({"start": "2026-11-29T15:00:00Z", "end": "2026-11-29T16:00:00Z"})),
    responses((status = 200, description = "It is kept", body = PinnedView)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn pin(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    JsonBody(stretch): JsonBody<Pinned>,
) -> Result<Json<PinnedView>, Failure> {
    classified(&shared, &id, &caller, stretch, true).await
}

/// Lets retention have a stretch of a recording again
#[utoipa::path(post, path = "/api/v1/streams/{id}/recording/unpin", operation_id = "unpin_recording", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    request_body(content = Pinned, example = json!({"start": "2026-11-29T15:00:00Z", "end": "2026-11-29T16:00:00Z"})),
    responses((status = 200, description = "It is kept no longer than others", body = PinnedView)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn unpin(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    JsonBody(stretch): JsonBody<Pinned>,
) -> Result<Json<PinnedView>, Failure> {
    classified(&shared, &id, &caller, stretch, false).await
}

async fn classified(
    shared: &Shared,
    id: &StreamId,
    caller: &Caller,
    Pinned { start, end }: Pinned,
    pin: bool,
) -> Result<Json<PinnedView>, Failure> {
    let window = WindowQuery { start: Some(start), end: Some(end), ..WindowQuery::default() }.read()?;
    let log = log(shared)?;
    let found = window.segments(&**log, id).await?;
    let class = if pin { SegmentClass::Pinned } else { SegmentClass::Other };
    let mut segments = 0;
    // Numbers may be missing in between, but none of another stretch lie there.
    for together in found.chunk_by(|before, next| before.number + 1 == next.number) {
        let (first, last) = (&together[0], &together[together.len() - 1]);
        segments += log.classify(id, first.number..last.number.saturating_add(1), class, !pin).await?;
    }
    tracing::info!(stream = %id, caller = caller.name(), segments, pin, "recording classified");
    Ok(Json(PinnedView { segments }))
}

impl From<RecordingGap> for GapView {
    fn from(gap: RecordingGap) -> Self {
        let RecordingGap { stream: _, run, first_pts, end_pts, began_ms, reason } = gap;
        Self { run, first_pts, end_pts, began_ms, reason }
    }
}

impl From<SegmentRecord> for SegmentView {
    fn from(record: SegmentRecord) -> Self {
        let length = record.end_pts.saturating_sub(record.first_pts);
        Self {
            number: record.number,
            run: record.run,
            time_base: record.time_base,
            first_pts: record.first_pts,
            end_pts: record.end_pts,
            seconds: rounded(record.time_base.seconds(length), 6),
            keyframe: record.keyframe,
            began_ms: record.began_ms,
            ended_ms: record.ended_ms,
            bytes: record.bytes,
            class: match record.class {
                SegmentClass::Other => "other",
                SegmentClass::Event => "event",
                SegmentClass::Pinned => "pinned",
            },
        }
    }
}
