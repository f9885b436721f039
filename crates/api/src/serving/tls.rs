//! Certificates, read again when their files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject as _},
        },
    },
};

use super::config::TlsFiles;

/// How often the files are looked at, when somebody connects.
const LOOK: Duration = Duration::from_mins(1);

/// Why there is no encryption.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no {wanted} in PEM form", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is needed.
        wanted: &'static str,
        /// What is wrong.
        #[source]
        source: pem::Error,
    },
    /// The two do not fit together, or cannot be used.
    #[error("the certificate {} cannot be used with the key {}", certificate.display(), key.display())]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
}

/// A certificate in use.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    looked: Instant,
    stamp: Stamp,
}

/// When each of the files was changed last.
type Stamp = [Option<SystemTime>; 2];

impl Certificate {
    pub(super) fn open(files: &TlsFiles, now: Instant) -> Result<Self, TlsError> {
        let stamp = stamp(files);
        let config = load(files)?;
        Ok(Self { files: files.clone(), current: Mutex::new(Current { config, looked: now, stamp }) })
    }

    /// For the next connection. Reading two small files once in a while is no work for another thread.
    pub(super) fn acceptor(&self, now: Instant) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(current.looked) >= LOOK {
            current.looked = now;
            self.look(&mut current);
        }
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    fn look(&self, current: &mut Current) {
        let stamp = stamp(&self.files);
        if stamp == current.stamp {
            return;
        }
        let certificate = self.files.certificate.display();
        match load(&self.files) {
            Ok(config) => {
                tracing::info!(%certificate, "certificate read again");
                *current = Current { config, stamp, ..*current };
            }
            // Its stamp stays, so that the next look tries again: one file is often written before the other.
            Err(error) => tracing::error!(%error, "the certificate read before stays in use"),
        }
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    [changed(&files.certificate), changed(&files.key)]
}

fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let wrong = |path: &Path, wanted| {
        let path = path.to_owned();
        move |source| match source {
            pem::Error::Io(source) => TlsError::File { path, source },
            source => TlsError::Form { path, wanted, source },
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(wrong(certificate, "certificate"))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(wrong(key, "private key"))?;
    let pair = |source| TlsError::Pair { certificate: certificate.clone(), key: key.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
