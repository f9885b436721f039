//! A WebSocket client of a server on this machine.

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// One connection.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// `address` is that of the server, with its port; `path` begins with a stroke.
    pub(crate) async fn open(address: &str, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        let (socket, _response) = client_async(format!("ws://{address}{path}"), stream).await?;
        Ok(Self(socket))
    }

    /// The text of the next message. Pings are answered.
    pub(crate) async fn next(&mut self) -> Result<String> {
        loop {
            match self.0.next().await.context("the server closed the connection")?? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(reason) => bail!("the server closed the connection: {reason:?}"),
                _ => {}
            }
        }
    }

    pub(crate) async fn close(mut self) {
        // Whether it hears it is all the same.
        self.0.close(None).await.ok();
    }
}

/// `seq` of a message of the server. Found, not parsed: a thousand followers share a core with the server.
pub(crate) fn seq(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("\"seq\":")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}
