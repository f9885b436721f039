//! Addresses and files that cannot be used.

use std::{error::Error as _, path::PathBuf};

use super::*;

#[tokio::test]
async fn what_cannot_be_listened_on_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    // Held open by the name above until the end.
    let _held = std::net::TcpListener::bind(&taken);
    let check = |addresses: &[&str], limits: LimitsConfig, expected: [&str; 2]| {
        let listen = |word: &&str| Listener { address: word.parse().unwrap(), tls: None };
        let config = ServingConfig { listeners: addresses.iter().map(listen).collect(), limits };
        let error = Server::bind(&config).unwrap_err().to_string();
        assert!(expected.iter().all(|part| error.contains(part)), "{error}");
    };
    let limits = LimitsConfig::default;
    check(&[&taken], limits(), [&taken, "another program listens there"]);
    check(&["127.0.0.1:0", &taken], limits(), [&taken, "choose another port"]);
    check(&["192.0.2.1:0"], limits(), ["192.0.2.1:0", "no such address"]);
    check(&[], limits(), ["no address", "serve.listeners"]);
    check(&["127.0.0.1:0"], LimitsConfig { head_s: 0, ..limits() }, ["serve.limits.head_s", "at least 1"]);
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let one = tls::certificate(folder.path(), "one");
    let other = tls::certificate(folder.path(), "other");
    let check = |certificate: &PathBuf, key: &PathBuf, expected: &str| {
        let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
        let listeners = vec![Listener { address: "127.0.0.1:0".parse().unwrap(), tls: Some(files) }];
        let error = Server::bind(&ServingConfig { listeners, limits: LimitsConfig::default() }).unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(error.to_string().contains("with TLS") && cause.contains(expected), "{error}: {cause}");
    };
    let missing = folder.path().join("missing.pem");
    check(&missing, &one.key, "missing.pem");
    check(&one.certificate, &missing, "missing.pem");
    check(&one.key, &one.key, "cannot be used");
    check(&one.certificate, &one.certificate, "no private key");
    check(&one.certificate, &other.key, "cannot be used with the key");
}
