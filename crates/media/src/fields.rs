//! Frames out of fields: interlaced H.264 may come with one access unit per field (picture-adaptive coding in MPEG-TS).

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use crate::{
    AccessUnit,
    bitstream::{Field, PictureInfo},
};

/// A unit and what the reader says of it; nothing where it holds no picture.
pub type ReadUnit = (AccessUnit, Option<PictureInfo>);

/// Joins the two fields of a frame into one unit, so that the sampler chooses among frames and a decoder gives one
/// picture for each unit. The joined unit has the times of the first field.
///
/// Only a first field waits, for the unit behind it; without its second field it goes on alone. Everything else passes
/// at once and unchanged, and the order of pictures stays. Bounded: two units are held at most.
#[derive(Debug, Default)]
pub struct FieldPairs {
    first: Option<(AccessUnit, PictureInfo)>,
    /// A unit without a picture (parameter sets) behind the first field.
    between: Option<AccessUnit>,
    ready: VecDeque<ReadUnit>,
}

impl FieldPairs {
    /// Takes the next unit in decode order. What is finished by it is ready in [`FieldPairs::next_unit`].
    pub fn push(&mut self, unit: AccessUnit, info: Option<PictureInfo>) {
        let Some(info) = info else {
            if self.first.is_some() && self.between.is_none() {
                self.between = Some(unit);
            } else {
                self.flush();
                self.ready.push_back((unit, None));
            }
            return;
        };
        if info.field == Field::Second
            && let Some(first) =
                self.first.take_if(|(first, _)| Arc::ptr_eq(&first.parameters, &unit.parameters))
        {
            // Parameter sets are carried to the next unit with a picture anyhow.
            self.ready.extend(self.between.take().map(|unit| (unit, None)));
            self.ready.push_back(join(first, &unit, info));
            return;
        }
        self.flush();
        if info.field == Field::First {
            self.first = Some((unit, info));
        } else {
            self.ready.push_back((unit, Some(info)));
        }
    }

    /// No second field follows: the end of the stream.
    pub fn flush(&mut self) {
        self.ready.extend(self.first.take().map(|(unit, info)| (unit, Some(info))));
        self.ready.extend(self.between.take().map(|unit| (unit, None)));
    }

    /// The next finished unit, in decode order.
    pub fn next_unit(&mut self) -> Option<ReadUnit> {
        self.ready.pop_front()
    }
}

/// Both framings allow units to be strung together: the reader pairs fields of the same framing only.
fn join(
    (mut unit, mut info): (AccessUnit, PictureInfo),
    second: &AccessUnit,
    second_info: PictureInfo,
) -> ReadUnit {
    unit.data = Bytes::from([&unit.data[..], &second.data[..]].concat());
    unit.damaged |= second.damaged;
    info.reference |= second_info.reference;
    info.references_lost |= second_info.references_lost;
    info.field = Field::Whole;
    (unit, Some(info))
}

#[cfg(test)]
mod tests;
