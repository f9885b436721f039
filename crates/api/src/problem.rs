//! What a client is told when a request fails: in the form that its contract promises.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::access::Contract;

/// An answer that says what is wrong and what to do: problem details (RFC 9457) on our own paths, `{"detail": …}` on those
/// of the video pipeline, `{"error": …}` on those of the media analyzer.
#[derive(Clone, Debug)]
pub struct Problem {
    contract: Contract,
    status: StatusCode,
    title: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The problem in the form that the contract of `path` promises. `title` names the kind of problem and is the same each time
/// it occurs; `detail` is about this request, and holds no secret.
pub fn problem(path: &str, status: StatusCode, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(Contract::of(path), status, title, detail)
}

impl Problem {
    /// [`problem`] for those who know which contract they serve.
    pub fn new(
        contract: Contract,
        status: StatusCode,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { contract, status, title, detail: detail.into(), headers: Vec::new() }
    }

    /// With a header field more.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn body(&self) -> (&'static str, serde_json::Value) {
        match self.contract {
            Contract::VideoPipeline => ("application/json", json!({"detail": self.detail})),
            Contract::MediaAnalyzer => ("application/json", json!({"error": self.detail})),
            Contract::Native => (
                "application/problem+json",
                json!({
                    "type": format!("urn:ocelli:problem:{}", slug(self.title)),
                    "title": self.title,
                    "status": self.status.as_u16(),
                    "detail": self.detail,
                }),
            ),
        }
    }
}

/// A title as a part of a URN: `Stream not found` is `stream-not-found`.
fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (media_type, body) = self.body();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, media_type)], body.to_string()).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contract_has_its_form() {
        let check = |path: &str, media_type: &str, expected: serde_json::Value| {
            let problem = problem(path, StatusCode::NOT_FOUND, "Stream not found", "no stream is called x");
            assert_eq!(problem.body(), (media_type, expected), "{path}");
        };
        let native = json!({"type": "urn:ocelli:problem:stream-not-found", "title": "Stream not found", "status": 404, "detail": "no stream is called x"});
        for path in ["/api/v1/streams/x", "/", "/api/v1/video-pipelines/", "/metrics"] {
            check(path, "application/problem+json", native.clone());
        }
        let adapted = json!({"detail": "no stream is called x"});
        for path in ["/api/v1/video-pipeline/decode/status/", "/api/v1/video-pipeline"] {
            check(path, "application/json", adapted.clone());
        }
        let refused = json!({"error": "no stream is called x"});
        for path in
            ["/api/streaming/streams/x/start/", "/api/streams/x/analysis", "/streaming/x.m3u8", "/ws/stream/"]
        {
            check(path, "application/json", refused.clone());
        }
        check("/api/streamings/", "application/problem+json", native);
    }

    #[test]
    fn header_fields_come_along() {
        let problem = problem("/", StatusCode::TOO_MANY_REQUESTS, "Too many requests", "wait 2 s");
        let response = problem.with(header::RETRY_AFTER, HeaderValue::from(2)).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
