//! The body of a request, as it is allowed to come.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http_body::{Frame, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

/// The rate at which a body must come at least, once it has used up its pause. Whoever sends a byte now and then holds
/// memory and a connection for nothing.
const LEAST_BYTES_PER_SECOND: u64 = 1024;

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body of the request stopped coming")]
    Stalled,
    #[error("the body of the request is larger than allowed")]
    Large,
}

/// What became of a body, for whoever answers the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    fn set(&self, error: BodyError) {
        self.0.store(error as u8 + 1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<BodyError> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(BodyError::Stalled),
            2 => Some(BodyError::Large),
            _ => None,
        }
    }
}

/// A body of limited size that must keep coming while it is waited for. The time that its reader takes does not count.
#[derive(Debug)]
pub(super) struct LimitedBody {
    inner: Body,
    left: u64,
    received: u64,
    stall: Duration,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    verdict: Verdict,
    /// Dropped with the body, or at its end: then the request is complete.
    end: Option<oneshot::Sender<()>>,
}

impl LimitedBody {
    /// The body, what becomes of it, and its end, which is told by an error of the receiver.
    pub(super) fn new(
        inner: Body,
        most_bytes: u64,
        stall: Duration,
    ) -> (Self, Verdict, oneshot::Receiver<()>) {
        let (end, ended) = oneshot::channel();
        let verdict = Verdict::default();
        let told = verdict.clone();
        let (waited, waiting) = (Duration::ZERO, None);
        (
            Self { inner, left: most_bytes, received: 0, stall, waited, waiting, verdict, end: Some(end) },
            told,
            ended,
        )
    }

    /// When the wait that begins now has been too long.
    fn deadline(&self, now: Instant) -> Instant {
        let earned = Duration::from_secs(self.received / LEAST_BYTES_PER_SECOND);
        now + self.stall.min((self.stall + earned).saturating_sub(self.waited))
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.verdict.set(error);
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
            if self.waiting.is_none() {
                let now = Instant::now();
                self.waiting = Some((now, Box::pin(sleep_until(self.deadline(now)))));
            }
            if let Some((_since, end)) = &mut self.waiting {
                ready!(end.as_mut().poll(context));
            }
            return self.fail(BodyError::Stalled);
        };
        if let Some((since, _end)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        let count = if let Some(Ok(frame)) = &frame {
            frame.data_ref().map_or(0, |bytes| bytes.remaining() as u64)
        } else {
            // The end, or a connection that broke.
            self.end = None;
            0
        };
        self.received += count;
        match self.left.checked_sub(count) {
            None => self.fail(BodyError::Large),
            Some(left) => {
                self.left = left;
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
