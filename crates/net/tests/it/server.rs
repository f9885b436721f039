//! A server that answers each connection with what the test says, and remembers what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpListener},
    ops::ControlFlow,
    thread::{self, JoinHandle},
    time::Duration,
};

use ocelli_net::{AddressPolicy, Client, DownloadError, Downloaded, Limits, networks};

/// What is sent back for one connection.
pub(crate) enum Answer {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then nothing until the client has gone.
    Stall(Vec<u8>),
    /// The first once, the second again and again until the client has gone.
    Flood(Vec<u8>, Vec<u8>),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    /// Takes as many connections as there are answers.
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || answers.into_iter().map(|answer| answer_one(&listener, answer)).collect();
        let thread = thread::Builder::new().name("server".to_owned()).spawn(serve).unwrap();
        Self { address, thread }
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.address)
    }

    /// The requests' heads, once every answer was given.
    pub(crate) fn asked(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn answer_one(listener: &TcpListener, answer: Answer) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let head = head(&stream);
    // The client may leave at any time: that is what is tested.
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes)),
        Answer::Stall(bytes) => {
            stream.write_all(&bytes).unwrap();
            stream.read_to_end(&mut Vec::new()).ok();
        }
        Answer::Flood(first, again) => {
            let mut sent = stream.write_all(&first);
            while sent.is_ok() {
                sent = stream.write_all(&again);
            }
        }
    }
    head
}

/// Of one request, up to the empty line; an answer before that is nothing that HTTP knows.
pub(crate) fn head(stream: impl Read) -> String {
    let lines = BufReader::new(stream).lines();
    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    bytes
}

pub(crate) fn redirect(to: &str) -> Answer {
    Answer::Bytes(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes())
}

pub(crate) const LIMITS: Limits =
    Limits { most_bytes: 1000, idle: Duration::from_secs(20), total: Duration::from_mins(1) };

/// What came of a download, and the bytes that were stored.
pub(crate) fn fetch(
    allowed: &str,
    url: &str,
    limits: Limits,
) -> (Result<Downloaded, DownloadError>, Vec<u8>) {
    let policy = AddressPolicy::public().with(networks(allowed).unwrap());
    let mut stored = Vec::new();
    let done = Client::new(policy)
        .unwrap()
        .download_blocking(url, limits, &mut stored, &mut |_, _| ControlFlow::Continue(()));
    (done, stored)
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
