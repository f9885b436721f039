//! Slice header, down to the marking of references (H.264 7.3.3).

use super::super::BitstreamError;
use super::super::bits::Bits;
use super::pps::Pps;
use super::sps::{OrderCount, Sps};

/// What is kept of a slice header.
#[derive(Clone, Copy, Debug)]
pub(super) struct SliceHeader {
    /// I or SI.
    pub(super) intra: bool,
    pub(super) frame_num: u32,
    /// Part of a field rather than a frame.
    pub(super) field: bool,
    /// Of a bottom field.
    pub(super) bottom: bool,
    /// A memory management control operation 5; nothing where the header could not be read so far. Meaningless
    /// outside reference pictures.
    pub(super) reset: Option<bool>,
}

/// `slice_type` modulo 5 (table 7-6).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Predicted,
    Bipredicted,
    Intra,
}

impl SliceHeader {
    /// Reads the bytes behind the NAL unit header, with the parameter sets that the slice names.
    pub(super) fn parse(
        body: &[u8],
        idr: bool,
        all_sps: &[Option<Sps>; 32],
        all_pps: &[Option<Pps>; 256],
    ) -> Result<(Self, Sps), BitstreamError> {
        let bits = &mut Bits::nal(body);
        bits.ue()?; // first_mb_in_slice
        let kind = match bits.ue_to(9, "slice_type")? % 5 {
            0 | 3 => Kind::Predicted,
            1 => Kind::Bipredicted,
            _ => Kind::Intra,
        };
        let id = bits.ue_to(255, "pic_parameter_set_id")?;
        let pps = all_pps[id as usize].ok_or(BitstreamError::MissingParameterSet { set: "picture", id })?;
        let id = u32::from(pps.sps_id);
        let sps = all_sps[id as usize].ok_or(BitstreamError::MissingParameterSet { set: "sequence", id })?;
        if sps.separate_colour_planes {
            bits.skip(2)?;
        }
        let frame_num = bits.u(sps.log2_max_frame_num)?;
        let field = !sps.frames_only && bits.flag()?;
        let bottom = field && bits.flag()?;
        let reset = Tail { kind, idr, field, sps: &sps, pps: &pps }.resets(bits).ok();
        Ok((Self { intra: kind == Kind::Intra, frame_num, field, bottom, reset }, sps))
    }
}

/// The rest of a slice header, needed only to reach the marking of references.
struct Tail<'a> {
    kind: Kind,
    idr: bool,
    field: bool,
    sps: &'a Sps,
    pps: &'a Pps,
}

impl Tail<'_> {
    fn resets(&self, bits: &mut Bits<'_>) -> Result<bool, BitstreamError> {
        if self.idr {
            return Ok(false);
        }
        self.skip_order_count(bits)?;
        if self.pps.redundant_pictures {
            bits.ue()?;
        }
        if self.kind == Kind::Bipredicted {
            bits.flag()?; // direct_spatial_mv_pred_flag
        }
        let references = self.active_references(bits)?;
        for _ in references.iter().filter(|&&count| count > 0) {
            skip_list_modification(bits)?;
        }
        let weighted = match self.kind {
            Kind::Predicted => self.pps.weighted[0],
            Kind::Bipredicted => self.pps.weighted[1],
            Kind::Intra => false,
        };
        if weighted {
            self.skip_weights(bits, references)?;
        }
        marks_reset(bits)
    }

    fn skip_order_count(&self, bits: &mut Bits<'_>) -> Result<(), BitstreamError> {
        let both_fields = self.pps.bottom_field_order_present && !self.field;
        match self.sps.order_count {
            OrderCount::Explicit { log2_max_lsb } => {
                bits.skip(log2_max_lsb)?;
                bits.skip_codes(u32::from(both_fields))
            }
            OrderCount::Cyclic { deltas_zero: false } => bits.skip_codes(1 + u32::from(both_fields)),
            OrderCount::Cyclic { deltas_zero: true } | OrderCount::DecodeOrder => Ok(()),
        }
    }

    /// Active references of lists 0 and 1; 0 where the slice does not use the list.
    fn active_references(&self, bits: &mut Bits<'_>) -> Result<[u32; 2], BitstreamError> {
        let lists = match self.kind {
            Kind::Intra => return Ok([0, 0]),
            Kind::Predicted => 1,
            Kind::Bipredicted => 2,
        };
        let overridden = bits.flag()?;
        let mut active = [0, 0];
        for (list, count) in active.iter_mut().enumerate().take(lists) {
            *count = if overridden {
                bits.ue_to(31, "num_ref_idx_active_minus1")? + 1
            } else {
                self.pps.active_references[list]
            };
        }
        Ok(active)
    }

    /// 7.3.3.2.
    fn skip_weights(&self, bits: &mut Bits<'_>, references: [u32; 2]) -> Result<(), BitstreamError> {
        let chroma = self.sps.chroma_array_type != 0;
        bits.skip_codes(1 + u32::from(chroma))?;
        for count in references {
            for _ in 0..count {
                if bits.flag()? {
                    bits.skip_codes(2)?;
                }
                if chroma && bits.flag()? {
                    bits.skip_codes(4)?;
                }
            }
        }
        Ok(())
    }
}

/// 7.3.3.1. Each step consumes bits, so the data bound the loop.
fn skip_list_modification(bits: &mut Bits<'_>) -> Result<(), BitstreamError> {
    const END: u32 = 3;
    if bits.flag()? {
        while bits.ue_to(END, "modification_of_pic_nums_idc")? != END {
            bits.ue()?;
        }
    }
    Ok(())
}

/// Whether operation 5 is among the memory management control operations (7.3.3.3).
fn marks_reset(bits: &mut Bits<'_>) -> Result<bool, BitstreamError> {
    let mut reset = false;
    if bits.flag()? {
        loop {
            match bits.ue_to(6, "memory_management_control_operation")? {
                0 => break,
                3 => bits.skip_codes(2)?,
                5 => reset = true,
                _ => bits.skip_codes(1)?,
            }
        }
    }
    Ok(reset)
}
