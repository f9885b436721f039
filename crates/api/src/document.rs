//! The OpenAPI document, made from the routes themselves, and a page over it that needs no network.

use std::sync::Arc;

use axum::{Json, Router, http::Method, response::Redirect, routing::get};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    access::{Contract, Needed, Needs, Where},
    analyzer, live, media, native, operation, pipeline,
    state::Shared,
};

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
struct ProblemDetails {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:ocelli:problem:stream-not-found")]
    kind: String,
    /// The kind of problem, for people.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
}

/// Gives this document
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "read_document", tag = "server",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object)),
    extensions(("x-role" = json!("public")), ("x-stream" = json!("none"))))]
async fn document() -> Json<OpenApi> {
    Json(openapi())
}

/// Shows this document
///
/// `/api/docs` leads there; files of the page lie below. It asks no other host.
#[utoipa::path(get, path = "/api/docs/", operation_id = "show_document", tag = "server",
    responses((status = 200, description = "A page", content_type = "text/html", body = String)),
    extensions(("x-role" = json!("public")), ("x-stream" = json!("none"))))]
async fn page() {}

/// All routes with what documents them.
pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .merge(native::routes())
        .merge(live::routes())
        .merge(media::routes())
        .merge(pipeline::routes())
        .merge(analyzer::routes())
        .merge(operation::routes())
        .routes(routes!(document))
}

/// The page and its files. The validator that it would ask for a badge is on another host.
pub(crate) fn docs<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let config = Config::from("/api/openapi.json").validator_url("none").use_base_layout();
    let page = Router::from(SwaggerUi::new("/api/docs").config(config));
    // What somebody types into a browser.
    page.route("/", get(|| async { Redirect::to("/api/docs/") }))
}

/// What each route needs, by the document.
pub(crate) fn needs() -> Needs {
    let document = serde_json::to_value(openapi()).expect("values with string keys");
    let needs = Needs::read(&document).expect("each route declares what it needs; a test reads them all");
    let public = Needed { role: None, stream: Where::Nowhere, media: None };
    needs.with(&Method::GET, "/api/docs/{*rest}", public.clone()).with(&Method::GET, "/", public)
}

/// The document.
pub fn openapi() -> OpenApi {
    let (_, mut document) = routes().split_for_parts();
    let mut shown = OpenApiRouter::<()>::default().routes(routes!(page)).into_openapi();
    document.paths.paths.append(&mut shown.paths.paths);
    document.info = InfoBuilder::new()
        .title("Ocelli")
        .version("1")
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0 OR MIT").build()))
        .build();
    add_schema::<ProblemDetails>(&mut document);
    add_schema::<pipeline::Detail>(&mut document);
    add_schema::<analyzer::ErrorBody>(&mut document);
    add_schema::<analyzer::AnalyzerMessage>(&mut document);
    add_schema::<live::LiveMessage>(&mut document);
    add_schema::<media::MediaMessage>(&mut document);
    for (path, item) in &mut document.paths.paths {
        let contract = Contract::of(path);
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch, &mut item.head];
        for operation in operations.into_iter().flatten() {
            describe(operation, path, contract);
        }
    }
    document
}

const DESCRIPTION: &str = "Real-time video analysis: streams, their frames, results and ledgers.

Our own routes answer failures as problem details (RFC 9457); those below `/api/v1/video-pipeline/` as `{\"detail\": …}`, those \
of the media analyzer (`/api/streaming/`, `/api/streams/`, `/streaming/`, `/ws/stream/`) as `{\"error\": …}`. \
`x-role` names the least role that a route needs (`public`, `viewer`, `operator`, `admin`), `x-stream` where it names the stream \
that a grant may be limited to.

Media time is a PTS, an integer number of ticks, with its `time_base`, seconds per tick as a fraction. Results of one frame \
are keyed by run and PTS. Seconds are for people. Boxes are given in fractions of the displayed picture (`box`) and in its \
pixels (`box_px`), from its top left corner.";

/// Failures that any route may answer with, beside its own.
const FAILURES: [(&str, &str); 6] = [
    ("401", "A credential is required (`Authorization: Bearer …`)"),
    ("403", "The credential does not allow it"),
    ("422", "The request makes no sense; the answer says what to change"),
    ("429", "Too many requests; `Retry-After` says when to try again"),
    ("500", "The server failed, and logged why"),
    ("503", "Not available now; `Retry-After` says when to try again"),
];

fn add_schema<T: ToSchema>(document: &mut OpenApi) {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    document.components.get_or_insert_default().schemas.extend(schemas);
}

/// Adds the failures that any route may answer with, and a body to those of its own that have none.
fn describe(operation: &mut Operation, path: &str, contract: Contract) {
    let (kind, schema) = match contract {
        Contract::Native => ("application/problem+json", "ProblemDetails"),
        Contract::VideoPipeline => ("application/json", "Detail"),
        Contract::MediaAnalyzer => ("application/json", "Error"),
    };
    let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let failure = |text: &str| ResponseBuilder::new().description(text).content(kind, body()).build();
    let is_public = operation.extensions.as_ref().and_then(|words| words.get("x-role"))
        == Some(&serde_json::Value::from("public"));
    let about_one =
        path.contains("{id}").then_some(("404", "There is no such stream, or none of what was asked for"));
    let about_camera = ["/status/", "/stop/", "/latest-frame/"].iter().any(|end| path.ends_with(end));
    let about_camera =
        (contract == Contract::VideoPipeline && about_camera).then_some(("404", "There is no such camera"));
    let about_one = about_one.or_else(|| {
        path.contains("{stream_key}")
            .then_some(("404", "There is no such stream, or none of what was asked for"))
    });
    // What makes no sense is 400 in contract 3.
    let own = |status: &str| contract != Contract::MediaAnalyzer || status != "422";
    let common = FAILURES
        .into_iter()
        .filter(|(status, _)| own(status) && (!is_public || matches!(*status, "429" | "500")));
    let malformed = [("400", "The request cannot be read")];
    let with_body = [("413", "The body is too long"), ("415", "The body is of another kind than expected")];
    let with_body = with_body.into_iter().filter(|_| operation.request_body.is_some());
    for (status, text) in common.chain(malformed).chain(with_body).chain(about_one).chain(about_camera) {
        let known = &mut operation.responses.responses;
        known.entry(status.to_owned()).or_insert_with(|| RefOr::T(failure(text)));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(Response { content, .. }) = response
            && content.is_empty()
            && status.as_str() >= "400"
        {
            content.insert(kind.to_owned(), body().into());
        }
    }
}
