//! Decoding on hardware: pictures are decoded into surfaces of a device and copied to system memory at once, so that
//! everything behind the decoder sees the same [`Frame`](super::Frame)s. Written against FFmpeg 5.1; it has not run
//! on a device yet: here only the ways that lead back to software are tested.
//!
//! Whether hardware decodes is settled before a run, by [`Hardware::probe`]. Within a run nothing falls back: pictures
//! that the device does not decode are *failed*, for results of one analyzer version must not come from two decoders.
//! Damage inside slices, which the software decoders report, a device may conceal in silence.

use std::{
    cell::OnceCell,
    ffi::{CStr, CString, c_int, c_void},
    ptr,
};

use ffi::{AVHWDeviceType, AVPixelFormat};
use ffmpeg_sys_next as ffi;

use super::{
    Acceleration, AvError, Fallback, LibavDecoder,
    av_frame::AvFrame,
    log::{self, Lines},
    route_logs, scale,
};
use crate::{
    AccessUnit,
    decode::{DecodeError, Decoder as _, OpenDecoder},
};

/// Surfaces beyond those that decoding itself needs: the one that is being copied.
const EXTRA_SURFACES: c_int = 1;
/// Units of a stream that may pass before its first picture.
const PROBED_UNITS: usize = 100;

/// An open device.
#[derive(Debug)]
pub struct Hardware {
    acceleration: Acceleration,
    device: *mut ffi::AVBufferRef,
}

// SAFETY: device contexts have no thread affinity and count their references atomically.
unsafe impl Send for Hardware {}

/// A decoder that can work on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct SurfaceCodec {
    pub(super) codec: *const ffi::AVCodec,
    /// The pixel format of its surfaces.
    pub(super) format: c_int,
}

impl Hardware {
    /// Opens a device: libav's first of that kind, or the one named as libav names it, such as `/dev/dri/renderD129`
    /// (VAAPI and QSV) or `1` (CUDA).
    pub fn open(acceleration: Acceleration, device: Option<&str>) -> Result<Self, Fallback> {
        route_logs();
        let kind = device_type(acceleration);
        // SAFETY: null or a device context that is not open yet, which is let go of.
        unsafe {
            let mut built = ffi::av_hwdevice_ctx_alloc(kind);
            if built.is_null() {
                return Err(Fallback::NotBuilt(acceleration));
            }
            ffi::av_buffer_unref(&raw mut built);
        }
        let no_device = |reason| Fallback::NoDevice { acceleration, reason };
        let device = device.map(CString::new).transpose().map_err(|zero| no_device(zero.to_string()))?;
        let name = device.as_deref().map_or(ptr::null(), CStr::as_ptr);
        let mut opened = ptr::null_mut();
        log::forget(Lines::Device);
        // SAFETY: names and options are zero-ended and outlive the call; the dictionary is freed.
        let created = unsafe {
            let mut options = ptr::null_mut();
            let device = match acceleration {
                Acceleration::Cuda => name,
                Acceleration::Vaapi => {
                    // Never a connection to a display server.
                    ffi::av_dict_set(&raw mut options, c"connection_type".as_ptr(), c"drm".as_ptr(), 0);
                    name
                }
                Acceleration::Qsv => {
                    // Its own device names an implementation; what it sits on is the render node.
                    ffi::av_dict_set(&raw mut options, c"child_device_type".as_ptr(), c"vaapi".as_ptr(), 0);
                    if !name.is_null() {
                        ffi::av_dict_set(&raw mut options, c"child_device".as_ptr(), name, 0);
                    }
                    c"hw_any".as_ptr()
                }
            };
            let created = ffi::av_hwdevice_ctx_create(&raw mut opened, kind, device, options, 0);
            ffi::av_dict_free(&raw mut options);
            created
        };
        let said = log::take_errors();
        log::forget(Lines::Any);
        match AvError::check(created) {
            Ok(_) => Ok(Self { acceleration, device: opened }),
            Err(error) => Err(no_device(
                said.map_or_else(|| error.to_string(), |line| line.trim_end_matches('.').to_owned()),
            )),
        }
    }

    /// Which kind it is.
    pub fn acceleration(&self) -> Acceleration {
        self.acceleration
    }

    /// Decodes the first picture of a stream, to learn whether the device takes it. `next` gives units from the
    /// stream's start; at most 100 are asked for.
    pub fn probe(&self, mut next: impl FnMut() -> Option<AccessUnit>) -> Result<(), Fallback> {
        let refused = |reason| Fallback::Refused { acceleration: self.acceleration, reason };
        // Units may be damaged, or lead an open GOP: errors count only if there is no picture in the end.
        let mut last_error = "it gave no picture".to_owned();
        let Some(first) = next() else { return Err(refused(last_error)) };
        let opened = LibavDecoder::open_on(&first.parameters, self);
        let mut decoder = opened.map_err(|error| match error {
            DecodeError::Hardware(fallback) => fallback,
            other => refused(other.to_string()),
        })?;
        let mut unit = Some(first);
        for asked in 1..=PROBED_UNITS {
            match first_picture(&mut decoder, unit.as_ref()) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(reason) => last_error = reason,
            }
            if unit.is_none() || asked == PROBED_UNITS {
                break;
            }
            unit = next();
        }
        Err(refused(last_error))
    }

    /// The first of libav's decoders that decodes a codec on this kind of device.
    pub(super) fn codec(&self, id: c_int, name: &str) -> Result<SurfaceCodec, Fallback> {
        let (acceleration, codec) = (self.acceleration, name.to_owned());
        surface_codec(id, acceleration).ok_or(Fallback::Codec { acceleration, codec })
    }

    /// Makes a context decode on the device, into surfaces of this format and nothing else.
    ///
    /// # Safety
    /// `context` must be allocated and not yet open.
    pub(super) unsafe fn attach(
        &self,
        context: *mut ffi::AVCodecContext,
        format: c_int,
    ) -> Result<(), AvError> {
        // SAFETY: the caller's; the context owns the reference it gets. The format travels as a number in the pointer
        // that libav leaves to us, so that nothing has to outlive the context.
        unsafe {
            (*context).hw_device_ctx = ffi::av_buffer_ref(self.device);
            if (*context).hw_device_ctx.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            (*context).extra_hw_frames = EXTRA_SURFACES;
            (*context).opaque = ptr::without_provenance_mut::<c_void>(format as usize);
            (*context).get_format = Some(choose);
        }
        Ok(())
    }
}

impl Drop for Hardware {
    fn drop(&mut self) {
        // SAFETY: our reference, given back once; decoders have their own.
        unsafe { ffi::av_buffer_unref(&raw mut self.device) };
    }
}

/// Opens the decoders of a run: in software, or all of them on one device, which is opened with the first.
pub fn decoders(acceleration: Option<Acceleration>) -> Box<OpenDecoder> {
    let Some(acceleration) = acceleration else {
        return Box::new(|parameters| Ok(Box::new(LibavDecoder::open(parameters)?)));
    };
    let device = OnceCell::new();
    Box::new(move |parameters| {
        let opened = device.get_or_init(|| Hardware::open(acceleration, None));
        let hardware = opened.as_ref().map_err(|fallback| DecodeError::Hardware(fallback.clone()))?;
        Ok(Box::new(LibavDecoder::open_on(parameters, hardware)?))
    })
}

/// Copies a surface to system memory with everything that is said about the picture, times and colours included, and
/// cuts off what is not shown as the software decoders do.
pub(super) fn download(surface: &AvFrame, format: c_int) -> Result<AvFrame, AvError> {
    if surface.format() != format {
        return Err(AvError::INVALID);
    }
    let mut picture = AvFrame::new()?;
    // SAFETY: two valid frames, of which the target is empty: libav allocates its planes in the device's own layout.
    unsafe {
        AvError::check(ffi::av_hwframe_transfer_data(picture.as_mut_ptr(), surface.as_ptr(), 0))?;
        AvError::check(ffi::av_frame_copy_props(picture.as_mut_ptr(), surface.as_ptr()))?;
        // Of surfaces libav cuts right and bottom only, and leaves the rest to whoever has them in memory.
        AvError::check(ffi::av_frame_apply_cropping(picture.as_mut_ptr(), 0))?;
    }
    Ok(picture)
}

/// Whether this unit, or the end, brings a picture.
fn first_picture(decoder: &mut LibavDecoder, unit: Option<&AccessUnit>) -> Result<bool, String> {
    let sent = unit.map_or(Ok(()), |unit| decoder.send(unit, true));
    if unit.is_none() {
        decoder.send_end();
    }
    match decoder.receive().map_err(|error| error.to_string())? {
        Some(decoded) => {
            let made = decoded.frame.transpose().map_err(|error| error.to_string())?;
            Ok(made.is_some())
        }
        None => sent.map(|()| false).map_err(|error| error.to_string()),
    }
}

fn device_type(acceleration: Acceleration) -> AVHWDeviceType {
    match acceleration {
        Acceleration::Cuda => AVHWDeviceType::AV_HWDEVICE_TYPE_CUDA,
        Acceleration::Qsv => AVHWDeviceType::AV_HWDEVICE_TYPE_QSV,
        Acceleration::Vaapi => AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI,
    }
}

/// libav's own decoders come before those that wrap a vendor's: they read headers as in software.
fn surface_codec(id: c_int, acceleration: Acceleration) -> Option<SurfaceCodec> {
    const METHODS: c_int = (ffi::AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX as c_int)
        | (ffi::AV_CODEC_HW_CONFIG_METHOD_HW_FRAMES_CTX as c_int);
    let wanted = device_type(acceleration) as c_int;
    let mut place: *mut c_void = ptr::null_mut();
    loop {
        // SAFETY: walks constant tables, and reads integers in them: enumerations may hold numbers unknown here.
        unsafe {
            let codec = ffi::av_codec_iterate(&raw mut place);
            if codec.is_null() {
                return None;
            }
            let found = (&raw const (*codec).id).cast::<c_int>().read() == id;
            if !found || ffi::av_codec_is_decoder(codec) == 0 {
                continue;
            }
            for index in 0.. {
                let way = ffi::avcodec_get_hw_config(codec, index);
                if way.is_null() {
                    break;
                }
                let device = (&raw const (*way).device_type).cast::<c_int>().read();
                if device == wanted && (*way).methods & METHODS != 0 {
                    let format = (&raw const (*way).pix_fmt).cast::<c_int>().read();
                    return Some(SurfaceCodec { codec, format });
                }
            }
        }
    }
}

/// libav offers pixel formats, most wanted first, again without one whose set-up failed. Only surfaces are taken:
/// with anything else the decoder would go on in software in silence.
unsafe extern "C" fn choose(
    context: *mut ffi::AVCodecContext,
    offered: *const AVPixelFormat,
) -> AVPixelFormat {
    const END: c_int = AVPixelFormat::AV_PIX_FMT_NONE as c_int;
    // SAFETY: libav passes its own context and a list that ends with `END`; read as the integers they are.
    unsafe {
        let wanted = (*context).opaque.addr() as c_int;
        let mut offered = offered.cast::<c_int>();
        while offered.read() != END {
            if offered.read() == wanted {
                return scale::known(wanted).unwrap_or(AVPixelFormat::AV_PIX_FMT_NONE);
            }
            offered = offered.add(1);
        }
    }
    AVPixelFormat::AV_PIX_FMT_NONE
}

#[cfg(test)]
mod tests;
