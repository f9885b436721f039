//! What a server starts with, and who may do what.

use serde_json::json;

use super::{
    asking::{Answer, ask},
    served::{Served, Site},
};
use crate::{args, ocelli::ocelli};

const RULE: &str =
    r#"access.anonymous=[{contract = "video-pipeline", networks = ["127.0.0.0/8"], role = "operator"}]"#;

/// A server that does not start: its exit code, and what it said.
fn refused(settings: &[&str]) -> String {
    let site = Site::new(settings);
    let status = site.command(&[]).status().unwrap();
    assert_eq!(status.code(), Some(2), "{}", site.log());
    site.log()
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (setting, words) in [
        ("server.listne=127.0.0.1:0", "server.listne: unknown"),
        ("frames.quality=1000", "frames.quality"),
        ("server.listen=0.0.0.0:0", "nobody could show who they are"),
        ("server.listen=[::]:0", "nobody could show who they are"),
        (r#"access.anonymous=[{contract = "video-pipeline", networks = [], role = "viewer"}]"#, "networks"),
        ("access.jwt.algorithm=HS256", "secret"),
    ] {
        let said = refused(&[setting]);
        assert!(said.contains(words), "{setting}: {said}");
        assert!(said.lines().count() <= 3, "{said}");
    }
}

fn token(site: &Site, role: &str, stream: &[&str]) -> String {
    let mut args =
        args!["token", "create", "--name", role, "--role", role, "--file", site.path("tokens.json")].to_vec();
    for stream in stream {
        args.extend_from_slice(args!["--stream", stream]);
    }
    let ran = ocelli(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    format!("Bearer {}", String::from_utf8(ran.stdout).unwrap().trim())
}

fn asked(server: &Served, method: &str, path: &str, credential: &str, body: &str) -> Answer {
    let kind = if path.contains("video-pipeline") {
        "application/x-www-form-urlencoded"
    } else {
        "application/json"
    };
    let headers = [("Content-Type", kind), ("Authorization", credential)];
    let headers = if credential.is_empty() { &headers[..1] } else { &headers };
    ask(server.address, method, path, headers, body.as_bytes())
}

#[test]
fn contract_1_is_open_by_a_rule_and_the_rest_by_tokens() {
    let site = Site::new(&["server.listen=0.0.0.0:0", RULE]);
    let (viewer, operator) = (token(&site, "viewer", &["gate-*"]), token(&site, "operator", &[]));
    let server = site.start();
    let log = site.log();
    assert!(
        log.contains("access.anonymous: without a credential, 127.0.0.0/8 may use the video-pipeline"),
        "{log}"
    );
    let pipeline = |path: &str| format!("/api/v1/video-pipeline/{path}");
    let stream = |id: &str| {
        json!({"id": id, "start": false, "source": {"url": "synthetic:?fps=5"}, "frames": {}}).to_string()
    };
    let status = pipeline("decode/status/?camera_id=gate-1");
    for (method, path, credential, body, expected) in [
        ("GET", "/healthz", "", "", 200),
        ("GET", &*pipeline("health/"), "", "", 200),
        ("GET", &status, "", "", 404),
        ("POST", &pipeline("decode/stop/"), "", "camera_id=gate-1", 404),
        ("GET", "/api/v1/streams", "", "", 401),
        ("POST", "/api/v1/streams", "", &stream("gate-1"), 401),
        ("GET", "/api/v1/live", "", "", 401),
        ("GET", "/metrics", "", "", 401),
        ("POST", "/api/v1/streams", &viewer, &stream("gate-1"), 403),
        ("POST", "/api/v1/streams", &operator, &stream("gate-1"), 201),
        ("POST", "/api/v1/streams", &operator, &stream("yard-1"), 201),
        ("GET", "/api/v1/streams/gate-1", &viewer, "", 200),
        ("GET", "/api/v1/streams/yard-1", &viewer, "", 403),
        ("DELETE", "/api/v1/streams/gate-1", &viewer, "", 403),
        ("GET", &status, "", "", 200),
        ("GET", &status, &viewer, "", 200),
        ("GET", &pipeline("decode/status/?camera_id=yard-1"), &viewer, "", 403),
        ("POST", &pipeline("decode/stop/"), &viewer, "camera_id=gate-1", 403),
        // Whoever shows a credential that does not hold is nobody, not somebody without one.
        ("GET", &status, "Bearer ocl_wrong", "", 401),
        ("DELETE", "/api/v1/streams/yard-1", &operator, "", 204),
    ] {
        let answer = asked(&server, method, path, credential, body);
        assert_eq!(answer.status, expected, "{method} {path} as {credential:.12}: {}", answer.text());
        if answer.status >= 400 {
            let field = if path.contains("video-pipeline") { "detail" } else { "title" };
            assert!(answer.json()[field].is_string(), "{}", answer.text());
        }
    }
    let listed = asked(&server, "GET", "/api/v1/streams", &viewer, "").is(200).json();
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, ["gate-1"]);
    server.stop();
}
