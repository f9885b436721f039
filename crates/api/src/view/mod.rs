//! The JSON of the interface. Names and rounding are those of the JSON lines that `ocelli analyze` prints: media time is a
//! PTS with its time base, seconds are for people, boxes come in fractions and in pixels of the displayed picture.

mod config;
mod detection;
mod frame;
mod ledger;
mod model;
mod rate;
mod record;
mod run;
mod status;

pub(crate) use config::{Hardware, NewStream, StreamConfig};
pub(crate) use detection::{DetectionView, Rectangle, Timing, detections, rounded};
pub(crate) use frame::FrameView;
pub(crate) use ledger::{LedgerView, windows};
pub use model::ModelView;
pub(crate) use rate::rate;
pub(crate) use run::RunView;
pub(crate) use status::{State, StatusView, StreamView};

use serde::Serialize;
use utoipa::ToSchema;

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// In the order that the route tells.
    pub(crate) items: Vec<T>,
    /// Give it as `cursor` for what follows; null on the last page.
    pub(crate) next_cursor: Option<String>,
}

#[cfg(test)]
mod tests;
