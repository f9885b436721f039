use super::{Target, status};

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
