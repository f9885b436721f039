use super::{super::access::OpenToAll, bad, given, good};

const LONG: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn what_does_not_go_together() {
    for (file, says) in [
        ("server.tls.cert = 'c'", &["a.toml:1: server.tls.cert: server.tls.key is missing"][..]),
        ("server.tls.key = 'c'", &["server.tls.key: server.tls.cert is missing"]),
        ("server.listen = []", &["server.listen: no address"]),
        ("server.listen = ['127.0.0.1:1', '127.0.0.1:1']", &["named twice"]),
        ("engine.backoff_min = '2 min'", &["engine.backoff_min: … engine.backoff_max"]),
        ("access.jwt.issuer = 'x'", &["access.jwt.issuer: without access.jwt.algorithm"]),
        ("access.jwt.algorithm = 'HS512'", &["expected \"HS256\" or \"RS256\" or \"ES256\""]),
        ("access.jwt.algorithm = 'HS256'", &["takes one of secret and secret_file"]),
        ("access.jwt = { algorithm = 'HS256', secret = 'short' }", &["secret: it is shorter than 32 bytes"]),
        ("access.jwt = { algorithm = 'RS256' }", &["take key_file"]),
        ("access.jwt = { algorithm = 'ES256', key_file = 'k', secret_file = 's' }", &["have a public key"]),
        (
            "media = { uploads = '/v', frames = '/v/frames' }",
            &["media.uploads: media.uploads and media.frames lie in one another"],
        ),
        ("media.frames = '/data/store'", &["media.frames: store.path and media.frames"]),
        (
            "media.frames = '/'",
            &[
                "media.frames: media.uploads and",
                "media.frames: store.path and",
                "media.frames: the data directory",
            ],
        ),
        (
            "[[access.anonymous]]\ncontract = 'native'\nnetworks = []\nrole = 'viewer'",
            &["a.toml:3: access.anonymous.0.networks: no network"],
        ),
    ] {
        bad(&given(file, &[], &[]), says);
    }
}

#[test]
fn nobody_is_let_in_by_silence() {
    let config = |file: &str| good(&given(file, &[], &[])).config;
    for loopback in ["", "server.listen = '[::1]:1'", "server.listen = '[::ffff:127.0.0.1]:1'"] {
        assert_eq!(config(loopback).refuse_open(0), Ok(()), "{loopback}");
    }
    for open in [
        "server.listen = '0.0.0.0:1'",
        "server.listen = ['127.0.0.1:1', '[::]:1']",
        "server.listen = '10.0.0.1:1'",
    ] {
        let config = config(open);
        assert!(config.is_beyond_loopback());
        let refused: Result<(), OpenToAll> = config.refuse_open(0);
        assert!(refused.unwrap_err().to_string().contains("[[access.anonymous]]"), "{open}");
        assert_eq!(config.refuse_open(1), Ok(()));
    }
    let rule = "server.listen = '0.0.0.0:1'\n[[access.anonymous]]\ncontract = 'native'\nnetworks = '10.0.0.0/8'\nrole = 'viewer'";
    assert_eq!(config(rule).refuse_open(0), Ok(()));
    let jwt =
        format!("server.listen = '0.0.0.0:1'\naccess.jwt = {{ algorithm = 'HS256', secret = '{LONG}' }}");
    assert_eq!(config(&jwt).refuse_open(0), Ok(()));
}

#[test]
fn secrets_are_shown_nowhere() {
    let file = format!("access.jwt = {{ algorithm = 'HS256', secret = '{LONG}' }}");
    let loaded = good(&given(&file, &[], &[]));
    let shown = super::super::effective(&loaded.config, Some(&loaded.sources));
    assert!(!format!("{loaded:?}{shown}").contains(LONG), "{shown}");
    assert!(shown.contains("# secret is set and not shown  # a.toml:1"), "{shown}");
    for wrong in [format!("access.jwt.secret = ['{LONG}']"), format!("access.jwt.secret = '{LONG}'")] {
        let lines = super::Config::of(&given(&wrong, &[], &[])).unwrap_err().lines().join("\n");
        assert!(!lines.contains(LONG), "{lines}");
    }
    let set = format!("access.jwt.secret={LONG}");
    let lines = super::Config::of(&given("", &[], &[&set])).unwrap_err().lines().join("\n");
    assert!(lines.contains("--set access.jwt.secret: ") && !lines.contains(LONG), "{lines}");
}
