//! TLS towards servers whose certificates this machine trusts.

use std::{io, sync::Arc};

use rustls::{ClientConfig, crypto::ring, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::client::ClientError;

/// What is trusted, for protocols other than HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates that this machine trusts.
    pub fn new() -> Result<Self, ClientError> {
        Ok(Self(Arc::new(config()?)))
    }

    /// Encrypts a connection that was made to a checked address of `host`, a name or an address. A certificate that is
    /// not trusted, or of another host, is an error of kind `InvalidData`.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await
    }
}

/// TLS 1.2 and 1.3 with ring, and the platform's verifier.
pub(crate) fn config() -> Result<ClientConfig, ClientError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Certificates)?;
    let verified = builder.with_platform_verifier().map_err(ClientError::Certificates)?;
    Ok(verified.with_no_client_auth())
}
