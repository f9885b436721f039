//! Live media over a WebSocket, for players with Media Source Extensions: a wall of tiles has no spare HTTP connections.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use ocelli_archive::LiveView;
use ocelli_model::TimeBase;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    hls::not_live,
    log,
    pour::{Pour, Poured},
};
use crate::{
    access::Caller,
    extract::Named,
    failure::Failure,
    live::{self, Feed},
    serving::Draining,
    state::Shared,
};

/// A text message to a viewer of live media.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum MediaMessage {
    /// A run begins, or its parameters changed: the next binary message is the initialisation segment.
    Init {
        /// Ordinal of the run within the stream.
        run: u32,
        /// Seconds per tick of PTS as `[numerator, denominator]`.
        #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
        time_base: TimeBase,
        /// Timescale of the file: a time in it is a PTS times the numerator of `time_base`.
        timescale: u32,
        /// As RFC 6381 names them.
        codecs: String,
        /// Coded size in pixels.
        width: u32,
        /// See `width`.
        height: u32,
        /// PTS that a player may count from: that of the first picture it is sent of this run.
        base_pts: i64,
    },
    /// The viewer was too slow for so many parts; the next one begins with a keyframe. Those that were long gone are counted by
    /// their length.
    Missed {
        /// How many.
        parts: u64,
    },
    /// Recording is interrupted: what comes is live only, or lost.
    Paused {
        /// Why, for people.
        reason: String,
    },
    /// Recording has ended: nothing follows.
    Ended,
}

/// Gives live media over a WebSocket
///
/// For Media Source Extensions. A text message (`MediaMessage`) of type `init` and a binary message with the initialisation
/// segment come first, and again with each run and each change of parameters. Then each part is a binary message: 24 bytes, all
/// numbers big endian, and a `moof` with its `mdat`.
///
/// | bytes | |
/// |---|---|
/// | 0 | version, 1 |
/// | 1 | flags: 1 begins with a keyframe, 2 does not continue the part before it |
/// | 2, 3 | zero |
/// | 4 to 7 | ordinal of the run |
/// | 8 to 15 | number of the segment |
/// | 16 to 23 | smallest PTS of a picture in it, signed |
///
/// It begins with the newest keyframe. A viewer that reads too slowly misses parts up to a keyframe and is told how many
/// (`missed`); it slows nobody. Pings as for live results; messages from the client mean nothing.
#[utoipa::path(get, path = "/api/v1/streams/{id}/media", operation_id = "follow_media", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    responses(
        (status = 101, description = "Media follows", body = MediaMessage),
        (status = 426, description = "Not a WebSocket client"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("made"))))]
pub(super) async fn media(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    draining: Option<Extension<Draining>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let Some(view) = log(&shared)?.live(&id) else {
        shared.state.engine.status(&id)?;
        return Err(not_live(&id));
    };
    let parts = Parts { view, pour: Pour::default(), waiting: VecDeque::new() };
    let draining = draining.map(|Extension(draining)| draining);
    live::accept(&shared, caller, upgrade, parts, draining, live::LONGEST_INCOMING)
}

/// A live stream for one viewer.
struct Parts {
    view: LiveView,
    pour: Pour,
    /// What belongs before, or to, the part in hand.
    waiting: VecDeque<Poured>,
}

impl Feed for Parts {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(poured) = self.waiting.pop_front() {
                return Some(message(poured));
            }
            if self.pour.has_ended() {
                return None;
            }
            let pour = &self.pour;
            let window = self.view.wait(|window| pour.has_news(window)).await;
            let is_over = !self.pour.has_news(&window);
            self.waiting = self.pour.next(&window);
            if is_over {
                // Whoever told of the stream is gone.
                self.pour.end(&mut self.waiting);
            }
        }
    }
}

fn message(poured: Poured) -> Message {
    let text = |message: &MediaMessage| {
        Message::Text(serde_json::to_string(message).expect("values with string keys, into memory").into())
    };
    match poured {
        Poured::Bytes(bytes) => Message::Binary(bytes),
        Poured::Missed(parts) => text(&MediaMessage::Missed { parts }),
        Poured::Paused(reason) => text(&MediaMessage::Paused { reason }),
        Poured::Ended => text(&MediaMessage::Ended),
        Poured::Init { run, time_base, codecs, width, height, base_pts } => text(&MediaMessage::Init {
            run,
            time_base,
            timescale: time_base.den(),
            codecs,
            width,
            height,
            base_pts,
        }),
    }
}
