//! Requests, all of them through the one client: whatever a playlist names, the address policy has its say.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ocelli_net::{Body, DownloadError};
use tokio::time::{timeout, timeout_at};
use url::Url;

use super::HlsError;
use crate::{
    SourceError,
    pull::{
        driver::Driver,
        http::{HttpError, HttpOptions},
        paced::now,
    },
};

/// Blocking, until the answer, the deadline or the end that is asked for.
pub(super) struct Fetch {
    pub(super) options: HttpOptions,
    deadline: Instant,
    patience: Duration,
    driver: Driver,
}

impl Fetch {
    pub(super) fn new(options: HttpOptions) -> Result<Self, SourceError> {
        let driver = Driver::new(options.runtime.as_ref()).map_err(HttpError::Runtime)?;
        let patience = options.stall_timeout;
        Ok(Self { options, deadline: now() + patience, patience, driver })
    }

    /// What waits from here on waits no longer than that in all.
    pub(super) fn allow(&mut self, patience: Duration) {
        (self.deadline, self.patience) = (now() + patience, patience);
    }

    /// Waits for the head of an answer that begins at byte `first`.
    pub(super) fn ask(&self, url: &Url, first: u64) -> Result<Body, SourceError> {
        let patience = self.options.connect_timeout;
        let patient = async {
            let body = self.options.client.read(url.as_str(), first, None, patience);
            match timeout(patience, body).await {
                Ok(Err(DownloadError::Silent { .. })) | Err(_) => Err(HttpError::NoAnswer(patience)),
                Ok(body) => Ok(body?),
            }
        };
        let body = self.driver.wait(self.options.stop.unless(patient))?;
        if body.first() == first { Ok(body) } else { Err(HlsError::NoRanges.into()) }
    }

    pub(super) fn piece(&self, body: &mut Body) -> Result<Option<Bytes>, SourceError> {
        let patient = async {
            let next = timeout_at(self.deadline.into(), body.piece()).await;
            Ok::<_, HttpError>(next.map_err(|_elapsed| HttpError::Stalled(self.patience))??)
        };
        self.driver.wait(self.options.stop.unless(patient))
    }

    /// A whole body; `None` where it is larger than that.
    pub(super) fn whole(&self, body: &mut Body, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece(body)? {
            if whole.len() + piece.len() > most {
                return Ok(None);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole))
    }

    /// Waits for something to change elsewhere.
    pub(super) fn rest(&self, pause: Duration) -> Result<(), SourceError> {
        let left = self.deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(HttpError::Stalled(self.patience).into());
        }
        self.options.stop.wait(pause.min(left))
    }
}

/// What a playlist at `base` names.
pub(super) fn resolve(base: &Url, uri: &str) -> Result<Url, HlsError> {
    let url = base.join(uri).map_err(|_error| HlsError::Address)?;
    match (base.scheme(), url.scheme()) {
        ("https", "http") => Err(HlsError::Downgrade),
        (_, "http" | "https") if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(url),
        _ => Err(HlsError::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_http_are_followed() {
        let base = Url::parse("https://user:word@host/a/list.m3u8?token=1").unwrap();
        let shown = |uri: &str| resolve(&base, uri).map(String::from).map_err(|error| error.to_string());
        assert_eq!(shown("b/1.ts").as_deref(), Ok("https://user:word@host/a/b/1.ts"));
        assert_eq!(shown("/1.ts?x").as_deref(), Ok("https://user:word@host/1.ts?x"));
        assert_eq!(
            shown("//other/1.ts").as_deref(),
            Ok("https://other/1.ts"),
            "credentials stay with their host"
        );
        assert_eq!(shown("https://other/1.ts").as_deref(), Ok("https://other/1.ts"));
        assert!(shown("http://host/1.ts").unwrap_err().contains("over https"));
        for uri in ["file:///etc/passwd", "data:,x", "ftp://host/x", "concat:a|b", "https://", "rtsp://host/"]
        {
            assert!(shown(uri).unwrap_err().contains("no http or https"), "{uri}");
        }
        let plain = Url::parse("http://host/a.m3u8").unwrap();
        assert!(resolve(&plain, "https://host/1.ts").is_ok());
    }
}
