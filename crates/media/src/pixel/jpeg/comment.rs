//! The comment segment (ITU-T T.81 section B.2.4.5), which carries the media time.

/// Start of image and the JFIF segment that libjpeg writes after it.
const SOI: [u8; 2] = [0xFF, 0xD8];
const APP0: [u8; 2] = [0xFF, 0xE0];
const COM: [u8; 2] = [0xFF, 0xFE];
/// Start of scan: entropy-coded data follows.
const SOS: u8 = 0xDA;
const EOI: u8 = 0xD9;

/// Most bytes in one comment: its length field counts itself.
pub const MAX_COMMENT: usize = u16::MAX as usize - 2;

/// The first comment before the picture data. None also where `jpeg` is no JPEG.
pub fn comment(jpeg: &[u8]) -> Option<&[u8]> {
    let mut rest = jpeg.strip_prefix(&SOI)?;
    loop {
        let (&[0xFF, marker], after) = rest.split_first_chunk()? else { return None };
        match marker {
            // Fill byte, and markers without a length.
            0xFF => rest = &rest[1..],
            0x01 | 0xD0..=0xD7 => rest = after,
            SOS | EOI => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
                let segment = after.get(2..length)?;
                if marker == COM[1] {
                    return Some(segment);
                }
                rest = &after[length..];
            }
        }
    }
}

/// Bytes that a comment adds.
pub(super) fn segment_len(comment: Option<&[u8]>) -> usize {
    comment.map_or(0, |text| 4 + text.len())
}

/// Completes a JPEG that was written `segment_len` bytes into `buffer`: moves what must stay first to the front and
/// puts the comment behind it. At most [`MAX_COMMENT`] bytes.
pub(super) fn insert(buffer: &mut [u8], text: &[u8]) {
    let gap = segment_len(Some(text));
    let head = head_len(&buffer[gap..]);
    buffer.copy_within(gap..gap + head, 0);
    let segment = &mut buffer[head..head + gap];
    segment[..2].copy_from_slice(&COM);
    segment[2..4].copy_from_slice(&(text.len() as u16 + 2).to_be_bytes());
    segment[4..].copy_from_slice(text);
}

/// SOI and, because JFIF wants it directly behind, APP0.
fn head_len(jpeg: &[u8]) -> usize {
    match jpeg.get(SOI.len()..).and_then(<[u8]>::split_first_chunk) {
        Some((&[0xFF, 0xE0, high, low], _)) => {
            SOI.len() + APP0.len() + usize::from(u16::from_be_bytes([high, low]))
        }
        _ => SOI.len(),
    }
}
