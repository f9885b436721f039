//! Lost reference pictures, told from gaps in `frame_num` (H.264 7.4.3).

use super::Picture;

/// `PrevRefFrameNum`, where it is known: not before the first picture, nor after one that could not be read to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameNumbers {
    previous_reference: Option<u32>,
}

impl FrameNumbers {
    /// Takes the next picture in decode order; true where reference pictures before it are surely missing. Gaps that
    /// the stream allows (temporal layers taken out) count as none.
    pub(super) fn follow(&mut self, picture: &Picture) -> bool {
        let number = picture.header.frame_num;
        let max = 1_u32 << picture.sps.log2_max_frame_num;
        // Both fields of a frame, and the pictures up to the next reference, have the number of the last reference
        // or the one after it. A number that repeats by a whole cycle cannot be told from none lost.
        let gap = !picture.idr
            && self.previous_reference.is_some_and(|last| number != last && number != (last + 1) % max);
        if picture.reference {
            // Operation 5 makes the picture count as number 0 afterwards, like an IDR picture.
            self.previous_reference = picture.reset.map(|reset| if reset { 0 } else { number });
        } else if gap {
            // As the decoder infers the missing frames (8.2.5.2): one loss is reported once.
            self.previous_reference = Some((number + max - 1) % max);
        }
        gap && !picture.sps.gaps_allowed
    }
}
