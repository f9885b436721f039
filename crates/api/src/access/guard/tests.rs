use std::sync::atomic::{AtomicI64, Ordering};

use axum::{body::Body, routing};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;
use crate::access::{Grant, NewToken, Role, Secret, StreamScope, TokenFile};

const WALL_MS: i64 = 1_000_000;

/// A small server: one route of each kind, and a clock that tests turn.
struct Server {
    access: Access,
    router: Router,
    clock: Arc<AtomicI64>,
    file: TokenFile,
    _folder: TempDir,
}

fn document() -> Value {
    let needs = |role: &str, stream: &str| json!({"x-role": role, "x-stream": stream});
    json!({"paths": {
        "/health": {"get": needs("public", "none")},
        "/api/v1/list": {"get": needs("viewer", "list")},
        "/api/v1/all": {"get": needs("viewer", "all")},
        "/api/v1/probe": {"post": needs("operator", "none")},
        "/api/v1/s/{id}": {"get": needs("viewer", "path:id"), "delete": needs("operator", "path:id")},
        "/api/v1/q": {"get": needs("viewer", "query:id")},
        "/api/v1/body": {"post": needs("operator", "body:id")},
        "/api/v1/forgot": {"post": needs("operator", "body:id")},
        "/api/v1/video-pipeline/status/": {"get": needs("viewer", "query:camera_id")},
    }})
}

async fn body(caller: Caller, id: String) -> Result<&'static str, crate::access::Denied> {
    caller.require(Role::Operator, Some(&id.parse().unwrap()))?;
    Ok("done")
}

fn router() -> Router {
    let ok = || async { "ok" };
    let who = |caller: Caller| async move { caller.name().to_owned() };
    Router::new()
        .route("/health", routing::get(who))
        .route("/api/v1/list", routing::get(who))
        .route("/api/v1/all", routing::get(ok))
        .route("/api/v1/probe", routing::post(ok))
        .route("/api/v1/s/{id}", routing::get(ok).delete(ok).put(ok))
        .route("/api/v1/q", routing::get(ok))
        .route("/api/v1/body", routing::post(body))
        .route("/api/v1/forgot", routing::post(ok))
        .route("/api/v1/video-pipeline/status/", routing::get(ok))
        .route("/undeclared", routing::get(ok))
        .fallback(ok)
}

fn server(listener: &str, change: impl FnOnce(&mut AccessConfig)) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::open(folder.path().join("tokens.json")).unwrap();
    let mut config = AccessConfig { tokens: Some(file.path().to_owned()), ..AccessConfig::default() };
    change(&mut config);
    let clock = Arc::new(AtomicI64::new(WALL_MS));
    let wall = Arc::clone(&clock);
    let wall = WallClock::new(move || wall.load(Ordering::Relaxed));
    let access = Access::open(config, &[listener.parse().unwrap()], wall).unwrap();
    let router = access.guard(router(), Needs::read(&document()).unwrap());
    Server { access, router, clock, file, _folder: folder }
}

impl Server {
    fn token(&self, role: Role, streams: Option<&[&str]>) -> Secret {
        let name = format!("{role}{streams:?}");
        let streams = StreamScope::of(streams).unwrap();
        let new = NewToken { name, role, streams, expires_ms: Some(WALL_MS + 10_000) };
        self.file.create(new, WALL_MS).unwrap().1
    }

    async fn ask(&self, request: Asked<'_>) -> Response {
        let (method, uri) = request.line.split_once(' ').unwrap();
        let mut built = Request::builder().method(method).uri(uri);
        for (name, value) in request.headers {
            built = built.header(*name, *value);
        }
        if let Some(token) = request.token {
            built = built.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        let mut built = built.body(Body::from(request.body.to_owned())).unwrap();
        built.extensions_mut().insert(Peer::new(request.peer.parse().unwrap(), false));
        self.router.clone().oneshot(built).await.unwrap()
    }

    async fn check(&self, request: Asked<'_>, expected: u16) {
        let found = self.ask(request).await;
        assert_eq!(found.status().as_u16(), expected, "{request:?}");
    }
}

#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    line: &'a str,
    token: Option<&'a Secret>,
    peer: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

/// From another machine, with a token or without.
fn asked<'a>(line: &'a str, token: Option<&'a Secret>) -> Asked<'a> {
    Asked { line, token, peer: "203.0.113.9:4000", headers: &[], body: "" }
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_route_asks_for_its_role_and_stream() {
    let server = server("0.0.0.0:8002", |_config| {});
    let [viewer, operator, admin] = Role::ALL.map(|role| server.token(role, None));
    let limited = server.token(Role::Operator, Some(&["cam1"]));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    // Statuses for nobody, viewer, operator, admin, and an operator of cam1 alone.
    let check = async |line: &str, body: &str, expected: [u16; 5]| {
        let tokens = [None, Some(&viewer), Some(&operator), Some(&admin), Some(&limited)];
        for (token, expected) in tokens.into_iter().zip(expected) {
            server.check(Asked { body, ..asked(line, token) }, expected).await;
        }
    };
    check("GET /health", "", [200; 5]).await;
    check("GET /api/v1/list", "", [401, 200, 200, 200, 200]).await;
    check("HEAD /api/v1/list", "", [401, 200, 200, 200, 200]).await;
    check("GET /api/v1/all", "", [401, 200, 200, 200, 403]).await;
    check("POST /api/v1/probe", "", [401, 403, 200, 200, 200]).await;
    check("GET /api/v1/s/cam1", "", [401, 200, 200, 200, 200]).await;
    check("GET /api/v1/s/cam%31", "", [401, 200, 200, 200, 200]).await;
    check("GET /api/v1/s/cam2", "", [401, 200, 200, 200, 403]).await;
    check("DELETE /api/v1/s/cam1", "", [401, 403, 200, 200, 200]).await;
    check("DELETE /api/v1/s/cam2", "", [401, 403, 200, 200, 403]).await;
    check("GET /api/v1/s/..%2Fcam1", "", [401, 400, 400, 400, 400]).await;
    check("GET /api/v1/q?id=cam1", "", [401, 200, 200, 200, 200]).await;
    check("GET /api/v1/q?id=cam2", "", [401, 200, 200, 200, 403]).await;
    check("GET /api/v1/q?i%64=cam2", "", [401, 200, 200, 200, 403]).await;
    check("GET /api/v1/q?id=cam1&id=cam2", "", [401, 400, 400, 400, 400]).await;
    check("GET /api/v1/q?id=%2e%2e", "", [401, 400, 400, 400, 400]).await;
    check("GET /api/v1/q", "", [401, 200, 200, 200, 200]).await;
    check("POST /api/v1/body", "cam1", [401, 403, 200, 200, 200]).await;
    check("POST /api/v1/body", "cam2", [401, 403, 200, 200, 403]).await;
    // A handler that forgets to ask is found out.
    check("POST /api/v1/forgot", "cam1", [401, 403, 500, 500, 500]).await;
    // What no declaration names is not there, though the router has it.
    check("GET /undeclared", "", [404; 5]).await;
    check("GET /nothing", "", [404; 5]).await;
    check("PUT /api/v1/s/cam1", "", [405; 5]).await;
    check("OPTIONS /api/v1/s/cam1", "", [405; 5]).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_hold_are_refused() {
    let server = server("0.0.0.0:8002", |_config| {});
    let token = server.token(Role::Viewer, None);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let list = "GET /api/v1/list";
    server.check(asked(list, Some(&token)), 200).await;
    server.check(asked(&format!("{list}?access_token={}", token.reveal()), None), 200).await;
    for bad in ["ocl_AAAA", "x", "a.b.c"] {
        let bad = Secret::new(bad);
        server.check(asked(list, Some(&bad)), 401).await;
        server.check(asked("GET /health", Some(&bad)), 200).await;
    }
    server.check(Asked { headers: &[("authorization", "Basic dTpw")], ..asked(list, None) }, 401).await;
    let refused = server.ask(asked("GET /api/v1/video-pipeline/status/", Some(&Secret::new("x")))).await;
    assert_eq!(
        refused.headers()[header::WWW_AUTHENTICATE],
        "Bearer realm=\"ocelli\", error=\"invalid_token\""
    );
    let refused: Value = serde_json::from_str(&text(refused).await).unwrap();
    assert!(refused["detail"].is_string() && refused.get("title").is_none(), "{refused}");
    server.clock.store(WALL_MS + 10_000, Ordering::Relaxed);
    let refused = text(server.ask(asked(list, Some(&token))).await).await;
    assert!(refused.contains("expired"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_let_somebody_in_may_end() {
    let server = server("0.0.0.0:8002", |_config| {});
    let token = server.token(Role::Viewer, None);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let answer = server.ask(asked("GET /api/v1/list", Some(&token))).await;
    let caller = answer.extensions().get::<Caller>().unwrap().clone();
    assert!(server.access.holds(&caller));
    server.clock.store(WALL_MS + 10_000, Ordering::Relaxed);
    assert!(!server.access.holds(&caller));
    server.clock.store(WALL_MS, Ordering::Relaxed);
    server.file.revoke("viewerNone").unwrap();
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(!server.access.holds(&caller));
    server.check(asked("GET /api/v1/list", Some(&token)), 401).await;
}

#[tokio::test(start_paused = true)]
async fn only_this_machine_is_admin_unasked() {
    let loopback = server("127.0.0.1:8002", |_config| {});
    let open = server("0.0.0.0:8002", |_config| {});
    let proxied = server("127.0.0.1:8002", |config| {
        config.trusted_proxies = ocelli_net::networks("127.0.0.1").unwrap();
    });
    let check = async |server: &Server, peer: &str, line: &str, headers: &[(&str, &str)], expected| {
        server.check(Asked { peer, headers, ..asked(line, None) }, expected).await;
    };
    let (local, delete, list) = ("127.0.0.1:4000", "DELETE /api/v1/s/cam1", "GET /api/v1/list");
    let host = ("host", "localhost:8002");
    check(&loopback, local, delete, &[host], 200).await;
    check(&loopback, "[::1]:4000", delete, &[("host", "[::1]:8002")], 200).await;
    check(&loopback, "203.0.113.9:1", list, &[host], 401).await;
    check(&open, local, list, &[host], 401).await;
    check(&proxied, local, list, &[host], 401).await;
    check(&proxied, local, list, &[host, ("x-forwarded-for", "127.0.0.1")], 401).await;
    // A proxy that nobody told us of, and a name of another site that was made to lead here.
    check(&loopback, local, list, &[host, ("x-forwarded-for", "203.0.113.9")], 401).await;
    check(&loopback, local, list, &[host, ("via", "1.1 proxy")], 401).await;
    check(&loopback, local, list, &[("host", "evil.example:8002")], 401).await;
    // Pages of other sites: they may not read the answer, but they could send the request.
    let evil = ("origin", "https://evil.example");
    check(&loopback, local, delete, &[host, evil], 403).await;
    check(&loopback, local, delete, &[host, ("origin", "null")], 403).await;
    check(&loopback, local, delete, &[host, ("origin", "http://localhost:8002")], 200).await;
    check(&loopback, local, list, &[host, evil], 200).await;
    check(&loopback, local, list, &[host, evil, ("upgrade", "websocket")], 403).await;
    let ours = ("origin", "http://localhost:8002");
    check(&loopback, local, list, &[host, ours, ("upgrade", "websocket")], 200).await;
}

#[tokio::test(start_paused = true)]
async fn rules_open_one_contract_to_some_networks() {
    let server = server("0.0.0.0:8002", |config| {
        let rule = r#"[
            {"contract": "video-pipeline", "networks": ["10.0.0.0/8"], "role": "operator", "streams": ["cam1"]},
            {"contract": "native", "networks": ["10.1.0.0/16"], "role": "viewer"}
        ]"#;
        config.anonymous = serde_json::from_str(rule).unwrap();
        config.trusted_proxies = ocelli_net::networks("192.0.2.1").unwrap();
    });
    let status = "GET /api/v1/video-pipeline/status/?camera_id=";
    let check = async |peer: &str, line: &str, expected| {
        server.check(Asked { peer, ..asked(line, None) }, expected).await;
    };
    check("10.9.0.1:1", &format!("{status}cam1"), 200).await;
    check("[::ffff:10.9.0.1]:1", &format!("{status}cam1"), 200).await;
    check("10.9.0.1:1", &format!("{status}cam2"), 401).await;
    check("11.0.0.1:1", &format!("{status}cam1"), 401).await;
    check("10.9.0.1:1", "GET /api/v1/list", 401).await;
    check("10.1.0.1:1", "GET /api/v1/list", 200).await;
    check("10.1.0.1:1", "DELETE /api/v1/s/cam1", 401).await;
    let proxied = async |address: &str, expected| {
        let headers = &[("x-forwarded-for", address)][..];
        server
            .check(Asked { peer: "192.0.2.1:1", headers, ..asked("GET /api/v1/list", None) }, expected)
            .await;
    };
    proxied("10.1.0.1", 200).await;
    proxied("203.0.113.9", 401).await;
    proxied("10.1.0.1, 203.0.113.9", 401).await;
}

#[tokio::test(start_paused = true)]
async fn rates_are_limited_for_each_client() {
    let server = server("0.0.0.0:8002", |config| {
        config.rates.requests = crate::access::Rate { per_second: 1.0, burst: 2 };
        config.rates.failures = crate::access::Rate { per_second: 1.0, burst: 1 };
    });
    let (one, other) = (server.token(Role::Viewer, None), server.token(Role::Admin, None));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let list = "GET /api/v1/list";
    for expected in [200, 200, 429] {
        server.check(asked(list, Some(&one)), expected).await;
    }
    let refused = server.ask(asked(list, Some(&one))).await;
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    assert_eq!(refused.headers()[header::CACHE_CONTROL], "no-store");
    server.check(asked(list, Some(&other)), 200).await;
    for expected in [401, 401, 429] {
        server.check(asked(list, None), expected).await;
    }
    server.check(Asked { peer: "203.0.113.10:1", ..asked(list, None) }, 401).await;
    server.check(asked("GET /health", None), 200).await;
    let bad = Secret::new("ocl_bad");
    for expected in [401, 429] {
        server.check(asked(list, Some(&bad)), expected).await;
    }
    server.check(asked(list, Some(&other)), 200).await;
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    server.check(asked(list, Some(&one)), 200).await;
}

#[tokio::test(start_paused = true)]
async fn answers_are_private_and_say_so() {
    let server =
        server("127.0.0.1:8002", |config| config.origins = vec!["https://dash.example".parse().unwrap()]);
    let field = async |line: &str, headers: &[(&str, &str)], name: &str| {
        let answer = server.ask(Asked { peer: "127.0.0.1:4000", headers, ..asked(line, None) }).await;
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let host = ("host", "localhost");
    let check = async |line: &str, headers: &[(&str, &str)], name: &str, expected: Option<&str>| {
        assert_eq!(field(line, headers, name).await.as_deref(), expected, "{line} {headers:?} {name}");
    };
    check("GET /api/v1/list", &[host], "cache-control", Some("no-store")).await;
    check("GET /nothing", &[host], "cache-control", Some("no-store")).await;
    check("GET /health", &[host], "cache-control", None).await;
    for line in ["GET /api/v1/list", "GET /health", "GET /nothing"] {
        check(line, &[host], "x-content-type-options", Some("nosniff")).await;
        check(line, &[host], "referrer-policy", Some("no-referrer")).await;
    }
    let allow = "access-control-allow-origin";
    let (dash, evil) = (("origin", "https://dash.example"), ("origin", "https://evil.example"));
    check("GET /api/v1/list", &[host, dash], allow, Some("https://dash.example")).await;
    check("GET /api/v1/list", &[host, evil], allow, None).await;
    check("DELETE /api/v1/s/cam1", &[host, dash], allow, Some("https://dash.example")).await;
    // A preflight shows no credential, and needs none.
    let preflight = [host, dash, ("access-control-request-method", "DELETE")];
    check("OPTIONS /api/v1/s/cam1", &preflight, allow, Some("https://dash.example")).await;
    check("OPTIONS /api/v1/s/cam1", &preflight, "access-control-allow-credentials", None).await;
}

#[test]
fn the_owner_of_a_token_is_known_by_its_name() {
    let grant = Grant { subject: "wall".to_owned(), role: Role::Viewer, streams: StreamScope::ALL };
    let sender = Sender { address: None, contract: Contract::Native };
    let caller = Caller::known(Arc::new(grant), None, Some("id".to_owned()), sender);
    assert_eq!(caller.name(), "wall");
    assert_eq!(Caller::anonymous(Vec::new(), sender).name(), "anonymous");
}
