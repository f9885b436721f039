//! Bodies of FLV tags as RTMP carries them (Adobe, Video File Format 10.1, annex E; Veovera, Enhanced RTMP v1 and v2): what
//! a message of pictures or sound holds. Of several tracks in one message the first, number 0, is read.

mod audio;
mod ex;
#[cfg(test)]
mod tests;
mod video;

use bytes::{Buf as _, Bytes};

pub use self::{
    audio::{AudioTag, audio},
    video::{VideoTag, video},
};

/// Why a tag cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlvError {
    /// It ends inside a header.
    #[error("a tag is cut short")]
    Short,
    /// A value that the specification does not have.
    #[error("{0} of a tag is unknown")]
    Unknown(&'static str),
    /// A codec that nothing here reads.
    #[error("video as {0} is not supported; send H.264, H.265, AV1, VP8 or VP9")]
    Unsupported(String),
}

impl FlvError {
    /// Whether no tag of the stream will do, rather than this one.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Unsupported(_))
    }
}

/// Takes bytes from the front.
fn take<const N: usize>(body: &mut Bytes) -> Result<[u8; N], FlvError> {
    let taken = *body.first_chunk().ok_or(FlvError::Short)?;
    body.advance(N);
    Ok(taken)
}

/// A number of three bytes with a sign.
fn signed24([high, middle, low]: [u8; 3]) -> i32 {
    i32::from_be_bytes([high, middle, low, 0]) >> 8
}

/// A `FourCC` for people: only what can be printed.
fn shown(fourcc: [u8; 4]) -> String {
    fourcc.iter().map(|&byte| if byte.is_ascii_graphic() { byte as char } else { '?' }).collect()
}
