//! What a posted picture is, as far as its headers say: nothing of it is decoded at the door.

#[cfg(test)]
mod tests;

/// Largest picture in bytes.
pub(super) const MOST_BYTES: usize = 16 << 20;
/// Pixels across or down, and in all: 8K.
const MOST_SIDE: u32 = 8192;
const MOST_PIXELS: u64 = 7680 * 4320;
/// Bytes of a PNG's texts and colour profile: they are compressed, and nobody needs them.
const MOST_BESIDE: usize = 64 << 10;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Nothing came.
    #[error("the picture is empty")]
    Empty,
    /// More than 16 MiB.
    #[error("the picture is larger than 16 MiB")]
    Large,
    /// Something else.
    #[error("the picture is neither JPEG nor PNG")]
    Kind,
    /// Cut short, or not as its format demands.
    #[error("the picture is broken: {0}")]
    Broken(&'static str),
    /// As its format allows, but not taken.
    #[error("the picture cannot be used: {0}")]
    Unsupported(&'static str),
    /// Too many pixels, or none.
    #[error("the picture has {width}x{height} pixels; taken are up to 8192 each way and 7680x4320 in all")]
    Size {
        /// Across.
        width: u32,
        /// Down.
        height: u32,
    },
}

/// Formats that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ITU-T T.81: baseline, extended or progressive.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
}

/// What the headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its format.
    pub kind: Kind,
    /// Across, in pixels.
    pub width: u32,
    /// Down, in pixels.
    pub height: u32,
}

/// Reads the headers, and that the picture is there to its end.
pub fn look(bytes: &[u8]) -> Result<Look, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() > MOST_BYTES {
        return Err(PictureError::Large);
    }
    let (kind, (width, height)) = if bytes.starts_with(b"\xff\xd8") {
        (Kind::Jpeg, jpeg(&bytes[2..])?)
    } else if let Some(chunks) = bytes.strip_prefix(PNG) {
        (Kind::Png, png(chunks)?)
    } else {
        return Err(PictureError::Kind);
    };
    let sides = (1..=MOST_SIDE).contains(&width) && (1..=MOST_SIDE).contains(&height);
    if !sides || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureError::Size { width, height });
    }
    Ok(Look { kind, width, height })
}

/// Markers up to the first scan (ITU-T T.81 annex B).
fn jpeg(mut rest: &[u8]) -> Result<(u32, u32), PictureError> {
    const CUT: PictureError = PictureError::Broken("it ends in its headers");
    let mut size = None;
    loop {
        let [0xff, marker, ..] = *rest else {
            return Err(if rest.len() < 2 { CUT } else { PictureError::Broken("a marker is missing") });
        };
        rest = &rest[1..];
        match marker {
            // Fill bytes before a marker.
            0xff => continue,
            0xd8 | 0xd9 => return Err(PictureError::Broken("it has no picture")),
            0x01 | 0xd0..=0xd7 => {
                rest = &rest[1..];
                continue;
            }
            _ => {}
        }
        let length = rest.get(1..3).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])));
        let length = length.ok_or(CUT)?;
        let body = rest.get(3..1 + length.max(2)).ok_or(CUT)?;
        match marker {
            0xc0..=0xc2 if size.is_some() => return Err(PictureError::Broken("it has two frame headers")),
            0xc0..=0xc2 => size = Some(frame(body)?),
            0xc4 | 0xc8 | 0xcc => {}
            0xc3..=0xcf => {
                return Err(PictureError::Unsupported("it is lossless, hierarchical or arithmetic JPEG"));
            }
            0xda => {
                let ends = rest.windows(2).any(|pair| pair == b"\xff\xd9");
                let size = size.ok_or(PictureError::Broken("it has no frame header"))?;
                return if ends { Ok(size) } else { Err(PictureError::Broken("it ends before its end")) };
            }
            _ => {}
        }
        rest = &rest[1 + length.max(2)..];
    }
}

/// A frame header (section B.2.2).
fn frame(body: &[u8]) -> Result<(u32, u32), PictureError> {
    let [precision, h1, h0, w1, w0, components, ..] = *body else {
        return Err(PictureError::Broken("its frame header is short"));
    };
    if precision != 8 {
        return Err(PictureError::Unsupported("it has more than 8 bit a sample"));
    }
    if !matches!(components, 1 | 3) {
        return Err(PictureError::Unsupported("it is neither grey nor coloured in three components"));
    }
    Ok((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()))
}

/// Chunks (ISO/IEC 15948 section 5).
fn png(mut rest: &[u8]) -> Result<(u32, u32), PictureError> {
    const CUT: PictureError = PictureError::Broken("it ends before its end");
    let (mut size, mut has_data, mut beside) = (None, false, 0);
    loop {
        let [l3, l2, l1, l0, t0, t1, t2, t3, ..] = *rest else { return Err(CUT) };
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        // What is checked is behind it.
        let body = rest.get(8..).and_then(|rest| rest.get(..length)).ok_or(CUT)?;
        rest = rest.get(8 + length + 4..).ok_or(CUT)?;
        match (&[t0, t1, t2, t3], size) {
            (b"IHDR", None) => size = Some(header(body)?),
            (b"IHDR", _) | (_, None) => {
                return Err(PictureError::Broken("its header is not its first chunk"));
            }
            (b"IDAT", _) => has_data = true,
            (b"IEND", Some(size)) => {
                return if has_data { Ok(size) } else { Err(PictureError::Broken("it has no picture")) };
            }
            (b"zTXt" | b"iTXt" | b"tEXt" | b"iCCP", _) => beside += length,
            _ => {}
        }
        if beside > MOST_BESIDE {
            return Err(PictureError::Unsupported("its texts and colour profile are larger than 64 KiB"));
        }
    }
}

fn header(body: &[u8]) -> Result<(u32, u32), PictureError> {
    let [w3, w2, w1, w0, h3, h2, h1, h0, depth, colour, compression, filter, interlace] = *body else {
        return Err(PictureError::Broken("its header has another length"));
    };
    match (colour, depth) {
        (0 | 3, 1 | 2 | 4 | 8) | (2 | 4 | 6, 8) => {}
        (0 | 2 | 4 | 6, 16) => return Err(PictureError::Unsupported("it has more than 8 bit a sample")),
        _ => return Err(PictureError::Broken("its colours are of no kind")),
    }
    if (compression, filter) != (0, 0) || interlace > 1 {
        return Err(PictureError::Broken("it is compressed in no known way"));
    }
    Ok((u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0])))
}
