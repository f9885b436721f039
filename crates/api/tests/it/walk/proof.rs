//! That the walk finds what it is there to find.

use axum::{Json, extract::Path, routing};
use ocelli_api::access::{Access, AccessConfig, Caller, Denied, Needs, WallClock};
use ocelli_model::StreamId;

use super::*;

const SECRET: &str = "walk-secret";

#[derive(serde::Deserialize)]
struct Named {
    id: StreamId,
}

async fn list(caller: Caller) -> String {
    let all: [StreamId; 2] = [SECRET, ELSEWHERE].map(|word| word.parse().unwrap());
    all.into_iter().filter(|stream| caller.may_see(stream)).map(String::from).collect()
}

async fn create(caller: Caller, Json(Named { id }): Json<Named>) -> Result<(), Denied> {
    caller.require(Role::Operator, Some(&id))
}

async fn forgets(Json(Named { id }): Json<Named>) -> String {
    id.into()
}

async fn tells(Path(id): Path<String>) -> String {
    id
}

fn document(changed: &[(&str, &str, Value)]) -> Value {
    let needs = |role: &str, stream: &str| serde_json::json!({"x-role": role, "x-stream": stream});
    let mut create = needs("operator", "body:id");
    create["requestBody"]["content"]["application/json"] = serde_json::json!({});
    let mut document = serde_json::json!({"paths": {
        "/health": {"get": needs("public", "none")},
        "/s": {"get": needs("viewer", "list"), "post": create},
        "/s/{id}": {"get": needs("viewer", "path:id"), "delete": needs("operator", "path:id")},
        "/metrics": {"get": needs("viewer", "all")},
        "/reload": {"post": needs("admin", "none")},
    }});
    for (path, method, operation) in changed {
        document["paths"][path][method] = operation.clone();
    }
    document
}

fn router() -> Router {
    let ok = || async {};
    Router::new()
        .route("/health", routing::get(ok))
        .route("/s", routing::get(list).post(create))
        .route("/s/{id}", routing::get(tells).delete(tells))
        .route("/metrics", routing::get(ok))
        .route("/reload", routing::post(ok))
}

/// What the walk says of a router whose guard goes by `enforced`, held against `promised`.
async fn walked(router: Router, enforced: &Value, promised: &Value) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let tokens = Tokens::make(&path);
    let config = AccessConfig { tokens: Some(path), ..AccessConfig::default() };
    let access = Access::open(config, &["0.0.0.0:1".parse().unwrap()], WallClock::new(|| 0)).unwrap();
    let router = access.guard(router, Needs::read(enforced).unwrap());
    walk(&router, promised, &tokens, SECRET).await
}

#[tokio::test(start_paused = true)]
async fn a_router_that_keeps_its_promises_has_no_problems() {
    let document = document(&[]);
    let problems = walked(router(), &document, &document).await;
    assert!(problems.is_empty(), "{problems:#?}");
}

#[tokio::test(start_paused = true)]
async fn promises_that_are_not_kept_are_found() {
    let promised = document(&[]);
    let check = async |router: Router, enforced: Value, promised: &Value, expected: &str| {
        let problems = walked(router, &enforced, promised).await;
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:#?}");
    };
    let changed = |path: &'static str, method: &'static str, role: &str, stream: &str| {
        document(&[(path, method, serde_json::json!({"x-role": role, "x-stream": stream}))])
    };
    // The guard goes by less than was promised.
    let open = changed("/reload", "post", "operator", "none");
    check(router(), open, &promised, "post /reload as Some(Operator) (limited: false): Forbidden").await;
    let open = changed("/s/{id}", "get", "public", "none");
    check(router(), open, &promised, "get /s/{id} as None (limited: false): Unauthorized").await;
    let open = changed("/s/{id}", "delete", "operator", "none");
    check(router(), open, &promised, "delete /s/{id} as Some(Admin) (limited: true): Forbidden").await;
    // Or by more.
    let closed = changed("/health", "get", "viewer", "none");
    check(router(), closed, &promised, "get /health as None (limited: false): Allowed").await;
    // Handlers that leak or forget, and one that is not there.
    let all = || async { SECRET };
    let leaks = Router::new().route("/s", routing::get(all).post(forgets));
    check(
        leaks.clone(),
        promised.clone(),
        &promised,
        "get /s as Some(Viewer) (limited: true): the answer tells",
    )
    .await;
    check(leaks.clone(), promised.clone(), &promised, "post /s as Some(Operator) (limited: true): Forbidden")
        .await;
    check(leaks, promised.clone(), &promised, "get /metrics as Some(Viewer) (limited: false): 404").await;
    check(Router::new(), promised.clone(), &serde_json::json!({}), "the document has no routes").await;
}
