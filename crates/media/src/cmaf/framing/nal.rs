//! H.264 and H.265.

use bytes::{BufMut as _, Bytes};

use super::{
    Described,
    record::{self, LENGTH, Record},
    sets::Sets,
};
use crate::{
    Codec,
    bitstream::{
        nal::{Framing, whole_nals},
        shape::{SetKind, parameter_set, shape_of_set},
    },
};

/// Takes parameter sets out of units.
#[derive(Debug)]
pub(super) struct NalUnits {
    codec: Codec,
    /// Bytes of a length as the source declares.
    declared: Option<usize>,
    /// What stands out of band.
    described: Sets,
    /// The newest of each number.
    newest: Sets,
    /// The record of `described`.
    record: Option<Bytes>,
    /// Arrays of `hvcC` without parameter sets.
    others: (Vec<u8>, u8),
}

impl NalUnits {
    pub(super) fn new(codec: &Codec, extradata: &Bytes) -> Self {
        let mut nal = Self {
            codec: codec.clone(),
            declared: None,
            described: Sets::default(),
            newest: Sets::default(),
            record: None,
            others: (Vec::new(), 0),
        };
        let read = record::read_any(codec, extradata);
        let complete = read.complete;
        nal.take(read);
        nal.put_out_of_band();
        if complete {
            nal.record = Some(extradata.clone());
        }
        nal
    }

    /// Keeps what a record says; its sets are the newest now.
    fn take(&mut self, read: Record) {
        self.declared = read.length;
        self.others = (read.others, read.other_arrays);
        for (key, set) in read.sets.iter() {
            self.newest.keep(*key, set);
        }
    }

    /// Describes the stream with the newest sets; says whether that is another description.
    fn put_out_of_band(&mut self) -> bool {
        if (self.newest != self.described || self.record.is_none())
            && let Some(record) = record::write(&self.codec, &self.newest, (&self.others.0, self.others.1))
        {
            self.described = self.newest.clone();
            self.record = Some(record);
            return true;
        }
        false
    }

    pub(super) fn describe(&self) -> Option<Described> {
        let record = self.record.clone()?;
        let set = self.described.first(SetKind::Sequence)?;
        let shape = shape_of_set(&self.codec, set).ok()?;
        Some(Described { record, shape })
    }

    /// The unit with lengths of four bytes and without the sets that stand out of band. `announced`: the source's new extradata, whose
    /// sets go in band where a decoder would not hear of them otherwise.
    pub(super) fn sample(&mut self, unit: &Bytes, announced: Option<&Bytes>, keyframe: bool) -> Bytes {
        // What a decoder that has come this far holds.
        let before = self.newest.clone();
        if let Some(extradata) = announced {
            self.take(record::read_any(&self.codec, extradata));
        }
        let told: Vec<(SetKind, u16)> =
            self.newest.iter().filter(|(key, set)| !before.holds(**key, set)).map(|(key, _)| *key).collect();
        let framing = Framing::of(self.declared, unit);
        let mut has_sets = false;
        for nal in whole_nals(unit, framing) {
            if let Some(key) = self.kind(nal) {
                has_sets = true;
                self.newest.keep(key, nal);
            }
        }
        let anew = (keyframe || self.record.is_none()) && self.put_out_of_band();
        let told = if anew { Vec::new() } else { told };
        if framing == Framing::Lengths(LENGTH) && !has_sets && told.is_empty() && framing.fits(unit) {
            return unit.clone();
        }
        let mut data = Vec::with_capacity(unit.len() + 64);
        for (_, set) in self.newest.iter().filter(|(key, _)| told.contains(key)) {
            put_nal(&mut data, set);
        }
        for nal in whole_nals(unit, framing) {
            // With another head a decoder begins anew; else it must hold the set that stands there, and no other in its place.
            let known = |key| self.described.holds(key, nal) && (anew || before.holds(key, nal));
            if !self.kind(nal).is_some_and(known) {
                put_nal(&mut data, nal);
            }
        }
        data.into()
    }

    /// Cheap for what is no parameter set: the first byte tells.
    fn kind(&self, nal: &[u8]) -> Option<(SetKind, u16)> {
        parameter_set(&self.codec, nal)
    }
}

fn put_nal(out: &mut Vec<u8>, nal: &[u8]) {
    out.put_u32(nal.len() as u32);
    out.put_slice(nal);
}
