//! A server on 127.0.0.1, and clients of its WebSockets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, extract::Request, middleware};
use futures_util::{SinkExt as _, StreamExt as _};
use ocelli_api::serving::Peer;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use crate::stand::{Stand, engine::MemoryEngine};

pub(crate) struct Served {
    pub(crate) stand: Stand,
    pub(crate) engine: Arc<MemoryEngine>,
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn new(stand: Stand) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let router: Router = stand.router.clone().layer(middleware::from_fn(
            move |mut request: Request, next: middleware::Next| {
                count.fetch_add(1, Ordering::Relaxed);
                request.extensions_mut().insert(Peer::new(address, false));
                next.run(request)
            },
        ));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { engine: Arc::clone(&stand.engine), stand, address, requests, task }
    }
}

impl Served {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
}

/// What a server says.
#[derive(Debug)]
pub(crate) enum Said {
    Text(Value),
    Bytes(Vec<u8>),
}

impl Client {
    pub(crate) async fn try_connect(served: &Served, path: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(served.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}{path}", served.address), stream).await?;
        Ok(Self { socket })
    }

    pub(crate) async fn connect(served: &Served, path: &str) -> Self {
        Self::try_connect(served, path).await.unwrap()
    }

    /// The status of a refusal.
    pub(crate) async fn refused(served: &Served, path: &str) -> u16 {
        match Self::try_connect(served, path).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }

    /// With a receive buffer that is soon full.
    pub(crate) async fn connect_small(served: &Served, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let stream = socket.connect(served.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}{path}", served.address), stream).await.unwrap();
        Self { socket }
    }

    /// The next message of either kind.
    pub(crate) async fn hear(&mut self) -> Option<Said> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(Said::Text(serde_json::from_str(&text).unwrap())),
                Ok(Message::Binary(bytes)) => return Some(Said::Bytes(bytes.to_vec())),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next message; `None` at the end. Pings are answered while it waits.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code with which the server ends.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Reads until a ping came, which is answered.
    pub(crate) async fn pong(&mut self) {
        while !matches!(self.socket.next().await, Some(Ok(Message::Ping(_)))) {}
        self.socket.flush().await.unwrap();
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &'static [u8]) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }
}
