//! What a coded picture is, read from its own bits: keyframe, reference, recovery point, reorder depth.

mod av1;
mod bits;
mod carried;
mod h263;
mod h264;
mod h265;
mod mpeg2;
mod mpeg4;
pub(crate) mod nal;
mod reader;
pub(crate) mod shape;
mod vpx;

pub use carried::CarriedSets;
pub use reader::{BitstreamError, PictureReader};

/// No codec here lets more pictures be reordered (the largest decoded picture buffer).
const MAX_REORDER_DEPTH: u32 = 16;

/// What the sampler must know of one access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one picture")]
pub struct PictureInfo {
    /// What decoding can start here.
    pub access: Access,
    /// Whether later pictures may be predicted from this one. True where that cannot be told.
    pub reference: bool,
    /// H.265 RASL: undecodable when decoding started at its keyframe.
    pub skipped_after_random_access: bool,
    /// Pictures that may precede this one in decode order and follow it in output order, as the stream declares.
    pub reorder_depth: u32,
    /// References were lost before this picture: H.264 readers see a gap in `frame_num`, and the sampler carries a loss
    /// on to what may refer to it.
    pub references_lost: bool,
    /// False where a decoder that reads the whole stream outputs no picture for this unit: hidden references (VP8,
    /// VP9, AV1), H.265 RASL after a BLA picture or an end of sequence. They may be references, and are never chosen.
    pub shown: bool,
    /// What part of a picture the unit holds; [`FieldPairs`](crate::fields::FieldPairs) joins halves.
    pub field: Field,
}

/// What part of a picture an access unit holds. Fields are told apart in H.264 only: H.265 codes them as pictures of
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A frame, both fields of one, or what cannot be told.
    Whole,
    /// One field; the next unit may hold the other one.
    First,
    /// The other field of the picture whose first one the unit before holds.
    Second,
}

/// Where decoding may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Needs earlier pictures.
    None,
    /// A keyframe. `leading` says whether pictures that follow it in decode order may precede it in output order
    /// and need earlier pictures (open GOP: H.264 recovery point of an intra picture, H.265 CRA).
    Keyframe {
        /// Whether open-GOP leading pictures may follow.
        leading: bool,
    },
    /// H.264 and H.265 recovery point that is no keyframe (intra refresh): pictures are right this many references
    /// later in decode order.
    Recovery {
        /// References until pictures are right: steps of `frame_num` (H.264), of the picture order count (H.265).
        after: u32,
    },
}
