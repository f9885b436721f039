//! URLs as they may be shown, and hosts that are addresses already.

use std::net::IpAddr;

use reqwest::Url;

/// Most characters of a URL in a message.
const MOST_SHOWN: usize = 200;
/// Stands for what is not shown.
const HIDDEN: &str = "...";

/// Scheme, host, port and path, at most 200 characters. User, password and query are left out, and so are parts of the
/// path that look as if they held secrets: some recorders take `/user=admin&password=x&channel=1`.
pub fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let query = if url.query().is_some() { "?..." } else { "" };
    let path = url.path().split('/').map(shown_segment).collect::<Vec<_>>().join("/");
    let text = format!("{}://{}{port}{path}{query}", url.scheme(), url.host_str().unwrap_or_default());
    text.chars().take(MOST_SHOWN).collect()
}

fn shown_segment(segment: &str) -> &str {
    let lower = segment.to_ascii_lowercase();
    let secret = ["pass", "pwd", "user=", "token", "key="].iter().any(|word| lower.contains(word));
    if secret { HIDDEN } else { segment }
}

/// The address of a host that is written as one; names are left to the resolver.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}
