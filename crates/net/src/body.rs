//! A body that is taken piece by piece, as it comes.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{
    Response, StatusCode, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    client::Client,
    download::{DownloadError, failed},
    url::shown,
};

/// What a server sends, from some byte on. Nobody reads ahead: who takes no pieces slows the server down.
pub struct Body {
    url: String,
    place: Url,
    response: Response,
    first: u64,
    whole: Option<u64>,
    is_part: bool,
}

impl Client {
    /// Asks for what a URL names, from byte `first` on: the server may send it from its start on all the same, which
    /// [`Body::first`] tells. With `unchanged`, the validator of an earlier body, a part comes only of the same thing.
    /// `idle` is the longest wait for a connection, and for the head of an answer, at each redirect.
    pub async fn read(
        &self,
        url: &str,
        first: u64,
        unchanged: Option<&str>,
        idle: Duration,
    ) -> Result<Body, DownloadError> {
        let mut url = Url::parse(url).map_err(|_error| DownloadError::Url)?;
        let mut headers = HeaderMap::new();
        let range =
            HeaderValue::try_from(format!("bytes={first}-")).expect("digits are no control characters");
        headers.insert(header::RANGE, range);
        if let Some(Ok(validator)) = unchanged.map(HeaderValue::try_from) {
            headers.insert(header::IF_RANGE, validator);
        }
        let response = self.follow(&mut url, headers, idle).await?;
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let (first, whole) = if is_part {
            let range = response.headers().get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
            let lied = || DownloadError::Range { url: shown(&url) };
            range.and_then(|range| parse_range(range, first)).ok_or_else(lied)?
        } else {
            (0, response.content_length())
        };
        Ok(Body { url: shown(&url), place: url, response, first, whole, is_part })
    }
}

/// First byte and size of the whole, of `bytes first-last/size` (RFC 9110 section 14.4); `None` where it does not begin
/// where it should.
fn parse_range(text: &str, asked: u64) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let whole = if size == "*" { None } else { Some(size.parse().ok()?) };
    let fits = first == asked && first <= last && whole.is_none_or(|whole| last < whole);
    fits.then_some((first, whole))
}

impl Body {
    /// The next piece, or the end. Waits as long as it takes: whoever asks has a clock.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, DownloadError> {
        self.response.chunk().await.map_err(|error| failed(self.url.clone(), error))
    }

    /// Where redirects led, with its secrets: what the thing itself names is relative to that.
    pub fn place(&self) -> &Url {
        &self.place
    }

    /// Where in the whole the first piece begins.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Bytes of the whole, where the server says.
    pub fn whole(&self) -> Option<u64> {
        self.whole
    }

    /// Whether the server sends from any byte on.
    pub fn is_part(&self) -> bool {
        self.is_part
    }

    /// The media type in lower case, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let kind = self.header(&header::CONTENT_TYPE)?;
        Some(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// What tells this version of the thing from others (RFC 9110 section 13.1.5): a strong entity tag, else its date.
    pub fn validator(&self) -> Option<&str> {
        let tag = self.header(&header::ETAG).filter(|tag| tag.starts_with('"'));
        tag.or_else(|| self.header(&header::LAST_MODIFIED))
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, place: _, response: _, first, whole, is_part } = self;
        f.debug_struct("Body")
            .field("url", url)
            .field("first", first)
            .field("whole", whole)
            .field("is_part", is_part)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let cases = [
            ("bytes 0-9/10", 0, Some((0, Some(10)))),
            ("bytes 5-9/10", 5, Some((5, Some(10)))),
            ("bytes 5-9/*", 5, Some((5, None))),
            ("bytes 4-9/10", 5, None),
            ("bytes 5-10/10", 5, None),
            ("bytes 5-4/10", 5, None),
            ("bytes */10", 5, None),
            ("items 0-9/10", 0, None),
            ("bytes 0-9", 0, None),
            ("bytes 0-99999999999999999999/*", 0, None),
            ("", 0, None),
        ];
        for (text, asked, expected) in cases {
            assert_eq!(parse_range(text, asked), expected, "{text}");
        }
    }
}
