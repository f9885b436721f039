//! The client itself: TLS, and names resolved under the address policy.

use std::{error::Error, io, sync::Arc};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use crate::{policy::AddressPolicy, tls::config};

/// HTTP and HTTPS under an address policy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) policy: Arc<AddressPolicy>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The machine's certificates cannot be used.
    #[error("cannot read the certificates of trusted authorities; install the package ca-certificates")]
    Certificates(#[source] rustls::Error),
    /// The library refuses its settings.
    #[error("cannot start the HTTP client")]
    Build(#[source] reqwest::Error),
}

impl Client {
    /// Reads the certificates that this machine trusts.
    pub fn new(policy: AddressPolicy) -> Result<Self, ClientError> {
        let policy = Arc::new(policy);
        let tls = config()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("ocelli/", env!("CARGO_PKG_VERSION")))
            // Each hop is checked by us, and nobody learns where we came from.
            .redirect(redirect::Policy::none())
            .referer(false)
            // A proxy would resolve names itself.
            .no_proxy()
            // One connection, one check.
            .pool_max_idle_per_host(0)
            .dns_resolver(Checked(Arc::clone(&policy)))
            .build()
            .map_err(ClientError::Build)?;
        Ok(Self { http, policy })
    }
}

/// Resolves with the system's resolver and hands on what the policy allows. The connection goes to one of these very
/// addresses: nothing is resolved a second time.
struct Checked(Arc<AddressPolicy>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            // Port 0 is replaced by the URL's.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (mut allowed, mut refused) = (Vec::new(), None);
            for address in found {
                match policy.check(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refused = refused.or(Some(error)),
                }
            }
            match refused {
                _ if !allowed.is_empty() => Ok(Box::new(allowed.into_iter()) as Addrs),
                Some(refused) => Err(refused.into()),
                None => Err(Box::<dyn Error + Send + Sync>::from(io::Error::from(io::ErrorKind::NotFound))),
            }
        })
    }
}
