//! Where parts lie in a segment: as much of ISO/IEC 14496-12 as that takes.

use std::ops::Range;

/// The place of part `index`: from its `moof` to the end of its `mdat`.
pub(super) fn part(bytes: &[u8], index: usize) -> Option<Range<usize>> {
    let (mut at, mut begins, mut seen) = (0, 0, 0);
    while let Some((kind, size)) = head(&bytes[at..]) {
        let end = at.checked_add(size).filter(|end| *end <= bytes.len())?;
        if kind == b"moof" {
            begins = at;
        } else if kind == b"mdat" {
            if seen == index {
                return Some(begins..end);
            }
            seen += 1;
            begins = end;
        }
        at = end;
    }
    None
}

/// Kind and size of the box that begins here.
fn head(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let size = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = bytes.get(4..8)?;
    let size = match size {
        0 => bytes.len() as u64,
        1 => u64::from_be_bytes(*bytes.get(8..16)?.first_chunk()?),
        size => size.into(),
    };
    // A box is at least its own head.
    usize::try_from(size).ok().filter(|size| *size >= 8).map(|size| (kind, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &str, body: usize) -> Vec<u8> {
        let mut bytes = ((body + 8) as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(kind.as_bytes());
        bytes.resize(body + 8, 0);
        bytes
    }

    #[test]
    fn parts_are_found() {
        let segment = [boxed("moof", 4), boxed("mdat", 10), boxed("moof", 0), boxed("mdat", 0)].concat();
        assert_eq!(part(&segment, 0), Some(0..30));
        assert_eq!(part(&segment, 1), Some(30..46));
        assert_eq!(part(&segment, 2), None);
        assert_eq!(part(&segment[..40], 1), None, "cut off");
    }

    #[test]
    fn no_bytes_are_too_odd() {
        let mut large = 1_u32.to_be_bytes().to_vec();
        large.extend_from_slice(b"mdat");
        large.extend_from_slice(&u64::MAX.to_be_bytes());
        let mut rest = 0_u32.to_be_bytes().to_vec();
        rest.extend_from_slice(b"mdat123");
        assert_eq!(part(&rest, 0), Some(0..11), "to the end");
        for odd in
            [&large[..], &[0, 0, 0, 7, b'm', b'd', b'a', b't'], &[0; 3], &[0, 0, 0, 2, 1, 1, 1, 1], b""]
        {
            assert_eq!(part(odd, 0), None, "{odd:?}");
        }
    }
}
