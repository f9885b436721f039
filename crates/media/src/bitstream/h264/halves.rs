//! Two access units that are the two fields of one frame (H.264 3.30, 3.31: complementary field pairs).

use super::super::{Field, nal::Framing};
use super::Picture;

/// The field of the access unit before, if it still lacks its other half.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Halves {
    first: Option<First>,
}

#[derive(Clone, Copy, Debug)]
struct First {
    bottom: bool,
    /// Of the frame, as the second field has it too.
    frame_num: u32,
    idr: bool,
    reference: bool,
    framing: Framing,
}

impl Halves {
    /// Takes the next picture in decode order, with the unit that holds it.
    pub(super) fn follow(&mut self, picture: &Picture, framing: Framing, unit: &[u8]) -> Field {
        let before = self.first.take();
        if !picture.header.field || picture.paired {
            return Field::Whole;
        }
        if before.is_some_and(|first| first.is_completed_by(picture, framing)) {
            return Field::Second;
        }
        // A last length that points beyond the unit would swallow what is appended to it.
        if !framing.fits(unit) {
            return Field::Whole;
        }
        self.first = Some(First {
            bottom: picture.header.bottom,
            // Operation 5 makes the field count as number 0 afterwards, for its other half too.
            frame_num: if picture.reset == Some(true) { 0 } else { picture.header.frame_num },
            idr: picture.idr,
            reference: picture.reference,
            framing,
        });
        Field::First
    }
}

impl First {
    fn is_completed_by(&self, picture: &Picture, framing: Framing) -> bool {
        self.bottom != picture.header.bottom
            && self.frame_num == picture.header.frame_num
            && self.reference == picture.reference
            // The second field of an IDR picture is none by the specification; encoders that call it one are
            // understood by decoders.
            && (self.idr || !picture.idr)
            && self.framing == framing
    }
}
