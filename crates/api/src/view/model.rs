//! A model, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// A model that streams can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Model)]
pub struct ModelView {
    /// Id in the catalogue.
    pub id: String,
    /// What it is, for people.
    pub description: String,
    /// Licence of its weights, such as `Apache-2.0`.
    pub licence: String,
    /// Classes it tells apart.
    pub classes: Vec<String>,
    /// Whether its file is there: `./dev setup` or `ocelli models add` brings it.
    pub installed: bool,
    /// Whether streams that name no model use it.
    pub default: bool,
}
