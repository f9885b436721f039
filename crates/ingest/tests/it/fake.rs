//! An RTSP server that does as it is told, for one client.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    thread::JoinHandle,
};

/// What is said to each request, and what follows PLAY.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Status line, headers after it, body: of DESCRIBE.
    pub(crate) describe: (&'static str, String, String),
    /// Sent after the answer to PLAY.
    pub(crate) media: Vec<u8>,
    pub(crate) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Close,
    Reset,
    /// Nothing, until the client leaves.
    Hold,
}

/// How a body of `lines` describes one video.
pub(crate) fn sdp(lines: &str) -> String {
    format!("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n{lines}")
}

pub(crate) const H264: &str = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n";

impl Script {
    /// H.264 without parameters in its description.
    pub(crate) fn of(media: Vec<u8>, then: Then) -> Self {
        Self::described(H264, media, then)
    }

    pub(crate) fn described(lines: &str, media: Vec<u8>, then: Then) -> Self {
        let headers = "Content-Type: application/sdp\r\n".to_owned();
        Self { describe: ("200 OK", headers, sdp(lines)), media, then }
    }

    /// Refuses at once.
    pub(crate) fn refusing(status: &'static str, headers: &str) -> Self {
        Self { describe: (status, headers.to_owned(), String::new()), media: Vec::new(), then: Then::Hold }
    }

    /// Serves one client on a thread of its own.
    pub(crate) fn serve(self) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = move || self.talk(listener.accept().unwrap().0);
        let thread = std::thread::Builder::new().spawn(serve).unwrap();
        Fake { port, thread: Some(thread) }
    }

    /// The requests that came.
    fn talk(&self, stream: TcpStream) -> Vec<String> {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut out, mut requests) = (stream, Vec::new());
        while let Some(request) = read_request(&mut reader) {
            let field =
                |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let cseq = field("CSeq: ").to_owned();
            let method = request.split(' ').next().unwrap_or_default().to_owned();
            let (status, headers, body) = match method.as_str() {
                "DESCRIBE" => (self.describe.0, self.describe.1.clone(), self.describe.2.as_str()),
                "SETUP" if request.contains("/refused ") => ("461 Unsupported Transport", String::new(), ""),
                "SETUP" => ("200 OK", format!("Session: 1\r\nTransport: {}\r\n", field("Transport: ")), ""),
                _ => ("200 OK", "Session: 1\r\n".to_owned(), ""),
            };
            requests.push(request);
            let length = body.len();
            let answer = format!(
                "RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
            );
            // Whoever is gone hears nothing.
            out.write_all(answer.as_bytes()).ok();
            if method == "PLAY" {
                out.write_all(&self.media).ok();
                match self.then {
                    Then::Hold => {}
                    Then::Close => return requests,
                    Then::Reset => {
                        socket2::SockRef::from(&out).set_linger(Some(std::time::Duration::ZERO)).unwrap();
                        return requests;
                    }
                }
            }
        }
        requests
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut request = String::new();
    loop {
        // Receiver reports come in between.
        while reader.fill_buf().ok()?.first() == Some(&b'$') {
            let mut header = [0; 4];
            reader.read_exact(&mut header).ok()?;
            let length = u16::from_be_bytes([header[2], header[3]]);
            reader.read_exact(&mut vec![0; length.into()]).ok()?;
        }
        let start = request.len();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        if &request[start..] == "\r\n" {
            return Some(request);
        }
    }
}

/// A server at work.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) port: u16,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Fake {
    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/x", self.port)
    }

    /// What it was asked, once its client is gone.
    pub(crate) fn requests(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap()
    }
}

/// Packs an Annex B file for channel 0, its first picture at `start`, 30 a second.
pub(crate) struct Packer {
    sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) out: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(start: u32) -> Self {
        Self { sequence: 7, timestamp: start, out: Vec::new() }
    }

    /// Every NAL unit of H.264; each slice is a picture of its own, as in clips of one slice each.
    pub(crate) fn file(mut self, path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut starts: Vec<usize> =
            (0..bytes.len() - 3).filter(|&at| bytes[at..].starts_with(&[0, 0, 1])).collect();
        starts.push(bytes.len());
        for pair in starts.windows(2) {
            let mut nal = &bytes[pair[0] + 3..pair[1]];
            while let [rest @ .., 0] = nal {
                nal = rest;
            }
            let slice = matches!(nal[0] & 31, 1 | 5);
            self.nal(nal, slice);
            if slice {
                self.timestamp = self.timestamp.wrapping_add(3000);
            }
        }
        self
    }

    /// In one packet, or in fragments (RFC 6184 section 5.8).
    fn nal(&mut self, nal: &[u8], last: bool) {
        const MOST: usize = 1200;
        if nal.len() <= MOST {
            return self.packet(last, &[nal]);
        }
        let pieces = nal[1..].chunks(MOST);
        let count = pieces.len();
        for (index, piece) in pieces.enumerate() {
            let (first, end) = (u8::from(index == 0), u8::from(index + 1 == count));
            let header = [nal[0] & 0xe0 | 0x1c, first << 7 | end << 6 | nal[0] & 0x1f];
            self.packet(last && end == 1, &[&header, piece]);
        }
    }

    fn packet(&mut self, marker: bool, parts: &[&[u8]]) {
        let length = 12 + parts.iter().map(|part| part.len()).sum::<usize>();
        self.out.extend([b'$', 0]);
        self.out.extend((length as u16).to_be_bytes());
        self.out.extend([0x80, u8::from(marker) << 7 | 0x60]);
        self.out.extend(self.sequence.to_be_bytes());
        self.out.extend(self.timestamp.to_be_bytes());
        self.out.extend(0x0ce1_1100_u32.to_be_bytes());
        for part in parts {
            self.out.extend(*part);
        }
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Loses the next packets.
    pub(crate) fn lose(mut self, packets: u16) -> Self {
        self.sequence = self.sequence.wrapping_add(packets);
        self
    }
}
