//! One reader per stream, chosen by codec.

use super::{Access, Field, MAX_REORDER_DEPTH, PictureInfo, av1, h263, h264, h265, mpeg2, mpeg4, vpx};
use crate::{Codec, CodecParameters};

/// Why nothing can be said of an access unit. None of them ends a stream: the next unit may be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitstreamError {
    /// Parameter sets, SEI, padding or a placeholder: nothing to decode.
    #[error("access unit without a picture")]
    NoPicture,
    /// The bytes end inside a header.
    #[error("header cut short")]
    Truncated,
    /// A picture names a parameter set that was never received whole.
    #[error("{set} parameter set {id} is missing")]
    MissingParameterSet {
        /// "sequence" or "picture".
        set: &'static str,
        /// Its number.
        id: u32,
    },
    /// A value that the codec's specification does not allow.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
}

/// Says what each access unit of a stream is, from its bits. Units are given in decode order, all that were received.
/// Time is bounded by the unit's length and usually by its headers; nothing is allocated after `new`.
#[derive(Debug)]
pub struct PictureReader {
    inner: Inner,
    /// For codecs whose streams do not tell.
    reorder_hint: u32,
    /// Of the newest picture that could be read.
    last_depth: u32,
}

#[derive(Debug)]
enum Inner {
    H264(Box<h264::Reader>),
    H265(Box<h265::Reader>),
    H263,
    Mpeg2,
    Mpeg4(mpeg4::Reader),
    Mjpeg,
    Vp8,
    Vp9,
    Av1(av1::Reader),
    /// Pictures that are not read: the container is believed.
    Container,
}

impl PictureReader {
    /// A reader for a stream. Damaged `extradata` are no error here: in-band parameter sets may follow, and pictures
    /// that need what is missing are reported then.
    pub fn new(parameters: &CodecParameters) -> Self {
        let CodecParameters { codec, extradata, .. } = parameters;
        let inner = match codec {
            Codec::H264 => Inner::H264(h264::Reader::new(extradata)),
            Codec::H265 => Inner::H265(h265::Reader::new(extradata)),
            Codec::Mpeg4 => Inner::Mpeg4(mpeg4::Reader::new(extradata, parameters.reorder_hint)),
            Codec::Mjpeg => Inner::Mjpeg,
            Codec::Vp8 => Inner::Vp8,
            Codec::Vp9 => Inner::Vp9,
            Codec::Av1 => Inner::Av1(av1::Reader::new(extradata)),
            Codec::Other(name) if matches!(name.as_str(), "mpeg1video" | "mpeg2video") => Inner::Mpeg2,
            Codec::Other(name) if matches!(name.as_str(), "h263" | "h263p") => Inner::H263,
            Codec::Other(_) => Inner::Container,
        };
        let reorder_hint = parameters.reorder_hint.min(MAX_REORDER_DEPTH);
        Self { inner, reorder_hint, last_depth: reorder_hint }
    }

    /// What `data`, one access unit in the container's framing, is. `container_keyframe` counts only for codecs whose
    /// pictures are not read ([`Codec::Other`], MPEG-1, MPEG-2 and H.263 aside).
    pub fn read(&mut self, data: &[u8], container_keyframe: bool) -> Result<PictureInfo, BitstreamError> {
        let read = match &mut self.inner {
            Inner::H264(reader) => reader.read(data),
            Inner::H265(reader) => reader.read(data),
            Inner::H263 => h263::read(data),
            Inner::Mpeg2 => mpeg2::read(data, self.reorder_hint),
            Inner::Mpeg4(reader) => reader.read(data),
            Inner::Mjpeg => read_jpeg(data),
            Inner::Vp8 => vpx::read_vp8(data),
            Inner::Vp9 => vpx::read_vp9(data),
            Inner::Av1(reader) => reader.read(data),
            Inner::Container if data.is_empty() => Err(BitstreamError::NoPicture),
            // Open groups cannot be ruled out where pictures are reordered.
            Inner::Container if container_keyframe => {
                let leading = self.reorder_hint > 0;
                Ok(PictureInfo::of_unread_references(Access::Keyframe { leading }, self.reorder_hint))
            }
            Inner::Container => Ok(PictureInfo::of_unread_references(Access::None, self.reorder_hint)),
        };
        if let Ok(info) = &read {
            self.last_depth = info.reorder_depth;
        }
        read
    }

    /// What to make of a unit that could not be read: to be on the safe side, a picture that others refer to.
    pub fn unreadable(&self) -> PictureInfo {
        PictureInfo::of_unread_references(Access::None, self.last_depth)
    }

    /// Forgets the pictures so far but not the parameter sets: for a jump within the stream (a seek), after which a
    /// difference to the picture before means nothing.
    pub fn forget_pictures(&mut self) {
        match &mut self.inner {
            Inner::H264(reader) => reader.forget_pictures(),
            Inner::H265(reader) => reader.forget_pictures(),
            _ => {}
        }
    }
}

impl PictureInfo {
    /// A picture of a codec whose references are not told apart: every picture counts as one.
    pub(super) fn of_unread_references(access: Access, reorder_depth: u32) -> Self {
        Self {
            access,
            reference: true,
            skipped_after_random_access: false,
            reorder_depth,
            references_lost: false,
            shown: true,
            field: Field::Whole,
        }
    }
}

/// Every JPEG stands alone. Some cameras put bytes before the start of the image, as decoders tolerate.
fn read_jpeg(data: &[u8]) -> Result<PictureInfo, BitstreamError> {
    const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
    if data.windows(2).any(|pair| pair == START_OF_IMAGE) {
        Ok(PictureInfo::of_unread_references(Access::Keyframe { leading: false }, 0))
    } else {
        Err(BitstreamError::NoPicture)
    }
}

#[cfg(test)]
mod tests;
