//! Decoded sound as an encoder takes it: floats, at a rate of AAC's, one or two channels.

use std::{ffi::c_int, ptr};

use ffi::{AVChannelOrder::AV_CHANNEL_ORDER_NATIVE, AVSampleFormat::AV_SAMPLE_FMT_FLTP};
use ffmpeg_sys_next as ffi;

use super::super::{AvError, av_frame::AvFrame};

/// Rates that every player of AAC knows. Below the lowest a block would last 128 ms, and live sound be late by two of them.
const RATES: [u32; 6] = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/// Rates of sources, in samples a second: telephones and old Flash, studios.
const SOURCES: std::ops::RangeInclusive<u32> = 4000..=192_000;

/// What decoded sound is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rate: u32,
    pub(super) channels: u16,
    /// Which speakers, as libav's bits; 0 where that is not said.
    speakers: u64,
    /// An `AVSampleFormat`, perhaps one that this build does not know.
    format: c_int,
}

impl Shape {
    /// `None` for what no sound is like.
    pub(super) fn of(frame: &AvFrame) -> Option<Self> {
        // SAFETY: a frame that a decoder has filled; the order is read as the integer that it is, and says which member is valid.
        let (rate, channels, speakers, format) = unsafe {
            let frame = &*frame.as_ptr();
            let layout = &frame.ch_layout;
            let native = (&raw const layout.order).cast::<c_int>().read() == AV_CHANNEL_ORDER_NATIVE as c_int;
            let speakers = if native { layout.u.mask } else { 0 };
            (frame.sample_rate, layout.nb_channels, speakers, frame.format)
        };
        let rate = u32::try_from(rate).ok().filter(|rate| SOURCES.contains(rate))?;
        let channels = u16::try_from(channels).ok().filter(|channels| *channels > 0)?;
        Some(Self { rate, channels, speakers, format })
    }

    /// The rate at which it is encoded: its own, a multiple of it, or the next above.
    pub(super) fn target_rate(self) -> u32 {
        let highest = RATES[RATES.len() - 1];
        if self.rate > highest {
            return if self.rate.is_multiple_of(44_100) { 44_100 } else { highest };
        }
        let multiple = RATES.into_iter().find(|rate| rate.is_multiple_of(self.rate));
        multiple.or_else(|| RATES.into_iter().find(|rate| *rate >= self.rate)).unwrap_or(highest)
    }

    /// More than two are mixed down.
    pub(super) fn target_channels(self) -> u16 {
        self.channels.min(2)
    }
}

/// Samples that wait, each channel by itself.
#[derive(Debug)]
pub(super) struct Samples(pub(super) Vec<Vec<f32>>);

impl Samples {
    pub(super) fn new(channels: u16) -> Self {
        Self(vec![Vec::new(); usize::from(channels)])
    }

    pub(super) fn len(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }

    pub(super) fn resize(&mut self, len: usize) {
        for channel in &mut self.0 {
            channel.resize(len, 0.0);
        }
    }

    /// Takes samples out from `at` on, as many as there are of `count`.
    pub(super) fn cut(&mut self, at: usize, count: usize) {
        for channel in &mut self.0 {
            let end = channel.len().min(at.saturating_add(count));
            channel.drain(at.min(end)..end);
        }
    }
}

/// Owner of an `SwrContext`. Its first sample out is its first one in: it holds back what its filter still needs.
#[derive(Debug)]
pub(super) struct Resampler {
    context: *mut ffi::SwrContext,
    pub(super) shape: Shape,
}

// SAFETY: the context has no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Resampler {}

impl Resampler {
    pub(super) fn open(shape: Shape) -> Result<Self, AvError> {
        let mut own = Self { context: ptr::null_mut(), shape };
        // SAFETY: layouts are plain values here, copied by swresample; a format that this build does not know cannot be the format of
        // what it decoded, and is checked before it is read as one.
        unsafe {
            let (mut from, mut to) = (std::mem::zeroed(), std::mem::zeroed());
            if shape.speakers == 0 {
                ffi::av_channel_layout_default(&raw mut from, c_int::from(shape.channels));
            } else {
                AvError::check(ffi::av_channel_layout_from_mask(&raw mut from, shape.speakers))?;
            }
            ffi::av_channel_layout_default(&raw mut to, c_int::from(shape.target_channels()));
            if shape.format < 0 || shape.format >= ffi::AVSampleFormat::AV_SAMPLE_FMT_NB as c_int {
                return Err(AvError::INVALID);
            }
            let format = std::mem::transmute::<c_int, ffi::AVSampleFormat>(shape.format);
            let (target, source) = (shape.target_rate() as c_int, shape.rate as c_int);
            let made = ffi::swr_alloc_set_opts2(
                &raw mut own.context,
                &raw mut to,
                AV_SAMPLE_FMT_FLTP,
                target,
                &raw mut from,
                format,
                source,
                0,
                ptr::null_mut(),
            );
            AvError::check(made)?;
        }
        own.restart()?;
        Ok(own)
    }

    /// Begins anew: what comes next does not touch what was before.
    fn restart(&mut self) -> Result<(), AvError> {
        // SAFETY: an allocated context with its options, which initialisation keeps.
        AvError::check(unsafe { ffi::swr_init(self.context) }).map(|_| ())
    }

    /// Samples that went in and have not come out, at the rate of what comes out.
    pub(super) fn delay(&self) -> i64 {
        // SAFETY: an initialised context.
        unsafe { ffi::swr_get_delay(self.context, i64::from(self.shape.target_rate())) }
    }

    /// Appends what a frame of this shape holds.
    pub(super) fn convert(&mut self, frame: &AvFrame, out: &mut Samples) -> Result<(), AvError> {
        // SAFETY: a frame that a decoder has filled: as many planes as its format and channels need, of as many samples.
        let (planes, count) = unsafe { ((*frame.as_ptr()).extended_data, (*frame.as_ptr()).nb_samples) };
        self.pass(planes.cast_const().cast(), count, out)
    }

    /// Appends what was held back, and begins anew.
    pub(super) fn flush(&mut self, out: &mut Samples) -> Result<(), AvError> {
        self.pass(ptr::null(), 0, out)?;
        self.restart()
    }

    fn pass(&mut self, planes: *const *const u8, count: c_int, out: &mut Samples) -> Result<(), AvError> {
        let before = out.len();
        // SAFETY: an initialised context; arithmetic.
        let room = AvError::check(unsafe { ffi::swr_get_out_samples(self.context, count) })?;
        out.resize(before + room as usize);
        let mut starts = [ptr::null_mut::<u8>(); 2];
        for (start, channel) in starts.iter_mut().zip(&mut out.0) {
            *start = channel[before..].as_mut_ptr().cast();
        }
        // SAFETY: as many planes as there are channels out (one or two), each with room for `room` floats; what goes in is the
        // caller's, or null to flush.
        let made = unsafe {
            let planes = planes.cast_mut();
            AvError::check(ffi::swr_convert(self.context, starts.as_mut_ptr(), room, planes, count))
        };
        out.resize(before + made.map_or(0, |made| made as usize));
        made.map(|_| ())
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // SAFETY: owned or null, freed once.
        unsafe { ffi::swr_free(&raw mut self.context) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_become_those_that_players_know() {
        let cases = [
            (5512, 16_000),
            (8000, 16_000),
            (11_025, 22_050),
            (12_000, 24_000),
            (16_000, 16_000),
            (22_050, 22_050),
            (37_800, 44_100),
            (44_100, 44_100),
            (48_000, 48_000),
            (88_200, 44_100),
            (96_000, 48_000),
            (192_000, 48_000),
        ];
        for (rate, expected) in cases {
            assert_eq!(Shape { rate, channels: 6, speakers: 0, format: 0 }.target_rate(), expected, "{rate}");
        }
    }
}
