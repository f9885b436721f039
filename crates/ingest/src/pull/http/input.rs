//! What libav reads from: bytes of a body, and of another one where it jumps.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Buf as _, Bytes, BytesMut};
use ocelli_net::{Body, DownloadError};
use tokio::time::{timeout, timeout_at};
use url::Url;

use super::{HttpError, HttpOptions};
use crate::{
    SourceError,
    pull::{driver::Driver, paced::now},
};

/// Jumps forward up to here are read through: asking anew costs a connection, and mostly more.
const READ_THROUGH: u64 = 1 << 20;

/// What the source tells its input, and hears from it: libav stands between them.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    deadline: Instant,
    patience: Duration,
    failed: Option<SourceError>,
}

impl Link {
    pub(super) fn new(patience: Duration) -> Self {
        Self(Arc::new(Mutex::new(State { deadline: now() + patience, patience, failed: None })))
    }

    /// What waits from here on waits no longer than that in all.
    pub(super) fn allow(&self, patience: Duration) {
        let mut state = self.state();
        (state.deadline, state.patience) = (now() + patience, patience);
    }

    /// The first failure of the input itself.
    pub(super) fn take_failure(&self) -> Option<SourceError> {
        self.state().failed.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file or stream on a server, read as fast as it is consumed. Jumps cost a connection each, where the server knows
/// ranges; elsewhere there are none.
pub(super) struct HttpInput {
    url: Url,
    options: HttpOptions,
    link: Link,
    /// `None` only where a jump failed.
    body: Option<Body>,
    /// Where in the whole the body's next piece begins.
    body_at: u64,
    /// What came of the body and was not read yet.
    piece: Bytes,
    ended: bool,
    /// Where the next read begins.
    at: u64,
    /// Size, where the server says, and lets us begin anywhere.
    reachable: Option<u64>,
    /// Of the version that is read.
    validator: Option<String>,
    /// Last: the others need it when they go.
    driver: Driver,
}

impl HttpInput {
    /// Waits for the head of the answer.
    pub(super) fn open(url: &Url, options: HttpOptions, link: Link) -> Result<Self, SourceError> {
        let driver = Driver::new(options.runtime.as_ref()).map_err(HttpError::Runtime)?;
        let body = ask(&driver, url, &options, 0, None)?;
        let reachable = body.whole().filter(|_| body.is_part());
        let validator = body.validator().map(str::to_owned);
        Ok(Self {
            url: url.clone(),
            options,
            link,
            body: Some(body),
            body_at: 0,
            piece: Bytes::new(),
            ended: false,
            at: 0,
            reachable,
            validator,
            driver,
        })
    }

    pub(super) fn media_type(&self) -> Option<String> {
        self.body.as_ref()?.media_type()
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.reachable.is_some()
    }

    /// The first bytes, at least as many as asked for unless it ends before; they are read again.
    pub(super) fn start(&mut self, bytes: usize) -> Result<Bytes, SourceError> {
        let mut start = BytesMut::from(&self.piece[..]);
        while start.len() < bytes && !self.ended {
            self.next_piece()?;
            start.extend_from_slice(&self.piece);
        }
        self.piece = start.freeze();
        Ok(self.piece.clone())
    }

    /// Where in the whole the piece begins.
    fn piece_at(&self) -> u64 {
        self.body_at - self.piece.len() as u64
    }

    /// Makes the piece begin where the reader is; empty at the end.
    fn follow(&mut self) -> Result<(), SourceError> {
        let near = self.piece_at()..=self.body_at + READ_THROUGH;
        if !near.contains(&self.at) {
            self.jump()?;
        }
        loop {
            let skipped = (self.at - self.piece_at()).min(self.piece.len() as u64);
            self.piece.advance(skipped as usize);
            if self.ended || !self.piece.is_empty() {
                return Ok(());
            }
            self.next_piece()?;
        }
    }

    /// Replaces the piece by the next of the body.
    fn next_piece(&mut self) -> Result<(), SourceError> {
        let (deadline, patience) = {
            let state = self.link.state();
            (state.deadline, state.patience)
        };
        let Some(body) = &mut self.body else { return Err(HttpError::Changed.into()) };
        let patient = async {
            let next = timeout_at(deadline.into(), body.piece()).await;
            Ok::<_, HttpError>(next.map_err(|_elapsed| HttpError::Stalled(patience))??)
        };
        let next = self.driver.wait(self.options.stop.unless(patient))?;
        self.ended = next.is_none();
        self.piece = next.unwrap_or_default();
        self.body_at += self.piece.len() as u64;
        let end = self.body_at;
        if self.ended && self.reachable.is_some_and(|whole| end < whole) {
            return Err(HttpError::Short.into());
        }
        if self.ended && self.options.is_live && body.whole().is_none() {
            return Err(HttpError::Ended.into());
        }
        Ok(())
    }

    /// Asks anew, from where the reader is.
    fn jump(&mut self) -> Result<(), SourceError> {
        // Not two connections at once: some cameras have but one.
        self.body = None;
        let body = ask(&self.driver, &self.url, &self.options, self.at, self.validator.as_deref())?;
        let same = body.is_part() && body.whole() == self.reachable;
        let kept = self.validator.is_none() || body.validator() == self.validator.as_deref();
        if !(same && kept) {
            return Err(HttpError::Changed.into());
        }
        (self.body, self.ended) = (Some(body), false);
        (self.piece, self.body_at) = (Bytes::new(), self.at);
        Ok(())
    }
}

fn ask(
    driver: &Driver,
    url: &Url,
    options: &HttpOptions,
    first: u64,
    unchanged: Option<&str>,
) -> Result<Body, SourceError> {
    let patience = options.connect_timeout;
    let patient = async {
        let body = options.client.read(url.as_str(), first, unchanged, patience);
        match timeout(patience, body).await {
            Ok(Err(DownloadError::Silent { .. })) | Err(_) => Err(HttpError::NoAnswer(patience)),
            Ok(body) => Ok(body?),
        }
    };
    driver.wait(options.stop.unless(patient))
}

impl Read for HttpInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reachable.is_some_and(|whole| self.at >= whole) {
            return Ok(0);
        }
        if let Err(error) = self.follow() {
            // libav would make a number of it.
            self.link.state().failed.get_or_insert(error);
            return Err(io::ErrorKind::Other.into());
        }
        let read = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..read]);
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for HttpInput {
    /// Only looks where that is: the next read goes there.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.reachable.and_then(|whole| whole.checked_add_signed(by)),
        };
        let target = target.filter(|target| *target == self.at || self.reachable.is_some());
        self.at = target.ok_or(io::ErrorKind::Unsupported)?;
        Ok(self.at)
    }
}

impl fmt::Debug for HttpInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpInput").field("body", &self.body).field("at", &self.at).finish_non_exhaustive()
    }
}
