//! Bits, most significant first, with the Exp-Golomb codes of H.264 and H.265.

use super::BitstreamError;

/// Reads a header from its first bit. Takes out emulation prevention bytes as it goes, so nothing is copied.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// The next byte to load.
    at: usize,
    current: u8,
    /// Bits of `current` not yet read.
    left: u32,
    /// Zero bytes just before `at`.
    zeros: u32,
    /// Whether `00 00 03` stands for `00 00` and `00 00 0x` ends the data (NAL units).
    escaped: bool,
}

impl<'a> Bits<'a> {
    /// Bytes that mean what they say.
    pub(super) fn plain(data: &'a [u8]) -> Self {
        Self { data, at: 0, current: 0, left: 0, zeros: 0, escaped: false }
    }

    /// The bytes of a NAL unit (H.264 and H.265, 7.4.1). They may run on past its end: the next start code ends them.
    pub(super) fn nal(data: &'a [u8]) -> Self {
        Self { escaped: true, ..Self::plain(data) }
    }

    fn load(&mut self) -> Result<(), BitstreamError> {
        let mut byte = self.next_byte()?;
        if self.escaped && self.zeros >= 2 && byte <= 3 {
            if byte < 3 {
                self.at -= 1;
                return Err(BitstreamError::Truncated);
            }
            self.zeros = 0;
            byte = self.next_byte()?;
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        self.current = byte;
        self.left = 8;
        Ok(())
    }

    fn next_byte(&mut self) -> Result<u8, BitstreamError> {
        let byte = *self.data.get(self.at).ok_or(BitstreamError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `count` bits, at most 32.
    pub(super) fn u(&mut self, count: u32) -> Result<u32, BitstreamError> {
        debug_assert!(count <= 32, "{count} bits do not fit");
        let mut value = 0_u64;
        let mut wanted = count;
        while wanted > 0 {
            if self.left == 0 {
                self.load()?;
            }
            let take = wanted.min(self.left);
            let rest = self.left - take;
            let bits = (u32::from(self.current) >> rest) & ((1 << take) - 1);
            value = (value << take) | u64::from(bits);
            self.left = rest;
            wanted -= take;
        }
        Ok(value as u32)
    }

    /// One bit.
    pub(super) fn flag(&mut self) -> Result<bool, BitstreamError> {
        Ok(self.u(1)? == 1)
    }

    /// Passes over bits.
    pub(super) fn skip(&mut self, mut count: u32) -> Result<(), BitstreamError> {
        while count > 32 {
            self.u(32)?;
            count -= 32;
        }
        self.u(count)?;
        Ok(())
    }

    /// `ue(v)`: unsigned Exp-Golomb, 0 to 2^32 - 2 (H.264 9.1).
    pub(super) fn ue(&mut self) -> Result<u32, BitstreamError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(BitstreamError::OutOfRange("Exp-Golomb code"));
            }
        }
        Ok(((1_u32 << zeros) - 1) + self.u(zeros)?)
    }

    /// `ue(v)` that must not exceed `max`; `name` is the syntax element's.
    pub(super) fn ue_to(&mut self, max: u32, name: &'static str) -> Result<u32, BitstreamError> {
        let value = self.ue()?;
        if value > max { Err(BitstreamError::OutOfRange(name)) } else { Ok(value) }
    }

    /// `se(v)`: signed Exp-Golomb (H.264 9.1.1).
    pub(super) fn se(&mut self) -> Result<i32, BitstreamError> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        Ok(if code % 2 == 0 { -magnitude as i32 } else { magnitude as i32 })
    }

    /// Passes over `ue(v)` or `se(v)` codes.
    pub(super) fn skip_codes(&mut self, count: u32) -> Result<(), BitstreamError> {
        for _ in 0..count {
            self.ue()?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests;
