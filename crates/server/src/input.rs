//! What INPUT names: a file, or a stream.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use ocelli_ingest::{
    Source, SourceError,
    pull::{FileSource, RtspError, RtspOptions, RtspSource, RtspUrl, Stop},
};
use ocelli_media::{AccessUnit, CodecParameters};

use crate::network::policy;

/// A word of the command line. Making it never fails: a complaint of the command line's parser would repeat the word, and
/// with it the password of a URL.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    File(PathBuf),
    Stream(Box<RtspUrl>),
    /// Meant as the URL of a stream, and wrong.
    Wrong(Arc<RtspError>),
}

impl From<OsString> for Input {
    fn from(word: OsString) -> Self {
        match word.to_str().filter(|word| RtspUrl::is_meant(word)) {
            None => Self::File(word.into()),
            Some(url) => url
                .parse()
                .map_or_else(|error| Self::Wrong(Arc::new(error)), |url| Self::Stream(Box::new(url))),
        }
    }
}

impl Input {
    /// How it is called in messages and results.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream(url) => url.to_string(),
            Self::Wrong(_) => "rtsp://...".to_owned(),
        }
    }

    /// Whether it goes on until it is ended.
    pub(crate) fn is_stream(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stream(_) | Self::Wrong(_) => None,
        }
    }

    /// Opens it, or says what it is called and why not. `stop` ends waits for the network.
    pub(crate) fn open(&self, stop: &Stop) -> Result<Opened> {
        self.try_open(stop).with_context(|| self.name())
    }

    fn try_open(&self, stop: &Stop) -> Result<Opened> {
        Ok(match self {
            Self::File(path) => Opened::File(Box::new(FileSource::open(path)?)),
            Self::Stream(url) => {
                let options = RtspOptions { stop: stop.clone(), ..RtspOptions::new(policy()?) };
                Opened::Stream(Box::new(RtspSource::open(url, options)?))
            }
            Self::Wrong(error) => return Err(Arc::clone(error).into()),
        })
    }
}

/// A source of either kind.
#[derive(Debug)]
pub(crate) enum Opened {
    File(Box<FileSource>),
    Stream(Box<RtspSource>),
}

impl Opened {
    /// PTS that `--start` and `--end` count from: streams start anywhere.
    pub(crate) fn zero(&self) -> i64 {
        match self {
            Self::File(_) => 0,
            Self::Stream(stream) => stream.first_pts(),
        }
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
}
