//! URLs of streams, with what must stay secret kept apart.

use std::{fmt, net::SocketAddr, str::FromStr};

use ocelli_net::shown;
use percent_encoding::percent_decode_str;
use retina::client::Credentials;
use url::Url;

use super::RtspError;

/// RFC 2326 section 3.2; RFC 7826 section 4.2 for `rtsps`.
const DEFAULT_PORT: u16 = 554;
const DEFAULT_TLS_PORT: u16 = 322;
/// Most characters of a URL or of a server's words in a message.
const MOST_SHOWN: usize = 200;
/// Stands for what is not shown.
const HIDDEN: &str = "...";

/// Where a stream is, and who asks for it. `Display` and `Debug` leave out user, password and query: they hold secrets.
#[derive(Clone)]
pub struct RtspUrl {
    /// Without user and password.
    url: Url,
    credentials: Option<Credentials>,
    /// Words that no message may hold.
    secrets: Vec<String>,
}

impl RtspUrl {
    /// Whether a word is meant as the URL of a stream rather than the name of a file.
    pub fn is_meant(word: &str) -> bool {
        let scheme = word.split_once("://").map_or("", |(scheme, _)| scheme);
        ["rtsp", "rtsps", "rtspu"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    }

    /// Host as written, and port.
    pub(crate) fn target(&self) -> (&str, u16) {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let default = if self.is_tls() { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
        (host, self.url.port().unwrap_or(default))
    }

    /// Whether the connection is to be encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "rtsps"
    }

    pub(super) fn credentials(&self) -> Option<Credentials> {
        self.credentials.clone()
    }

    /// The same stream at an address, so that no name is resolved again; never encrypted, which a relay sees to.
    pub(super) fn at(&self, address: SocketAddr) -> Result<Url, RtspError> {
        let mut url = self.url.clone();
        url.set_scheme("rtsp").map_err(|()| RtspError::Url("only rtsp:// and rtsps:// are supported"))?;
        let set = url.set_ip_host(address.ip()).and_then(|()| url.set_port(Some(address.port())));
        set.map_err(|()| RtspError::Url("it names no host"))?;
        Ok(url)
    }

    /// A server's words, on one line, short, without our secrets: servers echo what they were sent.
    pub(super) fn clean(&self, words: &str) -> String {
        let mut line: String = words
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .collect();
        for secret in &self.secrets {
            line = line.replace(secret, HIDDEN);
        }
        line.chars().take(MOST_SHOWN).collect()
    }
}

impl FromStr for RtspUrl {
    type Err = RtspError;

    fn from_str(text: &str) -> Result<Self, RtspError> {
        let mut url = Url::parse(text).map_err(|_error| {
            RtspError::Url(
                "write rtsp://user:password@host:port/path, special characters of user and password as %XX",
            )
        })?;
        match url.scheme() {
            "rtsp" | "rtsps" => {}
            _ => return Err(RtspError::Url("only rtsp:// and rtsps:// are supported")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(RtspError::Url("it names no host"));
        }
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (raw_user, raw_password) =
            (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
        let (username, password) = (decoded(&raw_user), decoded(&raw_password));
        let query = url.query().unwrap_or_default().to_owned();
        let mut secrets =
            vec![raw_user, raw_password, username.clone(), password.clone(), decoded(&query), query];
        secrets.retain(|secret| !secret.is_empty());
        // The longest first: one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let credentials = (!username.is_empty()).then_some(Credentials { username, password });
        let taken = url.set_username("").and_then(|()| url.set_password(None));
        taken.map_err(|()| RtspError::Url("it names no host"))?;
        url.set_fragment(None);
        Ok(Self { url, credentials, secrets })
    }
}

impl fmt::Display for RtspUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

impl fmt::Debug for RtspUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
