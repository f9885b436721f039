//! An HTTP server that does as it is told, for as many clients as come.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// What a request is answered with: decided by its head and by how many came before.
pub(crate) type Decide = dyn Fn(&str, usize) -> Answer + Send + Sync;

pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

pub(crate) enum Then {
    Close,
    Reset,
    /// Nothing, until the client has gone.
    Hold,
    /// The same again and again, as fast as it is taken.
    Flood(Vec<u8>),
    /// The same again and again, now and then.
    Drip(Vec<u8>),
}

pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Answer { bytes: [head.as_bytes(), body].concat(), then: Then::Close }
}

/// Without a size: it ends where the connection does.
pub(crate) fn stream(body: &[u8], then: Then) -> Answer {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n";
    Answer { bytes: [head, body].concat(), then }
}

/// As a file server does, from the byte that is asked for.
pub(crate) fn part(head: &str, tag: &str, body: &[u8]) -> Answer {
    let lower = head.to_ascii_lowercase();
    let from = lower.split("range: bytes=").nth(1).and_then(|rest| rest.split('-').next());
    let Some(Ok(from)) = from.map(str::parse::<usize>) else { return answer("200 OK", "", body) };
    if from >= body.len() {
        return answer("416 Range Not Satisfiable", "", b"");
    }
    let range = format!("ETag: {tag}\r\nContent-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
    answer("206 Partial Content", &range, &body[from..])
}

/// At work until it is dropped.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    pub(crate) fn serve(decide: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, ends) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let decide: Arc<Decide> = Arc::new(decide);
        let (told, ended) = (Arc::clone(&heads), Arc::clone(&ends));
        let accept = move || {
            let mut clients = Vec::new();
            for client in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (decide, told) = (Arc::clone(&decide), Arc::clone(&told));
                let talk = move || talk(client.unwrap(), &*decide, &told);
                clients.push(Builder::new().spawn(talk).unwrap());
            }
            for client in clients {
                client.join().unwrap();
            }
        };
        let thread = Some(Builder::new().spawn(accept).unwrap());
        Self { address, heads, ends, thread }
    }

    /// With secrets.
    pub(crate) fn url(&self) -> String {
        format!("http://canary-user:canary-word@{}/clip?key=canary-query", self.address)
    }

    /// Heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn talk(mut client: TcpStream, decide: &Decide, told: &Mutex<Vec<String>>) {
    let lines = BufReader::new(client.try_clone().unwrap()).lines();
    let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: String = lines.map(|line| line + "\n").collect();
    let before = {
        let mut told = told.lock().unwrap();
        told.push(head.clone());
        told.len() - 1
    };
    let Answer { bytes, then } = decide(&head, before);
    // The client may leave at any time.
    let mut sent = client.write_all(&bytes);
    match then {
        Then::Close => {}
        Then::Reset => socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap(),
        Then::Hold => drop(client.read(&mut [0])),
        Then::Flood(again) => {
            while sent.is_ok() {
                sent = client.write_all(&again);
            }
        }
        Then::Drip(again) => {
            client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            while sent.is_ok() && !matches!(client.read(&mut [0]), Ok(0)) {
                sent = client.write_all(&again);
            }
        }
    }
}
