//! Contract 1, the frame extraction service, over the same engine: names, fields and codes are its own and exact, whatever
//! the native interface does.

mod decode;
mod form;
mod info;
mod pieces;
mod status;
mod upload;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

pub(crate) use form::{Expected, Form};
pub(crate) use info::examined;
pub(crate) use upload::forget_uploads;
pub use upload::remove_stale_uploads;

use crate::state::Shared;

/// What is wrong and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Detail {
    detail: String,
}

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    let all = [
        routes!(decode::decode),
        routes!(decode::stop),
        routes!(status::status),
        routes!(status::latest_frame),
        routes!(info::video_info),
        routes!(info::hw_accel_cap),
        routes!(info::health),
    ];
    // Forms are measured where they are read, for some hold videos.
    all.into_iter().fold(OpenApiRouter::default(), with_and_without_slash).layer(DefaultBodyLimit::disable())
}

/// Clients write the slash at the end, or leave it out.
pub(crate) fn with_and_without_slash(
    router: OpenApiRouter<Arc<Shared>>,
    routes: UtoipaMethodRouter<Arc<Shared>>,
) -> OpenApiRouter<Arc<Shared>> {
    let plain: Vec<_> = routes.1.paths.keys().map(|path| path.trim_end_matches('/').to_owned()).collect();
    let methods = routes.2.clone();
    plain.iter().fold(router.routes(routes), |router, path| router.route(path, methods.clone()))
}
