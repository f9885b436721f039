//! How a stream stands, as JSON.

use ocelli_engine::{StreamSpec, StreamState, StreamStatus};
use ocelli_model::{StreamId, Tally};
use serde::Serialize;
use utoipa::ToSchema;

use super::config::StreamConfig;

/// A stream: what it is to do, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamView {
    #[schema(value_type = String)]
    id: StreamId,
    #[serde(flatten)]
    config: StreamConfig,
    status: StatusView,
}

impl StreamView {
    pub(crate) fn of(spec: &StreamSpec, status: StreamStatus) -> Self {
        Self { id: status.id.clone(), config: StreamConfig::of(spec), status: status.into() }
    }
}

/// A stream at one moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    #[schema(value_type = String)]
    id: StreamId,
    #[schema(value_type = State)]
    state: StreamState,
    /// Its source, without secrets.
    source: String,
    /// Frames written to the frame folder since the decode began, also before restarts.
    frame_count: u64,
    /// Why the last attempt ended, or what keeps an output from working now.
    last_error: Option<String>,
    /// Attempts after the first, since it was started.
    restart_count: u64,
    /// When it was last started: milliseconds since 1970, UTC.
    started_ms: Option<i64>,
    /// The run in hand, or the last one, as in the list of runs.
    run_id: Option<i64>,
    /// Width of the upright picture in pixels, once one was decoded.
    width: Option<u32>,
    /// Height of the upright picture in pixels.
    height: Option<u32>,
    /// Codec, such as `h264`.
    codec: Option<String>,
    /// What became of the slots that were due since it was started.
    slots: Tallied,
}

/// What a stream is doing.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "documents the engine's own words, which know no OpenAPI")]
pub(crate) enum State {
    Starting,
    Running,
    Restarting,
    Completed,
    Stopped,
    Error,
}

/// Slots that were due, and what became of them: `due` is the sum of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Tallied {
    pub(crate) due: u64,
    /// Results exist.
    pub(crate) analysed: u64,
    /// A gate found nothing to see.
    pub(crate) gated: u64,
    /// A queue was full.
    pub(crate) dropped: u64,
    /// Could not be decoded or analysed.
    pub(crate) failed: u64,
    /// Received media held no picture for them.
    pub(crate) empty: u64,
    /// Their media was never received.
    pub(crate) lost: u64,
}

impl From<Tally> for Tallied {
    fn from(tally: Tally) -> Self {
        let due = tally.due();
        let Tally { analysed, gated, dropped, failed, empty, lost } = tally;
        Self { due, analysed, gated, dropped, failed, empty, lost }
    }
}

impl From<StreamStatus> for StatusView {
    fn from(status: StreamStatus) -> Self {
        Self {
            id: status.id,
            state: status.state,
            source: status.source,
            frame_count: status.frame_count,
            last_error: status.last_error,
            restart_count: status.restart_count,
            started_ms: status.started_ms,
            run_id: status.run,
            width: status.width,
            height: status.height,
            codec: status.codec,
            slots: status.tally.into(),
        }
    }
}
