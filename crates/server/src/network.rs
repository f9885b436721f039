//! Where connections of this command line may go.

use std::env;

use anyhow::{Context as _, Result};
use ocelli_net::{AddressPolicy, networks};

/// Names what is allowed beyond public and private addresses.
const ALLOW: &str = "OCELLI_NET_ALLOW";

/// Private networks are allowed, for the user of this machine names the URLs.
pub(crate) fn policy() -> Result<AddressPolicy> {
    let allowed = env::var(ALLOW).unwrap_or_default();
    Ok(AddressPolicy::operator().with(networks(&allowed).context(ALLOW)?))
}
