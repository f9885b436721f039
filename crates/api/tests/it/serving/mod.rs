//! The accept loop against clients that are slow, many, broken or malicious. Sockets are real; the clock is turned wherever
//! the client is in the same process.

mod bind;
mod drain;
mod http2;
mod limits;
mod slow;
mod tls;
mod websocket;

use std::net::SocketAddr;

use axum::Router;
use ocelli_api::serving::{Drained, LimitsConfig, Listener, Server, ServingConfig, TlsFiles, limit};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// A server at work.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Running {
    pub(crate) fn start(router: Router, limits: LimitsConfig, tls: Option<TlsFiles>) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let listeners = vec![Listener { address, tls }];
        let server = Server::bind(&ServingConfig { listeners, limits }).unwrap();
        let address = server.addresses()[0];
        let (stop, stopped) = oneshot::channel();
        let router = limit(router, &limits);
        let ended = tokio::spawn(server.run(router, async {
            // Dropping what runs stops it too.
            drop(stopped.await);
        }));
        Self { address, stop, ended }
    }

    pub(crate) fn plain(router: Router) -> Self {
        Self::start(router, LimitsConfig::default(), None)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }

    /// One request on a connection of its own: what came back, to the end of the connection.
    pub(crate) async fn ask(&self, request: &str) -> String {
        let mut client = self.connect().await;
        client.write_all(request.as_bytes()).await.unwrap();
        rest(&mut client).await
    }

    /// That it answers somebody who does nothing wrong.
    pub(crate) async fn check_well(&self) {
        let answer = self.ask("GET /ok HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    }
}

/// Everything up to the end of the connection, which may come hard.
pub(crate) async fn rest(client: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = client.read_to_end(&mut bytes).await {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer of known length, without waiting for the end of the connection.
pub(crate) async fn answer(client: &mut (impl AsyncRead + Unpin), ends: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(ends.as_bytes()) {
        let count = client.read_buf(&mut bytes).await.unwrap();
        assert!(count > 0, "ended after {:?}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/ok", axum::routing::get(|| async { "ok" }))
        .route("/echo", axum::routing::post(|body: axum::body::Bytes| async move { body.len().to_string() }))
}
