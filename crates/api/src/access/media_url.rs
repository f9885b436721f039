//! URLs that let their holder read recorded media of one stream for a while: for players that can send no header.
//!
//! ```text
//! /api/v1/streams/cam1/hls/index.m3u8?expires=1764428400&signature=…43 letters of base64url…
//! ```
//!
//! The signature is HMAC-SHA256 over the stream, the part of the interface that the URL opens and its end. Playlists carry it
//! on into the URIs they name, so that a player that was given the playlist reads the rest.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ocelli_model::StreamId;
use ring::{
    hmac::{self, Key},
    rand::{SecureRandom as _, SystemRandom},
};

use super::{config::AccessConfigError, secret::Secret};

/// Letters that a configured key has at least.
const SHORTEST_KEY: usize = 32;
/// A SHA-256 in base64url, without padding.
const SIGNATURE_LETTERS: usize = 43;

/// Makes and checks signatures.
pub(super) struct MediaSigner(Key);

/// What a request showed, as it stood in its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Seconds since 1970.
    pub(super) expires: i64,
    pub(super) word: Secret,
}

/// The query of a request that a media URL let in: playlists hang it on the URIs they name. In the request's extensions.
#[derive(Clone)]
pub(crate) struct SignedQuery(pub(crate) String);

/// Which part of the interface a media URL opens: everything whose path begins so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MediaPath {
    /// Playlists and segments of the native interface.
    Hls,
    /// The same under contract 3's paths.
    Streaming,
    /// Exactly this one below the stream, such as `clip.mp4`.
    One(String),
}

impl MediaSigner {
    /// With the configured key, or one that ends with the process.
    pub(super) fn open(key: Option<&Secret>) -> Result<Self, AccessConfigError> {
        let bytes = match key {
            Some(key) if key.reveal().len() < SHORTEST_KEY => return Err(AccessConfigError::MediaKey),
            Some(key) => key.reveal().as_bytes().to_vec(),
            None => {
                let mut bytes = vec![0; 32];
                SystemRandom::new().fill(&mut bytes).map_err(|_unspecified| AccessConfigError::NoRandom)?;
                bytes
            }
        };
        Ok(Self(Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The query of a URL that opens `path` of a stream until `expires`, in seconds since 1970.
    pub(super) fn query(&self, stream: &StreamId, path: &MediaPath, expires: i64) -> String {
        let signature = hmac::sign(&self.0, message(stream, &path.prefix(stream), expires).as_bytes());
        format!("expires={expires}&signature={}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether a signature opens this path of the stream; whether it has expired is another question.
    pub(super) fn holds(&self, stream: &StreamId, path: &str, signature: &Signature) -> bool {
        let word = signature.word.reveal();
        let Ok(tag) = URL_SAFE_NO_PAD.decode(word) else { return false };
        // In constant time, as `verify` does it; how many prefixes there are depends on the path alone.
        MediaPath::that_open(stream, path).iter().any(|opened| {
            let message = message(stream, &opened.prefix(stream), signature.expires);
            hmac::verify(&self.0, message.as_bytes(), &tag).is_ok()
        })
    }
}

/// No letter of a stream's id or of a path is a line break, so no two say the same.
fn message(stream: &StreamId, prefix: &str, expires: i64) -> String {
    format!("ocelli media 1\n{stream}\n{prefix}\n{expires}")
}

impl MediaPath {
    /// What a URL about `path`, relative to its stream, has to open.
    pub(crate) fn for_reading(path: &str) -> Self {
        if path.starts_with("hls/") { Self::Hls } else { Self::One(path.to_owned()) }
    }

    fn prefix(&self, stream: &StreamId) -> String {
        match self {
            Self::Hls => format!("/api/v1/streams/{stream}/hls/"),
            Self::Streaming => format!("/streaming/{stream}"),
            Self::One(path) => format!("/api/v1/streams/{stream}/{path}"),
        }
    }

    /// Those of which a URL may hold for `path`.
    fn that_open(stream: &StreamId, path: &str) -> Vec<Self> {
        let mut found = Vec::new();
        if path.starts_with(&Self::Hls.prefix(stream)) {
            found.push(Self::Hls);
        }
        let streaming = path.strip_prefix(&*Self::Streaming.prefix(stream));
        if streaming.is_some_and(|rest| rest == ".m3u8" || rest.starts_with('/')) {
            found.push(Self::Streaming);
        }
        let one = path.strip_prefix(&*Self::One(String::new()).prefix(stream));
        found.extend(one.map(|rest| Self::One(rest.to_owned())));
        found
    }
}

impl Signature {
    /// As it stands in a query; `None`: no signature looks like that.
    pub(super) fn read(expires: &str, word: &str) -> Option<Self> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let whole = word.len() == SIGNATURE_LETTERS && word.bytes().all(letters);
        let expires = expires.parse().ok().filter(|_| whole)?;
        Some(Self { expires, word: Secret::new(word) })
    }

    pub(super) fn expires_ms(&self) -> i64 {
        self.expires.saturating_mul(1_000)
    }

    /// As it stood in the query.
    pub(super) fn query(&self) -> SignedQuery {
        SignedQuery(format!("expires={}&signature={}", self.expires, self.word.reveal()))
    }

    /// Names the URL in rates and logs without giving it away.
    pub(super) fn subject(&self) -> String {
        format!("media URL {}…", self.word.reveal().chars().take(6).collect::<String>())
    }
}

impl fmt::Debug for MediaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaSigner")
    }
}

impl fmt::Debug for SignedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedQuery")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_opens_what_it_was_made_for_and_nothing_else() {
        let signer = MediaSigner::open(None).unwrap();
        let cam: StreamId = "cam1".parse().unwrap();
        let check = |path: &MediaPath, opened: &[&str], closed: &[&str]| {
            let query = signer.query(&cam, path, 2_000);
            let word = query.strip_prefix("expires=2000&signature=").unwrap();
            let signature = Signature::read("2000", word).unwrap();
            assert_eq!(signature.query().0, query);
            for path in opened {
                assert!(signer.holds(&cam, path, &signature), "{path}");
            }
            for path in closed {
                assert!(!signer.holds(&cam, path, &signature), "{path}");
            }
            let later = Signature::read("2001", word).unwrap();
            assert!(!signer.holds(&cam, opened[0], &later), "its end is signed");
            let other = "cam2".parse().unwrap();
            assert!(!signer.holds(&other, &opened[0].replace("cam1", "cam2"), &signature));
            assert!(!MediaSigner::open(None).unwrap().holds(&cam, opened[0], &signature), "another key");
        };
        let hls = "/api/v1/streams/cam1/hls/live.m3u8";
        let clip = "/api/v1/streams/cam1/clip.mp4";
        let streaming = ["/streaming/cam1.m3u8", "/streaming/cam1/7.m4s"];
        check(
            &MediaPath::for_reading("hls/index.m3u8"),
            &[hls, "/api/v1/streams/cam1/hls/7.m4s"],
            &[clip, streaming[0], "/api/v1/streams/cam1/hls"],
        );
        check(&MediaPath::for_reading("clip.mp4"), &[clip], &[hls, "/api/v1/streams/cam1/clip.mp4/x"]);
        check(&MediaPath::Streaming, &streaming, &[hls, "/streaming/cam1x.m3u8", "/streaming/cam10/7.m4s"]);
    }

    #[test]
    fn what_is_no_signature_is_none() {
        let word = "A".repeat(43);
        assert!(Signature::read("1", &word).is_some());
        for (expires, word) in [("1", &word[1..]), ("x", &word), ("1", &"=".repeat(43)), ("", &word)] {
            assert_eq!(Signature::read(expires, word), None, "{expires} {word}");
        }
        let short = Secret::new("short");
        assert!(matches!(MediaSigner::open(Some(&short)), Err(AccessConfigError::MediaKey)));
        assert!(MediaSigner::open(Some(&Secret::new("k".repeat(32)))).is_ok());
    }
}
