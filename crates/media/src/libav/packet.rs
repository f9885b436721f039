//! Owner of an `AVPacket`.

use std::{ffi::c_int, ptr, slice};

use bytes::Bytes;
use ffmpeg_sys_next as ffi;

use super::AvError;
use crate::{AccessUnit, Codec};

/// An allocated packet, reused between units.
#[derive(Debug)]
pub(super) struct Packet(*mut ffi::AVPacket);

// SAFETY: a packet has no thread affinity; its buffer is reference-counted atomically.
unsafe impl Send for Packet {}

impl Packet {
    pub(super) fn new() -> Result<Self, AvError> {
        // SAFETY: returns null or an owned packet.
        let packet = unsafe { ffi::av_packet_alloc() };
        if packet.is_null() { Err(AvError::NO_MEMORY) } else { Ok(Self(packet)) }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVPacket {
        self.0
    }

    pub(super) fn get(&self) -> &ffi::AVPacket {
        // SAFETY: never null, valid until drop.
        unsafe { &*self.0 }
    }

    pub(super) fn is_keyframe(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_KEY != 0
    }

    /// Lends a unit to the packet while `use_it` runs. libav copies what it keeps: the packet owns no buffer.
    pub(super) fn lend(
        &mut self,
        unit: &AccessUnit,
        use_it: impl FnOnce(*const ffi::AVPacket) -> Result<c_int, AvError>,
    ) -> Result<c_int, AvError> {
        self.clear();
        unit.side.attach(self)?;
        // Of codecs that are not read here the container's word goes, as everywhere: the decoder of PNG adds a picture without this flag
        // to the one before.
        if unit.container_keyframe && matches!(unit.parameters.codec, Codec::Other(_)) {
            // SAFETY: the packet is ours.
            unsafe { (*self.0).flags |= ffi::AV_PKT_FLAG_KEY };
        }
        self.lend_bytes(&unit.data, (unit.pts, unit.dts), use_it)
    }

    /// The same of bytes with their PTS and DTS; what lies beside them stays.
    pub(super) fn lend_bytes(
        &mut self,
        bytes: &[u8],
        (pts, dts): (i64, Option<i64>),
        use_it: impl FnOnce(*const ffi::AVPacket) -> Result<c_int, AvError>,
    ) -> Result<c_int, AvError> {
        let size = c_int::try_from(bytes.len()).map_err(|_huge| AvError::INVALID)?;
        // SAFETY: the packet is ours and without payload; the borrowed bytes outlive the call below and are never
        // written (a packet without `buf` is copied, with padding, by whoever keeps it).
        unsafe {
            (*self.0).data = bytes.as_ptr().cast_mut();
            (*self.0).size = size;
            (*self.0).pts = pts;
            (*self.0).dts = dts.unwrap_or(ffi::AV_NOPTS_VALUE);
        }
        let result = use_it(self.0);
        // SAFETY: takes the borrowed pointer back before the borrow ends.
        unsafe {
            (*self.0).data = ptr::null_mut();
            (*self.0).size = 0;
        }
        result
    }

    /// Moves the payload out without a copy where libav counts references to it.
    pub(super) fn take_data(&mut self) -> Result<Bytes, AvError> {
        let owner = Self::new()?;
        // SAFETY: both packets are valid; the source is left empty.
        unsafe { ffi::av_packet_move_ref(owner.0, self.0) };
        Ok(Bytes::from_owner(Payload(owner)))
    }

    /// Moves its times, where it has any.
    pub(super) fn shift(&mut self, ticks: i64) {
        let shifted = |time: i64| if time == ffi::AV_NOPTS_VALUE { time } else { time.saturating_add(ticks) };
        // SAFETY: valid packet; both are plain numbers.
        unsafe { ((*self.0).pts, (*self.0).dts) = (shifted((*self.0).pts), shifted((*self.0).dts)) };
    }

    pub(super) fn clear(&mut self) {
        // SAFETY: valid packet; frees what it refers to.
        unsafe { ffi::av_packet_unref(self.0) };
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::av_packet_free(&raw mut self.0) };
    }
}

struct Payload(Packet);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        let packet = self.0.get();
        if packet.data.is_null() || packet.size <= 0 {
            return &[];
        }
        // SAFETY: libav guarantees `size` readable bytes for as long as the packet holds its buffer.
        unsafe { slice::from_raw_parts(packet.data, packet.size as usize) }
    }
}
