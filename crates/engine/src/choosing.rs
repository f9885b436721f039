//! Access units to the sampler's steps: what both the pass over a file and a live stream begin with.

use std::{collections::BTreeMap, sync::Arc};

use ocelli_media::{
    AccessUnit, CodecParameters,
    bitstream::{BitstreamError, PictureInfo, PictureReader},
    fields::FieldPairs,
    sampler::{Sampler, Step},
};

use crate::reason::count;

/// A unit that is whole, with both fields of its picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) unit: &'a AccessUnit,
    /// What it is, where it holds a picture, and its run, counted from 0 within the source. None before anything can be decoded.
    pub(crate) picture: Option<(PictureInfo, u32)>,
}

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
    pub(crate) fn push(&mut self, unit: AccessUnit, note: impl FnMut(Whole<'_>)) {
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
    pub(crate) fn finish(&mut self, note: impl FnMut(Whole<'_>)) {
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
    fn sample(&mut self, mut note: impl FnMut(Whole<'_>)) {
        while let Some((unit, info)) = self.fields.next_unit() {
            let Some(info) = info else {
                self.sampler.pass_over(&unit);
                note(Whole { unit: &unit, picture: None });
                continue;
            };
            // Shared, not copied.
            self.sampler.push(unit.clone(), info);
            note(Whole { unit: &unit, picture: self.sampler.run().map(|run| (info, run)) });
        }
    }
}
