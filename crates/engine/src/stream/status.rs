//! How a stream stands, as values for whoever asks.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_model::{AnalyzerVersion, StreamId, Tally, TimeBase, TrackId};
use ocelli_store::{FrameResult, RunId};
use serde::Serialize;

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamState {
    /// Connecting; no picture yet in this attempt.
    Starting,
    /// Media comes in.
    Running,
    /// The attempt ended; the next one begins after a pause.
    Restarting,
    /// The source was read to its end.
    Completed,
    /// Ended by its user, or never started.
    Stopped,
    /// It cannot go on as configured: `last_error` says why. Live sources are tried again from time to time.
    Error,
}

/// A stream at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamStatus {
    /// Its name.
    pub id: StreamId,
    /// What it is doing.
    pub state: StreamState,
    /// Its source, without secrets.
    pub source: String,
    /// Frames written to the frame folder since the decode began, also before restarts.
    pub frame_count: u64,
    /// Why the last attempt ended, or what keeps an output from working now.
    pub last_error: Option<String>,
    /// Attempts after the first, since it was started.
    pub restart_count: u64,
    /// Wall time at which it was entered, ms since 1970.
    pub created_ms: i64,
    /// Wall time of the start, ms since 1970; of the present or last time it was started.
    pub started_ms: Option<i64>,
    /// The run in hand, or the last one.
    pub run: Option<i64>,
    /// Size of the upright picture, once one was decoded.
    pub width: Option<u32>,
    /// See `width`.
    pub height: Option<u32>,
    /// Codec as libav calls it.
    pub codec: Option<String>,
    /// Verdicts since it was started.
    pub tally: Tally,
}

/// A JPEG in memory with its place.
#[derive(Clone, Debug)]
pub struct LatestFrame {
    /// The whole file.
    pub jpeg: Bytes,
    /// Its number in the frame folder, where there is one.
    pub number: Option<u64>,
    /// Ordinal of its run within the stream; `None` where it was read back from the folder.
    pub run: Option<u32>,
    /// Media time in ticks, and ticks: from the comment of the file where it was read back.
    pub media_time: Option<(i64, TimeBase)>,
    /// Size of the picture.
    pub size: Option<(u32, u32)>,
}

/// What followers of a stream are told.
#[derive(Debug)]
pub struct Update {
    /// Counts from 1 within the process and the stream: a gap is what a follower missed.
    pub seq: u64,
    /// What is new.
    pub news: News,
    /// The message as followers get it, made by the first who sends it and shared by all.
    pub encoded: std::sync::OnceLock<Bytes>,
}

/// Something new of a stream.
#[derive(Clone, Debug)]
pub enum News {
    /// A chosen picture was looked at, failed, or has another verdict.
    Frame(Arc<FrameNews>),
    /// Its state, count or error changed.
    Status(Arc<StreamStatus>),
}

/// One frame as it becomes known, before it is durable.
#[derive(Clone, Debug)]
pub struct FrameNews {
    /// Ordinal of the run within the stream, with [`Self::pts`] the key of its results.
    pub run: u32,
    /// The run's key in the store.
    pub run_id: Option<RunId>,
    /// Media time.
    pub pts: i64,
    /// Seconds per tick.
    pub time_base: TimeBase,
    /// Number in the frame folder.
    pub frame: Option<u64>,
    /// One per model of the stream.
    pub looks: Vec<ModelLook>,
    /// From the arrival of its access unit to this message, in microseconds.
    pub latency_us: u64,
}

/// One model and what it has to say of a frame.
#[derive(Clone, Debug)]
pub struct ModelLook {
    /// Id in the catalogue.
    pub model: String,
    /// Hash of everything that can change its results.
    pub version: AnalyzerVersion,
    /// What it saw, or why it saw nothing.
    pub news: LookNews,
}

/// What one model has to say of a frame.
#[derive(Clone, Debug)]
pub enum LookNews {
    /// Detections, and a track for each where objects are followed.
    Seen(FrameResult, Vec<Option<TrackId>>),
    /// No result: the verdict and why.
    Unseen(ocelli_model::Verdict, String),
}
