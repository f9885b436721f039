use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::{Builder, JoinHandle},
};

use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};

use super::{Target, status};
use crate::config::{Config, Given};

#[test]
fn status_lines() {
    for (line, expected) in [
        ("HTTP/1.1 200 OK\r", Some(200)),
        ("HTTP/1.0 503 Service Unavailable", Some(503)),
        ("HTTP/1.1 200", Some(200)),
        ("HTTP/1.1 2000 OK", None),
        ("HTTP/1.1", None),
        ("ICY 200 OK", None),
        ("\u{1b}[31m200", None),
        ("", None),
    ] {
        assert_eq!(status(line.as_bytes()), expected, "{line:?}");
    }
    assert_eq!(status(b"\xff\xfe"), None);
}

#[test]
fn urls() {
    let target = |url: &str| Target::of_url(url).ok().map(|target| (target.address.to_string(), target.path));
    let is = |address: &str, path: &str| Some((address.to_owned(), path.to_owned()));
    assert_eq!(target("http://127.0.0.1:8002"), is("127.0.0.1:8002", "/healthz"));
    assert_eq!(target("http://127.0.0.1/readyz?x=1"), is("127.0.0.1:80", "/readyz?x=1"));
    assert_eq!(target("http://[::1]:8002/"), is("[::1]:8002", "/"));
    for url in [
        "",
        "http://",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1:8002",
        "http://a@127.0.0.1/",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
    ] {
        assert_eq!(target(url), None, "{url:?}");
    }
}

/// Answers one connection with `answer` after the whole request has come; over TLS with this certificate and key.
fn serve(answer: &'static str, tls: Option<ServerConfig>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let work = move || {
        let (mut stream, _) = listener.accept().unwrap();
        match tls {
            None => exchange(&mut stream, answer),
            Some(config) => {
                let mut session = ServerConnection::new(Arc::new(config)).unwrap();
                exchange(&mut rustls::Stream::new(&mut session, &mut stream), answer)
            }
        }
    };
    (address, Builder::new().name("server".to_owned()).spawn(work).unwrap())
}

/// What was asked; what was read before the other side went away where it did.
fn exchange(stream: &mut (impl Read + Write), answer: &str) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
    }
    if stream.write_all(answer.as_bytes()).is_ok() {
        stream.flush().ok();
    }
    String::from_utf8(request).unwrap()
}

#[test]
fn answers() {
    for (answer, code) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(200)),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Some(503)),
        ("SSH-2.0-OpenSSH_9.2\r\n", None),
        ("", None),
    ] {
        let (address, server) = serve(answer, None);
        let target = Target::of_url(&format!("http://{address}/healthz")).unwrap();
        assert_eq!(target.ask().ok(), code, "{answer:?}");
        let asked = server.join().unwrap();
        assert!(asked.starts_with("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"), "{asked}");
    }
    let endless: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    let (address, server) = serve(endless, None);
    assert!(Target::of_url(&format!("http://{address}")).unwrap().ask().is_err());
    server.join().unwrap();
}

/// A certificate in a file, and a server that has it.
fn certified(path: &Path) -> ServerConfig {
    let made = rcgen::generate_simple_self_signed(vec!["camera-house.example".to_owned()]).unwrap();
    std::fs::write(path, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap()
}

#[test]
fn over_tls_only_the_own_certificate_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (own, other) = (dir.path().join("own.pem"), dir.path().join("other.pem"));
    let server_config = certified(&own);
    certified(&other);
    for (cert, code) in [(&own, Some(200)), (&other, None)] {
        let (address, server) = serve("HTTP/1.1 200 OK\r\n\r\n", Some(server_config.clone()));
        let host = address.to_string();
        let target = Target { address, host, path: "/healthz".to_owned(), cert: Some(cert.clone()) };
        assert_eq!(target.ask().ok(), code);
        server.join().unwrap();
    }
    let missing = Target {
        cert: Some(dir.path().join("absent.pem")),
        ..Target::of_url(&format!("http://{}", serve("", None).0)).unwrap()
    };
    assert!(missing.ask().unwrap_err().to_string().contains("server.tls.cert"));
}

#[test]
fn the_configuration_names_the_server() {
    let target = |file: &str| {
        let given = Given {
            files: vec![("a.toml".into(), file.to_owned())],
            home: "/data".into(),
            ..Given::default()
        };
        let target = Target::of_config(&Config::of(&given).unwrap().config).unwrap();
        (target.host, target.cert)
    };
    assert_eq!(target("").0, "127.0.0.1:8002");
    assert_eq!(target("server.listen = ['0.0.0.0:80', '127.0.0.1:1']").0, "127.0.0.1:80");
    assert_eq!(target("server.listen = '[::]:80'").0, "[::1]:80");
    let tls = target("server.listen = '10.0.0.1:443'\nserver.tls = { cert = 'c', key = 'k' }");
    assert_eq!(tls, ("10.0.0.1:443".to_owned(), Some("/data/c".into())));
}
