//! Media URLs: what they open, and what not.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ocelli_api::{
    LiveSettings,
    access::{AccessConfig, NewToken, Role, StreamScope, TokenFile},
    serving::Peer,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{
    camera::{Camera, GROUP},
    create, playlist, uri, uris, values,
};
use crate::stand::{Answer, NOW_MS, Stand, open};

/// A stand that knows two tokens: one that may see `cam1` until it ends, and an admin's.
struct Guarded {
    stand: Stand,
    viewer: String,
    admin: String,
}

const TOKEN_ENDS_MS: i64 = NOW_MS + 7_200_000;

impl Guarded {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.keep().join("tokens.json");
        let file = TokenFile::open(&path).unwrap();
        let token = |name: &str, role, streams: Option<&[&str]>, expires_ms| {
            let streams = StreamScope::of(streams).unwrap();
            let new = NewToken { name: name.to_owned(), role, streams, expires_ms };
            file.create(new, 0).unwrap().1.reveal().to_owned()
        };
        let viewer = token("viewer", Role::Viewer, Some(&["cam1"]), Some(TOKEN_ENDS_MS));
        let admin = token("admin", Role::Admin, None, None);
        let config = AccessConfig { tokens: Some(path), ..open() };
        let stand = Stand::with(config, LiveSettings::default()).await;
        for name in ["cam1", "cam2"] {
            create(&stand, name).await;
        }
        Self { stand, viewer, admin }
    }

    /// From another machine.
    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer::new("203.0.113.9:4000".parse().unwrap(), false));
        let response = self.stand.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, None).await
    }

    async fn url(&self, stream: &str, wanted: &Value) -> Answer {
        let path = format!("/api/v1/streams/{stream}/media-urls");
        self.ask(Method::POST, &path, Some(&self.viewer), Some(wanted)).await
    }

    async fn made(&self, path: &str) -> String {
        let made = self.url("cam1", &json!({"path": path})).await.with_status(200).json();
        made["url"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_without_headers_reads_everything_from_one_url() {
    let guarded = Guarded::new().await;
    let mut camera = Camera::new(&guarded.stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    for (path, folder) in [("hls/index.m3u8", "/api/v1/streams/cam1/hls"), ("streaming", "/streaming")] {
        let url = guarded.made(path).await;
        let mut text = playlist(guarded.get(&url).await);
        if path != "streaming" {
            text = playlist(guarded.get(&format!("{folder}/{}", uris(&text)[0])).await);
        }
        let mut named = uris(&text);
        named.push(uri(values(&text, "#EXT-X-MAP")[0]));
        named.extend(values(&text, "#EXT-X-PART").into_iter().map(uri));
        assert!(named.len() > 20, "{named:?}");
        for uri in named {
            guarded.get(&format!("{folder}/{uri}")).await.with_status(200);
            let bare = uri.split('?').next().unwrap();
            guarded.get(&format!("{folder}/{bare}")).await.with_status(401);
        }
    }
    // What the player adds itself.
    let live = guarded.made("hls/live.m3u8").await;
    playlist(guarded.get(&format!("{live}&_HLS_msn=1")).await);
    let head = guarded.ask(Method::HEAD, &live, None, None).await.with_status(200);
    assert!(head.bytes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_opens_nothing_else() {
    let guarded = Guarded::new().await;
    for stream in ["cam1", "cam2"] {
        Camera::new(&guarded.stand, stream).await.show(2 * GROUP + 8);
    }
    let hls = guarded.made("hls/live.m3u8").await;
    let query = hls.split_once('?').unwrap().1.to_owned();
    guarded.get(&hls).await.with_status(200);
    let refused = async |path: &str, words: &str| {
        let path = format!("{path}?{query}");
        let answer = guarded.get(&path).await;
        if path.starts_with("/streaming/") {
            answer.expect_error(401, words);
        } else {
            answer.expect_problem(401, words);
        }
    };
    let other = "made for something else";
    refused("/api/v1/streams/cam2/hls/live.m3u8", other).await;
    refused("/api/v1/streams/cam2/hls/0.m4s", other).await;
    refused("/streaming/cam1.m3u8", other).await;
    refused("/api/v1/streams/cam1/clip.mp4", other).await;
    refused("/api/v1/streams/cam1/snapshot.jpg", other).await;
    refused("/api/v1/streams/cam1", "opens media and nothing else").await;
    refused("/api/v1/streams", "opens media and nothing else").await;
    refused("/metrics", "opens media and nothing else").await;
    refused("/api/v1/streams/cam1/recording", "opens media and nothing else").await;
    // A method that changes something, a signature that was changed, and one that was cut.
    let post = format!("/api/v1/streams/cam1/media-urls?{query}");
    guarded
        .ask(Method::POST, &post, None, Some(&json!({})))
        .await
        .expect_problem(401, "media URLs are for reading");
    let (start, last) = hls.split_at(hls.len() - 2);
    let forged = format!("{start}{}", last.chars().rev().collect::<String>());
    if forged != hls {
        guarded.get(&forged).await.expect_problem(401, other);
    }
    let later = hls.replace("expires=3601", "expires=9999");
    assert_ne!(later, hls);
    guarded.get(&later).await.expect_problem(401, other);
    guarded.get(start).await.expect_problem(401, "not whole");
    // Two credentials are one too many.
    guarded.ask(Method::GET, &hls, Some(&guarded.admin), None).await.expect_problem(401, "more than one");
    // What anybody may see does not ask.
    guarded.get(&format!("/healthz?{query}")).await.with_status(200);
}

/// Every route of the document: what is not among the playlists that the URL was made for refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn no_route_takes_a_url_that_was_not_made_for_it() {
    let guarded = Guarded::new().await;
    Camera::new(&guarded.stand, "cam1").await.show(2 * GROUP + 8);
    let query = guarded.made("hls/live.m3u8").await.split_once('?').unwrap().1.to_owned();
    let document = serde_json::to_value(ocelli_api::openapi()).unwrap();
    let (mut opened, mut closed) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["x-role"] == "public" {
                continue;
            }
            let at =
                path.replace("{id}", "cam1").replace("{piece}", "0.m4s").replace("{playlist}", "cam1.m3u8");
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let status =
                guarded.ask(method.clone(), &format!("{at}?{query}"), None, None).await.status.as_u16();
            let refused = matches!(status, 401 | 403);
            let ours = path.starts_with("/api/v1/streams/{id}/hls/");
            assert_eq!(refused, !ours, "{method} {path}: {status}");
            assert_eq!(ours, ours && operation["x-media"].is_string(), "{path} is not marked");
            *(if ours { &mut opened } else { &mut closed }) += 1;
        }
    }
    assert!(opened == 4 && closed > 25, "{opened} {closed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_ends() {
    let guarded = Guarded::new().await;
    Camera::new(&guarded.stand, "cam1").await.show(2 * GROUP + 8);
    let made = guarded
        .url("cam1", &json!({"path": "hls/live.m3u8", "expires_in": 60}))
        .await
        .with_status(200)
        .json();
    assert_eq!(made["expires"], 61);
    let url = made["url"].as_str().unwrap();
    guarded.get(url).await.with_status(200);
    guarded.stand.clock.store(60_999, Ordering::Relaxed);
    guarded.get(url).await.with_status(200);
    guarded.stand.clock.store(61_000, Ordering::Relaxed);
    // However often a player tries.
    for _attempt in 0..20 {
        guarded.get(url).await.expect_problem(401, "has expired");
    }
    // No longer than the credential that asked for it.
    let long = guarded.url("cam1", &json!({"expires_in": 86_400})).await.with_status(200).json();
    assert_eq!(long["expires"], TOKEN_ENDS_MS / 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_gets_no_url() {
    let guarded = Guarded::new().await;
    guarded.url("cam2", &json!({})).await.expect_problem(403, "does not extend to this stream");
    let path = "/api/v1/streams/cam1/media-urls";
    guarded.ask(Method::POST, path, None, Some(&json!({}))).await.expect_problem(401, "needs a credential");
    let wrong = async |wanted: Value, words: &str| {
        guarded.url("cam1", &wanted).await.expect_problem(422, words);
    };
    wrong(json!({"path": "../cam2/hls/live.m3u8"}), "give one of").await;
    wrong(json!({"path": "recording"}), "give one of").await;
    wrong(json!({"path": "clip.mp4?a b"}), "no URL has").await;
    wrong(json!({"expires_in": 0}), "give 1 to").await;
    wrong(json!({"expires_in": 604_801}), "give 1 to").await;
    let clip = guarded.made("clip.mp4?run=0&start_pts=5").await;
    assert!(
        clip.starts_with("/api/v1/streams/cam1/clip.mp4?run=0&start_pts=5&expires=3601&signature="),
        "{clip}"
    );
    guarded.get(&clip).await.expect_problem(404, "nothing of stream cam1 is recorded");
}

/// A wall of players asks far more often than others may.
#[tokio::test(flavor = "multi_thread")]
async fn players_are_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    TokenFile::open(&path).unwrap();
    let mut config = AccessConfig { tokens: Some(path), ..AccessConfig::default() };
    config.rates.requests = ocelli_api::access::Rate { per_second: 0.001, burst: 5 };
    let stand = Stand::with(config, LiveSettings::default()).await;
    create(&stand, "cam1").await;
    Camera::new(&stand, "cam1").await.show(2 * GROUP + 8);
    for _request in 0..50 {
        stand.get("/api/v1/streams/cam1/hls/live.m3u8").await.with_status(200);
        stand.get("/api/v1/streams/cam1/hls/0.m4s").await.with_status(200);
    }
    let mut refused = 0;
    for _request in 0..10 {
        let answer = stand.get("/api/v1/streams/cam1/hls/archive.m3u8?run=0").await;
        refused += usize::from(answer.status.as_u16() == 429);
    }
    assert!(refused >= 6, "{refused}");
}
