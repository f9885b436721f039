//! What one request may take: bytes, time, and a panic of its handler.

use std::any::Any;

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio::time::sleep;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    body::{BodyError, LimitedBody},
    config::{LimitsConfig, seconds},
};
use crate::problem::{Problem, problem};

/// The router with limits on what a request may take: the size of its body, the pace at which that comes, the time until the
/// answer begins. Routes that take JSON or forms have axum's own limit of 2 MiB as well; those for uploads lift it with
/// `DefaultBodyLimit::disable()`. A handler that panics is answered 500.
pub fn limit<S: Clone + Send + Sync + 'static>(router: Router<S>, limits: &LimitsConfig) -> Router<S> {
    router.layer(CatchPanicLayer::custom(panicked)).layer(middleware::from_fn_with_state(*limits, limited))
}

async fn limited(State(limits): State<LimitsConfig>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let wrong = |error| wrong(&path, error, &limits).into_response();
    if request.body().size_hint().lower() > limits.upload_bytes {
        return wrong(BodyError::Large);
    }
    let stall = seconds(limits.body_stall_s);
    let (parts, body) = request.into_parts();
    let (body, verdict, ended) = LimitedBody::new(body, limits.upload_bytes, stall);
    let late = async {
        // Until then it is the client who is slow, and the body has limits of its own.
        drop(ended.await);
        sleep(seconds(limits.answer_s)).await;
    };
    let answer = next.run(Request::from_parts(parts, Body::new(body)));
    let response = tokio::select! {
        response = answer => response,
        () = late => {
            tracing::error!(path, seconds = limits.answer_s, "no answer in time; the request is given up");
            let detail = format!("no answer within {} s; try again later", limits.answer_s);
            return problem(&path, StatusCode::SERVICE_UNAVAILABLE, "Late", detail).into_response();
        }
    };
    if response.extensions().get::<Panicked>().is_some() {
        let detail = "the server failed at this request; its log says more";
        return problem(&path, StatusCode::INTERNAL_SERVER_ERROR, "Defect", detail).into_response();
    }
    match verdict.get() {
        // Whatever the handler made of it: this is what happened.
        Some(error) if !response.status().is_success() => wrong(error),
        _ => response,
    }
}

fn wrong(path: &str, error: BodyError, limits: &LimitsConfig) -> Problem {
    let problem = match error {
        BodyError::Large => {
            let detail = format!("at most {} bytes may be sent", limits.upload_bytes);
            problem(path, StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail)
        }
        BodyError::Stalled => {
            let detail = "the request stopped coming, or came at less than 1 KiB/s; send it again";
            problem(path, StatusCode::REQUEST_TIMEOUT, "Request timeout", detail)
        }
    };
    // What is left of the body is not worth reading.
    problem.with(header::CONNECTION, HeaderValue::from_static("close"))
}

/// The handler panicked.
#[derive(Clone, Copy)]
struct Panicked;

/// The panic itself has been logged where it happened. The path of the request is not known here.
fn panicked(_cause: Box<dyn Any + Send>) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Extension(Panicked)).into_response()
}
