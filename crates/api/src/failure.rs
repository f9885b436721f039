//! What went wrong with a request, before it takes the form that a contract promises.

use std::fmt::Display;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ocelli_engine::StreamError;
use ocelli_store::{Fault, StoreError};

use crate::{
    access::{Contract, Denied},
    problem::Problem,
};

/// Seconds after which what is not available now may be.
const AGAIN_SECONDS: u16 = 5;

/// Answered as problem details; [`Adapted`] answers it as contract 1 does, [`Refused`] as contract 3.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller may not.
    Denied(Denied),
    /// Anything else: its status, its kind, and what is wrong this time.
    Told(StatusCode, &'static str, String),
}

/// A [`Failure`] of a route of contract 1.
#[derive(Debug)]
pub(crate) struct Adapted(Problem);

/// A [`Failure`] of a route of contract 3.
#[derive(Debug)]
pub(crate) struct Refused(Problem);

impl Failure {
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self::Told(status, title, detail.into())
    }

    /// The request cannot be read.
    pub(crate) fn malformed(detail: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Malformed request", detail.to_string())
    }

    /// The request can be read and makes no sense.
    pub(crate) fn invalid(detail: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid request", detail.to_string())
    }

    pub(crate) fn too_large(detail: impl Display) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail.to_string())
    }

    pub(crate) fn missing(title: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, title, detail.to_string())
    }

    pub(crate) fn unavailable(detail: impl Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", detail.to_string())
    }

    /// Logs the cause of what is our own fault: the client learns only that it is.
    pub(crate) fn internal(what: &'static str, cause: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(cause), |cause| cause.source());
        let chain = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        tracing::error!(error = chain, "{what}");
        let detail = format!("{what}; the server's log says why");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", detail)
    }

    /// What is wrong, for people.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Denied(denied) => denied.to_string(),
            Self::Told(_, _, detail) => detail,
        }
    }

    fn on(self, contract: Contract) -> Problem {
        let (status, title, detail) = match self {
            Self::Denied(denied) => return denied.problem(),
            Self::Told(status, title, detail) => (status, title, detail),
        };
        let problem = Problem::new(contract, status, title, detail);
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            problem.with(header::RETRY_AFTER, HeaderValue::from(AGAIN_SECONDS))
        } else {
            problem
        }
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        let detail = error.to_string();
        match error {
            StreamError::Unknown(_) => Self::missing("Stream not found", detail),
            StreamError::Exists(_) => Self::new(StatusCode::CONFLICT, "Stream exists", detail),
            StreamError::Running(_) => Self::new(StatusCode::CONFLICT, "Stream is running", detail),
            StreamError::Invalid(_) => Self::invalid(detail),
            StreamError::TooMany(_) => {
                Self::unavailable(format!("{detail}; delete one, or raise the limit of streams"))
            }
            StreamError::Closing => Self::unavailable(detail),
            StreamError::Store(cause) => cause.into(),
            StreamError::Thread(cause) => Self::internal("no thread can be started", &cause),
            frame @ StreamError::Frame(_) => Self::internal("the frame folder cannot be used", &frame),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error.fault() {
            // The words name paths of the server, which are no client's business.
            Fault::Environment => {
                tracing::error!(%error, "the store is not available");
                Self::unavailable("the store is not available; the server's log says why")
            }
            Fault::Caller | Fault::Store => Self::internal("the store failed", &error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.on(Contract::Native).into_response()
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl<E: Into<Failure>> From<E> for Adapted {
    fn from(failure: E) -> Self {
        Self(failure.into().on(Contract::VideoPipeline))
    }
}

impl IntoResponse for Adapted {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(failure: E) -> Self {
        let failure = match failure.into() {
            // That contract knows no other word for what makes no sense.
            Failure::Told(StatusCode::UNPROCESSABLE_ENTITY, title, detail) => {
                Failure::Told(StatusCode::BAD_REQUEST, title, detail)
            }
            failure => failure,
        };
        Self(failure.on(Contract::MediaAnalyzer))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
