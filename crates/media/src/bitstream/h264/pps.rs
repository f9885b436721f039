//! Picture parameter set: what a slice header's length depends on (H.264 7.3.2.2).

use super::super::BitstreamError;
use super::super::bits::Bits;

/// Fields that decide how slice headers are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pps {
    pub(super) sps_id: u8,
    pub(super) bottom_field_order_present: bool,
    /// Active references of lists 0 and 1 unless the slice says otherwise.
    pub(super) active_references: [u32; 2],
    /// Whether slices of P and of B carry prediction weights.
    pub(super) weighted: [bool; 2],
    pub(super) redundant_pictures: bool,
}

impl Pps {
    /// Reads the bytes behind the NAL unit header; gives the set's number first.
    pub(super) fn parse(body: &[u8]) -> Result<(usize, Self), BitstreamError> {
        let bits = &mut Bits::nal(body);
        let id = bits.ue_to(255, "pic_parameter_set_id")? as usize;
        let sps_id = bits.ue_to(31, "seq_parameter_set_id")? as u8;
        bits.flag()?; // entropy_coding_mode_flag
        let bottom_field_order_present = bits.flag()?;
        skip_slice_groups(bits)?;
        let active_references = [
            bits.ue_to(31, "num_ref_idx_l0_default_active_minus1")? + 1,
            bits.ue_to(31, "num_ref_idx_l1_default_active_minus1")? + 1,
        ];
        let weighted = [bits.flag()?, bits.u(2)? == 1];
        bits.skip_codes(3)?; // pic_init_qp, pic_init_qs, chroma_qp_index_offset
        bits.skip(2)?; // deblocking_filter_control_present_flag, constrained_intra_pred_flag
        let redundant_pictures = bits.flag()?;
        let pps =
            Self { sps_id, bottom_field_order_present, active_references, weighted, redundant_pictures };
        Ok((id, pps))
    }
}

fn skip_slice_groups(bits: &mut Bits<'_>) -> Result<(), BitstreamError> {
    let last_group = bits.ue_to(7, "num_slice_groups_minus1")?;
    if last_group == 0 {
        return Ok(());
    }
    match bits.ue_to(6, "slice_group_map_type")? {
        0 => bits.skip_codes(last_group + 1),
        2 => bits.skip_codes(2 * last_group),
        3..=5 => {
            bits.flag()?;
            bits.skip_codes(1)
        }
        6 => {
            let last_unit = bits.ue()?;
            let width = u32::BITS - last_group.leading_zeros();
            // Every step consumes bits, so the data bound the loop.
            for _ in 0..=last_unit {
                bits.skip(width)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
