//! A running child, seen from its parent: one question at a time, each with its deadline. Whatever goes wrong ends it.

use std::{
    fs::File,
    io::{self, BufReader, PipeReader, Read, Write},
    os::unix::net::UnixStream,
    process::Child,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, prlimit},
};
use serde::de::DeserializeOwned;

use super::{
    ChildCommand, ChildEnd, ChildError, ChildLimits,
    ending::clean,
    message::{Request, Started},
    wire::{self, Tail},
};
use crate::pull::Stop;

/// How often a wait looks whether it is to end.
const LOOK: Duration = Duration::from_millis(250);
/// How long a child that closed its socket may take to be gone, so that the reason is known.
const LEAVING: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };
/// Read of what a child said last.
const MOST_WORDS: u64 = 4 << 10;
/// How often the limit of processor time is moved on.
const RENEWAL: Duration = Duration::from_secs(1);

/// Ended and waited for when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    line: BufReader<Line>,
    words: PipeReader,
    limits: ChildLimits,
    renewed: Option<Instant>,
    end: Option<ChildEnd>,
}

impl Process {
    /// Starts a child with the file, whose position it shares, and has it lock itself down.
    pub(super) fn start(file: File, command: &ChildCommand, stop: Stop) -> Result<Self, ChildError> {
        let failed = |error| ChildError::Start(Arc::new(error));
        let limits = command.limits.clone();
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let (words, its_words) = io::pipe().map_err(failed)?;
        ours.set_read_timeout(Some(LOOK)).and(ours.set_write_timeout(Some(LOOK))).map_err(failed)?;
        let child = command.start(file, theirs, its_words.into()).map_err(failed)?;
        let line = BufReader::new(Line { socket: ours, until: now() + limits.wall, stop });
        let mut process = Self { child, line, words, limits, renewed: None, end: None };
        let start = Request::Start {
            memory_bytes: process.limits.memory_bytes,
            cpu_seconds: process.limits.cpu.as_secs().max(1),
            require_filter: process.limits.require_filter,
        };
        process.ask(&start, &[]).map_err(ChildError::Ended)?;
        let started: Started = process.hear(|head, _| Ok(head)).map_err(ChildError::Ended)?;
        started.map_err(|why| ChildError::Unlocked(clean(&why)))?;
        // It has set its own limit meanwhile.
        process.renewed = None;
        Ok(process)
    }

    pub(super) fn limits(&self) -> &ChildLimits {
        &self.limits
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a question; its answers are heard until the deadline that begins now.
    pub(super) fn ask(&mut self, request: &Request, tail: &[&[u8]]) -> Result<(), ChildEnd> {
        if let Some(end) = &self.end {
            return Err(end.clone());
        }
        self.renew();
        let line = self.line.get_mut();
        line.until = now() + self.limits.wall;
        wire::write(line, request, tail).map_err(|error| self.ended(&error))
    }

    /// One answer. `read` takes what is in its tail, all of it.
    pub(super) fn hear<T: DeserializeOwned, R>(
        &mut self,
        read: impl FnOnce(T, &mut Tail<'_>) -> io::Result<R>,
    ) -> Result<R, ChildEnd> {
        if let Some(end) = &self.end {
            return Err(end.clone());
        }
        let heard = wire::read(&mut self.line).and_then(|(head, mut tail)| {
            let read = read(head, &mut tail)?;
            tail.end().map(|()| read)
        });
        heard.map_err(|error| self.ended(&error))
    }

    /// It answered what it must not.
    pub(super) fn lied(&mut self, what: &str) -> ChildEnd {
        self.ended(&wire::invalid(what))
    }

    /// Moves the limit of processor time on: so much for this answer, whatever was used before. The child cannot.
    fn renew(&mut self) {
        let now = now();
        if self.renewed.is_some_and(|renewed| now - renewed < RENEWAL) {
            return;
        }
        self.renewed = Some(now);
        let pid = self.child.id();
        let Some(used) = processor_seconds(pid) else { return };
        let current = Some(used + self.limits.cpu.as_secs().max(1) + RENEWAL.as_secs());
        // The hard limit is the one that it inherited. Where it is gone already, the answer does not come.
        let maximum = getrlimit(Resource::Cpu).maximum;
        prlimit(pid_of(pid), Resource::Cpu, Rlimit { current, maximum }).ok();
    }

    /// Ends it after a failure, and finds out what happened.
    fn ended(&mut self, error: &io::Error) -> ChildEnd {
        if let Some(end) = &self.end {
            return end.clone();
        }
        let seen = match error.kind() {
            io::ErrorKind::TimedOut => Some(ChildEnd::Late(self.limits.wall)),
            io::ErrorKind::InvalidData => Some(ChildEnd::Lied(clean(&error.to_string()))),
            _ if is_stop(error) => Some(ChildEnd::Stopped),
            _ => None,
        };
        if seen.is_none() {
            self.wait_until_gone();
        }
        self.child.kill().ok();
        let status = self.child.wait();
        let end = seen.unwrap_or_else(|| match status {
            Ok(status) => ChildEnd::of(status, &self.last_words(), &self.limits),
            Err(error) => ChildEnd::Exit { code: -1, words: error.to_string() },
        });
        self.end.insert(end).clone()
    }

    fn wait_until_gone(&self) {
        let gone = pid_of(self.child.id()).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        if let Some(Ok(gone)) = gone {
            poll(&mut [PollFd::new(&gone, PollFlags::IN)], Some(&LEAVING)).ok();
        }
    }

    /// Nobody writes any more: a child starts nothing that could.
    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        (&mut self.words).take(MOST_WORDS).read_to_end(&mut words).ok();
        String::from_utf8_lossy(&words).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

fn is_stop(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref()).is_some_and(|Stopped| true)
}

/// The end was asked for while a child worked.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// The socket, with the deadline of the question in hand.
#[derive(Debug)]
struct Line {
    socket: UnixStream,
    until: Instant,
    stop: Stop,
}

impl Line {
    /// Until bytes pass or time is up: also where a child sends byte after byte.
    fn until_done(
        &mut self,
        mut transfer: impl FnMut(&mut UnixStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if self.stop.is_asked() {
                return Err(io::Error::other(Stopped));
            }
            if now() >= self.until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match transfer(&mut self.socket) {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_done(|socket| socket.read(buffer))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_done(|socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "deadlines of another process: the edge")]
fn now() -> Instant {
    Instant::now()
}

fn pid_of(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// What a process has used, rounded up; from fields 14 and 15 of its `stat`, which follow a name in brackets.
fn processor_seconds(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    let used = ticks.next()?.checked_add(ticks.next()?)?;
    Some(used.div_ceil(rustix::param::clock_ticks_per_second()))
}
