//! Lost references, carried on: the unit that gives a loss away may be one that never reaches a decoder.

use crate::bitstream::{Access, PictureInfo};

/// What was lost since the newest keyframe, and before it.
#[derive(Debug, Default)]
pub(super) struct Loss {
    since_keyframe: bool,
    /// References that pictures shown before this keyframe need, and it does not.
    before: Option<i64>,
}

impl Loss {
    /// The next picture in decode order, with every loss that it may suffer from.
    pub(super) fn carry(&mut self, pts: i64, mut info: PictureInfo) -> PictureInfo {
        self.since_keyframe |= info.references_lost;
        if let Access::Keyframe { leading } = info.access {
            self.before = (leading && self.since_keyframe).then_some(pts);
            self.since_keyframe = false;
        }
        info.references_lost = self.since_keyframe || self.before.is_some_and(|keyframe| pts < keyframe);
        info
    }
}
