//! A publisher that does as it is told, written apart from the server: no code of it is shared.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// Chunks as long as that.
const CHUNK: usize = 4000;

pub(crate) struct Publisher {
    pub(crate) stream: TcpStream,
    /// What the server said.
    heard: Vec<u8>,
}

impl Publisher {
    /// A connection that says nothing so far.
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // No test waits for ever.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream, heard: Vec::new() }
    }

    /// Asks to publish, and hears what the server says to that.
    pub(crate) fn publish(port: u16, name: &str) -> (Self, String) {
        let mut publisher = Self::connect(port);
        publisher.shake_hands();
        publisher.command(0, "connect", 1.0, &object(&[("app", "live"), ("tcUrl", "rtmp://canary/live")]));
        publisher.send(&chunks(2, (1, 0, 0), &(CHUNK as u32).to_be_bytes(), 128));
        publisher.command(0, "createStream", 2.0, &[5]);
        let text = |word: &str| [&[2, 0, word.len() as u8][..], word.as_bytes()].concat();
        publisher.command(1, "publish", 3.0, &[&[5][..], &text(name), &text("live")].concat());
        let code = publisher.status();
        (publisher, code)
    }

    /// One that was let in.
    pub(crate) fn admitted(port: u16, name: &str) -> Self {
        let (publisher, code) = Self::publish(port, name);
        assert_eq!(code, "NetStream.Publish.Start");
        publisher
    }

    fn shake_hands(&mut self) {
        self.send(&[&[3][..], &[9; 1536]].concat());
        let mut answer = [0; 1 + 2 * 1536];
        self.stream.read_exact(&mut answer).unwrap();
        assert_eq!((answer[0], &answer[1537..]), (3, &[9; 1536][..]));
        self.send(&answer[1..1537]);
    }

    /// Whoever was sent away cannot send any more.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn command(&mut self, stream: u32, name: &str, number: f64, rest: &[u8]) {
        let mut payload = vec![2, 0, name.len() as u8];
        payload.extend(name.as_bytes());
        payload.push(0);
        payload.extend(number.to_be_bytes());
        payload.extend(rest);
        assert!(payload.len() <= 128, "one chunk");
        self.send(&chunks(3, (20, stream, 0), &payload, 128));
    }

    pub(crate) fn video(&mut self, time: u32, tag: &[u8]) {
        self.send(&video(time, tag));
    }

    pub(crate) fn audio(&mut self, time: u32, tag: &[u8]) {
        self.send(&chunks(4, (8, 1, time), tag, CHUNK));
    }

    /// As encoders end.
    pub(crate) fn leave(mut self) {
        self.command(0, "FCUnpublish", 6.0, &[5]);
        assert_eq!(self.status(), "NetStream.Unpublish.Success");
    }

    /// The next code of a status that the server says, and forgets it.
    pub(crate) fn status(&mut self) -> String {
        const MARK: &[u8] = b"\x04code\x02\0";
        loop {
            let found = self.heard.windows(MARK.len()).position(|window| window == MARK);
            if let Some(at) = found.map(|at| at + MARK.len())
                && let Some(length) = self.heard.get(at)
                && let Some(code) = self.heard.get(at + 1..=at + usize::from(*length))
            {
                let code = String::from_utf8(code.to_vec()).unwrap();
                self.heard.drain(..at);
                if code.starts_with("NetStream.") {
                    return code;
                }
                continue;
            }
            assert!(self.read() > 0, "the server closes without a word");
        }
    }

    /// What the server says until it closes.
    pub(crate) fn last_words(&mut self) -> String {
        while self.read() > 0 {}
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    fn read(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let count = match self.stream.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("the server says nothing: {error}"),
        };
        self.heard.extend(&buffer[..count]);
        count
    }

    pub(crate) fn hang_up(&self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }
}

pub(crate) fn video(time: u32, tag: &[u8]) -> Vec<u8> {
    chunks(6, (9, 1, time), tag, CHUNK)
}

fn object(properties: &[(&str, &str)]) -> Vec<u8> {
    let mut out = vec![3];
    for (name, value) in properties {
        out.extend([0, name.len() as u8]);
        out.extend(name.as_bytes());
        out.extend([2, 0, value.len() as u8]);
        out.extend(value.as_bytes());
    }
    out.extend([0, 0, 9]);
    out
}

/// A message with a whole header; times beyond 24 bits behind it, and again in each chunk.
fn chunks(id: u8, (kind, stream, time): (u8, u32, u32), payload: &[u8], chunk: usize) -> Vec<u8> {
    let late = if time >= 0xff_ffff { time.to_be_bytes().to_vec() } else { Vec::new() };
    let mut out = vec![id];
    out.extend(&time.min(0xff_ffff).to_be_bytes()[1..]);
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(kind);
    out.extend(stream.to_le_bytes());
    for (index, piece) in payload.chunks(chunk).enumerate() {
        if index > 0 {
            out.push(0xc0 | id);
        }
        out.extend(&late);
        out.extend(piece);
    }
    out
}
