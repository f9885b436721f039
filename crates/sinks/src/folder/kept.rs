//! Which frames a folder holds, and how large they are: four bytes each, however many there are.

use std::collections::VecDeque;

/// Frames by number. Numbers that follow each other share a stretch; there is one, unless somebody removed frames from
/// between.
#[derive(Debug, Default)]
pub(super) struct Kept {
    stretches: VecDeque<Stretch>,
    frames: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Stretch {
    /// Number of the first.
    first: u64,
    /// Sizes, at most `u32::MAX`: a larger file is no JPEG of ours, and counts for as much.
    sizes: VecDeque<u32>,
}

impl Kept {
    /// Of numbers and sizes in any order.
    pub(super) fn of(mut found: Vec<(u64, u64)>) -> Self {
        found.sort_unstable();
        let mut kept = Self::default();
        for (number, bytes) in found {
            kept.push(number, bytes);
        }
        kept
    }

    /// One more, with a higher number than any.
    pub(super) fn push(&mut self, number: u64, bytes: u64) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.frames += 1;
        self.bytes += u64::from(bytes);
        match self.stretches.back_mut() {
            Some(last) if last.first + last.sizes.len() as u64 == number => last.sizes.push_back(bytes),
            _ => self.stretches.push_back(Stretch { first: number, sizes: VecDeque::from([bytes]) }),
        }
    }

    /// The lowest number.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.stretches.front().map(|stretch| stretch.first)
    }

    /// Forgets the oldest.
    pub(super) fn pop(&mut self) {
        let Some(stretch) = self.stretches.front_mut() else { return };
        if let Some(bytes) = stretch.sizes.pop_front() {
            stretch.first += 1;
            self.frames -= 1;
            self.bytes -= u64::from(bytes);
        }
        if stretch.sizes.is_empty() {
            self.stretches.pop_front();
        }
    }

    /// How many.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The sum of their sizes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
