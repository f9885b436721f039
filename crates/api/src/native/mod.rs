//! The native interface below `/api/v1`.

mod frames;
mod ledger;
mod results;
mod runs;
mod server;
mod snapshot;
mod streams;
mod window;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use results::{FRAMES, Series, analyses};
pub(crate) use snapshot::{MediaTime, picture};
pub(crate) use streams::page;
pub(crate) use window::runs_of;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(streams::list, streams::create))
        .routes(routes!(streams::read, streams::change, streams::delete))
        .routes(routes!(streams::start))
        .routes(routes!(streams::stop))
        .routes(routes!(streams::status))
        .routes(routes!(runs::runs))
        .routes(routes!(results::results))
        .routes(routes!(ledger::ledger))
        .routes(routes!(snapshot::snapshot))
        .routes(routes!(frames::post))
        .routes(routes!(server::models))
        .routes(routes!(server::version))
}
