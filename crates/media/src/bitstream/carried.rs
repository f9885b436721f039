//! Parameter sets of units that never reach a decoder.

use bytes::Bytes;

use super::nal::{Framing, Nals, find_start_code};
use crate::{AccessUnit, Codec};

/// More is no parameter set any more, but damage.
const MOST_BYTES: usize = 64 << 10;

/// A stream may send a parameter set once, in a unit that no chosen picture needs. What was dropped goes in front of
/// the next unit that is decoded. H.264 and H.265 only: the other codecs have none, or repeat them in keyframes.
#[derive(Debug, Default)]
pub struct CarriedSets {
    sets: Vec<u8>,
}

impl CarriedSets {
    /// Keeps the parameter sets of a unit that is dropped.
    pub fn keep(&mut self, unit: &AccessUnit) {
        let Some(sets) = parameter_sets(unit) else { return };
        if self.sets == sets {
            return;
        }
        if self.sets.len() + sets.len() > MOST_BYTES {
            self.sets.clear();
        }
        self.sets.extend(sets);
    }

    /// Puts what was kept in front of a unit that is decoded.
    pub fn give(&mut self, unit: &mut AccessUnit) {
        if self.sets.is_empty() {
            return;
        }
        let sets = std::mem::take(&mut self.sets);
        if parameter_sets(unit).is_none_or(|own| own != sets) {
            unit.data = Bytes::from([&sets[..], &unit.data[..]].concat());
        }
    }
}

/// The parameter sets at the head of a unit, in its own framing.
fn parameter_sets(unit: &AccessUnit) -> Option<Vec<u8>> {
    let (codec, extradata) = (&unit.parameters.codec, &unit.parameters.extradata);
    let configured = extradata.first() == Some(&1);
    // Where `avcC` and `hvcC` say how long lengths are (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
    let at = match codec {
        Codec::H264 => 4,
        Codec::H265 => 21,
        _ => return None,
    };
    let declared = extradata.get(at).filter(|_| configured).map(|byte| usize::from(byte & 3) + 1);
    let framing = Framing::of(declared, &unit.data);
    let mut sets = Vec::new();
    for nal in Nals::new(&unit.data, framing) {
        match kind(codec, nal[0]) {
            Kind::Slice => break,
            Kind::Other => {}
            Kind::ParameterSet => match framing {
                Framing::Lengths(size) => {
                    sets.extend_from_slice(&(nal.len() as u64).to_be_bytes()[8 - size..]);
                    sets.extend_from_slice(nal);
                }
                Framing::StartCodes => {
                    sets.extend_from_slice(&[0, 0, 0, 1]);
                    sets.extend_from_slice(&nal[..find_start_code(nal).unwrap_or(nal.len())]);
                }
            },
        }
    }
    (!sets.is_empty()).then_some(sets)
}

enum Kind {
    Slice,
    ParameterSet,
    Other,
}

/// By NAL unit type: H.264 table 7-1, H.265 table 7-1.
fn kind(codec: &Codec, header: u8) -> Kind {
    match (codec, header & 0x1f, header >> 1 & 0x3f) {
        (Codec::H264, 1..=5, _) | (Codec::H265, _, 0..=31) => Kind::Slice,
        (Codec::H264, 7 | 8 | 13 | 15, _) | (Codec::H265, _, 32..=34) => Kind::ParameterSet,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests;
