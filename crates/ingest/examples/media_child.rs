//! Children for the tests of `child`: an honest one, one that tries what it may not, one that lies.
//!
//! - `media_child media-child`: as the product's binary.
//! - `media_child try WHAT`: locks itself down, tries it, prints what came of it.
//! - `media_child lie ANSWER...`: answers each question with the next word: heads in JSON, each followed by `#BYTES` where a tail
//!   of zeros follows, joined by spaces. `!` instead of a head: bytes that are no message. `.`: one byte of
//!   a message now and then. `@`: nothing, for it works without end.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::UdpSocket,
    os::unix::{net::UnixStream, process::CommandExt as _},
    process::{Command, ExitCode},
    time::Duration,
};

use ocelli_ingest::child::{ChildLimits, WORD, lock_down, serve};
use rustix::{
    event::{Timespec, poll},
    process::{Resource, Rlimit, Signal, getppid, kill_process, setrlimit},
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [WORD] => serve(),
        ["try", what] => attempt(what),
        ["lie", answers @ ..] => lie(answers).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        _ => ExitCode::from(2),
    }
}

fn attempt(what: &str) -> ExitCode {
    // As a descriptor that leaked into the child.
    let mut leaked = File::open("/proc/self/status").expect("proc is there");
    let parent = getppid().expect("it has one");
    let limits =
        ChildLimits { memory_bytes: 64 << 20, cpu: Duration::from_secs(1), ..ChildLimits::default() };
    lock_down(&limits).expect("the kernel has seccomp");
    let came_of_it = match what {
        "nothing" => Ok(()),
        "memory" => Vec::<u8>::new().try_reserve_exact(32 << 20).map_err(io::Error::other),
        "open" => File::open("/etc/hostname").map(drop),
        "create" => File::create("/tmp/ocelli-was-here").map(drop),
        "leaked" => leaked.read(&mut [0; 8]).map(drop),
        "write-input" => rustix::io::write(rustix::stdio::stdin(), b"x").map(drop).map_err(io::Error::from),
        "duplicate" => leaked.try_clone().map(drop),
        "list" => std::fs::read_dir("/").map(drop),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(drop),
        "too-much" => Vec::<u8>::new().try_reserve_exact(128 << 20).map_err(io::Error::other),
        "insist" => {
            drop(std::hint::black_box(vec![1_u8; 128 << 20]));
            Ok(())
        }
        "raise" => {
            let more = Rlimit { current: None, maximum: None };
            setrlimit(Resource::As, more).map_err(io::Error::from)
        }
        "spawn" => Command::new("/bin/true").spawn().map(drop),
        "exec" => Err(Command::new("/bin/true").exec()),
        "udp" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "unix" => UnixStream::pair().map(drop),
        "kill-parent" => kill_process(parent, Signal::TERM).map_err(io::Error::from),
        "spin" => loop {
            std::hint::black_box(());
        },
        _ => Err(io::Error::other("no such attempt")),
    };
    let line = came_of_it.map_or_else(|error| format!("{:?}", error.kind()), |()| "done".to_owned());
    let written = rustix::io::write(rustix::stdio::stdout(), line.as_bytes());
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lie(answers: &[&str]) -> io::Result<()> {
    let mut socket = UnixStream::from(rustix::stdio::stdout().try_clone_to_owned()?);
    for answer in answers {
        let mut lengths = [0; 8];
        socket.read_exact(&mut lengths)?;
        let [head, tail] = [0, 4].map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|byte| lengths[at + byte])));
        io::copy(&mut (&mut socket).take(u64::from(head) + u64::from(tail)), &mut io::sink())?;
        for part in answer.split(' ') {
            say(&mut socket, part)?;
        }
    }
    // Until the parent has had enough.
    io::copy(&mut socket, &mut io::sink()).map(drop)
}

fn say(socket: &mut UnixStream, part: &str) -> io::Result<()> {
    if part == "@" {
        loop {
            std::hint::black_box(());
        }
    }
    if part == "!" {
        return socket.write_all(&[0xff; 4096]);
    }
    if part == "." {
        // The lengths of a megabyte, which then comes byte by byte.
        socket.write_all(&[0, 0, 0x10, 0, 0, 0, 0, 0])?;
        loop {
            socket.write_all(b"x")?;
            poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }))?;
        }
    }
    let (head, tail) = part.rsplit_once('#').unwrap_or((part, "0"));
    let tail: u32 = tail.parse().map_err(io::Error::other)?;
    socket.write_all(&(head.len() as u32).to_le_bytes())?;
    socket.write_all(&tail.to_le_bytes())?;
    socket.write_all(head.as_bytes())?;
    io::copy(&mut io::repeat(0).take(u64::from(tail)), socket).map(drop)
}
