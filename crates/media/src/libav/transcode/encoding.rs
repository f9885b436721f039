//! libavcodec's encoder of AAC, and what waits for it.

use std::{ffi::c_int, ptr, slice, sync::Arc};

use bytes::Bytes;
use ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
use ffmpeg_sys_next as ffi;
use ocelli_model::TimeBase;

use super::{
    super::{AvError, av_frame::AvFrame, packet::Packet},
    TranscodeError,
    resampling::Samples,
};
use crate::{AudioCodec, AudioParameters, AudioUnit};

/// Samples of one block (ISO/IEC 14496-3, 4.5.1.1).
const BLOCK: usize = 1024;
/// Bits a second of a channel at most: as much as AAC gains from.
const MOST_BITS: i64 = 64_000;

/// Sound from one moment on, without a gap.
#[derive(Debug)]
pub(super) struct Encoding {
    context: *mut ffi::AVCodecContext,
    packet: Packet,
    frame: AvFrame,
    /// Of what comes out.
    pub(super) parameters: Arc<AudioParameters>,
    /// What waits for a whole block.
    pub(super) waiting: Samples,
    /// When its first sample is heard, in samples.
    begins: i64,
    /// Samples that the encoder has, without those added to its last block.
    sent: i64,
    /// Blocks that came out.
    received: i64,
}

// SAFETY: codec contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Encoding {}

impl Encoding {
    pub(super) fn open((rate, channels): (u32, u16), begins: i64) -> Result<Self, TranscodeError> {
        let time_base = TimeBase::new(1, rate).map_err(|_zero| TranscodeError::Encode(AvError::INVALID))?;
        // FFmpeg's own: others of the same codec differ in what they put in front.
        // SAFETY: looks up a constant table by a zero-ended name.
        let codec = unsafe { ffi::avcodec_find_encoder_by_name(c"aac".as_ptr()) };
        if codec.is_null() {
            return Err(TranscodeError::NoEncoder);
        }
        let packet = Packet::new().map_err(TranscodeError::Encode)?;
        let frame = AvFrame::new().map_err(TranscodeError::Encode)?;
        // SAFETY: allocates a context for a codec, or returns null.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() {
            return Err(TranscodeError::Encode(AvError::NO_MEMORY));
        }
        let mut parameters = AudioParameters {
            codec: AudioCodec::Aac,
            extradata: Bytes::new(),
            sample_rate: rate,
            channels,
            time_base,
        };
        let mut own = Self {
            context,
            packet,
            frame,
            parameters: Arc::new(parameters.clone()),
            waiting: Samples::new(channels),
            begins,
            sent: 0,
            received: 0,
        };
        parameters.extradata = own.begin(codec, rate, channels).map_err(TranscodeError::Encode)?;
        own.parameters = Arc::new(parameters);
        Ok(own)
    }

    /// Opens the encoder. Gives its `AudioSpecificConfig`.
    fn begin(&mut self, codec: *const ffi::AVCodec, rate: u32, channels: u16) -> Result<Bytes, AvError> {
        // SAFETY: a fresh context and frame of our own, filled before they are used; libav keeps `extradata_size` bytes of
        // configuration.
        unsafe {
            let context = &mut *self.context;
            context.sample_rate = rate as c_int;
            context.sample_fmt = AV_SAMPLE_FMT_FLTP;
            ffi::av_channel_layout_default(&raw mut context.ch_layout, c_int::from(channels));
            context.time_base = ffi::AVRational { num: 1, den: rate as c_int };
            context.bit_rate = (2 * i64::from(rate)).min(MOST_BITS) * i64::from(channels);
            context.thread_count = 1;
            // The configuration once, not in each block.
            context.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as c_int;
            AvError::check(ffi::avcodec_open2(self.context, codec, ptr::null_mut()))?;
            if context.frame_size as usize != BLOCK || context.extradata.is_null() {
                return Err(AvError::INVALID);
            }
            let frame = &mut *self.frame.as_mut_ptr();
            frame.nb_samples = BLOCK as c_int;
            frame.format = AV_SAMPLE_FMT_FLTP as c_int;
            frame.sample_rate = rate as c_int;
            AvError::check(ffi::av_channel_layout_copy(
                &raw mut frame.ch_layout,
                &raw const context.ch_layout,
            ))?;
            AvError::check(ffi::av_frame_get_buffer(frame, 0))?;
            let size = usize::try_from(context.extradata_size).unwrap_or(0);
            Ok(Bytes::copy_from_slice(slice::from_raw_parts(context.extradata, size)))
        }
    }

    /// What it is called with: rate and channels.
    pub(super) fn shape(&self) -> (u32, u16) {
        (self.parameters.sample_rate, self.parameters.channels)
    }

    /// Where all that it was given has its end, in samples.
    pub(super) fn end(&self) -> i64 {
        self.begins + self.sent + self.waiting.len() as i64
    }

    /// Silence up to there.
    pub(super) fn wait_until(&mut self, at: i64) {
        let missing = usize::try_from(at - self.end()).unwrap_or(0);
        self.waiting.resize(self.waiting.len() + missing);
    }

    /// Encodes the whole blocks of what waits.
    pub(super) fn encode(&mut self, out: &mut impl Extend<AudioUnit>) -> Result<(), TranscodeError> {
        let whole = self.waiting.len() / BLOCK * BLOCK;
        for at in (0..whole).step_by(BLOCK) {
            self.send(at).map_err(TranscodeError::Encode)?;
            self.sent += BLOCK as i64;
            self.receive(out).map_err(TranscodeError::Encode)?;
        }
        self.waiting.cut(0, whole);
        Ok(())
    }

    /// All that waits, with silence up to a whole block, and what the encoder held back.
    pub(super) fn finish(mut self, out: &mut impl Extend<AudioUnit>) -> Result<(), TranscodeError> {
        self.waiting.resize(self.waiting.len().next_multiple_of(BLOCK));
        self.encode(out)?;
        // SAFETY: a null frame starts the drain.
        AvError::check(unsafe { ffi::avcodec_send_frame(self.context, ptr::null()) })
            .map_err(TranscodeError::Encode)?;
        self.receive(out).map_err(TranscodeError::Encode)
    }

    fn send(&mut self, at: usize) -> Result<(), AvError> {
        // SAFETY: a frame of our own with a plane of `BLOCK` floats for each channel, which nobody else holds once it is writable.
        unsafe {
            let frame = self.frame.as_mut_ptr();
            AvError::check(ffi::av_frame_make_writable(frame))?;
            (*frame).pts = self.sent;
            for (channel, samples) in self.waiting.0.iter().enumerate() {
                let block = &samples[at..at + BLOCK];
                ptr::copy_nonoverlapping(block.as_ptr().cast(), (*frame).data[channel], size_of_val(block));
            }
            AvError::check(ffi::avcodec_send_frame(self.context, frame)).map(|_| ())
        }
    }

    /// Blocks leave in the order of their sound. What is heard of the first is the encoder's own start, and belongs before the sound:
    /// a block is whole only with half of the one before.
    fn receive(&mut self, out: &mut impl Extend<AudioUnit>) -> Result<(), AvError> {
        loop {
            self.packet.clear();
            // SAFETY: context and packet are valid.
            let received = AvError::check(unsafe {
                ffi::avcodec_receive_packet(self.context, self.packet.as_mut_ptr())
            });
            match received {
                Ok(_) => {}
                Err(AvError::AGAIN | AvError::END) => return Ok(()),
                Err(error) => return Err(error),
            }
            // SAFETY: an open context.
            let start = i64::from(unsafe { (*self.context).initial_padding });
            let pts = self.begins - start + self.received * BLOCK as i64;
            self.received += 1;
            // Before time begins there is nothing: players move all that has such times.
            if pts < 0 && self.begins >= 0 {
                continue;
            }
            // Copied: the encoder's buffers are larger than what is in them.
            let data = Bytes::copy_from_slice(&self.packet.take_data()?);
            out.extend([AudioUnit { pts, data, parameters: Arc::clone(&self.parameters) }]);
        }
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::avcodec_free_context(&raw mut self.context) };
    }
}
