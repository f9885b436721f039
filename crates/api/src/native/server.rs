//! What the server is and knows.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    state::Shared,
    view::{Listed, ModelView},
};

/// What runs here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    /// Name of the product.
    #[schema(example = "ocelli")]
    name: &'static str,
    /// Its release.
    #[schema(example = "0.1.0")]
    version: String,
}

/// Lists the models that streams can name
#[utoipa::path(get, path = "/api/v1/models", operation_id = "list_models", tag = "server",
    responses((status = 200, description = "All models, on one page", body = Listed<ModelView>)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("none"))))]
pub(super) async fn models(State(shared): State<Arc<Shared>>) -> Json<Listed<ModelView>> {
    Json(Listed { items: shared.state.models.clone(), next_cursor: None })
}

/// Tells the release
#[utoipa::path(get, path = "/api/v1/version", operation_id = "read_version", tag = "server",
    responses((status = 200, description = "What runs here", body = Version)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("none"))))]
pub(super) async fn version(State(shared): State<Arc<Shared>>) -> Json<Version> {
    Json(Version { name: "ocelli", version: shared.state.settings.version.clone() })
}
