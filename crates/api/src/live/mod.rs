//! Live results and status over WebSockets.
//!
//! A follower never holds a stream up. What it was too slow for is counted and told (`missed`); one that reads nothing for
//! as long as [`crate::LiveSettings::patience`] is closed. An update is encoded once for all that follow it.

mod feed;
mod message;
mod socket;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use message::LiveMessage;
pub(crate) use socket::Feed;

use self::feed::{Types, Updates};
use crate::{
    access::{Caller, Role},
    extract::{Named, Params},
    failure::Failure,
    serving::Draining,
    state::Shared,
};

/// Longest message and frame that a client may send: it has nothing to say but answers to pings.
pub(crate) const LONGEST_INCOMING: usize = 4 << 10;

/// What is followed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LiveQuery {
    /// `results`, `status`, or both with a comma between, which is meant if left out.
    #[param(value_type = Option<String>, example = "results,status")]
    #[serde(default)]
    types: Types,
}

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default().routes(routes!(follow_stream)).routes(routes!(follow_all))
}

/// Follows a stream live
///
/// A WebSocket. Each message is a JSON object (`LiveMessage`), the first one tells how the stream stands. The server pings;
/// a client that answers no ping, or leaves messages unread, for 30 s is closed. Messages from the client mean nothing; one
/// beyond 4 kB ends the connection.
#[utoipa::path(get, path = "/api/v1/streams/{id}/live", tag = "live",
    params(("id" = String, Path, description = "Name of the stream"), LiveQuery),
    responses(
        (status = 101, description = "Messages follow", body = LiveMessage),
        (status = 426, description = "Not a WebSocket client"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
async fn follow_stream(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    Params(query): Params<LiveQuery>,
    draining: Option<Extension<Draining>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let feed = Updates::of_one(&shared, &id, query.types)?;
    accept(&shared, caller, upgrade, feed, draining.map(|Extension(draining)| draining), LONGEST_INCOMING)
}

/// Follows all streams live
///
/// As for one stream, for all that the caller may see, those that are created later included.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(LiveQuery),
    responses(
        (status = 101, description = "Messages follow", body = LiveMessage),
        (status = 426, description = "Not a WebSocket client"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("list"))))]
async fn follow_all(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Params(query): Params<LiveQuery>,
    draining: Option<Extension<Draining>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    caller.require(Role::Viewer, None)?;
    let feed = Updates::of_all(&shared, caller.clone(), query.types);
    accept(&shared, caller, upgrade, feed, draining.map(|Extension(draining)| draining), LONGEST_INCOMING)
}

/// Serves a feed to whoever asked for a WebSocket, as far as there are seats. `longest` is that of messages and frames that the
/// client may send, in bytes.
pub(crate) fn accept(
    shared: &Arc<Shared>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    feed: impl Feed + 'static,
    draining: Option<Draining>,
    longest: usize,
) -> Result<Response, Failure> {
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("this is a WebSocket: {rejection}");
        Failure::new(StatusCode::UPGRADE_REQUIRED, "WebSocket expected", detail)
    })?;
    let Ok(seat) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        return Err(Failure::unavailable("as many clients follow live as the configuration allows"));
    };
    let settings = shared.state.settings.live;
    let upgrade = upgrade
        .max_message_size(longest)
        .max_frame_size(longest)
        // 128 kB otherwise, for each of thousands of followers.
        .read_buffer_size(LONGEST_INCOMING)
        .write_buffer_size(0);
    let access = shared.state.access.clone();
    let holds = move || access.holds(&caller);
    Ok(upgrade.on_upgrade(move |socket| async move {
        socket::serve(socket, feed, settings, draining, &holds).await;
        drop(seat);
    }))
}
