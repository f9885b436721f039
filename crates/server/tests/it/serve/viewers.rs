//! A crowd of viewers of one recorded stream, half of which asks and never reads.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread::{Builder, JoinHandle},
};

use serde_json::{Value, json};
use tungstenite::{Message, client, client::IntoClientRequest as _};

use super::{
    asking::{Follower, ask, connect},
    cameras::clip,
    published::Publisher,
    recorded::set,
    served::{Served, Site},
};

const STREAM: &str = "/api/v1/streams/obs";
/// More than a segment has.
const MOST_PARTS: usize = 1000;
/// Answers that somebody asks for who reads none: more than any buffer of a connection holds.
const UNREAD: usize = 300;
/// What so many connections may take at most, beside what the server took before: a few MB for the window, and each its buffers.
const MOST_KB: u64 = 250_000;
/// What one connection may take.
const EACH_KB: u64 = 600;

/// In seconds: of the server with a viewer that reads nothing and answers no ping.
const LONGEST_PATIENCE: u64 = 60;

/// Parts by segment, in order: how many of it were read.
type Parts = BTreeMap<u64, usize>;

/// On a thread of its own: what it read.
fn reader(name: &str, read: impl FnOnce() -> Parts + Send + 'static) -> JoinHandle<Parts> {
    Builder::new().name(name.to_owned()).stack_size(256 << 10).spawn(read).unwrap()
}

/// fMP4 over WebSocket, up to the end of the stream.
fn follow(address: SocketAddr) -> Parts {
    let request = format!("ws://{address}{STREAM}/media").into_client_request().unwrap();
    let (mut socket, _answer) = client(request, connect(address)).unwrap();
    let (mut parts, mut newest) = (Parts::new(), None);
    loop {
        match socket.read().expect("a viewer that reads is not cut") {
            Message::Text(text) => match serde_json::from_str::<Value>(&text).unwrap()["type"].as_str() {
                Some("init") => {}
                Some("ended") => return parts,
                told => panic!("a viewer that reads is told {told:?}: {text}"),
            },
            Message::Binary(bytes) if bytes[4..8] == *b"ftyp" => {}
            Message::Binary(bytes) => {
                let number = u64::from_be_bytes(*bytes[8..].first_chunk().unwrap());
                let pts = i64::from_be_bytes(*bytes[16..].first_chunk().unwrap());
                assert!(newest.is_none_or(|newest| newest < pts), "{newest:?} {pts}");
                newest = Some(pts);
                *parts.entry(number).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// One request after the other on one connection.
pub(super) struct Player {
    address: SocketAddr,
    stream_path: String,
    stream: BufReader<TcpStream>,
}

impl Player {
    pub(super) fn new(address: SocketAddr, path: &str) -> Self {
        Self { address, stream_path: path.to_owned(), stream: BufReader::new(connect(address)) }
    }

    pub(super) fn get(&mut self, path: &str) -> (u16, Vec<u8>) {
        let request =
            format!("GET {}/hls/{path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.stream_path, self.address);
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "a player that reads is not cut");
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().unwrap().parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status, body)
    }
}

/// LL-HLS from the part that comes next, each asked for before it is there.
fn play(address: SocketAddr) -> Parts {
    let mut player = Player::new(address, STREAM);
    let (_, playlist) = player.get("live.m3u8");
    let playlist = String::from_utf8(playlist).unwrap();
    let (_, hint) = playlist
        .rsplit_once("TYPE=PART,URI=\"obs/")
        .or_else(|| playlist.rsplit_once("TYPE=PART,URI=\""))
        .expect("a hint");
    let mut words = hint.split(['.', '"']).map(str::parse::<u64>);
    let (mut number, mut part) = (words.next().unwrap().unwrap(), words.next().unwrap().unwrap());
    let mut parts = Parts::new();
    loop {
        match player.get(&format!("{number}.{part}.m4s")) {
            (200, body) => {
                assert_eq!(&body[4..8], b"moof");
                part += 1;
                *parts.entry(number).or_default() += 1;
            }
            (404, _) if part > 0 => (number, part) = (number + 1, 0),
            (404, _) => return parts,
            (status, body) => panic!("{number}.{part}: {status} {}", String::from_utf8_lossy(&body)),
        }
    }
}

/// Somebody who asks and never reads.
fn deaf(address: SocketAddr, socket: bool) -> TcpStream {
    let mut stream = connect(address);
    if socket {
        let head = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        write!(stream, "GET {STREAM}/media HTTP/1.1\r\nHost: {address}\r\n{head}\r\n").unwrap();
    } else {
        let request = format!("GET {STREAM}/hls/0.m4s HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.repeat(UNREAD).as_bytes()).unwrap();
    }
    stream
}

/// Memory of the server, in kB.
fn resident_kb(server: &Served) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// All parts that are recorded.
fn recorded(server: &Served) -> Parts {
    let page = server.get(&format!("{STREAM}/recording/segments?limit=1000")).is(200).json();
    let numbers = page["items"].as_array().unwrap().iter().map(|segment| segment["number"].as_u64().unwrap());
    let count = |number: u64| {
        let there = |part: &usize| server.get(&format!("{STREAM}/hls/{number}.{part}.m4s")).status == 200;
        (0..MOST_PARTS).take_while(there).count()
    };
    numbers.map(|number| (number, count(number))).collect()
}

/// From its first on, a viewer has every part up to the last.
fn is_whole(read: &Parts, all: &Parts) -> bool {
    let Some((first, begun)) = read.first_key_value() else { return false };
    let later =
        |parts: &Parts| parts.range(first + 1..).map(|(number, count)| (*number, *count)).collect::<Vec<_>>();
    *begun <= all[first] && later(read) == later(all)
}

/// A few here; 500 for longer than anybody is waited for in the long run (`./dev soak viewers`).
#[test]
fn who_never_reads_takes_nothing_from_those_who_do() {
    let (viewers, seconds) = (set("OCELLI_TEST_VIEWERS", 48), set("OCELLI_TEST_SECONDS", 14));
    let half = viewers / 2;
    let clip = clip().frames(seconds as u32 * 25).params("qp=20").cached();
    let site = Site::new(&["server.drain_timeout=10 s"]);
    let server = site.start();
    let spec = json!({"id": "obs", "fps": "1", "frames": {}, "record": {}, "source": {"url": "publish:obs"},
        "publish": {"secret": "of-publishers"}});
    server.create(&spec).is(201);
    let mut follower = Follower::new(server.address);
    let url = format!("rtmp://127.0.0.1:{}/live/obs?secret=of-publishers", site.rtmp_port());
    let publisher = Publisher::start(&clip, &url);
    follower.frame("obs", 1);
    while server.get(&format!("{STREAM}/hls/live.m3u8")).status != 200 {
        follower.until("the next frame", |message| message["type"] == "result");
    }
    drop(follower);
    let before = resident_kb(&server);
    let address = server.address;
    let deaf: Vec<_> = (0..half).map(|place| deaf(address, place % 2 == 0)).collect();
    let readers: Vec<_> = (0..half)
        .map(|place| match place % 5 {
            0 => reader("player", move || play(address)),
            _ => reader("viewer", move || follow(address)),
        })
        .collect();
    assert_eq!(publisher.ended(), (true, String::new()));
    let with = resident_kb(&server);
    // Another one: it, too, would be cut for having read nothing meanwhile.
    Follower::new(address).state("obs", "starting");
    ask(address, "POST", &format!("{STREAM}/stop"), &[], b"").is(200);
    let read: Vec<Parts> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let all = recorded(&server);
    for read in &read {
        assert!(is_whole(read, &all), "a viewer has {read:?} of {all:?}");
    }
    let most = before + MOST_KB.min(viewers * EACH_KB);
    assert!(with < most, "{viewers} viewers: from {before} to {with} kB, at most {most}");
    let recording = server.get(&format!("{STREAM}/recording")).is(200).json();
    assert_eq!(recording["gaps"], json!([]), "{recording}");
    let played = super::published::times(&format!("{}{STREAM}/hls/archive.m3u8?run=0", server.url()));
    assert_eq!(played.len() as u64, seconds * 25, "every picture is recorded");
    // They are still there, or were cut meanwhile, and do not hold its end up.
    server.stop();
    let parts: usize = all.values().sum();
    for pair in deaf.chunks(2) {
        check_socket(&pair[0], parts, seconds > LONGEST_PATIENCE);
        if let Some(stream) = pair.get(1) {
            check_answers(stream);
        }
    }
    site.check_archive().whole();
}

/// What lies in the buffers of somebody who never read.
fn unread(mut stream: &TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // It may have been reset.
    stream.read_to_end(&mut said).ok();
    said
}

fn count(said: &[u8], words: &[u8]) -> usize {
    said.windows(words.len()).filter(|bytes| *bytes == words).count()
}

/// Less than was asked for: the server waited for no more, and then no longer.
fn check_answers(stream: &TcpStream) {
    let answers = count(&unread(stream), b"HTTP/1.1 200");
    assert!((1..UNREAD).contains(&answers), "{answers} answers");
}

/// Less than all, or all with its end; who was silent for longer than anybody is waited for heard of no end, for it was cut.
fn check_socket(stream: &TcpStream, parts: usize, is_cut: bool) {
    let said = unread(stream);
    let told = count(&said, b"\"type\":\"ended\"") + count(&said, b"\"type\":\"missed\"") > 0;
    let media = count(&said, b"moof");
    assert!(count(&said, b"HTTP/1.1 101") == 1 && (told || media < parts), "{media} parts of {parts}");
    assert!(!(is_cut && told), "it was to be cut");
}
