//! The body of a form in small pieces, so that nobody makes us keep much of it: the parser of forms takes whatever is there
//! into memory, and looks through headers of parts for as long as they go on.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;

/// Longest piece.
const PIECE: usize = 64 << 10;
/// Most bytes that the parser may take before it has something to show: headers of parts are a few hundred.
const UNPARSED: u64 = 256 << 10;

/// How much has come, and how much more may.
#[derive(Debug)]
pub(super) struct Meter {
    most: u64,
    come: AtomicU64,
    unparsed: AtomicU64,
}

impl Meter {
    /// A body of at most `most` bytes.
    pub(super) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, come: AtomicU64::new(0), unparsed: AtomicU64::new(0) })
    }

    /// The parser has shown something: it may take more.
    pub(super) fn parsed(&self) {
        self.unparsed.store(0, Ordering::Relaxed);
    }

    /// Bytes that have come.
    pub(super) fn come(&self) -> u64 {
        self.come.load(Ordering::Relaxed)
    }

    /// Whether more came than may.
    pub(super) fn is_over(&self) -> bool {
        self.come() > self.most
    }

    fn take(&self, bytes: u64) -> io::Result<()> {
        let unparsed = self.unparsed.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.come.fetch_add(bytes, Ordering::Relaxed);
        if self.is_over() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the body is too long"));
        }
        if unparsed > UNPARSED {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a part of the form has no end of headers",
            ));
        }
        Ok(())
    }
}

/// One piece for each time it is asked, so that the parser looks at it before it takes the next.
struct Pieces {
    body: BodyDataStream,
    rest: Bytes,
    meter: Arc<Meter>,
    gave: bool,
}

/// The body, metered.
pub(super) fn metered(body: Body, meter: Arc<Meter>) -> Body {
    Body::from_stream(Pieces { body: body.into_data_stream(), rest: Bytes::new(), meter, gave: false })
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.gave = true;
        Poll::Ready(Some(self.meter.take(length as u64).map(|()| piece)))
    }
}
