//! Access units to the sampler's steps: what both the pass over a file and a live stream begin with.

use std::{collections::BTreeMap, sync::Arc};

use ocelli_media::{
    AccessUnit, CodecParameters,
    bitstream::{BitstreamError, PictureReader},
    fields::FieldPairs,
    sampler::{Sampler, Step},
};

use crate::reason::count;

/// Reads what each unit is, joins fields, and lets the sampler choose.
#[derive(Debug)]
pub(crate) struct Choosing {
    parameters: Arc<CodecParameters>,
    reader: PictureReader,
    fields: FieldPairs,
    sampler: Sampler,
    /// Bytes that could not be read as pictures, with counts.
    pub(crate) unreadable: BTreeMap<String, u64>,
}

impl Choosing {
    pub(crate) fn new(parameters: &Arc<CodecParameters>, sampler: Sampler) -> Self {
        Self {
            parameters: Arc::clone(parameters),
            reader: PictureReader::new(parameters),
            fields: FieldPairs::default(),
            sampler,
            unreadable: BTreeMap::new(),
        }
    }

    /// Takes the next unit in decode order; `note` is told of each that is whole.
    pub(crate) fn push(&mut self, unit: AccessUnit, note: impl FnMut(&AccessUnit)) {
        if !Arc::ptr_eq(&self.parameters, &unit.parameters) {
            self.parameters = Arc::clone(&unit.parameters);
            self.reader = PictureReader::new(&self.parameters);
        }
        let info = match self.reader.read(&unit.data, unit.container_keyframe) {
            Ok(info) => Some(info),
            Err(BitstreamError::NoPicture) => None,
            Err(error) => {
                count(&mut self.unreadable, error.to_string());
                Some(self.reader.unreadable())
            }
        };
        self.fields.push(unit, info);
        self.sample(note);
    }

    /// The end of the source: closes every slot.
    pub(crate) fn finish(&mut self, note: impl FnMut(&AccessUnit)) {
        self.fields.flush();
        self.sample(note);
        self.sampler.finish();
    }

    pub(crate) fn next_step(&mut self) -> Option<Step> {
        self.sampler.next_step()
    }

    pub(crate) fn is_past_window(&self) -> bool {
        self.sampler.is_past_window()
    }

    /// Gives the sampler what is whole.
    fn sample(&mut self, mut note: impl FnMut(&AccessUnit)) {
        while let Some((unit, info)) = self.fields.next_unit() {
            note(&unit);
            match info {
                Some(info) => self.sampler.push(unit, info),
                None => self.sampler.pass_over(&unit),
            }
        }
    }
}
