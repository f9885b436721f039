//! What enhanced tags of pictures and of sound have in common.

use bytes::{Buf as _, Bytes};

use super::{FlvError, take};

/// Headers of modifiers in a row: there is one kind so far.
const MOST_MODIFIERS: usize = 8;
const MODIFIER: u8 = 7;

/// A tag after its modifiers and tracks: what it is, the codec, and the rest.
pub(super) type Packet = (u8, [u8; 4], Bytes);

/// Leaves out modifiers: nanoseconds beyond a time, of which a tick here has a million.
pub(super) fn past_modifiers(mut packet: u8, body: &mut Bytes) -> Result<u8, FlvError> {
    for _ in 0..MOST_MODIFIERS {
        if packet != MODIFIER {
            return Ok(packet);
        }
        let [short] = take(body)?;
        let mut size = usize::from(short) + 1;
        if size == 256 {
            size = usize::from(u16::from_be_bytes(take(body)?)) + 1;
        }
        if body.len() < size {
            return Err(FlvError::Short);
        }
        body.advance(size);
        let [kinds] = take(body)?;
        packet = kinds & 0xf;
    }
    Err(FlvError::Unknown("the modifier"))
}

/// The codec, and the first track where there are several. `None` without one.
pub(super) fn track(packet: u8, multiple: u8, mut body: Bytes) -> Result<Option<Packet>, FlvError> {
    if packet != multiple {
        let fourcc = take(&mut body)?;
        return Ok(Some((packet, fourcc, body)));
    }
    let [kinds] = take(&mut body)?;
    let (form, packet) = (kinds >> 4, kinds & 0xf);
    if form > 2 {
        return Err(FlvError::Unknown("the form of tracks"));
    }
    let shared = if form < 2 { Some(take(&mut body)?) } else { None };
    while !body.is_empty() {
        let fourcc = shared.map_or_else(|| take(&mut body), Ok)?;
        let [number] = take(&mut body)?;
        let size = if form == 0 {
            body.len()
        } else {
            let [high, middle, low] = take(&mut body)?;
            u32::from_be_bytes([0, high, middle, low]) as usize
        };
        if body.len() < size {
            return Err(FlvError::Short);
        }
        let data = body.split_to(size);
        if number == 0 {
            return Ok(Some((packet, fourcc, data)));
        }
    }
    Ok(None)
}
