//! libavcodec behind the [`Decoder`] trait.

use std::{collections::BTreeSet, ffi::c_int, ptr, sync::Arc};

use ffmpeg_sys_next as ffi;

use super::{
    AvError, Frame, Hardware,
    av_frame::AvFrame,
    hardware,
    log::{self, Lines},
    packet::Packet,
    parameters::{self, NativeParameters},
    route_logs,
    scale::Scaler,
};
use crate::{
    AccessUnit, Codec, CodecParameters,
    decode::{DecodeError, Decoded, Decoder},
};

/// One codec context, one thread: frame threads shorten the wall time of one stream and cost 15 % more CPU.
#[derive(Debug)]
pub struct LibavDecoder {
    context: *mut ffi::AVCodecContext,
    parameters: Arc<CodecParameters>,
    packet: Packet,
    scaler: Scaler,
    /// The pixel format of surfaces, where pictures are decoded on hardware.
    surfaces: Option<c_int>,
    /// Times of pictures that are wanted and have not come out.
    wanted: BTreeSet<i64>,
}

// SAFETY: codec contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for LibavDecoder {}

impl LibavDecoder {
    /// Opens a software decoder for these parameters.
    pub fn open(parameters: &Arc<CodecParameters>) -> Result<Self, DecodeError> {
        Self::open_with(parameters, None)
    }

    /// Opens a decoder on a device. It never falls back: what the device refuses is an error of [`Decoder::send`].
    pub fn open_on(parameters: &Arc<CodecParameters>, hardware: &Hardware) -> Result<Self, DecodeError> {
        Self::open_with(parameters, Some(hardware))
    }

    fn open_with(
        parameters: &Arc<CodecParameters>,
        hardware: Option<&Hardware>,
    ) -> Result<Self, DecodeError> {
        route_logs();
        let packet = Packet::new().map_err(DecodeError::Codec)?;
        let (context, surfaces) = open_context(parameters, hardware)?;
        let parameters = Arc::clone(parameters);
        let wanted = BTreeSet::new();
        Ok(Self { context, parameters, packet, scaler: Scaler::new(), surfaces, wanted })
    }
}

impl Decoder for LibavDecoder {
    fn send(&mut self, unit: &AccessUnit, wanted: bool) -> Result<(), DecodeError> {
        if wanted {
            self.wanted.insert(unit.pts);
        }
        let context = self.context;
        log::forget(Lines::Any);
        // SAFETY: context and packet are valid; libav copies a packet that owns no buffer.
        let sent = self
            .packet
            .lend(unit, |packet| unsafe { AvError::check(ffi::avcodec_send_packet(context, packet)) });
        sent.map_err(DecodeError::Codec)?;
        log::take_damage().map_or(Ok(()), Err)
    }

    fn send_end(&mut self) {
        // SAFETY: a null packet starts the drain; refused only when draining already.
        unsafe { ffi::avcodec_send_packet(self.context, ptr::null()) };
    }

    fn receive(&mut self) -> Result<Option<Decoded>, DecodeError> {
        let mut frame = AvFrame::new().map_err(DecodeError::Codec)?;
        log::forget(Lines::Any);
        // SAFETY: context and frame are valid.
        let received =
            AvError::check(unsafe { ffi::avcodec_receive_frame(self.context, frame.as_mut_ptr()) });
        match received {
            Ok(_) => {}
            Err(AvError::AGAIN | AvError::END) => {
                return log::take_damage().map_or(Ok(None), Err);
            }
            Err(error) => return Err(DecodeError::Codec(error)),
        }
        let unit_damaged = log::take_damage();
        let damaged = frame.is_damaged();
        let pts = frame.pts();
        let frame = self.takes(pts).then(|| self.frame(frame));
        Ok(Some(Decoded { pts, frame, damaged, unit_damaged }))
    }

    fn flush(&mut self) {
        // SAFETY: valid context; also ends a drain.
        unsafe { ffi::avcodec_flush_buffers(self.context) };
        self.wanted.clear();
    }

    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }
}

impl LibavDecoder {
    /// Whether the picture that came out is wanted. Those of earlier times do not come any more.
    fn takes(&mut self, pts: i64) -> bool {
        self.wanted = self.wanted.split_off(&pts);
        self.wanted.remove(&pts)
    }

    fn frame(&mut self, decoded: AvFrame) -> Result<Frame, AvError> {
        let decoded = match self.surfaces {
            None => decoded,
            Some(format) => hardware::download(&decoded, format)?,
        };
        Frame::new(decoded.pts(), decoded, self.parameters.rotation, &mut self.scaler)
    }
}

impl Drop for LibavDecoder {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::avcodec_free_context(&raw mut self.context) };
    }
}

type Opened = (*mut ffi::AVCodecContext, Option<c_int>);

fn open_context(parameters: &CodecParameters, hardware: Option<&Hardware>) -> Result<Opened, DecodeError> {
    // SAFETY: every pointer is checked or comes from libav; the context is freed on every error.
    unsafe {
        let known = || parameters::number(&parameters.codec);
        let id = parameters.native().map_or_else(known, NativeParameters::id);
        let (codec, surfaces) = match hardware {
            None => (parameters::decoder(id), None),
            Some(hardware) => {
                let found = hardware.codec(id, &name(&parameters.codec)).map_err(DecodeError::Hardware)?;
                (found.codec, Some(found.format))
            }
        };
        if codec.is_null() {
            return Err(DecodeError::NoDecoder(name(&parameters.codec)));
        }
        let mut context = ffi::avcodec_alloc_context3(codec);
        if context.is_null() {
            return Err(DecodeError::Codec(AvError::NO_MEMORY));
        }
        let opened = fill(context, parameters).and_then(|()| {
            (*context).thread_count = 1;
            // H.264: libavcodec withholds pictures after a gap in `frame_num` until it sees a recovery point, also
            // where the gap is units that nothing fed later refers to. What is whole is known here without it: the
            // sampler starts at keyframes, and the bitstream reader reports references that were never received.
            (*context).flags |= ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as i32;
            if let (Some(hardware), Some(format)) = (hardware, surfaces) {
                // Without a time base: vendors' decoders would convert PTS to their own and back, which rounds.
                hardware.attach(context, format)?;
            } else {
                (*context).pkt_timebase = ffi::AVRational {
                    num: parameters.time_base.num() as i32,
                    den: parameters.time_base.den() as i32,
                };
            }
            AvError::check(ffi::avcodec_open2(context, codec, ptr::null_mut()))
        });
        if let Err(error) = opened {
            ffi::avcodec_free_context(&raw mut context);
            return Err(DecodeError::Codec(error));
        }
        Ok((context, surfaces))
    }
}

/// # Safety
/// `context` must be allocated and not yet open.
unsafe fn fill(context: *mut ffi::AVCodecContext, parameters: &CodecParameters) -> Result<(), AvError> {
    // SAFETY: the caller's; the temporary parameters live until the copy is made.
    unsafe {
        if let Some(native) = parameters.native() {
            AvError::check(ffi::avcodec_parameters_to_context(context, native.as_ptr()))?;
        } else {
            let bare = NativeParameters::bare(parameters)?;
            AvError::check(ffi::avcodec_parameters_to_context(context, bare.as_ptr()))?;
        }
    }
    Ok(())
}

fn name(codec: &Codec) -> String {
    match codec {
        Codec::Other(name) => name.clone(),
        known => format!("{known:?}"),
    }
}
