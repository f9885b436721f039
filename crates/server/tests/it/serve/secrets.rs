//! Secrets of cameras and clients: planted everywhere, searched for in everything that comes out.

use std::cell::RefCell;

use ocelli_testkit::RtspServer;
use serde_json::json;

use super::{
    asking::{Answer, Follower, ask},
    cameras::clip,
    served::{Served, Site},
};
use crate::{args, ocelli::ocelli};

/// In every secret of these tests but the token, which the product makes.
const CANARY: &str = "c4nary";
/// A JWT that does not hold; the canary is in its claims too.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjNG5hcnkifQ.c4nary";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const DECODE: &str = "/api/v1/video-pipeline/decode/";

/// Somebody who asks with a credential, and everything that came back.
struct Asker<'a> {
    server: &'a Served,
    bearer: String,
    heard: RefCell<String>,
}

impl Asker<'_> {
    fn ask(&self, method: &str, path: &str, credential: &str, kind: &str, body: &str) -> Answer {
        let headers = [("Authorization", credential), ("Content-Type", kind)];
        let answer = ask(self.server.address, method, path, &headers, body.as_bytes());
        let mut heard = self.heard.borrow_mut();
        for text in [&answer.head, &answer.text()] {
            heard.push_str(text);
            heard.push('\n');
        }
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &self.bearer, "text/plain", "")
    }

    /// A stream of this source, by both interfaces.
    fn create(&self, id: &str, url: &str) -> Answer {
        let form = format!("camera_id={id}-1&fps=5&url={}", url.replace('%', "%25").replace('&', "%26"));
        self.ask("POST", DECODE, &self.bearer, FORM, &form);
        let stream = json!({"id": id, "source": {"url": url}, "frames": {}, "fps": "5"});
        self.ask("POST", "/api/v1/streams", &self.bearer, JSON, &stream.to_string())
    }
}

/// No line of these holds one of the secrets.
#[track_caller]
fn none_in(text: &str, secrets: &[&str]) {
    for line in text.lines() {
        let low = line.to_lowercase();
        for secret in secrets {
            let at = low.find(&secret.to_lowercase());
            let near = at.map(|at| low.get(at.saturating_sub(300)..low.len().min(at + 60)));
            assert_eq!(near, None, "{secret} is told");
        }
    }
}

#[test]
fn secrets_reach_no_output() {
    let clip = clip().frames(3000).cached();
    let login = ("c4naryuser", "c4narypassword");
    let Some(camera) = RtspServer::start_guarded(login.0, login.1, &[&clip]) else { return };
    let settings = ["access.jwt.algorithm=HS256", "engine.backoff_max=200 ms", "log.filter=trace"];
    let site = Site::new(&settings);
    let site = site.env("OCELLI_ACCESS_JWT_SECRET", "c4narysecret-c4narysecret-c4narysecret");
    let file = site.path("tokens.json");
    let ran = ocelli(args!["token", "create", "--name", "me", "--role", "admin", "--file", file]);
    let token = String::from_utf8(ran.stdout).unwrap().trim().to_owned();
    let server = site.start();
    let asker = Asker { server: &server, bearer: format!("Bearer {token}"), heard: RefCell::default() };
    let at = format!("127.0.0.1:{}/0", camera.port());
    asker.create("good", &format!("rtsp://{}:{}@{at}", login.0, login.1)).is(201);
    asker.create("query", &format!("rtsp://{}:{}@{at}?token=c4naryquery", login.0, login.1)).is(201);
    asker.create("wrong", &format!("rtsp://{}:c4narywrong@{at}", login.0)).is(201);
    asker.create("absent", "rtsp://c4nary:c4nary@127.0.0.1:1/x?c4naryquery").is(201);
    let mut follower = Follower::with(server.address, &asker.bearer);
    for stream in ["good-1", "good"] {
        follower.frame(stream, 2);
    }
    refusals(&asker);
    for stream in ["wrong", "wrong-1", "absent", "absent-1"] {
        follower.until("the error of a stream", |message| {
            message["stream"] == stream && message["status"]["last_error"].is_string()
        });
    }
    reads(&asker);
    drop(camera);
    follower.state("good", "restarting");
    reads(&asker);
    let heard = asker.heard.take() + &follower.heard;
    server.stop();
    let secrets = [CANARY, &token[4..], "YzRuYXJ5", &JWT[21..43]];
    none_in(&heard, &secrets);
    let log = site.log();
    assert!(
        log.contains("the attempt failed") && log.contains("stream=absent-1"),
        "everything is logged: {log:.2000}"
    );
    none_in(&log, &secrets);
    let store = site.path("store");
    for command in ["runs", "ledger"] {
        let ran = ocelli(args![command, "--store", &store]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        none_in(&String::from_utf8(ran.stdout).unwrap(), &secrets);
        none_in(&ran.stderr, &secrets);
    }
}

/// What is refused names no secret either.
fn refusals(asker: &Asker<'_>) {
    for url in [
        "rtsp://u:c4nary@169.254.169.254/c4nary?c4nary",
        "bad://u:c4nary@host/c4nary?c4nary",
        "rtsp://u:c4n#ary-c4nary@ho st/c4nary",
        "rtsp://u:c4nary@[::1/c4nary",
        "file://u:c4nary@host/x",
        "http://u:c4nary@127.0.0.1:99999/x",
    ] {
        let answer = asker.create("refused", url);
        assert!((400..500).contains(&answer.status), "{url}: {}", answer.text());
    }
    let jwt = format!("Bearer {JWT}");
    for credential in [&jwt, "Bearer ocl_c4narytoken", "Basic YzRuYXJ5OmM0bmFyeQ==", "c4nary"] {
        asker.ask("GET", "/api/v1/streams", credential, "text/plain", "").is(401);
    }
    asker.get("/api/v1/streams?access_token=c4narytoken");
    let broken = r#"{"id": "x", "source": {"url": "rtsp://u:c4nary@host/x", "other": 1}}"#;
    asker.ask("POST", "/api/v1/streams", &asker.bearer, JSON, broken);
    asker.ask("POST", "/api/v1/streams", &asker.bearer, JSON, &broken[..40]);
}

/// Everything that can be read.
fn reads(asker: &Asker<'_>) {
    for path in ["", "/good", "/query", "/wrong", "/absent", "/good/status", "/good/runs", "/good/ledger"] {
        asker.get(&format!("/api/v1/streams{path}")).is(200);
    }
    for path in ["/api/v1/version", "/api/openapi.json", "/api/docs/", "/metrics", "/healthz", "/readyz"] {
        asker.get(path).is(200);
    }
    for camera in ["good", "good-1", "wrong-1", "absent-1"] {
        asker.get(&format!("/api/v1/video-pipeline/decode/status/?camera_id={camera}")).is(200);
    }
}
