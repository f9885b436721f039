//! Pages of other sites that make a browser ask on their behalf (RFC 6454).

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, Uri, header, uri::Authority};
use serde::{Deserialize, Serialize};

/// Where a page comes from: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A word that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin; write https://host or http://host:port, without a path")]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(word: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(word.to_owned());
        let (scheme, authority) = word.split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong()),
        };
        let authority: Authority = authority.parse().map_err(|_error| wrong())?;
        let host = authority.host();
        // A user's name stands before the host, and what is no number may stand after it.
        let port = match authority.as_str().strip_prefix(host).ok_or_else(wrong)?.split_at_checked(1) {
            None => default,
            Some((_colon, digits)) => digits.parse().map_err(|_error| wrong())?,
        };
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Origin {
    /// As browsers write it: without the scheme's own port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        match (scheme.as_str(), port) {
            ("http", 80) | ("https", 443) => write!(f, "{scheme}://{host}"),
            _ => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(word: String) -> Result<Self, OriginError> {
        word.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

/// Whether a request comes from a page of another site. Those that name no origin come from no page, or from one of ours.
pub(crate) fn is_foreign(uri: &Uri, headers: &HeaderMap, allowed: &[Origin]) -> bool {
    let mut named = headers.get_all(header::ORIGIN).iter();
    match (named.next(), named.next()) {
        (None, _) => false,
        (Some(one), None) => {
            let origin = one.to_str().ok().and_then(|word| word.parse::<Origin>().ok());
            // `null` is nobody in particular, and so is not us.
            !origin.is_some_and(|origin| allowed.contains(&origin) || is_ours(uri, headers, &origin))
        }
        (Some(_), Some(_)) => true,
    }
}

/// Whether an origin is the very host that was asked. Its scheme does not count: behind a proxy we do not know ours.
fn is_ours(uri: &Uri, headers: &HeaderMap, origin: &Origin) -> bool {
    let default = if origin.scheme == "https" { 443 } else { 80 };
    asked(uri, headers).is_some_and(|asked| {
        asked.host().eq_ignore_ascii_case(&origin.host) && asked.port_u16().unwrap_or(default) == origin.port
    })
}

/// Whether the host that was asked is a name of this very machine. A page of another site whose name was made to lead
/// here (DNS rebinding) asks under its own name.
pub(crate) fn asks_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(asked) = asked(uri, headers) else {
        // A program that writes no host is no browser.
        return !headers.contains_key(header::HOST);
    };
    let host = asked.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The host that was asked: HTTP/2 names it in the target, HTTP/1.1 in a field.
fn asked(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let field = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(field)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn origins_are_scheme_host_and_port() {
        let check = |word: &str, expected: Option<&str>| {
            let found = word.parse::<Origin>().ok().map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), expected, "{word}");
        };
        check("https://dash.example", Some("https://dash.example"));
        check("HTTPS://Dash.Example:443", Some("https://dash.example"));
        check("http://127.0.0.1:5173", Some("http://127.0.0.1:5173"));
        check("http://[::1]:80", Some("http://[::1]"));
        for bad in [
            "",
            "*",
            "null",
            "dash.example",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a:x",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn pages_of_other_sites_are_foreign() {
        let allowed = ["https://dash.example".parse().unwrap()];
        let check = |host: &str, origins: &[&str], expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            for origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            let uri = Uri::from_static("/x");
            assert_eq!(is_foreign(&uri, &headers, &allowed), expected, "{host} {origins:?}");
        };
        check("a.example", &[], false);
        check("a.example", &["https://a.example"], false);
        check("a.example:8002", &["http://a.example:8002"], false);
        check("A.example:8002", &["http://a.EXAMPLE:8002"], false);
        check("a.example", &["https://dash.example"], false);
        check("a.example", &["http://dash.example"], true);
        check("a.example:8002", &["http://a.example"], true);
        check("a.example:8002", &["http://a.example:8003"], true);
        check("a.example", &["https://evil.example"], true);
        check("a.example", &["https://a.example.evil.example"], true);
        check("a.example", &["null"], true);
        check("a.example", &[""], true);
        check("a.example", &["https://a.example", "https://evil.example"], true);
        let uri = Uri::from_static("https://b.example/x");
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://b.example"));
        assert!(!is_foreign(&uri, &headers, &[]), "HTTP/2 names the host in the target");
    }

    #[test]
    fn names_of_this_machine_are_known() {
        let check = |host: Option<&[u8]>, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.extend(host.map(|host| (header::HOST, HeaderValue::from_bytes(host).unwrap())));
            assert_eq!(asks_this_machine(&Uri::from_static("/x"), &headers), expected, "{host:?}");
        };
        for ours in [&b"localhost"[..], b"LOCALHOST:8002", b"127.0.0.1:8002", b"127.9.9.9", b"[::1]:8002"] {
            check(Some(ours), true);
        }
        for other in
            [&b"evil.example"[..], b"evil.example:8002", b"localhost.evil.example", b"10.0.0.1", b"\xff"]
        {
            check(Some(other), false);
        }
        check(None, true);
    }
}
