//! Contract 3, the media analyzer, over the same engine: its streams, their analyses, and its WebSocket. Names, fields and codes
//! are its own and exact; fields beyond them are ours.
//!
//! - A *stream key* is the name of a stream, and public. The right to publish is another matter: a secret that only whoever may
//!   operate the stream is told, or networks.
//! - A stream's number is made of its key, so that none is given twice and streams of the other interfaces have one too.
//! - An analysis is what one model saw in one frame. Its id is made of stream, run, PTS and analyzer version: the same analysis has
//!   the same id in every answer.

mod analysis;
mod analyze;
mod desk;
mod going;
mod key;
mod list;
mod message;
mod moments;
mod new;
mod recorded;
mod sessions;
mod settings;
mod stored;
mod stream;
mod streams;
mod upload;
mod watch;
mod webcam;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use desk::Desks;
pub(crate) use message::AnalyzerMessage;
pub use settings::AnalyzerSettings;

use crate::{pipeline::with_and_without_slash, state::Shared};

/// What is wrong and what to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    error: String,
}

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    let plain = [
        routes!(streams::list),
        routes!(streams::create),
        routes!(webcam::start),
        routes!(going::start),
        routes!(going::stop),
        routes!(streams::delete),
        routes!(analyze::analyze),
        routes!(list::analyses),
        routes!(watch::watch),
    ];
    let plain = plain.into_iter().fold(OpenApiRouter::default(), with_and_without_slash);
    // Forms are measured where they are read: this one holds a video.
    let upload = with_and_without_slash(OpenApiRouter::default(), routes!(upload::upload));
    plain.merge(upload.layer(DefaultBodyLimit::disable()))
}
