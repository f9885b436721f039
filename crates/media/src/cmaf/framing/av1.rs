//! AV1 (AV1 codec ISO media file format binding, 2.3 and 2.4).

use bytes::{BufMut as _, Bytes};

use super::Described;
use crate::bitstream::shape::{Av1Sequence, Obu, obus};

/// Longest sequence header kept; they are a few bytes.
const LONGEST: usize = 1024;

/// Takes temporal delimiters out of units, and watches the sequence header.
#[derive(Debug, Default)]
pub(super) struct Av1 {
    /// Payload of the newest sequence header that could be read.
    sequence: Option<(Bytes, Av1Sequence)>,
    /// The source's record, where it holds that header.
    record: Option<Bytes>,
}

impl Av1 {
    pub(super) fn new(extradata: &Bytes) -> Self {
        let mut av1 = Self::default();
        av1.take(extradata);
        av1
    }

    /// `av1C` has four bytes before its OBUs; other containers give bare OBUs.
    fn take(&mut self, extradata: &Bytes) {
        let bare = match &extradata[..] {
            [0x81, _, _, _, obus @ ..] => obus,
            all => all,
        };
        if self.see(bare) && bare.len() < extradata.len() {
            self.record = Some(extradata.clone());
        }
    }

    /// Keeps the sequence header of a unit; true where there is one.
    fn see(&mut self, unit: &[u8]) -> bool {
        let Some(header) = obus(unit).find(Obu::is_sequence_header) else { return false };
        if self.sequence.as_ref().is_some_and(|(known, _)| known == header.payload) {
            return true;
        }
        if header.payload.len() > LONGEST {
            return false;
        }
        let Ok(sequence) = Av1Sequence::parse(header.payload) else { return false };
        self.sequence = Some((Bytes::copy_from_slice(header.payload), sequence));
        self.record = None;
        true
    }

    pub(super) fn describe(&self) -> Option<Described> {
        let (header, sequence) = self.sequence.as_ref()?;
        let record = self.record.clone().unwrap_or_else(|| write_record(header, sequence));
        Some(Described { record, shape: sequence.shape })
    }

    /// The unit without temporal delimiters. New sequence headers are looked for in keyframes, where they must be.
    pub(super) fn sample(&mut self, unit: &Bytes, announced: Option<&Bytes>, keyframe: bool) -> Bytes {
        if let Some(extradata) = announced {
            self.take(extradata);
        }
        if keyframe || self.sequence.is_none() {
            self.see(unit);
        }
        if !obus(unit).any(|obu| obu.is_temporal_delimiter()) {
            return unit.clone();
        }
        let mut data = Vec::with_capacity(unit.len());
        for obu in obus(unit).filter(|obu| !obu.is_temporal_delimiter()) {
            data.put_slice(obu.whole);
        }
        data.into()
    }
}

fn write_record(header: &[u8], sequence: &Av1Sequence) -> Bytes {
    let flag = |set: bool, bit: u8| u8::from(set) << bit;
    let depth = sequence.shape.bit_depth;
    let mut out = vec![0x81, sequence.profile << 5 | sequence.level];
    out.put_u8(
        flag(sequence.high_tier, 7)
            | flag(depth > 8, 6)
            | flag(depth == 12, 5)
            | flag(sequence.monochrome, 4)
            | flag(sequence.subsampling[0], 3)
            | flag(sequence.subsampling[1], 2)
            | sequence.position,
    );
    out.put_u8(0);
    // obu_type 1 with a size.
    out.put_u8(1 << 3 | 2);
    let mut size = header.len();
    while size > 0x7f {
        out.put_u8(0x80 | (size & 0x7f) as u8);
        size >>= 7;
    }
    out.put_u8(size as u8);
    out.put_slice(header);
    out.into()
}
