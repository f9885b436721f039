//! URLs as they may be shown, and hosts that are addresses already.

use std::net::IpAddr;

use reqwest::Url;

/// Most characters of a URL in a message.
const MOST_SHOWN: usize = 200;

/// Scheme, host, port and path. User, password and query are left out: they hold secrets.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let query = if url.query().is_some() { "?..." } else { "" };
    let text =
        format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    text.chars().take(MOST_SHOWN).collect()
}

/// The address of a host that is written as one; names are left to the resolver.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}
