//! A server on 127.0.0.1, and clients of its WebSockets.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::Request, middleware};
use futures_util::{SinkExt as _, StreamExt as _};
use ocelli_api::serving::Peer;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use crate::stand::{Stand, engine::MemoryEngine};

pub(super) struct Served {
    pub(super) stand: Stand,
    pub(super) engine: Arc<MemoryEngine>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    pub(super) async fn new(stand: Stand) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router: Router = stand.router.clone().layer(middleware::from_fn(
            move |mut request: Request, next: middleware::Next| {
                request.extensions_mut().insert(Peer::new(address, false));
                next.run(request)
            },
        ));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { engine: Arc::clone(&stand.engine), stand, address, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(super) async fn try_connect(served: &Served, path: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(served.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}{path}", served.address), stream).await?;
        Ok(Self { socket })
    }

    pub(super) async fn connect(served: &Served, path: &str) -> Self {
        Self::try_connect(served, path).await.unwrap()
    }

    /// The status of a refusal.
    pub(super) async fn refused(served: &Served, path: &str) -> u16 {
        match Self::try_connect(served, path).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }

    /// The next message; `None` at the end. Pings are answered while it waits.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code with which the server ends.
    pub(super) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Reads until a ping came, which is answered.
    pub(super) async fn pong(&mut self) {
        while !matches!(self.socket.next().await, Some(Ok(Message::Ping(_)))) {}
        self.socket.flush().await.unwrap();
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }
}
