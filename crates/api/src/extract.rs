//! Parts of a request as values, refused in words of ours.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use ocelli_model::StreamId;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Most bytes of a JSON body: a stream with many classes takes a tenth of it.
const MOST_JSON_BYTES: usize = 256 << 10;

/// The stream that the path names as `{id}`.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) StreamId);

/// The query as a value.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(word) =
            Path::<String>::from_request_parts(parts, state).await.map_err(Failure::malformed)?;
        word.parse().map(Self).map_err(Failure::malformed)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let Query(value) = Query::try_from_uri(&parts.uri).map_err(|rejection| {
            Failure::invalid(format!("the query is not valid: {}", because(&rejection)))
        })?;
        Ok(Self(value))
    }
}

/// The innermost cause: what the parser found, without the layers above.
fn because(error: &dyn std::error::Error) -> String {
    let innermost = std::iter::successors(Some(error), |cause| cause.source()).last();
    innermost.unwrap_or(error).to_string()
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        if media_type(request.headers()) != Some("application/json") {
            let detail = "send the body as `Content-Type: application/json`";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not JSON", detail));
        }
        let bytes = whole(request, MOST_JSON_BYTES).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Failure::invalid(format!("the body is not valid: {error}")),
            _ => Failure::malformed(format!("the body is not JSON: {error}")),
        })?;
        Ok(Self(value))
    }
}

/// The media type of a body, in lower case as clients write it, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// The whole body, if it is no longer than `most` bytes.
pub(crate) async fn whole(request: Request, most: usize) -> Result<bytes::Bytes, Failure> {
    to_bytes(request.into_body(), most).await.map_err(|error| {
        let mut causes =
            std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
        // axum's error wraps that of the limit.
        if causes.any(|cause| cause.to_string().contains("length limit exceeded")) {
            Failure::too_large(format!("the body is longer than {most} bytes"))
        } else {
            Failure::malformed("the body ends early")
        }
    })
}
