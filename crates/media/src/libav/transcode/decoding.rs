//! A decoder of sound.

use std::{
    ffi::{CString, c_int},
    ptr,
};

use ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
use ffmpeg_sys_next as ffi;

use super::{
    super::{AvError, av_frame::AvFrame, packet::Packet, parameters, route_logs},
    TranscodeError,
};
use crate::{AudioParameters, AudioUnit};

/// What is decoded, by libavcodec's names: what cameras, broadcasters and encoders send, each known by its rate, channels and
/// configuration. Publishers name their codec, and are not to choose among two hundred decoders.
const KNOWN: [&str; 20] = [
    "aac_latm",
    "ac3",
    "adpcm_g722",
    "adpcm_swf",
    "alac",
    "dts",
    "eac3",
    "flac",
    "g723_1",
    "gsm",
    "mp1",
    "mp2",
    "mp3",
    "nellymoser",
    "speex",
    "truehd",
    "vorbis",
    "wavpack",
    "adpcm_g726",
    "g729",
];

/// One codec context.
#[derive(Debug)]
pub(super) struct Decoding {
    context: *mut ffi::AVCodecContext,
    packet: Packet,
}

// SAFETY: codec contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Decoding {}

impl Decoding {
    pub(super) fn open(name: &str, sound: &AudioParameters) -> Result<Self, TranscodeError> {
        route_logs();
        let unknown = || TranscodeError::NoDecoder(name.to_owned());
        if !(KNOWN.contains(&name) || name.starts_with("pcm_")) {
            return Err(unknown());
        }
        let id = id_of(name).ok_or_else(unknown)?;
        let codec = parameters::decoder(id);
        if codec.is_null() {
            return Err(unknown());
        }
        let packet = Packet::new().map_err(|cause| TranscodeError::decode(name, cause))?;
        // SAFETY: allocates a context for a codec, or returns null.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() {
            return Err(TranscodeError::decode(name, AvError::NO_MEMORY));
        }
        let own = Self { context, packet };
        own.begin(codec, sound).map_err(|cause| TranscodeError::decode(name, cause))?;
        Ok(own)
    }

    fn begin(&self, codec: *const ffi::AVCodec, sound: &AudioParameters) -> Result<(), AvError> {
        let number = |value: u32| c_int::try_from(value).map_err(|_huge| AvError::INVALID);
        let size = sound.extradata.len();
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        // SAFETY: a fresh context of our own, filled before it is opened; its configuration lies in memory of libav's, zeroed, with the
        // padding that its readers require, and is freed with it.
        unsafe {
            let context = &mut *self.context;
            context.sample_rate = number(sound.sample_rate)?;
            if sound.channels > 0 {
                ffi::av_channel_layout_default(&raw mut context.ch_layout, c_int::from(sound.channels));
            }
            context.pkt_timebase =
                ffi::AVRational { num: number(sound.time_base.num())?, den: number(sound.time_base.den())? };
            context.thread_count = 1;
            if size > 0 {
                context.extradata = ffi::av_mallocz(size + padding).cast();
                if context.extradata.is_null() {
                    return Err(AvError::NO_MEMORY);
                }
                ptr::copy_nonoverlapping(sound.extradata.as_ptr(), context.extradata, size);
                context.extradata_size = c_int::try_from(size).map_err(|_huge| AvError::INVALID)?;
            }
            AvError::check(ffi::avcodec_open2(self.context, codec, ptr::null_mut())).map(|_| ())
        }
    }

    /// Takes a block. Its sound is there at once, with hardly an exception.
    pub(super) fn send(&mut self, unit: &AudioUnit) -> Result<(), AvError> {
        let context = self.context;
        // SAFETY: context and packet are valid; libav copies a packet that owns no buffer.
        let sent = self.packet.lend_bytes(&unit.data, (unit.pts, None), |packet| unsafe {
            AvError::check(ffi::avcodec_send_packet(context, packet))
        });
        sent.map(|_| ())
    }

    pub(super) fn send_end(&mut self) {
        // SAFETY: a null packet starts the drain; refused only when draining already.
        unsafe { ffi::avcodec_send_packet(self.context, ptr::null()) };
    }

    /// False where it needs another block, or has been drained.
    pub(super) fn receive(&mut self, frame: &mut AvFrame) -> Result<bool, AvError> {
        // SAFETY: context and frame are valid; what the frame held is let go of first.
        match AvError::check(unsafe { ffi::avcodec_receive_frame(self.context, frame.as_mut_ptr()) }) {
            Ok(_) => Ok(true),
            Err(AvError::AGAIN | AvError::END) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Decoding {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::avcodec_free_context(&raw mut self.context) };
    }
}

/// libav's number for a codec of sound.
fn id_of(name: &str) -> Option<c_int> {
    let name = CString::new(name).ok()?;
    // SAFETY: looks up a constant table by a zero-ended name; integers of it are read.
    unsafe {
        let found = ffi::avcodec_descriptor_get_by_name(name.as_ptr());
        let is_sound = !found.is_null()
            && (&raw const (*found).type_).cast::<c_int>().read() == AVMEDIA_TYPE_AUDIO as c_int;
        is_sound.then(|| (&raw const (*found).id).cast::<c_int>().read())
    }
}
