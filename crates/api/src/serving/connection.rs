//! One connection, from its handshake to its end.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, http::Request, response::Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{sleep, timeout},
};
use tower::Service;

use super::{
    config::{LimitsConfig, seconds},
    draining::Draining,
    peer::Peer,
};
use crate::access::take_credentials;

/// How long a connection that is idle has to say good-bye.
const GOODBYE: Duration = Duration::from_secs(5);
/// HTTP/2: pings show that the other end is still there.
const PING: Duration = Duration::from_secs(30);
/// HTTP/1.1: most bytes of the head of a request.
const HEAD_BYTES: usize = 64 * 1024;
/// HTTP/2: most bytes of an answer that wait for their client, for each stream.
const SEND_BYTES: usize = 128 * 1024;

/// What all connections of a server share.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pub(super) router: Router,
    pub(super) limits: LimitsConfig,
    pub(super) draining: Draining,
    builder: Builder<TokioExecutor>,
}

impl Connections {
    pub(super) fn new(router: Router, limits: LimitsConfig, draining: Draining) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // Runs between requests too. The first has a limit of its own.
            .header_read_timeout(seconds(limits.idle_s))
            .max_buf_size(HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.http2_streams)
            .max_send_buf_size(SEND_BYTES)
            .keep_alive_interval(PING)
            .keep_alive_timeout(GOODBYE);
        // Floods of opened and reset streams (CVE-2023-44487, CVE-2025-8671) end the connection: at most 20 resets by the
        // client before we accept, and 1024 that its errors make us send, by default.
        Self { router, limits, draining, builder }
    }

    /// Serves what comes over `io` until either side closes it, or the server drains.
    pub(super) async fn serve<Io>(self, io: Io, peer: Peer)
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, limits, mut draining, builder } = self;
        let (active, mut activity) = watch::channel(Activity::default());
        let service = Entry { router, peer, draining: draining.clone(), active };
        let connection =
            builder.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service));
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = draining.begun() => None,
            () = idle(&mut activity, &limits) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = good_bye(&mut activity) => return,
            }
        };
        if let Err(error) = ended {
            tracing::debug!(client = %peer.address, error, "connection ended");
        }
    }

    /// The encrypted stream over a socket, if the client agrees on one in time.
    pub(super) async fn encrypt<Io>(
        &self,
        acceptor: &tokio_rustls::TlsAcceptor,
        io: Io,
        peer: Peer,
    ) -> Option<tokio_rustls::server::TlsStream<Io>>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        match timeout(seconds(self.limits.handshake_s), acceptor.accept(io)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(client = %peer.address, %error, "TLS handshake failed");
                None
            }
            Err(_elapsed) => {
                tracing::debug!(client = %peer.address, "TLS handshake took too long");
                None
            }
        }
    }
}

/// What goes on in a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Activity {
    /// Requests whose answers have not been sent to their end.
    requests: usize,
    /// Whether there has been one.
    any: bool,
}

/// Waits until nothing has gone on for too long: in a connection that was opened and left, whatever protocol it was for.
async fn idle(activity: &mut watch::Receiver<Activity>, limits: &LimitsConfig) {
    loop {
        let Activity { requests, any } = *activity.borrow_and_update();
        let longest = seconds(if any { limits.idle_s } else { limits.head_s });
        if requests > 0 {
            if activity.changed().await.is_err() {
                // The service is gone: so is the connection.
                return std::future::pending().await;
            }
        } else if timeout(longest, activity.changed()).await.is_err() {
            return;
        }
    }
}

/// Waits until a connection that was told to end has had the time to. Whoever has requests going on may finish them; the
/// server sets the limit.
async fn good_bye(activity: &mut watch::Receiver<Activity>) {
    drop(activity.wait_for(|activity| activity.requests == 0).await);
    sleep(GOODBYE).await;
}

/// Where requests come in.
#[derive(Clone, Debug)]
struct Entry {
    router: Router,
    peer: Peer,
    draining: Draining,
    active: watch::Sender<Activity>,
}

impl<Incoming> Service<Request<Incoming>> for Entry
where
    Incoming: http_body::Body<Data = Bytes> + Send + 'static,
    Incoming::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        let going = Going::new(self.active.clone());
        take_credentials(&mut request);
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(self.draining.clone());
        let answer = self.router.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| Body::new(Sent { body, _going: going })))
        })
    }
}

/// A request whose answer has not been sent to its end.
#[derive(Debug)]
struct Going(watch::Sender<Activity>);

impl Going {
    fn new(active: watch::Sender<Activity>) -> Self {
        active.send_modify(|activity| *activity = Activity { requests: activity.requests + 1, any: true });
        Self(active)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.send_modify(|activity| activity.requests -= 1);
    }
}

/// The body of an answer, which is dropped when it has been sent or nobody wants it any more.
struct Sent {
    body: Body,
    _going: Going,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
