use std::{io::ErrorKind, net::TcpListener, ops::ControlFlow, time::Duration};

use ocelli_net::{AddressPolicy, Client, DownloadError, Limits, networks};

use crate::server::{Answer, LIMITS, Server, chain, fetch, ok, redirect};

const LOOPBACK: &str = "127.0.0.1";
/// FIPS 180-2, appendix B.1.
const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_file_arrives_with_its_checksum_and_progress() {
    let server = Server::start(vec![Answer::Bytes(ok(b"abc"))]);
    let policy = AddressPolicy::public().with(networks(LOOPBACK).unwrap());
    let (mut stored, mut steps) = (Vec::new(), Vec::new());
    let client = Client::new(policy).unwrap();
    let mut progress = |bytes, all| {
        steps.push((bytes, all));
        ControlFlow::Continue(())
    };
    let done = client.download_blocking(&server.url("a"), LIMITS, &mut stored, &mut progress).unwrap();
    assert_eq!((done.bytes, done.sha256.as_str(), stored.as_slice()), (3, SHA256_OF_ABC, &b"abc"[..]));
    assert_eq!((steps.first(), steps.last()), (Some(&(0, Some(3))), Some(&(3, Some(3)))));
    let asked = server.asked().concat();
    assert!(asked.starts_with("GET /a HTTP/1.1\n") && asked.contains("ocelli/"), "{asked}");
    assert!(!asked.to_lowercase().contains("accept-encoding"), "bytes as they are: {asked}");
}

#[test]
fn the_caller_may_end_it() {
    let server = Server::start(vec![Answer::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![7; 100])]);
    let policy = AddressPolicy::public().with(networks(LOOPBACK).unwrap());
    let mut enough = |bytes, _| if bytes >= 300 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let limits = Limits { most_bytes: u64::MAX, ..LIMITS };
    let client = Client::new(policy).unwrap();
    let done = client.download_blocking(&server.url("a"), limits, &mut Vec::new(), &mut enough);
    assert!(matches!(done, Err(DownloadError::Stopped { .. })), "{done:?}");
    server.asked();
}

#[test]
fn redirects_are_followed_and_counted() {
    let server = Server::start(vec![redirect("/b?x=1"), redirect("c"), Answer::Bytes(ok(b"abc"))]);
    let (done, stored) = fetch(LOOPBACK, &server.url("a/a"), LIMITS);
    assert_eq!((done.unwrap().bytes, stored), (3, b"abc".to_vec()));
    let asked = server.asked();
    assert!(asked[1].starts_with("GET /b?x=1 ") && asked[2].starts_with("GET /c "), "{asked:?}");
    assert!(!asked.concat().to_lowercase().contains("referer"));

    let circle = Server::start((0..6).map(|_| redirect("/a")).collect());
    let (done, _) = fetch(LOOPBACK, &circle.url("a"), LIMITS);
    assert!(matches!(done, Err(DownloadError::Redirect { problem: "too often", .. })), "{done:?}");
    assert_eq!(circle.asked().len(), 6);
}

#[test]
fn forbidden_addresses_are_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    // As a number, with short and octal parts, inside IPv6, and by name.
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "0",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/x");
        let (done, _) = fetch("", &url, LIMITS);
        assert!(matches!(done, Err(DownloadError::Address { .. })), "{url}: {done:?}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn a_redirect_to_a_forbidden_address_ends_there() {
    let victim = TcpListener::bind("127.0.0.2:0").unwrap();
    victim.set_nonblocking(true).unwrap();
    let port = victim.local_addr().unwrap().port();
    let targets = [
        format!("http://127.0.0.2:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://[::1]/".to_owned(),
        "//224.0.0.1/".to_owned(),
    ];
    for target in targets {
        let server = Server::start(vec![redirect(&target)]);
        let (done, stored) = fetch(LOOPBACK, &server.url("a"), LIMITS);
        assert!(matches!(done, Err(DownloadError::Address { .. })), "{target}: {done:?}");
        assert_eq!((stored.len(), server.asked().len()), (0, 1));
    }
    assert_eq!(victim.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn other_schemes_are_refused_also_behind_a_redirect() {
    for url in ["file:///etc/passwd", "ftp://example.com/x", "gopher://127.0.0.1/", "data:,x"] {
        let (done, _) = fetch(LOOPBACK, url, LIMITS);
        assert!(matches!(done, Err(DownloadError::Scheme { .. })), "{url}: {done:?}");
        let server = Server::start(vec![redirect(url)]);
        let (done, _) = fetch(LOOPBACK, &server.url("a"), LIMITS);
        assert!(matches!(done, Err(DownloadError::Scheme { .. })), "{url}: {done:?}");
    }
    for url in ["", "x", "http://", "http:// /", "http://[::1/"] {
        let (done, _) = fetch(LOOPBACK, url, LIMITS);
        assert!(matches!(done, Err(DownloadError::Url)), "{url}: {done:?}");
    }
}

#[test]
fn answers_that_are_none_fail() {
    let limits = Limits { most_bytes: 10, ..LIMITS };
    let head = |text: &str| Answer::Bytes(format!("HTTP/1.1 {text}\r\n\r\n").into_bytes());
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let cases = [
        ("large", Answer::Bytes(ok(&[7; 11]))),
        ("large", Answer::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![7; 5])),
        ("large", Answer::Flood(chunked.clone(), b"5\r\nabcde\r\n".to_vec())),
        ("transfer", Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec())),
        ("transfer", Answer::Bytes([&chunked[..], b"5\r\nab"].concat())),
        ("transfer", Answer::Bytes([&chunked[..], b"ZZZ\r\nabcde\r\n"].concat())),
        ("transfer", Answer::Bytes(Vec::new())),
        ("transfer", Answer::Bytes(b"HTTP/1.1 200".to_vec())),
        ("transfer", Answer::Bytes((0..=255).collect())),
        ("transfer", Answer::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: of it\r\n".to_vec())),
        ("transfer", Answer::Flood(Vec::new(), vec![b'A'; 4096])),
        ("status", head("404 Not Found")),
        ("status", head("500 Internal Server Error")),
        ("status", head("206 Partial Content\r\nContent-Length: 0")),
        ("redirect", head("302 Found")),
        ("redirect", head("302 Found\r\nLocation: http://[")),
    ];
    for (at, (expected, answer)) in cases.into_iter().enumerate() {
        let server = Server::start(vec![answer]);
        let (done, stored) = fetch(LOOPBACK, &server.url("a"), limits);
        let kind = match &done {
            Err(DownloadError::Large { .. }) => "large",
            Err(DownloadError::Transfer { .. }) => "transfer",
            Err(DownloadError::Status { .. }) => "status",
            Err(DownloadError::Redirect { .. }) => "redirect",
            _ => "other",
        };
        assert_eq!(kind, expected, "case {at}: {done:?}");
        assert!(stored.len() as u64 <= limits.most_bytes, "case {at}");
        server.asked();
    }
}

#[test]
fn servers_that_fall_silent_are_left() {
    let limits = Limits { idle: Duration::from_millis(200), ..LIMITS };
    let heads = ["", "HTTP/1.1 200 OK\r\nX-Slow: ", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"];
    for head in heads {
        let server = Server::start(vec![Answer::Stall(head.as_bytes().to_vec())]);
        let (done, _) = fetch(LOOPBACK, &server.url("a"), limits);
        assert!(matches!(done, Err(DownloadError::Silent { .. })), "{head:?}: {done:?}");
        server.asked();
    }
    // Something always comes, and there is no end to it.
    let limits = Limits { most_bytes: u64::MAX, total: Duration::from_millis(200), ..LIMITS };
    let server = Server::start(vec![Answer::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![7; 1000])]);
    let (done, _) = fetch(LOOPBACK, &server.url("a"), limits);
    assert!(matches!(done, Err(DownloadError::Late { .. })), "{done:?}");
    server.asked();
}

#[test]
fn secrets_reach_the_server_and_no_message() {
    let head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(vec![
        Answer::Bytes(head),
        Answer::Bytes(Vec::new()),
        redirect("ftp://u:hunter2@h/?hunter2"),
    ]);
    let url = server.url("a?token=hunter2").replace("http://", "http://user:hunter2@");
    for _ in 0..3 {
        let error = fetch(LOOPBACK, &url, LIMITS).0.unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        assert!(!text.contains("hunter2") && !text.contains("user:"), "{text}");
    }
    let error = fetch("", &url, LIMITS).0.unwrap_err();
    assert!(!format!("{} {error:?}", chain(&error)).contains("hunter2"));
    let asked = server.asked();
    assert!(
        asked[0].contains("token=hunter2") && asked[0].to_lowercase().contains("authorization: basic "),
        "{asked:?}"
    );
}
