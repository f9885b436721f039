//! Damage, seeded: the same bytes and seed give the same fault on every machine.

use std::{
    io::{self, Write},
    ops::Range,
};

use crate::random::Random;

/// `count` single bits turned over, anywhere in `range` (clamped to the bytes).
pub fn flip_bits(bytes: &[u8], seed: u64, count: usize, range: Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let range = range.start.min(bytes.len())..range.end.min(bytes.len());
    let mut random = Random(seed);
    if !range.is_empty() {
        for _ in 0..count {
            let at = range.start + random.below(range.len());
            bytes[at] ^= 1 << random.below(8);
        }
    }
    bytes
}

/// The first `keep` bytes.
pub fn truncate(bytes: &[u8], keep: usize) -> Vec<u8> {
    bytes[..keep.min(bytes.len())].to_vec()
}

/// Without the bytes of `range` (clamped).
pub fn remove(bytes: &[u8], range: Range<usize>) -> Vec<u8> {
    let (start, end) = (range.start.min(bytes.len()), range.end.min(bytes.len()));
    [&bytes[..start], &bytes[end.max(start)..]].concat()
}

/// `count` pieces of at most `longest` bytes taken out at random places.
pub fn lose(bytes: &[u8], seed: u64, count: usize, longest: usize) -> Vec<u8> {
    let mut random = Random(seed);
    (0..count).fold(bytes.to_vec(), |bytes, _| {
        let at = random.below(bytes.len().max(1));
        let length = 1 + random.below(longest.max(1));
        remove(&bytes, at..at + length)
    })
}

/// `length` bytes of noise: no format at all.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random(seed);
    (0..length).map(|_| random.next() as u8).collect()
}

/// A disk that is full after so many bytes: then every write fails with `StorageFull`, as `ENOSPC` does.
///
/// For a whole program, start it as a child under `sh -c 'ulimit -f N; exec "$@"'` with `SIGXFSZ` ignored (`trap '' XFSZ`, which
/// children inherit): writes beyond N blocks of 512 bytes (of 1024 in bash) then fail with `EFBIG` as they would on a full disk. A small
/// tmpfs would give a true `ENOSPC` but takes root.
#[derive(Debug)]
pub struct FullDisk<W> {
    inner: W,
    left: usize,
}

impl<W> FullDisk<W> {
    /// `capacity` bytes go through to `inner`.
    pub fn new(inner: W, capacity: usize) -> Self {
        Self { inner, left: capacity }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for FullDisk<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.inner.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
