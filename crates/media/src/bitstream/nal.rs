//! NAL units within an access unit, in either framing, found without looking at their payload where possible.

/// How NAL units follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A big-endian length of 1 to 4 bytes before each (`avcC`, `hvcC`).
    Lengths(usize),
    /// Start codes between them (Annex B).
    StartCodes,
}

impl Framing {
    /// The framing of `unit`. What the container declares is the first guess only: there are files that declare one and
    /// hold the other, and units without a declaration.
    pub(crate) fn of(declared: Option<usize>, unit: &[u8]) -> Self {
        let starts_with_code = starts_with_code(unit);
        match declared {
            Some(size) if !starts_with_code || lengths_fit(unit, size) => Self::Lengths(size),
            None if !starts_with_code && lengths_fit(unit, 4) => Self::Lengths(4),
            _ => Self::StartCodes,
        }
    }

    /// Whether another unit may be appended to `unit`: its last NAL unit is all there.
    pub(crate) fn fits(self, unit: &[u8]) -> bool {
        match self {
            Self::Lengths(size) => lengths_fit(unit, size),
            Self::StartCodes => true,
        }
    }
}

fn starts_with_code(unit: &[u8]) -> bool {
    unit.iter().position(|&byte| byte != 0).is_some_and(|zeros| zeros >= 2 && unit[zeros] == 1)
}

/// Whether following the lengths ends exactly at the end.
fn lengths_fit(mut unit: &[u8], size: usize) -> bool {
    while !unit.is_empty() {
        match split_length(unit, size).and_then(|(length, rest)| rest.get(length..)) {
            Some(rest) => unit = rest,
            None => return false,
        }
    }
    true
}

fn split_length(unit: &[u8], size: usize) -> Option<(usize, &[u8])> {
    let (prefix, rest) = unit.split_at_checked(size)?;
    Some((prefix.iter().fold(0, |length, &byte| (length << 8) | usize::from(byte)), rest))
}

/// Iterates over NAL units. With start codes each item runs to the end of the access unit, for its end is only looked
/// for when the next one is asked: [`super::bits::Bits::nal`] stops there by itself.
#[derive(Clone, Debug)]
pub(super) struct Nals<'a> {
    rest: &'a [u8],
    framing: Framing,
}

impl<'a> Nals<'a> {
    pub(super) fn new(unit: &'a [u8], framing: Framing) -> Self {
        Self { rest: unit, framing }
    }
}

impl<'a> Iterator for Nals<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self.framing {
            Framing::Lengths(size) => loop {
                let (length, rest) = split_length(self.rest, size)?;
                // A unit cut short still shows the head of its last NAL unit.
                let (nal, rest) = rest.split_at(length.min(rest.len()));
                self.rest = rest;
                if !nal.is_empty() {
                    return Some(nal);
                }
            },
            Framing::StartCodes => {
                let at = find_start_code(self.rest)?;
                self.rest = &self.rest[at + 3..];
                if self.rest.is_empty() { None } else { Some(self.rest) }
            }
        }
    }
}

/// The NAL units of a unit, each with its true end.
pub(crate) fn whole_nals(unit: &[u8], framing: Framing) -> impl Iterator<Item = &[u8]> {
    let by_length = matches!(framing, Framing::Lengths(_)).then(|| Nals::new(unit, framing));
    let after_code = if by_length.is_none() { find_start_code(unit) } else { None };
    let between_codes = BetweenCodes { rest: after_code.map_or(&[], |at| &unit[at + 3..]) };
    by_length.into_iter().flatten().chain(between_codes)
}

/// Begins behind a start code.
struct BetweenCodes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for BetweenCodes<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let next = find_start_code(self.rest);
            let nal = &self.rest[..next.unwrap_or(self.rest.len())];
            self.rest = next.map_or(&[], |at| &self.rest[at + 3..]);
            // `trailing_zero_8bits` and the first byte of a start code of four: no NAL unit ends with 0 (7.4.1).
            let end = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            if end > 0 {
                return Some(&nal[..end]);
            }
        }
        None
    }
}

/// Where the first `00 00 01` begins.
pub(super) fn find_start_code(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(&third) = data.get(at + 2) {
        // A start code cannot lie over a third byte greater than 1: most positions are passed three at a time.
        match third {
            2.. => at += 3,
            1 if data[at] == 0 && data[at + 1] == 0 => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Walks the SEI messages of a NAL unit (behind its header) to the recovery point, payload type 6 in both H.264 (D.1.8)
/// and H.265 (D.2.8), and hands its bits over.
pub(super) fn recovery_point(sei: &[u8]) -> Option<super::bits::Bits<'_>> {
    const RECOVERY_POINT: u32 = 6;
    let mut bits = super::bits::Bits::nal(sei);
    loop {
        let kind = sei_number(&mut bits)?;
        let size = sei_number(&mut bits)?;
        if kind == RECOVERY_POINT {
            return Some(bits);
        }
        bits.skip(size.checked_mul(8)?).ok()?;
    }
}

/// A number written as bytes of 255 and a last byte below.
fn sei_number(bits: &mut super::bits::Bits<'_>) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let byte = bits.u(8).ok()?;
        number = number.checked_add(byte)?;
        if byte < 255 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests;
