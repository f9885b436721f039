//! Clients of the server: one request and its answer, and a follower of all streams.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;
use tungstenite::{Message, WebSocket, client, client::IntoClientRequest as _};

/// A guard against hangs, not a limit to meet.
const HANGS: Duration = Duration::from_mins(1);

/// What the server says to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(super) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.text());
        self
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream
}

/// One request on a connection of its own.
#[track_caller]
pub(super) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = connect(address);
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    // A refusal may come before all was sent.
    stream.write_all(&[head.as_bytes(), body].concat()).ok();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let end = said.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(said[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    Answer { status, head, body: said.split_off(end + 4) }
}

/// Follows all streams.
pub(super) struct Follower {
    socket: WebSocket<TcpStream>,
    /// All messages so far, a line each.
    pub(super) heard: String,
}

impl Follower {
    /// Of the streams that are there now; of others it would hear late.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self::with(address, "")
    }

    /// With a credential.
    pub(super) fn with(address: SocketAddr, credential: &str) -> Self {
        let mut request = format!("ws://{address}/api/v1/live").into_client_request().unwrap();
        if !credential.is_empty() {
            request.headers_mut().insert("Authorization", credential.parse().unwrap());
        }
        Self { socket: client(request, connect(address)).unwrap().0, heard: String::new() }
    }

    /// Waits for the first message of which this holds.
    #[track_caller]
    pub(super) fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    self.heard.push_str(&text);
                    self.heard.push('\n');
                    let message = serde_json::from_str(&text).unwrap();
                    if holds(&message) {
                        return message;
                    }
                }
                Ok(_) => {}
                Err(error) => panic!("waiting for {what}: {error} after {}", self.heard),
            }
        }
    }

    /// Waits until a stream is in this state.
    #[track_caller]
    pub(super) fn state(&mut self, stream: &str, state: &str) -> Value {
        self.until(&format!("{stream} {state}"), |message| {
            message["stream"] == stream && message["status"]["state"] == state
        })
    }

    /// Waits until a stream has written a frame of at least this number.
    #[track_caller]
    pub(super) fn frame(&mut self, stream: &str, number: u64) -> u64 {
        let count = |message: &Value| message["frame"].as_u64().or(message["status"]["frame_count"].as_u64());
        let message = self.until(&format!("frame {number} of {stream}"), |message| {
            message["stream"] == stream && count(message) >= Some(number)
        });
        count(&message).unwrap_or_default()
    }
}
