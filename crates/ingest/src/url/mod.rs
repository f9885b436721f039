//! Places of media, as one configures them.

mod device;
mod synthetic;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Component, Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use ocelli_model::StreamId;
use ocelli_net::shown;
use serde::{Deserialize, Serialize};
use url::Url;

pub use self::{
    device::{DeviceFormat, DeviceOptions},
    synthetic::{Motion, SyntheticOptions},
};
use crate::pull::{RtspError, RtspUrl};

/// Longest URL, in bytes.
const MOST_BYTES: usize = 2048;
const KNOWN: &str = "write rtsp://, rtsps://, http:// or https:// and a host, file:///path, an absolute path, publish: or frames: and a key, device: and a camera, or synthetic:";

/// Says that a URL of HTTP is that of a playlist, where its path does not.
const HLS: &str = "hls+";

/// A place of media. Its secrets are shown to nobody: `Display` and `Debug` leave out user, password and query, and what
/// looks like a secret in a path.
///
/// - `rtsp://user:password@host:port/path`, and `rtsps://` over TLS;
/// - `http://…` and `https://…`: one video file, or a stream of MPEG-TS that does not end;
/// - the same with a path that ends in `.m3u8` or `.m3u`, or `hls+` before it: a playlist of HLS;
/// - `file:///absolute/path`, for which the path alone may be written;
/// - `publish:KEY`: whoever publishes to this key;
/// - `device:/dev/video0?size=1280x720&fps=30`: see [`DeviceOptions`];
/// - `frames:KEY`: the pictures that somebody posts for this key;
/// - `synthetic:?size=640x360&fps=5&motion=object`: see [`SyntheticOptions`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceUrl {
    text: String,
    place: Place,
}

/// What a URL means.
#[derive(Clone)]
pub(crate) enum Place {
    Rtsp(Arc<RtspUrl>),
    Http(Arc<Url>),
    /// The playlist's own URL.
    Hls(Arc<Url>),
    File(PathBuf),
    Publish(StreamId),
    Frames(StreamId),
    Device(DeviceOptions),
    Synthetic(SyntheticOptions),
}

/// Which kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A camera or server of RTSP.
    Rtsp,
    /// A file or stream over HTTP.
    Http,
    /// A playlist of segments over HTTP.
    Hls,
    /// A file of this machine.
    File,
    /// Publishers that come to us.
    Publish,
    /// Pictures that somebody posts.
    Frames,
    /// A camera of this machine.
    Device,
    /// Pictures of our own making.
    Synthetic,
}

/// Why a word is no place of media. Holds nothing of the word itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceUrlError(pub String);

impl SourceUrl {
    /// With its secrets: for whoever connects, and for the store.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Which kind of place.
    pub fn kind(&self) -> SourceKind {
        match self.place {
            Place::Rtsp(_) => SourceKind::Rtsp,
            Place::Http(_) => SourceKind::Http,
            Place::Hls(_) => SourceKind::Hls,
            Place::File(_) => SourceKind::File,
            Place::Publish(_) => SourceKind::Publish,
            Place::Frames(_) => SourceKind::Frames,
            Place::Device(_) => SourceKind::Device,
            Place::Synthetic(_) => SourceKind::Synthetic,
        }
    }

    /// The path of a file, as named: nobody has looked yet whether it is there, or allowed.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }

    /// The stream that publishers, or those who post pictures, name to be read here.
    pub fn key(&self) -> Option<&StreamId> {
        match &self.place {
            Place::Publish(key) | Place::Frames(key) => Some(key),
            _ => None,
        }
    }

    /// A file by its absolute path, whatever characters it holds.
    pub fn from_path(path: &Path) -> Result<Self, SourceUrlError> {
        let url = Url::from_file_path(path).map_err(|()| wrong("a path must begin with /"))?;
        url.as_str().parse()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

fn wrong(words: &str) -> SourceUrlError {
    SourceUrlError(words.to_owned())
}

impl FromStr for SourceUrl {
    type Err = SourceUrlError;

    fn from_str(word: &str) -> Result<Self, SourceUrlError> {
        if word.is_empty() {
            return Err(wrong("the URL is empty"));
        }
        if word.len() > MOST_BYTES {
            return Err(SourceUrlError(format!("the URL is longer than {MOST_BYTES} bytes")));
        }
        if word.chars().any(char::is_control) {
            return Err(wrong("the URL holds control characters"));
        }
        if word.trim() != word {
            return Err(wrong("the URL begins or ends with a blank"));
        }
        if word.starts_with('/') {
            return Self::from_path(Path::new(word));
        }
        let scheme = word.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        let place = match scheme.as_str() {
            "rtsp" | "rtsps" => Place::Rtsp(Arc::new(
                word.parse().map_err(|error: RtspError| SourceUrlError(error.to_string()))?,
            )),
            "http" | "https" => match http(word)? {
                url if is_playlist(&url) => Place::Hls(Arc::new(url)),
                url => Place::Http(Arc::new(url)),
            },
            "hls+http" | "hls+https" => Place::Hls(Arc::new(http(&word[HLS.len()..])?)),
            "file" => Place::File(file(word)?),
            "publish" => Place::Publish(publish(&word["publish:".len()..])?),
            "device" => Place::Device(word["device:".len()..].parse()?),
            "frames" => Place::Frames(frames(&word["frames:".len()..])?),
            "synthetic" => Place::Synthetic(word["synthetic:".len()..].parse()?),
            _ => return Err(SourceUrlError(format!("this is no URL of media; {KNOWN}"))),
        };
        Ok(Self { text: word.to_owned(), place })
    }
}

fn is_playlist(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    [".m3u8", ".m3u"].iter().any(|end| path.ends_with(end))
}

fn http(word: &str) -> Result<Url, SourceUrlError> {
    let parsed = word.split_once("://").and_then(|_| Url::parse(word).ok());
    let mut url =
        parsed.filter(|url| url.host_str().is_some_and(|host| !host.is_empty())).ok_or_else(|| {
            wrong("write http://user:password@host:port/path, special characters of user and password as %XX")
        })?;
    url.set_fragment(None);
    Ok(url)
}

fn publish(key: &str) -> Result<StreamId, SourceUrlError> {
    key.parse().map_err(|error| SourceUrlError(format!("write publish: and the stream's key: {error}")))
}

fn file(word: &str) -> Result<PathBuf, SourceUrlError> {
    let absolute = word.get(.."file:///".len()).is_some_and(|start| start.eq_ignore_ascii_case("file:///"));
    let shape = || wrong("write file:///absolute/path, special characters as %XX");
    let url = Url::parse(word).ok().filter(|_| absolute).ok_or_else(shape)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("write ? and # in the name of a file as %3F and %23"));
    }
    let path = url.to_file_path().map_err(|()| shape())?;
    let strange = |byte: &u8| byte.is_ascii_control();
    if std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).iter().any(strange) {
        return Err(wrong("the URL holds control characters"));
    }
    if path.components().any(|part| matches!(part, Component::ParentDir)) {
        return Err(wrong("the path of a file must not hold '..'"));
    }
    Ok(path)
}

fn frames(key: &str) -> Result<StreamId, SourceUrlError> {
    key.parse()
        .map_err(|error| SourceUrlError(format!("write frames: and a key such as that of a stream: {error}")))
}

impl TryFrom<String> for SourceUrl {
    type Error = SourceUrlError;

    fn try_from(word: String) -> Result<Self, SourceUrlError> {
        word.parse()
    }
}

impl From<SourceUrl> for String {
    fn from(url: SourceUrl) -> Self {
        url.text
    }
}

impl PartialEq for SourceUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SourceUrl {}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Rtsp(url) => url.fmt(f),
            Place::Http(url) => f.write_str(&shown(url)),
            Place::Hls(url) => {
                let before = self.text.get(..HLS.len()).filter(|start| start.eq_ignore_ascii_case(HLS));
                write!(f, "{}{}", before.unwrap_or_default(), shown(url))
            }
            Place::File(_)
            | Place::Publish(_)
            | Place::Frames(_)
            | Place::Device(_)
            | Place::Synthetic(_) => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
