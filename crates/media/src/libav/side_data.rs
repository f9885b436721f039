//! What a container says of a unit beside its bytes.

use std::{ptr, slice};

use bytes::Bytes;
use ffi::AVPacketSideDataType::{self, AV_PKT_DATA_PALETTE, AV_PKT_DATA_PARAM_CHANGE};
use ffmpeg_sys_next as ffi;

use super::{AvError, packet::Packet};

/// The side data that pictures depend on. Parameter sets have a way of their own (see `Demuxer::follow_parameters`).
#[derive(Clone, Debug, Default)]
pub struct SideData {
    /// Colours of 8-bit pictures: 256 of 4 bytes.
    pub palette: Option<Bytes>,
    /// Another size from here on, as libav writes it.
    pub change: Option<Bytes>,
}

impl SideData {
    /// Copies what the packet has.
    pub(super) fn of(packet: &Packet) -> Self {
        Self { palette: find(packet, AV_PKT_DATA_PALETTE), change: find(packet, AV_PKT_DATA_PARAM_CHANGE) }
    }

    /// Containers send a palette once, perhaps with a unit that no decoder gets to see: later units repeat it.
    pub(super) fn follow(&mut self, earlier: &mut Option<Bytes>) {
        if self.palette.is_none() {
            self.palette.clone_from(earlier);
        } else {
            earlier.clone_from(&self.palette);
        }
    }

    /// Copies everything into a packet that has none of it.
    pub(super) fn attach(&self, packet: &mut Packet) -> Result<(), AvError> {
        let kinds = [(AV_PKT_DATA_PALETTE, &self.palette), (AV_PKT_DATA_PARAM_CHANGE, &self.change)];
        for (kind, bytes) in kinds {
            let Some(bytes) = bytes else { continue };
            // SAFETY: valid packet; libav allocates as many bytes as are then written.
            unsafe {
                let place = ffi::av_packet_new_side_data(packet.as_mut_ptr(), kind, bytes.len());
                if place.is_null() {
                    return Err(AvError::NO_MEMORY);
                }
                ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
            }
        }
        Ok(())
    }
}

fn find(packet: &Packet, kind: AVPacketSideDataType) -> Option<Bytes> {
    let mut size = 0;
    // SAFETY: valid packet; the bytes live as long as it does and are copied at once.
    unsafe {
        let bytes = ffi::av_packet_get_side_data(packet.get(), kind, &raw mut size);
        (!bytes.is_null() && size > 0).then(|| Bytes::copy_from_slice(slice::from_raw_parts(bytes, size)))
    }
}
