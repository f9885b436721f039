//! HTTPS to a server whose certificate nobody vouches for.

use std::{io::Write as _, net::TcpListener, path::Path, process::Command, sync::Arc, thread};

use ocelli_net::DownloadError;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::server::{LIMITS, chain, fetch, ok};

/// A new key and a certificate that it signed itself; `None`, and a word, without the openssl command.
fn self_signed(folder: &Path) -> Option<ServerConfig> {
    let openssl = |args: &str| {
        let command = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
        command.is_ok_and(|ran| ran.status.success())
    };
    let made = openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost",
    ) && openssl("x509 -in certificate.pem -outform DER -out certificate.der")
        && openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    if !made {
        skipped();
        return None;
    }
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(bytes("key.der")));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Some(config.with_single_cert(vec![CertificateDer::from(bytes("certificate.der"))], key).unwrap())
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
fn skipped() {
    eprintln!("skipped: the openssl command cannot make a certificate; install openssl");
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(config) = self_signed(folder.path()) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let (stream, _) = listener.accept().unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        // Fails in the handshake, for the client leaves it.
        tls.write_all(&ok(b"abc")).and_then(|()| tls.flush()).is_ok()
    };
    let server = thread::Builder::new().name("server".to_owned()).spawn(serve).unwrap();
    let (done, stored) = fetch("127.0.0.1", &format!("https://localhost:{port}/a"), LIMITS);
    let error = done.unwrap_err();
    assert!(matches!(error, DownloadError::Transfer { .. }), "{error:?}");
    assert!(chain(&error).contains("certificate"), "{}", chain(&error));
    assert!(stored.is_empty() && !server.join().unwrap());
}
