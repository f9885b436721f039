//! Encryption: with a real client, with clients that do not finish, and with certificates that change.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use tokio::{io::AsyncWriteExt as _, process::Command, time::Instant};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use super::*;

/// A new certificate for localhost in the files of this name.
pub(super) fn certificate(folder: &Path, name: &str) -> TlsFiles {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    fs::write(path("pem"), certificate.pem()).unwrap();
    fs::write(path("key"), key.serialize_pem()).unwrap();
    TlsFiles { certificate: path("pem"), key: path("key") }
}

/// What the server shows: the certificate, after a handshake that trusts it alone.
async fn shown(server: &Running, trusted: &Path) -> std::io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await?;
    stream.write_all(b"GET /ok HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    answer(&mut stream, "ok").await;
    Ok(())
}

#[tokio::test]
async fn curl_speaks_http2_and_http1_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "server");
    let server = Running::start(router(), LimitsConfig::default(), Some(files.clone()));
    let port = server.address.port();
    let check = async |protocol: &str, path: &str, expected: &str| {
        let asked = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20", protocol, "--cacert"])
            .arg(&files.certificate)
            .args(["--resolve", &format!("localhost:{port}:127.0.0.1")])
            .args(["--write-out", " %{http_version}", "--data-binary"])
            .arg(format!("@{}", files.certificate.display()))
            .arg(format!("https://localhost:{port}{path}"))
            .output();
        let answer = asked.await.expect("curl is installed");
        let (out, err) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
        assert_eq!(out, expected, "{err}");
    };
    let length = fs::metadata(&files.certificate).unwrap().len();
    check("--http2", "/echo", &format!("{length} 2")).await;
    check("--http1.1", "/echo", &format!("{length} 1.1")).await;
    assert_eq!(server.stop().await.unwrap(), Drained { cut: 0 });
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_finish_a_handshake_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "server");
    let limits = LimitsConfig { handshake_s: 10, ..LimitsConfig::default() };
    let server = Running::start(router(), limits, Some(files.clone()));
    let check = async |sent: &[u8], between: [u64; 2]| {
        let mut client = server.connect().await;
        let start = Instant::now();
        client.write_all(sent).await.unwrap();
        rest(&mut client).await;
        let seconds = start.elapsed().as_secs();
        assert!((between[0]..=between[1]).contains(&seconds), "{sent:?} {seconds}");
    };
    check(b"", [10, 13]).await;
    check(b"\x16\x03\x01\x02\x00\x01", [10, 13]).await;
    check(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", [0, 3]).await;
    check(&[0xff; 4096], [0, 3]).await;
    check(b"\x16\x03\x01\xff\xff\xff", [0, 13]).await;
    shown(&server, &files.certificate).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn certificates_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "server");
    let server = Running::start(router(), LimitsConfig::default(), Some(files.clone()));
    let old = folder.path().join("old.pem");
    fs::copy(&files.certificate, &old).unwrap();
    shown(&server, &old).await.unwrap();

    let minute = || tokio::time::sleep(Duration::from_secs(61));
    // One file before the other: what was read before stays.
    let new = certificate(folder.path(), "new");
    fs::rename(&new.certificate, &files.certificate).unwrap();
    minute().await;
    shown(&server, &old).await.unwrap();
    fs::rename(&new.key, &files.key).unwrap();
    minute().await;
    shown(&server, &files.certificate).await.unwrap();
    assert!(shown(&server, &old).await.is_err());

    fs::remove_file(&files.certificate).unwrap();
    minute().await;
    assert!(shown(&server, &old).await.is_err());
    server.stop().await.unwrap();
}
