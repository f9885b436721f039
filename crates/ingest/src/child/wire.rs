//! Frames between parent and child: two lengths, a head in JSON, a tail of bytes. Lengths are checked before anything is
//! read, and memory is taken as bytes come.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// Longest head. A batch of units is far below it.
const MOST_HEAD: u32 = 1 << 20;
/// Largest coded unit, its parameter sets included: a raw picture of 8192x4608.
pub(super) const MOST_UNIT: usize = 64 << 20;
/// Longest tail: a unit that came last to a batch, or a picture of as many pixels as are ever allowed.
const MOST_TAIL: u32 = 160 << 20;
/// Taken for a tail before its bytes come.
const FIRST_BYTES: usize = 4 << 20;

/// Sends one frame.
pub(super) fn write(to: &mut dyn Write, head: &impl Serialize, tail: &[&[u8]]) -> io::Result<()> {
    let mut start = vec![0; 8];
    serde_json::to_writer(&mut start, head)?;
    let length = |bytes: usize| u32::try_from(bytes).map_err(io::Error::other);
    let (head, bytes) = (length(start.len() - 8)?, length(tail.iter().map(|part| part.len()).sum())?);
    start[..4].copy_from_slice(&head.to_le_bytes());
    start[4..8].copy_from_slice(&bytes.to_le_bytes());
    to.write_all(&start)?;
    tail.iter().try_for_each(|part| to.write_all(part))
}

/// Receives a frame up to its tail, which must be read before the next; what is no such frame is `InvalidData`.
pub(super) fn read<T: DeserializeOwned>(from: &mut dyn Read) -> io::Result<(T, Tail<'_>)> {
    let mut lengths = [0; 8];
    from.read_exact(&mut lengths)?;
    let [head, tail] = [0, 4].map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|byte| lengths[at + byte])));
    if head > MOST_HEAD || tail > MOST_TAIL {
        return Err(invalid(format!("a message of {head} and {tail} bytes")));
    }
    let words = bytes(from, head as usize)?;
    let words = serde_json::from_slice(&words).map_err(|error| invalid(error.to_string()))?;
    Ok((words, Tail { from, left: tail as usize }))
}

fn bytes(from: &mut dyn Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count.min(FIRST_BYTES));
    if from.take(count as u64).read_to_end(&mut bytes)? < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// The tail of a frame, read from its start.
pub(super) struct Tail<'a> {
    from: &'a mut dyn Read,
    left: usize,
}

impl Tail<'_> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > self.left {
            return Err(invalid(format!("{count} bytes announced where {} are left", self.left)));
        }
        self.left -= count;
        bytes(self.from, count)
    }

    /// Nothing is left over.
    pub(super) fn end(self) -> io::Result<()> {
        if self.left == 0 { Ok(()) } else { Err(invalid(format!("{} bytes too many", self.left))) }
    }
}

/// What no honest peer sends.
pub(super) fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests;
