//! Header fields that every answer has, and CORS.

use std::time::Duration;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::origin::Origin;

/// How long a browser may remember what a preflight answered.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// What browsers are told with every answer; a route that says otherwise has its reasons.
const FIELDS: [(HeaderName, &str); 4] = [
    // Media types are as we say.
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // No page of another site frames ours to have its buttons pressed.
    (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // A URL may have held a token.
    (header::REFERRER_POLICY, "no-referrer"),
];
/// Fields of answers that pages of other sites may read: what to do next, and which media they were given.
const EXPOSED: [HeaderName; 8] = [
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    header::CONTENT_RANGE,
    HeaderName::from_static("x-run"),
    HeaderName::from_static("x-media-time"),
    HeaderName::from_static("x-media-time-pts"),
    HeaderName::from_static("x-media-time-base"),
    HeaderName::from_static("x-media-end-pts"),
];
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The router with CORS for the configured origins and the fields above.
pub(super) fn around<S: Clone + Send + Sync + 'static>(router: Router<S>, origins: &[Origin]) -> Router<S> {
    // Pages of other sites cannot show our pictures, unless some were allowed to call us.
    let pictures = HeaderValue::from_static(if origins.is_empty() { "same-origin" } else { "cross-origin" });
    let router = if origins.is_empty() { router } else { router.layer(cors(origins)) };
    router.layer(middleware::from_fn_with_state(pictures, fields))
}

/// Without credentials: tokens are sent by scripts, nothing of ours is in cookies.
fn cors(origins: &[Origin]) -> CorsLayer {
    let names = origins.iter().filter_map(|origin| HeaderValue::from_str(&origin.to_string()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(names))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::RANGE])
        .expose_headers(EXPOSED)
        .max_age(PREFLIGHT)
}

async fn fields(State(pictures): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(RESOURCE_POLICY).or_insert(pictures);
    response
}

/// An answer for one caller only: nobody keeps it, unless its handler said how long.
pub(super) fn private(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
