//! HTTPS to a server with a certificate of its own making: refused, unless the machine trusts it.

use std::{
    env,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::Command,
    sync::Arc,
    thread::{self, JoinHandle},
};

use ocelli_net::DownloadError;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::server::{LIMITS, chain, fetch, head, ok};

/// A new key and a certificate that it signed itself; `None`, and a word, without the openssl command.
fn self_signed(folder: &Path) -> Option<ServerConfig> {
    let openssl = |args: &str| {
        let command = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
        command.is_ok_and(|ran| ran.status.success())
    };
    let made = openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE",
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

/// Answers one connection; whether it came as far as that.
fn serve(config: ServerConfig) -> (String, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/a", listener.local_addr().unwrap().port());
    let answer = move || {
        let (stream, _) = listener.accept().unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        // Fails in the handshake where the client leaves it.
        let asked = head(&mut tls);
        !asked.is_empty() && tls.write_all(&ok(b"abc")).and_then(|()| tls.flush()).is_ok()
    };
    (url, thread::Builder::new().name("server".to_owned()).spawn(answer).unwrap())
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(config) = self_signed(folder.path()) else { return };
    let (url, server) = serve(config);
    let (done, stored) = fetch("127.0.0.1,::1", &url, LIMITS);
    let error = done.unwrap_err();
    assert!(matches!(error, DownloadError::Transfer { .. }), "{error:?}");
    assert!(chain(&error).contains("certificate"), "{}", chain(&error));
    assert!(stored.is_empty() && !server.join().unwrap());
}

/// The certificates of a machine are read once, from where the environment says: another process has others.
const URL: &str = "OCELLI_TEST_URL";

#[test]
fn a_certificate_that_the_machine_trusts_is_accepted() {
    if let Ok(url) = env::var(URL) {
        let (done, stored) = fetch("127.0.0.1,::1", &url, LIMITS);
        assert_eq!((done.unwrap().bytes, stored), (3, b"abc".to_vec()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(config) = self_signed(folder.path()) else { return };
    let (url, server) = serve(config);
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", "tls::a_certificate_that_the_machine_trusts_is_accepted"]);
    let ran =
        again.env(URL, url).env("SSL_CERT_FILE", folder.path().join("certificate.pem")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert!(server.join().unwrap());
}
