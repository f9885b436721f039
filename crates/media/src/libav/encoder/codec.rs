//! The encoders: libx264, else FFmpeg's own MPEG-4.

use std::{
    ffi::{CStr, c_int},
    ptr, slice,
};

use bytes::Bytes;
use ffmpeg_sys_next as ffi;

use super::{super::packet::Packet, AvError, Canvas, VideoSettings};
use crate::{libav::av_frame::AvFrame, pixel::Matrix};

/// Pictures between keyframes at most: a killed writer loses no more.
const GOP: c_int = 30;
/// As good as none: keyframes come where they are asked for.
const NO_GOP: c_int = 1 << 20;
/// Quality of live recordings: x264's own default.
const LIVE_CRF: u8 = 23;

/// Encoders in order of preference. libopenh264 is not among them: it is rate-controlled and refuses small pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    X264,
    Mpeg4,
}

/// Those that this FFmpeg has.
pub(super) fn available() -> Vec<Name> {
    [Name::X264, Name::Mpeg4].into_iter().filter(|name| !name.find().is_null()).collect()
}

impl Name {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::Mpeg4 => "mpeg4",
        }
    }

    fn find(self) -> *const ffi::AVCodec {
        let name = match self {
            Self::X264 => c"libx264",
            Self::Mpeg4 => c"mpeg4",
        };
        // SAFETY: looks up a constant table by a zero-ended name.
        unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()) }
    }
}

/// An open encoder without reordering. It counts pictures: real times are the caller's.
#[derive(Debug)]
pub(super) struct Encoder {
    name: Name,
    context: *mut ffi::AVCodecContext,
    count: i64,
}

// SAFETY: codec contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn open(name: Name, canvas: &mut Canvas, settings: VideoSettings) -> Result<Self, AvError> {
        let encoder = Self::prepared(name, canvas)?;
        // SAFETY: a fresh context of our own, filled before it is opened.
        unsafe {
            (*encoder.context).gop_size = GOP;
            (*encoder.context).thread_count = c_int::from(settings.threads.max(1));
        }
        encoder.choose_quality(settings.crf)?;
        encoder.begin()
    }

    /// libx264, a picture out for each picture in, keyframes where a frame asks for one.
    pub(super) fn open_live(canvas: &mut Canvas) -> Result<Self, AvError> {
        let encoder = Self::prepared(Name::X264, canvas)?;
        // SAFETY: a fresh context of our own, filled before it is opened.
        unsafe {
            (*encoder.context).gop_size = NO_GOP;
            (*encoder.context).thread_count = 1;
        }
        encoder.choose_quality(LIVE_CRF)?;
        // Two thirds of the CPU of "veryfast", and without a look-ahead no more bytes.
        encoder.set(c"preset", c"superfast")?;
        encoder.set(c"tune", c"zerolatency")?;
        // Where decoding can start, and not only where a picture happens to be intra.
        encoder.set(c"forced-idr", c"1")?;
        encoder.begin()
    }

    /// A context with all that encoders have in common.
    fn prepared(name: Name, canvas: &mut Canvas) -> Result<Self, AvError> {
        // SAFETY: allocates a context for a codec that may be null, or returns null.
        let context = unsafe { ffi::avcodec_alloc_context3(name.find()) };
        if context.is_null() {
            return Err(AvError::NO_MEMORY);
        }
        let encoder = Self { name, context, count: 0 };
        let matrix = canvas.matrix();
        let size = canvas.frame_mut().size();
        // SAFETY: a fresh context of our own, filled before it is opened.
        let context = unsafe { &mut *encoder.context };
        (context.width, context.height) = size;
        context.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        context.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        context.colorspace = match matrix {
            Matrix::Bt601 => ffi::AVColorSpace::AVCOL_SPC_SMPTE170M,
            Matrix::Bt709 => ffi::AVColorSpace::AVCOL_SPC_BT709,
        };
        context.time_base = ffi::AVRational { num: 1, den: 25 };
        context.framerate = ffi::AVRational { num: 25, den: 1 };
        context.max_b_frames = 0;
        // MP4 keeps parameter sets in its header.
        context.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as c_int;
        Ok(encoder)
    }

    fn begin(self) -> Result<Self, AvError> {
        // SAFETY: a context of our own that is not open yet, for this codec.
        AvError::check(unsafe { ffi::avcodec_open2(self.context, self.name.find(), ptr::null_mut()) })?;
        Ok(self)
    }

    /// Its parameter sets.
    pub(super) fn extradata(&self) -> Bytes {
        // SAFETY: an open context; libav keeps `extradata_size` bytes there.
        unsafe {
            let (start, size) = ((*self.context).extradata, (*self.context).extradata_size);
            if start.is_null() || size <= 0 {
                return Bytes::new();
            }
            Bytes::copy_from_slice(slice::from_raw_parts(start, size as usize))
        }
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    pub(super) fn context(&self) -> *const ffi::AVCodecContext {
        self.context
    }

    pub(super) fn send(&mut self, frame: &mut AvFrame) -> Result<(), AvError> {
        // SAFETY: context and frame are valid; the encoder copies the frame or holds a reference to its buffers.
        unsafe {
            let native = frame.as_mut_ptr();
            (*native).pts = self.count;
            AvError::check(ffi::avcodec_send_frame(self.context, native))?;
        }
        self.count += 1;
        Ok(())
    }

    pub(super) fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: a null frame starts the drain.
        AvError::check(unsafe { ffi::avcodec_send_frame(self.context, ptr::null()) }).map(|_| ())
    }

    /// False when it needs another picture, or has been drained.
    pub(super) fn receive(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        packet.clear();
        // SAFETY: context and packet are valid.
        match AvError::check(unsafe { ffi::avcodec_receive_packet(self.context, packet.as_mut_ptr()) }) {
            Ok(_) => Ok(true),
            Err(AvError::AGAIN | AvError::END) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn choose_quality(&self, crf: u8) -> Result<(), AvError> {
        match self.name {
            Name::X264 => {
                self.set(c"preset", c"veryfast")?;
                let crf = std::ffi::CString::new(crf.min(51).to_string()).expect("digits hold no zero byte");
                self.set(c"crf", &crf)
            }
            Name::Mpeg4 => {
                // A quantiser of 1 to 31; 4 looks like x264's 23.
                let quantiser = (c_int::from(crf) / 5).clamp(1, 31);
                // SAFETY: a fresh context of our own.
                unsafe {
                    (*self.context).flags |= ffi::AV_CODEC_FLAG_QSCALE as c_int;
                    (*self.context).global_quality = quantiser * ffi::FF_QP2LAMBDA;
                }
                Ok(())
            }
        }
    }

    fn set(&self, option: &CStr, value: &CStr) -> Result<(), AvError> {
        // SAFETY: private options of a context that is not open yet; both strings end with a zero and are copied.
        let set = unsafe { ffi::av_opt_set((*self.context).priv_data, option.as_ptr(), value.as_ptr(), 0) };
        AvError::check(set).map(|_| ())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::avcodec_free_context(&raw mut self.context) };
    }
}
