//! The only native code of this crate: libavformat, libavcodec, libswscale and libswresample behind owners that free what they
//! hold. libav opens no file and no socket here: bytes come through callbacks, and `io_open` is refused.
#![expect(unsafe_code, reason = "FFI to libav; each block states why it is sound")]

mod acceleration;
mod av_frame;
mod decoder;
mod demuxer;
mod encoder;
mod error;
mod frame;
mod hardware;
mod io;
mod log;
mod open;
mod packet;
mod parameters;
mod scale;
mod side_data;
mod sound;
mod times;
mod transcode;

pub use acceleration::{Acceleration, AccelerationError, Fallback, decoder_identity};
pub use decoder::LibavDecoder;
pub use demuxer::{DemuxError, Demuxer};
pub use encoder::{EncodeError, VideoSettings, VideoTranscodeError, VideoTranscoder, VideoWriter};
pub use error::AvError;
pub use frame::Frame;
pub use hardware::{Hardware, decoders};
pub use io::{Input, Output};
pub use log::route_logs;
pub(crate) use parameters::NativeParameters;
pub use side_data::SideData;
pub use transcode::{AudioTranscoder, TranscodeError};

/// Version of libavcodec in use, e.g. `59.37.100`; see [`decoder_identity`] for analyzer versions.
pub fn codec_library_version() -> String {
    // SAFETY: returns a constant.
    let version = unsafe { ffmpeg_sys_next::avcodec_version() };
    format!("{}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}

/// Whether this FFmpeg decodes a codec, by libavcodec's name of the decoder or of the codec.
pub fn has_decoder(name: &str) -> bool {
    let Ok(name) = std::ffi::CString::new(name) else { return false };
    // SAFETY: both look up constant tables by a zero-ended name.
    unsafe {
        let by_name = ffmpeg_sys_next::avcodec_find_decoder_by_name(name.as_ptr());
        if !by_name.is_null() {
            return true;
        }
        let description = ffmpeg_sys_next::avcodec_descriptor_get_by_name(name.as_ptr());
        !description.is_null() && !ffmpeg_sys_next::avcodec_find_decoder((*description).id).is_null()
    }
}
