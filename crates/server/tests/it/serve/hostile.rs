//! Clients that are slow, broken or malicious, while streams run.

use std::io::{ErrorKind, Read as _, Write as _};

use super::{
    asking::{Follower, ask, connect},
    drain::looping,
    served::Site,
};

/// Heads and bodies that no client should send.
fn garbage() -> Vec<Vec<u8>> {
    let head = "GET /api/v1/streams HTTP/1.1\r\nHost: x\r\n";
    let many = (0..5000).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat();
    let text = [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "\x16\x03\x01\x02\x00\x01\x00\x01\x7f\x03\x03".repeat(50) + "\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned() + &"\x7f".repeat(3000),
        format!("{head}Content-Length: -1\r\n\r\n"),
        format!("{head}Content-Length: 99999999999999999999\r\n\r\n"),
        format!("{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
        format!("{head}{many}\r\n"),
        format!("{head}x: {}\r\n\r\n", "y".repeat(1 << 20)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a/../".repeat(50_000)),
        "GET http://[::1 HTTP/1.1\r\nHost: \u{7f}\r\n\r\n".to_owned(),
        format!("{head}Connection: close\r\n\r\n").replace("GET", "BREW"),
    ];
    text.into_iter().map(String::into_bytes).collect()
}

#[test]
fn nobody_who_misbehaves_holds_a_stream_up() {
    let site = Site::new(&["server.limits.header_timeout=1 s", "server.limits.request_timeout=1 s"]);
    let server = site.start();
    for id in ["one", "two"] {
        looping(&site, &server, id);
    }
    let mut follower = Follower::new(server.address);
    let mut next = follower.frame("two", 2).max(follower.frame("one", 2));
    let mut goes_on = |what: &str| {
        for id in ["one", "two"] {
            assert!(follower.frame(id, next + 2) > next, "{what}");
        }
        next += 2;
    };
    for bytes in garbage() {
        let mut stream = connect(server.address);
        // It may be refused before all was sent.
        stream.write_all(&bytes).ok();
        let mut said = Vec::new();
        // Reset where the server did not read all of it.
        if let Err(error) = stream.read_to_end(&mut said) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
        let said = String::from_utf8_lossy(&said);
        assert!(!said.starts_with("HTTP/1.1 200"), "{said:.200}");
    }
    goes_on("garbage");
    let deaf: Vec<_> = (0..20).map(|_| Follower::new(server.address)).collect();
    let heads = [
        "",
        "G",
        "GET /api/v1/streams HTTP/1.1\r\nx: ",
        "POST /api/v1/video-pipeline/decode/ HTTP/1.1\r\n\
        Host: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\nContent-Disp",
    ];
    let held: Vec<_> = (0..200)
        .map(|n| {
            let mut stream = connect(server.address);
            stream.write_all(heads[n % heads.len()].as_bytes()).ok();
            stream
        })
        .collect();
    goes_on("connections that are held open");
    for mut stream in held {
        // Each is answered or closed by the server.
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
    }
    goes_on("connections that ended");
    drop(deaf);
    server.get("/readyz").is(200);
    server.get("/api/v1/streams").is(200);
    server.stop();
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[test]
fn who_asks_too_often_is_told_so() {
    let site = Site::new(&["server.limits.requests_per_second=1", "server.limits.burst=5"]);
    let server = site.start();
    let path = "/api/v1/video-pipeline/decode/status/?camera_id=x";
    let answers: Vec<_> = (0..12).map(|_| ask(server.address, "GET", path, &[], b"")).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!((4..=7).contains(&refused.len()), "{}", refused.len());
    for answer in refused {
        assert!(
            answer.json()["detail"].is_string() && answer.head.to_lowercase().contains("retry-after"),
            "{}",
            answer.head
        );
    }
    server.stop();
}
