//! Our HTTP and WebSocket interface over the engine.
//!
//! [`router`] holds every route; [`access`] decides who may use which, by what the OpenAPI document says of it
//! ([`openapi`]). Contracts 1 and 3 are thin adapters beside the native interface: all speak to the same [`Engine`].

pub mod access;
mod analyzer;
mod document;
mod engine;
mod extract;
mod failure;
mod live;
mod media;
mod metrics;
mod native;
mod operation;
mod outside;
mod pipeline;
pub mod problem;
pub mod serving;
mod state;
mod view;

use axum::{Router, extract::DefaultBodyLimit};

pub use analyzer::AnalyzerSettings;
pub use document::openapi;
pub use engine::Engine;
pub use media::{Clip, MediaError, MediaLog, Still};
pub use metrics::{EngineMetrics, FolderMetrics, Latency, ProcessMetrics, StreamMetrics};
pub use outside::{MediaProbe, Operation, ProbeError, SourcePolicy, VideoInfo};
pub use pipeline::remove_stale_uploads;
pub use state::{ApiSettings, ApiState, LiveSettings};
pub use view::ModelView;

/// All routes, behind the guard of [`ApiState::access`]. Must be called within a tokio runtime.
pub fn router(state: ApiState) -> Router {
    let access = state.access.clone();
    let (limits, body) = (state.settings.limits, state.settings.most_body_bytes);
    let (routes, _) = document::routes().split_for_parts();
    // Uploads have a limit of their own, further in.
    let routes = routes.layer(DefaultBodyLimit::max(body)).merge(document::docs());
    let routes = serving::limit(routes.with_state(state::Shared::new(state)), &limits);
    access.guard(routes, document::needs())
}
