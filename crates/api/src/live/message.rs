//! What followers are sent: one JSON object per message, told apart by `type`.

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use ocelli_engine::{FrameNews, LookNews, ModelLook, News, StreamStatus, Update};
use ocelli_model::{StreamId, TimeBase, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{DetectionView, StatusView, Timing, detections, rounded};

/// A message to a follower.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum LiveMessage {
    /// A frame was looked at, failed, or has another verdict. It may not be durable yet.
    Result(Box<ResultMessage>),
    /// The stream's state, count or error changed; also the first message about each stream.
    Status {
        #[schema(value_type = String)]
        stream: StreamId,
        /// Counts the stream's messages of either type; 0: how it stood when it was asked.
        seq: u64,
        status: Box<StatusView>,
    },
    /// The follower was too slow for so many messages about the stream, of either type.
    Missed {
        #[schema(value_type = String)]
        stream: StreamId,
        count: u64,
    },
    /// The stream was deleted: nothing follows about it.
    Deleted {
        #[schema(value_type = String)]
        stream: StreamId,
    },
}

/// One frame as it becomes known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResultMessage {
    #[schema(value_type = String)]
    stream: StreamId,
    /// Counts the stream's messages of either type: a gap is what was not subscribed to, or missed.
    seq: u64,
    /// Ordinal of the run within the stream.
    run: u32,
    /// Key of the run in the store, once it has one.
    run_id: Option<i64>,
    /// Media time in ticks of `time_base`: exact, and with `run` the key of the frame.
    pts: i64,
    /// Seconds per tick as `[numerator, denominator]`.
    #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
    time_base: TimeBase,
    /// Media time in seconds, for people.
    seconds: f64,
    /// Number in the frame folder.
    frame: Option<u64>,
    /// One per model of the stream.
    looks: Vec<LookMessage>,
    /// From the arrival of the frame's access unit to this message, in milliseconds.
    latency_ms: f64,
}

/// What one model has to say of a frame.
#[derive(Debug, Serialize, ToSchema)]
struct LookMessage {
    /// Its id in the catalogue.
    model: String,
    #[schema(value_type = String, example = "analysed")]
    verdict: Verdict,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    seen: Option<SeenMessage>,
}

/// What was seen.
#[derive(Debug, Serialize, ToSchema)]
struct SeenMessage {
    /// Width of the displayed picture in pixels.
    width: u32,
    /// Height of the displayed picture in pixels.
    height: u32,
    detections: Vec<DetectionView>,
    timing_ms: Timing,
}

/// The bytes of an update: made by the first follower that sends it, shared by all others.
pub(super) fn encoded(stream: &StreamId, update: &Update) -> Utf8Bytes {
    let bytes = update.encoded.get_or_init(|| {
        let message = match &update.news {
            News::Frame(frame) => LiveMessage::Result(Box::new(ResultMessage::of(stream, update.seq, frame))),
            News::Status(status) => LiveMessage::status(update.seq, StreamStatus::clone(status)),
        };
        Bytes::from(serde_json::to_vec(&message).expect("values with string keys, into memory"))
    });
    Utf8Bytes::try_from(bytes.clone()).expect("JSON is UTF-8")
}

impl LiveMessage {
    pub(super) fn status(seq: u64, status: StreamStatus) -> Self {
        Self::Status { stream: status.id.clone(), seq, status: Box::new(status.into()) }
    }

    /// For messages of one follower only.
    pub(super) fn text(&self) -> Utf8Bytes {
        serde_json::to_string(self).expect("values with string keys, into memory").into()
    }
}

impl ResultMessage {
    fn of(stream: &StreamId, seq: u64, news: &FrameNews) -> Self {
        Self {
            stream: stream.clone(),
            seq,
            run: news.run,
            run_id: news.run_id.map(|run| run.0),
            pts: news.pts,
            time_base: news.time_base,
            seconds: rounded(news.time_base.seconds(news.pts), 6),
            frame: news.frame,
            looks: news.looks.iter().map(LookMessage::of).collect(),
            latency_ms: rounded(news.latency_us as f64 / 1e3, 3),
        }
    }
}

impl LookMessage {
    fn of(look: &ModelLook) -> Self {
        let model = look.model.clone();
        match &look.news {
            LookNews::Unseen(verdict, reason) => {
                let reason = (!reason.is_empty()).then(|| reason.clone());
                Self { model, verdict: *verdict, reason, seen: None }
            }
            LookNews::Seen(result, tracks) => {
                let (width, height) = (result.width, result.height);
                let seen = SeenMessage {
                    width,
                    height,
                    detections: detections(&result.detections, tracks, (width, height), |_all| true),
                    timing_ms: Timing::of(result.took),
                };
                Self { model, verdict: Verdict::Analysed, reason: None, seen: Some(seen) }
            }
        }
    }
}
