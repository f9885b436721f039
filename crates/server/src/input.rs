//! What INPUT names: a file, or a stream.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use ocelli_ingest::{
    OpenSource as _, Source, SourceError, SourceSpec, SourceUrl, SourceUrlError,
    pull::{FileSource, Opener, OpenerOptions, Stop},
};
use ocelli_media::{AccessUnit, CodecParameters, decode::OpenDecoder};

use crate::network::policy;

/// Schemes that make a word a URL rather than the name of a file, and how messages call one that is wrong.
const SCHEMES: [(&str, &str); 7] = [
    ("rtsp://", "rtsp://..."),
    ("rtsps://", "rtsps://..."),
    ("rtspu://", "rtspu://..."),
    ("http://", "http://..."),
    ("https://", "https://..."),
    ("file://", "file://..."),
    ("synthetic:", "synthetic:..."),
];

/// A word of the command line. Making it never fails: a complaint of the command line's parser would repeat the word, and
/// with it the password of a URL.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    File(PathBuf),
    Stream(Box<SourceUrl>),
    /// Meant as a URL, and wrong: how it is called, and why.
    Wrong(&'static str, Arc<SourceUrlError>),
}

impl From<OsString> for Input {
    fn from(word: OsString) -> Self {
        let meant = |scheme: &str| {
            let start = word.to_str().and_then(|word| word.get(..scheme.len()));
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        let Some((_, called)) = SCHEMES.iter().find(|(scheme, _)| meant(scheme)) else {
            return Self::File(word.into());
        };
        match word.to_string_lossy().parse::<SourceUrl>() {
            Ok(url) => match url.file() {
                Some(path) => Self::File(path.to_owned()),
                None => Self::Stream(Box::new(url)),
            },
            Err(error) => Self::Wrong(called, Arc::new(error)),
        }
    }
}

impl Input {
    /// How it is called in messages and results.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream(url) => url.to_string(),
            Self::Wrong(called, _) => (*called).to_owned(),
        }
    }

    /// Whether it comes from elsewhere, and may go on until it is ended.
    pub(crate) fn is_stream(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stream(_) | Self::Wrong(..) => None,
        }
    }

    /// Opens it, or says what it is called and why not. `stop` ends waits for the network.
    pub(crate) fn open(&self, stop: &Stop) -> Result<Opened> {
        self.try_open(stop).with_context(|| self.name())
    }

    fn try_open(&self, stop: &Stop) -> Result<Opened> {
        Ok(match self {
            // Whoever names a file here may read it.
            Self::File(path) => Opened::File(Box::new(FileSource::open(path)?)),
            Self::Stream(url) => {
                let opener = Opener::new(OpenerOptions::new(policy()?))?;
                Opened::Stream(opener.open(&SourceSpec::new((**url).clone()), stop)?)
            }
            Self::Wrong(_, error) => return Err(Arc::clone(error).into()),
        })
    }
}

/// A source of either kind.
#[derive(Debug)]
pub(crate) enum Opened {
    File(Box<FileSource>),
    Stream(Box<dyn Source>),
}

impl Opened {
    /// PTS that `--start` and `--end` count from: streams start anywhere.
    pub(crate) fn zero(&self) -> i64 {
        self.source().zero()
    }

    pub(crate) fn file(&self) -> Option<&FileSource> {
        match self {
            Self::File(file) => Some(file),
            Self::Stream(_) => None,
        }
    }

    fn source(&self) -> &dyn Source {
        match self {
            Self::File(file) => &**file,
            Self::Stream(stream) => &**stream,
        }
    }
}

impl Source for Opened {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.source().parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        match self {
            Self::File(file) => file.next_unit(),
            Self::Stream(stream) => stream.next_unit(),
        }
    }

    fn damage(&self) -> Option<&str> {
        self.source().damage()
    }

    fn decoder(&self) -> Option<Box<OpenDecoder>> {
        self.source().decoder()
    }
}
