//! Boxes of ISO/IEC 14496-12: a size, a name, a body.

use bytes::BufMut as _;

use super::CmafError;

/// What a `uuid` box of ours begins with; the last byte says which.
const OURS: [u8; 15] =
    [0x0c, 0xe1, 0x11, 0x5e, 0x6a, 0x0f, 0x4d, 0x3b, 0x9b, 0x52, 0x77, 0xc3, 0x1f, 0x80, 0xd6];

/// The numerator of a track's time base, where it is not 1.
pub(super) const TICK: u8 = 1;
/// Samples a second of sound, where a sample entry cannot hold it.
pub(super) const RATE: u8 = 3;
/// CRC-32 of a part.
pub(super) const CHECK: u8 = 2;

/// Bytes of a box's size and name.
pub(super) const HEAD: usize = 8;

/// Appends a box.
pub fn put(out: &mut Vec<u8>, name: [u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.put_u32(0);
    out.put_slice(&name);
    body(out);
    let size = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Appends a box with version and flags.
pub fn put_full(
    out: &mut Vec<u8>,
    name: [u8; 4],
    (version, flags): (u8, u32),
    body: impl FnOnce(&mut Vec<u8>),
) {
    put(out, name, |out| {
        out.put_u32(u32::from(version) << 24 | flags);
        body(out);
    });
}

/// Appends a box of our own.
pub(super) fn put_ours(out: &mut Vec<u8>, which: u8, value: u32) {
    put(out, *b"uuid", |out| {
        out.put_slice(&OURS);
        out.put_u8(which);
        out.put_u32(value);
    });
}

/// The value of a box of our own.
pub(super) fn ours(atom: &Atom<'_>, which: u8) -> Option<u32> {
    let body = atom.body.strip_prefix(&OURS).filter(|_| atom.name == *b"uuid")?;
    let (&kind, value) = body.split_first()?;
    let value = value.try_into().ok().map(u32::from_be_bytes)?;
    (kind == which).then_some(value)
}

/// A box within bytes that are all there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom<'a> {
    pub(super) name: [u8; 4],
    pub(super) body: &'a [u8],
}

impl Atom<'_> {
    /// With size and name.
    pub(super) fn len(&self) -> usize {
        self.body.len() + HEAD
    }
}

/// The first box of `bytes`, if all of it is there. Sizes of 64 bits and those up to the end of the file are none that we write.
pub(super) fn first(bytes: &[u8]) -> Option<Atom<'_>> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (name, rest) = rest.split_first_chunk()?;
    let body = usize::try_from(u32::from_be_bytes(*size)).ok()?.checked_sub(HEAD)?;
    Some(Atom { name: *name, body: rest.get(..body)? })
}

/// The boxes in a body, up to the first that is not whole: that one is an error.
pub(super) fn children<'a>(
    mut rest: &'a [u8],
    within: &'static str,
) -> impl Iterator<Item = Result<Atom<'a>, CmafError>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(atom) = first(rest) else {
            rest = &[];
            return Some(Err(CmafError::Truncated(within)));
        };
        rest = &rest[atom.len()..];
        Some(Ok(atom))
    })
}

/// The first child of that name.
pub(super) fn child<'a>(body: &'a [u8], name: [u8; 4], within: &'static str) -> Result<&'a [u8], CmafError> {
    for atom in children(body, within) {
        let atom = atom?;
        if atom.name == name {
            return Ok(atom.body);
        }
    }
    Err(CmafError::Foreign(within))
}

/// Big-endian numbers one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    within: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) fn new(rest: &'a [u8], within: &'static str) -> Self {
        Self { rest, within }
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], CmafError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(CmafError::Truncated(self.within))?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn slice(&mut self, count: usize) -> Result<&'a [u8], CmafError> {
        let (slice, rest) = self.rest.split_at_checked(count).ok_or(CmafError::Truncated(self.within))?;
        self.rest = rest;
        Ok(slice)
    }

    pub(super) fn u8(&mut self) -> Result<u8, CmafError> {
        self.bytes().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, CmafError> {
        self.bytes().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CmafError> {
        self.bytes().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CmafError> {
        self.bytes().map(u64::from_be_bytes)
    }

    /// Version and flags, which must be these.
    pub(super) fn expect_version(&mut self, version: u8, flags: u32) -> Result<(), CmafError> {
        if self.u32()? == u32::from(version) << 24 | flags {
            Ok(())
        } else {
            Err(CmafError::Foreign(self.within))
        }
    }
}
