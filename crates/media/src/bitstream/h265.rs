//! H.265 (ITU-T H.265, 08/2021): what an access unit is, from its NAL unit type, parameter sets and SEI.

mod parameter_sets;

use super::bits::Bits;
use super::nal::{Framing, Nals, recovery_point};
use super::shape::{SetKind, Shape};
use super::{Access, BitstreamError, Field, PictureInfo};
pub(crate) use parameter_sets::Profile;
use parameter_sets::{Sps, parse_pps};

// NAL unit types, table 7-1.
const RADL_N: u8 = 6;
const RASL_N: u8 = 8;
const RASL_R: u8 = 9;
const LAST_SUB_LAYER_NON_REFERENCE: u8 = 14;
const FIRST_IRAP: u8 = 16;
const CRA: u8 = 21;
const LAST_IRAP: u8 = 23;
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
const END_OF_SEQUENCE: u8 = 36;
const END_OF_BITSTREAM: u8 = 37;
const PREFIX_SEI: u8 = 39;

/// Parameter sets and the little that must be remembered from one access unit to the next.
#[derive(Debug)]
pub(super) struct Reader {
    /// Bytes per length as `hvcC` declares; nothing for Annex B.
    length_size: Option<usize>,
    sps: [Option<Sps>; 16],
    /// The sequence parameter set that each picture parameter set names.
    pps: [Option<u8>; 64],
    /// The last picture ended a coded video sequence.
    sequence_ended: bool,
    /// RASL pictures of the last IRAP are never output, however decoding got here (`NoRaslOutputFlag`, 8.1.3).
    rasl_skipped: bool,
}

/// NAL unit header, 7.3.1.2.
#[derive(Clone, Copy)]
struct Header {
    kind: u8,
    temporal_id: u8,
}

impl Header {
    /// Nothing for other layers than the base layer, which are passed over.
    fn of_base_layer(nal: &[u8]) -> Option<Self> {
        let [first, second] = *nal.first_chunk()?;
        let layer = (first & 1) << 5 | second >> 3;
        let kind = first >> 1 & 0x3f;
        (layer == 0).then_some(Self { kind, temporal_id: (second & 7).saturating_sub(1) })
    }

    fn is_irap(self) -> bool {
        (FIRST_IRAP..=LAST_IRAP).contains(&self.kind)
    }

    /// Pictures of any kind; reserved types are not ours to judge.
    fn is_picture(self) -> bool {
        self.kind <= RASL_R || (FIRST_IRAP..=CRA).contains(&self.kind)
    }

    /// Sub-layer non-reference pictures may still be referred to from higher sub-layers: only in the highest one is
    /// nothing predicted from them.
    fn is_reference(self, highest_temporal_id: u8) -> bool {
        let non_reference = self.kind <= LAST_SUB_LAYER_NON_REFERENCE && self.kind.is_multiple_of(2);
        !non_reference || self.temporal_id < highest_temporal_id
    }
}

impl Reader {
    pub(super) fn new(extradata: &[u8]) -> Box<Self> {
        let mut reader = Box::new(Self {
            length_size: None,
            sps: [None; 16],
            pps: [None; 64],
            sequence_ended: false,
            rasl_skipped: false,
        });
        // Early files have version 0 in hvcC; an Annex B header starts with two zero bytes and a small third.
        match extradata {
            [first, second, third, ..] if *first != 0 || *second != 0 || *third > 1 => {
                reader.read_hvcc(extradata);
            }
            _ => Nals::new(extradata, Framing::of(None, extradata))
                .for_each(|nal| reader.keep_parameter_set(nal)),
        }
        reader
    }

    pub(super) fn forget_pictures(&mut self) {
        self.sequence_ended = false;
        self.rasl_skipped = false;
    }

    /// `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 8.3.3.1), as far as it goes.
    fn read_hvcc(&mut self, record: &[u8]) {
        let Some((head, mut rest)) = record.split_at_checked(23) else { return };
        self.length_size = Some(usize::from(head[21] & 3) + 1);
        for _ in 0..head[22] {
            let Some(([_, high, low], sets)) = rest.split_first_chunk() else { return };
            rest = sets;
            for _ in 0..u16::from_be_bytes([*high, *low]) {
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

    /// Keeps a parameter set. A damaged one is passed over: pictures that need it say so.
    fn keep_parameter_set(&mut self, nal: &[u8]) {
        let Some(header) = Header::of_base_layer(nal) else { return };
        match header.kind {
            SPS => {
                if let Ok((id, sps)) = Sps::parse(&nal[2..]) {
                    self.sps[id] = Some(sps);
                }
            }
            PPS => {
                if let Ok((id, sps_id)) = parse_pps(&nal[2..]) {
                    self.pps[id] = Some(sps_id);
                }
            }
            _ => {}
        }
    }

    pub(super) fn read(&mut self, unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
        let framing = Framing::of(self.length_size, unit);
        let mut recovery = None;
        let mut picture = None;
        for nal in Nals::new(unit, framing) {
            let Some(header) = Header::of_base_layer(nal) else { continue };
            match header.kind {
                SPS | PPS => self.keep_parameter_set(nal),
                PREFIX_SEI if recovery.is_none() => {
                    recovery = recovery_point(&nal[2..]).and_then(|mut bits| bits.se().ok());
                }
                END_OF_SEQUENCE | END_OF_BITSTREAM => self.sequence_ended = true,
                _ if header.is_picture() && picture.is_none() => {
                    picture = Some(self.describe(header, &nal[2..], recovery)?);
                    // The rest of the picture is not searched; only an end of sequence could follow it.
                    if framing == Framing::StartCodes {
                        self.sequence_ended = ends_sequence(unit);
                        break;
                    }
                }
                _ => {}
            }
        }
        picture.ok_or(BitstreamError::NoPicture)
    }

    fn describe(
        &mut self,
        header: Header,
        slice: &[u8],
        recovery: Option<i32>,
    ) -> Result<PictureInfo, BitstreamError> {
        let sps = self.active_sps(header, slice)?;
        let rasl = matches!(header.kind, RASL_N | RASL_R);
        if header.is_irap() {
            self.rasl_skipped = header.kind != CRA || self.sequence_ended;
        }
        self.sequence_ended = false;
        let access = match recovery {
            _ if header.is_irap() => {
                Access::Keyframe { leading: header.kind == CRA && sps.reorder_depth > 0 }
            }
            // Leading pictures come before their IRAP in output: nothing starts there.
            Some(count) if !(RADL_N..=RASL_R).contains(&header.kind) => {
                Access::Recovery { after: count.max(0).unsigned_abs() }
            }
            _ => Access::None,
        };
        Ok(PictureInfo {
            field: Field::Whole,
            access,
            reference: header.is_reference(sps.highest_temporal_id),
            skipped_after_random_access: rasl,
            reorder_depth: sps.reorder_depth,
            references_lost: false,
            shown: !(rasl && self.rasl_skipped),
        })
    }

    /// Follows the slice segment header's picture parameter set (7.3.6.1).
    fn active_sps(&self, header: Header, slice: &[u8]) -> Result<Sps, BitstreamError> {
        let mut bits = Bits::nal(slice);
        bits.skip(if header.is_irap() { 2 } else { 1 })?;
        let id = bits.ue_to(63, "slice_pic_parameter_set_id")?;
        let sps_id =
            self.pps[id as usize].ok_or(BitstreamError::MissingParameterSet { set: "picture", id })?;
        let id = u32::from(sps_id);
        self.sps[id as usize].ok_or(BitstreamError::MissingParameterSet { set: "sequence", id })
    }
}

/// Whether a unit with start codes ends with an end of sequence or bitstream NAL unit, which is but a header.
fn ends_sequence(unit: &[u8]) -> bool {
    let end = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    matches!(unit[..end], [.., 0, 0, 1, kind, 1]
        if kind == END_OF_SEQUENCE << 1 || kind == END_OF_BITSTREAM << 1)
}

/// Kind and number of a parameter set of the base layer.
pub(super) fn parameter_set(nal: &[u8]) -> Option<(SetKind, u16)> {
    let header = Header::of_base_layer(nal)?;
    let body = &nal[2..];
    let (kind, id) = match header.kind {
        VPS => (SetKind::Video, usize::from(*body.first()? >> 4)),
        SPS => (SetKind::Sequence, Sps::parse(body).ok()?.0),
        PPS => (SetKind::Picture, parse_pps(body).ok()?.0),
        _ => return None,
    };
    Some((kind, id as u16))
}

/// What a sequence parameter set says of looks.
pub(super) fn shape(nal: &[u8]) -> Result<Shape, BitstreamError> {
    parse_sequence(nal).map(|(_, shape)| shape)
}

impl Profile {
    /// What a sequence parameter set says of its profile.
    pub(crate) fn of_set(nal: &[u8]) -> Result<Self, BitstreamError> {
        parse_sequence(nal).map(|(profile, _)| profile)
    }
}

fn parse_sequence(nal: &[u8]) -> Result<(Profile, Shape), BitstreamError> {
    let body = nal.get(2..).ok_or(BitstreamError::Truncated)?;
    Sps::parse_all(body).map(|(_, _, profile, shape)| (profile, shape))
}

#[cfg(test)]
mod tests;
