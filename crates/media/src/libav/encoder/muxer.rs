//! Packets to fragmented MP4 with exact times.

use std::{ffi::CStr, ptr};

use ffmpeg_sys_next as ffi;
use ocelli_model::TimeBase;

use super::{
    super::{
        io::{Io, Output},
        packet::Packet,
    },
    AvError, EncodeError,
    codec::Encoder,
};

/// Fragments start at keyframes and carry their own start time. `frag_discont` makes the muxer take that from the
/// first packet; without it, times are rebased to zero (FFmpeg 5.1). It holds for the first; later ones count on.
const FLAGS: &CStr = c"frag_keyframe+empty_moov+default_base_moof+frag_discont";

/// What `time_base` counts in the file: ticks are multiplied by the first, and counted in 1/second s.
pub(super) fn timescale(time_base: TimeBase) -> (u32, u32) {
    let (mut a, mut b) = (time_base.num(), time_base.den());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (time_base.num() / a, time_base.den() / a)
}

/// Ticks from one picture to the next at most: movenc replaces times beyond (or, in 5.1, aborts on such durations).
pub(super) const LONGEST_STEP: i64 = i32::MAX as i64 - 1;

/// An MP4 with one video stream and its header written.
#[derive(Debug)]
pub(super) struct Muxer {
    context: *mut ffi::AVFormatContext,
    io: Io<dyn Output>,
}

// SAFETY: libavformat contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Muxer {}

impl Muxer {
    pub(super) fn create(
        output: Box<dyn Output>,
        encoder: &Encoder,
        time_base: TimeBase,
    ) -> Result<Self, EncodeError> {
        let io = Io::writer(output).map_err(EncodeError::Codec)?;
        let mut context = ptr::null_mut();
        // SAFETY: allocates a context or leaves null; names are constant.
        let made = AvError::check(unsafe {
            ffi::avformat_alloc_output_context2(&raw mut context, ptr::null(), c"mp4".as_ptr(), ptr::null())
        });
        made.map_err(EncodeError::Codec)?;
        let mut muxer = Self { context, io };
        let begun = muxer.begin(encoder, timescale(time_base).1);
        muxer.checked(begun)?;
        Ok(muxer)
    }

    /// Adds the packet, shown from `pts` for `duration` ticks, at most [`LONGEST_STEP`] each.
    pub(super) fn write(&mut self, packet: &mut Packet, pts: i64, duration: i64) -> Result<(), EncodeError> {
        // SAFETY: context and packet are valid and ours.
        let written = unsafe {
            let native = &mut *packet.as_mut_ptr();
            (native.pts, native.dts, native.stream_index) = (pts, pts, 0);
            native.duration = duration;
            AvError::check(ffi::av_write_frame(self.context, native))
        };
        self.checked(written.map(|_| ()))
    }

    /// Writes the last fragment and the index of fragments.
    pub(super) fn finish(mut self) -> Result<(), EncodeError> {
        // SAFETY: the header was written.
        let ended = AvError::check(unsafe { ffi::av_write_trailer(self.context) });
        self.checked(ended.map(|_| ()))?;
        self.io.flush().map_err(EncodeError::Output)
    }

    fn begin(&mut self, encoder: &Encoder, timescale: u32) -> Result<(), AvError> {
        // SAFETY: the context is ours and has no stream yet; the encoder is open. Freed by Drop on every path.
        unsafe {
            (*self.context).pb = self.io.as_ptr();
            (*self.context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO | ffi::AVFMT_FLAG_FLUSH_PACKETS;
            (*self.context).avoid_negative_ts = ffi::AVFMT_AVOID_NEG_TS_DISABLED;
            let stream = ffi::avformat_new_stream(self.context, ptr::null());
            if stream.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            AvError::check(ffi::avcodec_parameters_from_context((*stream).codecpar, encoder.context()))?;
            (*stream).time_base = ffi::AVRational { num: 1, den: timescale as i32 };
            let text = std::ffi::CString::new(timescale.to_string()).expect("digits hold no zero byte");
            self.set(c"video_track_timescale", &text)?;
            self.set(c"movflags", FLAGS)?;
            AvError::check(ffi::avformat_write_header(self.context, ptr::null_mut())).map(|_| ())
        }
    }

    fn set(&self, option: &CStr, value: &CStr) -> Result<(), AvError> {
        // SAFETY: private options of our own context; both strings end with a zero and are copied.
        let set = unsafe { ffi::av_opt_set((*self.context).priv_data, option.as_ptr(), value.as_ptr(), 0) };
        AvError::check(set).map(|_| ())
    }

    /// The output's own error counts first, also where libav reports none.
    fn checked(&mut self, result: Result<(), AvError>) -> Result<(), EncodeError> {
        match self.io.take_error() {
            Some(cause) => Err(EncodeError::Output(cause)),
            None => result.map_err(EncodeError::Codec),
        }
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        // SAFETY: owned, freed once, before the I/O context it points to.
        unsafe { ffi::avformat_free_context(self.context) };
    }
}
