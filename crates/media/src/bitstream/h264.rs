//! H.264 (ITU-T H.264, 08/2021): what an access unit is, from its NAL unit types, parameter sets, SEI and the header of its first slice.

mod frame_num;
mod halves;
mod pps;
mod slice;
mod sps;

use super::nal::{Framing, Nals, recovery_point};
use super::shape::{SetKind, Shape};
use super::{Access, BitstreamError, Field, PictureInfo};
use frame_num::FrameNumbers;
use halves::Halves;
use pps::Pps;
use slice::SliceHeader;
use sps::Sps;

const SLICE: u8 = 1;
const PARTITION_A: u8 = 2;
const IDR_SLICE: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;

/// Parameter sets and the little that must be remembered from one access unit to the next.
#[derive(Debug)]
pub(super) struct Reader {
    /// Bytes per length as `avcC` declares; nothing for Annex B.
    length_size: Option<usize>,
    sps: [Option<Sps>; 32],
    pps: [Option<Pps>; 256],
    numbers: FrameNumbers,
    halves: Halves,
}

/// The first slice of the access unit's picture, and what its fields share.
#[derive(Clone, Copy)]
struct Picture {
    header: SliceHeader,
    sps: Sps,
    idr: bool,
    reference: bool,
    /// Both fields are in the access unit.
    paired: bool,
    /// A memory management control operation 5 in any field; nothing where it could not be read.
    reset: Option<bool>,
}

impl Reader {
    pub(super) fn new(extradata: &[u8]) -> Box<Self> {
        let mut reader = Box::new(Self {
            length_size: None,
            sps: [None; 32],
            pps: [None; 256],
            numbers: FrameNumbers::default(),
            halves: Halves::default(),
        });
        if extradata.first() == Some(&1) {
            reader.read_avcc(extradata);
        } else {
            for nal in Nals::new(extradata, Framing::of(None, extradata)) {
                reader.keep_parameter_set(nal);
            }
        }
        reader
    }

    pub(super) fn forget_pictures(&mut self) {
        self.numbers = FrameNumbers::default();
        self.halves = Halves::default();
    }

    /// `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1), as far as it goes.
    fn read_avcc(&mut self, record: &[u8]) {
        let Some((head, mut rest)) = record.split_at_checked(5) else { return };
        self.length_size = Some(usize::from(head[4] & 3) + 1);
        for mask in [0x1f, 0xff] {
            let Some((&count, sets)) = rest.split_first() else { return };
            rest = sets;
            for _ in 0..count & mask {
                let Some((length, tail)) = rest.split_first_chunk() else { return };
                let Some((nal, tail)) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))
                else {
                    return;
                };
                self.keep_parameter_set(nal);
                rest = tail;
            }
        }
    }

    /// Keeps a parameter set. A damaged one is passed over: slices that need it say so.
    fn keep_parameter_set(&mut self, nal: &[u8]) {
        let Some((&header, body)) = nal.split_first() else { return };
        match header & 0x1f {
            SPS => {
                if let Ok((id, sps)) = Sps::parse(body) {
                    self.sps[id] = Some(sps);
                }
            }
            PPS => {
                if let Ok((id, pps)) = Pps::parse(body) {
                    self.pps[id] = Some(pps);
                }
            }
            _ => {}
        }
    }

    pub(super) fn read(&mut self, unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
        let framing = Framing::of(self.length_size, unit);
        match self.find_picture(unit, framing) {
            Ok((picture, recovery)) => {
                let field = self.halves.follow(&picture, framing, unit);
                Ok(self.describe(&picture, recovery, field))
            }
            // Parameter sets may lie between two fields.
            Err(BitstreamError::NoPicture) => Err(BitstreamError::NoPicture),
            Err(error) => {
                self.halves = Halves::default();
                Err(error)
            }
        }
    }

    /// The unit's picture and the count of its recovery point.
    fn find_picture(
        &mut self,
        unit: &[u8],
        framing: Framing,
    ) -> Result<(Picture, Option<u32>), BitstreamError> {
        let mut recovery = None;
        let mut picture: Option<Picture> = None;
        for nal in Nals::new(unit, framing) {
            match nal[0] & 0x1f {
                SPS | PPS => self.keep_parameter_set(nal),
                SEI if recovery.is_none() && picture.is_none() => {
                    recovery = recovery_point(&nal[1..]).and_then(|mut bits| bits.ue().ok());
                }
                SLICE | PARTITION_A | IDR_SLICE => match &mut picture {
                    None => picture = Some(self.read_picture(nal)?),
                    // Of the second field only whether it is a reference and whether it resets.
                    Some(first) => {
                        if let Ok(other) = self.read_picture(nal) {
                            first.reference |= other.reference;
                            if other.header.bottom != first.header.bottom {
                                first.paired = true;
                                first.reset = first.reset.zip(other.reset).map(|(a, b)| a || b);
                                break;
                            }
                        }
                    }
                },
                _ => {}
            }
            // All slices of a frame agree on what is asked here (7.4.1, 7.4.3); the rest need not be searched.
            if picture.is_some_and(|picture| !picture.header.field) {
                break;
            }
        }
        picture.map(|picture| (picture, recovery)).ok_or(BitstreamError::NoPicture)
    }

    fn read_picture(&self, nal: &[u8]) -> Result<Picture, BitstreamError> {
        let reference_idc = nal[0] >> 5 & 3;
        let idr = nal[0] & 0x1f == IDR_SLICE;
        let (header, sps) = SliceHeader::parse(&nal[1..], idr, &self.sps, &self.pps)?;
        let reference = reference_idc != 0;
        let reset = if reference { header.reset } else { Some(false) };
        Ok(Picture { header, sps, idr, reference, paired: false, reset })
    }

    fn describe(&mut self, picture: &Picture, recovery: Option<u32>, field: Field) -> PictureInfo {
        let reorder_depth = picture.sps.reorder_depth;
        let access = match recovery {
            _ if picture.idr => Access::Keyframe { leading: false },
            // The first slice speaks for the picture: with a count of 0 the stream itself vouches for the rest of it.
            Some(0) if picture.header.intra => Access::Keyframe { leading: reorder_depth > 0 },
            Some(after) => Access::Recovery { after },
            None => Access::None,
        };
        PictureInfo {
            access,
            reference: picture.reference,
            skipped_after_random_access: false,
            reorder_depth,
            references_lost: self.numbers.follow(picture),
            shown: true,
            field,
        }
    }
}

/// Kind and number of a parameter set.
pub(super) fn parameter_set(nal: &[u8]) -> Option<(SetKind, u16)> {
    let (header, body) = nal.split_first()?;
    let (kind, id) = match header & 0x1f {
        SPS => (SetKind::Sequence, Sps::parse(body).ok()?.0),
        PPS => (SetKind::Picture, Pps::parse(body).ok()?.0),
        _ => return None,
    };
    Some((kind, id as u16))
}

/// What a sequence parameter set says of looks.
pub(super) fn shape(nal: &[u8]) -> Result<Shape, BitstreamError> {
    let body = nal.get(1..).ok_or(BitstreamError::Truncated)?;
    Sps::parse_all(body).map(|(_, _, shape)| shape)
}

#[cfg(test)]
mod tests;
