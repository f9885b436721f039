//! Where bytes go, until something breaks.

use std::io::{self, Write};

/// A writer that never continues after a failure: what would follow might be glued to half a line.
#[derive(Debug)]
pub(crate) struct Output<W> {
    inner: W,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    Closed,
    Broken,
}

/// Why bytes were not written.
#[derive(Debug)]
pub(crate) enum OutputError {
    /// The reader has gone, now or before.
    Closed,
    /// Now.
    Write(io::Error),
    /// Before.
    Broken,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, state: State::Whole }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.attempt(|inner| inner.write_all(bytes))
    }

    pub(crate) fn flush(&mut self) -> Result<(), OutputError> {
        self.attempt(W::flush)
    }

    /// For a failure beside the output that leaves it unfit to go on.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Broken;
    }

    /// Whether anything failed before.
    pub(crate) fn check(&self) -> Result<(), OutputError> {
        match self.state {
            State::Whole => Ok(()),
            State::Closed => Err(OutputError::Closed),
            State::Broken => Err(OutputError::Broken),
        }
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }

    fn attempt(&mut self, act: impl FnOnce(&mut W) -> io::Result<()>) -> Result<(), OutputError> {
        self.check()?;
        act(&mut self.inner).map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.state = State::Closed;
                OutputError::Closed
            } else {
                self.state = State::Broken;
                OutputError::Write(error)
            }
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Takes `room` bytes, then fails; counts flushes.
    #[derive(Debug)]
    pub(crate) struct Narrow {
        pub(crate) room: usize,
        pub(crate) kind: io::ErrorKind,
        pub(crate) taken: Vec<u8>,
        pub(crate) flushes: usize,
    }

    impl Narrow {
        pub(crate) fn new(room: usize, kind: io::ErrorKind) -> Self {
            Self { room, kind, taken: Vec::new(), flushes: 0 }
        }
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.room);
            if fits == 0 && !bytes.is_empty() {
                return Err(self.kind.into());
            }
            self.room -= fits;
            self.taken.extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushes += 1;
            Ok(())
        }
    }

    #[test]
    fn what_failed_once_stays_so() {
        let check = |kind: io::ErrorKind, first: &str, later: &str| {
            let word = |result: Result<(), OutputError>| match result {
                Ok(()) => "ok",
                Err(OutputError::Closed) => "closed",
                Err(OutputError::Write(_)) => "write",
                Err(OutputError::Broken) => "broken",
            };
            let mut output = Output::new(Narrow::new(5, kind));
            assert_eq!(word(output.write(b"four")), "ok");
            assert_eq!(word(output.write(b"four")), first);
            // Space that is freed must not tempt it to go on.
            output.inner.room = 100;
            assert_eq!(word(output.write(b"four")), later);
            assert_eq!(word(output.flush()), later);
            assert_eq!(word(output.check()), later);
            assert_eq!(output.into_inner().taken, b"fourf");
        };
        check(io::ErrorKind::StorageFull, "write", "broken");
        check(io::ErrorKind::BrokenPipe, "closed", "closed");
    }
}
