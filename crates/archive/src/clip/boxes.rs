//! Boxes of ISO/IEC 14496-12, as far as a clip needs them.

use bytes::BufMut as _;
use ocelli_media::cmaf::put_box as put;

/// Bodies of the boxes of this name.
pub(super) fn each(mut rest: &[u8], name: [u8; 4]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        loop {
            let (size, tail) = rest.split_first_chunk()?;
            let (found, tail) = tail.split_first_chunk()?;
            let body = usize::try_from(u32::from_be_bytes(*size)).ok()?.checked_sub(8)?;
            let (body, tail) = tail.split_at_checked(body)?;
            rest = tail;
            if *found == name {
                return Some(body);
            }
        }
    })
}

/// Body of the first box at the end of this path.
pub(super) fn find<'a>(bytes: &'a [u8], path: &[[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, name| each(bytes, *name).next())
}

/// Appends a box as it is elsewhere, where there is one.
pub(super) fn put_copy(out: &mut Vec<u8>, within: &[u8], name: [u8; 4]) {
    if let Some(body) = each(within, name).next() {
        put(out, name, |out| out.put_slice(body));
    }
}
