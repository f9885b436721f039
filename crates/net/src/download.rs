//! One file over HTTP, to its end or not at all.

use std::{
    error::Error as _,
    fmt,
    io::{self, Write},
    ops::ControlFlow,
    time::Duration,
};

use reqwest::{
    Response, StatusCode, Url,
    header::{self, HeaderMap},
};
use sha2::{Digest as _, Sha256};

use crate::{
    client::Client,
    policy::Refused,
    url::{literal, shown},
};

/// Redirects that are followed; more are taken for a circle.
const MOST_REDIRECTS: usize = 5;

/// What a download may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the body.
    pub most_bytes: u64,
    /// Longest wait for a connection, for the head of an answer, and for each next piece of its body.
    pub idle: Duration,
    /// Longest time for all of it, so that a server that sends a byte now and then ends as well.
    pub total: Duration,
}

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Size of the body.
    pub bytes: u64,
    /// SHA-256 of the body in hexadecimal digits.
    pub sha256: String,
}

/// Why nothing was downloaded. No message holds a user name, a password or a query.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Not a URL.
    #[error("not a URL; write https://host/path")]
    Url,
    /// Neither http nor https, or http after https.
    #[error("{url} is reached by {scheme}, and only {allowed} is allowed here")]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The policy forbids the address.
    #[error("{url} is refused")]
    Address {
        /// The URL, perhaps one that a redirect named.
        url: String,
        /// Which address, and why.
        #[source]
        source: Refused,
    },
    /// No connection, no answer, or one that breaks off.
    #[error("{url} cannot be fetched")]
    Transfer {
        /// The URL.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The server does not have it.
    #[error("{url} answers {status}")]
    Status {
        /// The URL.
        url: String,
        /// What it says.
        status: StatusCode,
    },
    /// A redirect that leads nowhere, or too many of them.
    #[error("{url} redirects {problem}")]
    Redirect {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A part that is not the one that was asked for.
    #[error("{url} sends another part than was asked for")]
    Range {
        /// The URL.
        url: String,
    },
    /// Nothing came for too long.
    #[error("{url} sends nothing for {} s", idle.as_secs_f32())]
    Silent {
        /// The URL.
        url: String,
        /// How long was waited.
        idle: Duration,
    },
    /// Something always came, and no end.
    #[error("{url} takes more than {} s in all", total.as_secs_f32())]
    Late {
        /// The URL.
        url: String,
        /// How long was waited.
        total: Duration,
    },
    /// More than is allowed.
    #[error("{url} is larger than {most_bytes} bytes")]
    Large {
        /// The URL.
        url: String,
        /// The limit.
        most_bytes: u64,
    },
    /// The bytes cannot be stored.
    #[error("cannot store what {url} sends")]
    Store {
        /// The URL.
        url: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The caller wanted no more.
    #[error("the download of {url} was stopped")]
    Stopped {
        /// The URL.
        url: String,
    },
    /// Threads or timers are exhausted.
    #[error("cannot start a download")]
    Start(#[source] io::Error),
}

impl Client {
    /// Writes the body of `url` to `out` while it comes; `progress` hears of bytes so far and, where the server says
    /// so, in all, and may end it. What `out` holds after an error is worth nothing. Stops when the future is dropped.
    pub async fn download(
        &self,
        url: &str,
        limits: Limits,
        out: &mut (impl Write + Send),
        progress: &mut (impl FnMut(u64, Option<u64>) -> ControlFlow<()> + Send),
    ) -> Result<Downloaded, DownloadError> {
        let mut url = Url::parse(url).map_err(|_error| DownloadError::Url)?;
        let late = |url: &Url| DownloadError::Late { url: shown(url), total: limits.total };
        let work = async {
            let response = self.follow(&mut url, HeaderMap::new(), limits.idle).await?;
            receive(&shown(&url), response, limits, out, progress).await
        };
        let done = tokio::time::timeout(limits.total, work).await;
        done.unwrap_or_else(|_elapsed| Err(late(&url)))
    }

    /// [`Client::download`] for callers without an asynchronous runtime; must not be called from within one.
    pub fn download_blocking(
        &self,
        url: &str,
        limits: Limits,
        out: &mut (impl Write + Send),
        progress: &mut (impl FnMut(u64, Option<u64>) -> ControlFlow<()> + Send),
    ) -> Result<Downloaded, DownloadError> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().map_err(DownloadError::Start)?;
        runtime.block_on(self.download(url, limits, out, progress))
    }

    /// The answer at the end of the redirects, with `url` at what gave it. A part is an answer only to who asked for one.
    pub(crate) async fn follow(
        &self,
        url: &mut Url,
        headers: HeaderMap,
        idle: Duration,
    ) -> Result<Response, DownloadError> {
        let mut allowed = "http or https";
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(url, allowed, headers.clone(), idle).await?;
            let status = response.status();
            if !status.is_redirection() {
                let part = status == StatusCode::PARTIAL_CONTENT && headers.contains_key(header::RANGE);
                let answered = |status| DownloadError::Status { url: shown(url), status };
                return if status == StatusCode::OK || part { Ok(response) } else { Err(answered(status)) };
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| url.join(location).ok());
            let nowhere = || DownloadError::Redirect { url: shown(url), problem: "to nowhere" };
            let next = next.ok_or_else(nowhere)?;
            // What began encrypted stays encrypted.
            allowed = if url.scheme() == "https" { "https" } else { allowed };
            *url = next;
        }
        Err(DownloadError::Redirect { url: shown(url), problem: "too often" })
    }

    /// One request, after the checks.
    async fn ask(
        &self,
        url: &Url,
        allowed: &'static str,
        headers: HeaderMap,
        idle: Duration,
    ) -> Result<Response, DownloadError> {
        if !allowed.split(" or ").any(|scheme| scheme == url.scheme()) {
            let scheme = url.scheme().to_owned();
            return Err(DownloadError::Scheme { url: shown(url), scheme, allowed });
        }
        // Names are checked when they are resolved; addresses are never resolved.
        if let Some(address) = literal(url) {
            let refused = |source| DownloadError::Address { url: shown(url), source };
            self.policy.check(address).map_err(refused)?;
        }
        tracing::debug!(url = shown(url), "fetching");
        let asked = self.http.get(url.clone()).headers(headers).send();
        let answer = tokio::time::timeout(idle, asked).await;
        let answer = answer.map_err(|_elapsed| DownloadError::Silent { url: shown(url), idle })?;
        answer.map_err(|error| failed(shown(url), error))
    }
}

/// What the library reports; a refusal by the resolver lies deep inside.
pub(crate) fn failed(url: String, error: reqwest::Error) -> DownloadError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(Refused { address, why }) = inner.downcast_ref() {
            return DownloadError::Address { url, source: Refused { address: *address, why: *why } };
        }
        cause = inner.source();
    }
    DownloadError::Transfer { url, source: error.without_url() }
}

async fn receive(
    url: &str,
    mut response: Response,
    limits: Limits,
    out: &mut impl Write,
    progress: &mut impl FnMut(u64, Option<u64>) -> ControlFlow<()>,
) -> Result<Downloaded, DownloadError> {
    let large = || DownloadError::Large { url: url.to_owned(), most_bytes: limits.most_bytes };
    let expected = response.content_length();
    if expected.is_some_and(|bytes| bytes > limits.most_bytes) {
        return Err(large());
    }
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let stopped = || DownloadError::Stopped { url: url.to_owned() };
    loop {
        if progress(bytes, expected).is_break() {
            return Err(stopped());
        }
        let piece = tokio::time::timeout(limits.idle, response.chunk()).await;
        let piece =
            piece.map_err(|_elapsed| DownloadError::Silent { url: url.to_owned(), idle: limits.idle })?;
        let Some(piece) = piece.map_err(|error| failed(url.to_owned(), error))? else { break };
        bytes += piece.len() as u64;
        if bytes > limits.most_bytes {
            return Err(large());
        }
        hash.update(&piece);
        out.write_all(&piece).map_err(|source| DownloadError::Store { url: url.to_owned(), source })?;
    }
    Ok(Downloaded { bytes, sha256: Hex(&hash.finalize()).to_string() })
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
