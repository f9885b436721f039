//! The ways back to software, which need no device.

use std::{process::Command, sync::Arc};

use bytes::Bytes;
use ocelli_model::TimeBase;

use super::*;
use crate::{Codec, CodecParameters, libav::parameters};

/// A name that stands for no device on any machine.
fn nowhere(acceleration: Acceleration) -> &'static str {
    if acceleration == Acceleration::Cuda { "9999" } else { "/nowhere/renderD128" }
}

fn parameters(codec: Codec) -> Arc<CodecParameters> {
    Arc::new(CodecParameters::new(codec, Bytes::new(), TimeBase::new(1, 25).unwrap()))
}

#[test]
fn a_device_that_is_not_there_is_a_reason_and_no_more() {
    for acceleration in Acceleration::ALL {
        let reason = Hardware::open(acceleration, Some(nowhere(acceleration))).unwrap_err();
        match &reason {
            Fallback::NotBuilt(named) => assert_eq!(*named, acceleration),
            Fallback::NoDevice { acceleration: named, reason } => {
                assert_eq!(*named, acceleration);
                assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
            }
            other => panic!("{acceleration}: {other}"),
        }
        assert!(reason.to_string().contains(&acceleration.to_string()), "{reason}");
        let zero = Hardware::open(acceleration, Some("a\0b"));
        assert!(matches!(zero, Err(Fallback::NoDevice { .. } | Fallback::NotBuilt(_))), "{zero:?}");
    }
}

#[test]
fn decoders_open_in_software_and_never_instead_of_hardware() {
    let h264 = parameters(Codec::H264);
    decoders(None)(&h264).unwrap();
    for acceleration in Acceleration::ALL {
        let there = Hardware::open(acceleration, None);
        let opened = decoders(Some(acceleration))(&h264);
        match (there, opened) {
            (Ok(_), Ok(_)) => {}
            (Err(reason), Err(DecodeError::Hardware(given))) => assert_eq!(reason, given),
            (there, opened) => panic!("{there:?}, {opened:?}"),
        }
    }
}

#[test]
fn a_codec_without_a_way_to_a_device_is_named() {
    let id = |codec| parameters::codec_id(&codec) as c_int;
    for acceleration in Acceleration::ALL {
        assert!(surface_codec(ffi::AVCodecID::AV_CODEC_ID_RAWVIDEO as c_int, acceleration).is_none());
        assert!(surface_codec(c_int::MAX, acceleration).is_none());
        // Where this FFmpeg has the decoder at all, it gives surfaces of this kind.
        let format = match acceleration {
            Acceleration::Cuda => AVPixelFormat::AV_PIX_FMT_CUDA,
            Acceleration::Qsv => AVPixelFormat::AV_PIX_FMT_QSV,
            Acceleration::Vaapi => AVPixelFormat::AV_PIX_FMT_VAAPI,
        };
        for found in
            [Codec::H264, Codec::H265, Codec::Av1].map(|codec| surface_codec(id(codec), acceleration))
        {
            assert!(found.is_none_or(|found| found.format == format as c_int));
        }
    }
    assert!(surface_codec(id(Codec::Mpeg4), Acceleration::Qsv).is_none(), "Quick Sync never had it");
}

#[test]
fn only_surfaces_are_chosen() {
    const NV12: AVPixelFormat = AVPixelFormat::AV_PIX_FMT_NV12;
    const CUDA: AVPixelFormat = AVPixelFormat::AV_PIX_FMT_CUDA;
    const VAAPI: AVPixelFormat = AVPixelFormat::AV_PIX_FMT_VAAPI;
    const NONE: AVPixelFormat = AVPixelFormat::AV_PIX_FMT_NONE;
    let check = |offered: &[AVPixelFormat], expected| {
        // SAFETY: a context of our own, freed; the list ends with `NONE`.
        unsafe {
            let mut context = ffi::avcodec_alloc_context3(ptr::null());
            (*context).opaque = ptr::without_provenance_mut(CUDA as usize);
            assert_eq!(choose(context, offered.as_ptr()), expected);
            ffi::avcodec_free_context(&raw mut context);
        }
    };
    check(&[VAAPI, CUDA, NV12, NONE], CUDA);
    check(&[CUDA, NONE], CUDA);
    check(&[VAAPI, NV12, NONE], NONE);
    check(&[NONE, CUDA, NONE], NONE);
}

/// A "device" of another kind than the surfaces: every set-up on it fails, as it does for a profile that a real one
/// does not have.
fn unfit() -> Option<Hardware> {
    // SAFETY: null or a device context that is not open, owned by the result.
    let device = unsafe { ffi::av_hwdevice_ctx_alloc(AVHWDeviceType::AV_HWDEVICE_TYPE_CUDA) };
    (!device.is_null()).then_some(Hardware { acceleration: Acceleration::Vaapi, device })
}

#[test]
fn a_stream_that_the_device_refuses_is_refused_and_not_decoded_in_software() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let test_pictures =
        ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=2", "-c:v", "libx264"];
    assert!(Command::new("ffmpeg").args(test_pictures).arg(&clip).status().unwrap().success());
    let Some(unfit) = unfit() else { return };
    let mut demuxer = super::super::Demuxer::open(Box::new(std::fs::File::open(clip).unwrap())).unwrap();
    let id = parameters::codec_id(&Codec::H264) as c_int;
    if surface_codec(id, Acceleration::Vaapi).is_none() {
        return;
    }
    let mut asked = 0;
    let refused = unfit.probe(|| {
        asked += 1;
        demuxer.next_unit().unwrap()
    });
    assert!(matches!(&refused, Err(Fallback::Refused { reason, .. }) if !reason.is_empty()), "{refused:?}");
    assert_eq!(asked, 21, "up to the end");
}

#[test]
fn a_probe_of_nothing_or_of_what_never_shows_a_picture_ends() {
    let Some(unfit) = unfit() else { return };
    assert!(matches!(unfit.probe(|| None), Err(Fallback::Refused { .. })));
    let h264 = parameters(Codec::H264);
    let mut asked = 0;
    let refused = unfit.probe(|| {
        asked += 1;
        Some(AccessUnit::new(asked, Bytes::from_static(&[0, 0, 1, 9, 16]), Arc::clone(&h264)))
    });
    assert!(refused.is_err());
    assert!(asked <= PROBED_UNITS as i64, "{asked}");
    let raw = parameters(Codec::Other("rawvideo".to_owned()));
    let unit = || Some(AccessUnit::new(0, Bytes::from_static(&[0]), Arc::clone(&raw)));
    assert!(matches!(unfit.probe(unit), Err(Fallback::Codec { codec, .. }) if codec == "rawvideo"));
}

/// A surface on the CPU's own `OpenCL` device, where there is one: it takes the place of a decoder's.
fn opencl_surface(picture: &AvFrame) -> Option<AvFrame> {
    let mut surface = AvFrame::new().unwrap();
    // SAFETY: references are ours and given back; the surface keeps its own. Structures are libav's.
    unsafe {
        let mut device = ptr::null_mut();
        let kind = AVHWDeviceType::AV_HWDEVICE_TYPE_OPENCL;
        ffi::av_hwdevice_ctx_create(&raw mut device, kind, ptr::null(), ptr::null_mut(), 0);
        if device.is_null() {
            return None;
        }
        let mut pool = ffi::av_hwframe_ctx_alloc(device);
        let settings: *mut ffi::AVHWFramesContext = (*pool).data.cast::<c_void>().cast();
        (*settings).format = AVPixelFormat::AV_PIX_FMT_OPENCL;
        (*settings).sw_format = AVPixelFormat::AV_PIX_FMT_YUV420P;
        ((*settings).width, (*settings).height) = picture.size();
        AvError::check(ffi::av_hwframe_ctx_init(pool)).unwrap();
        AvError::check(ffi::av_hwframe_get_buffer(pool, surface.as_mut_ptr(), 0)).unwrap();
        AvError::check(ffi::av_hwframe_transfer_data(surface.as_mut_ptr(), picture.as_ptr(), 0)).unwrap();
        ffi::av_buffer_unref(&raw mut pool);
        ffi::av_buffer_unref(&raw mut device);
    }
    Some(surface)
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
fn a_surface_comes_down_with_its_pixels_time_and_colours_and_without_what_is_not_shown() {
    let picture = AvFrame::planar(128, 48).unwrap();
    for (index, rows) in [48_usize, 24, 24].into_iter().enumerate() {
        let (start, stride) = picture.plane(index);
        for place in 0..rows * stride as usize {
            // SAFETY: within the plane, which is ours.
            unsafe { start.add(place).write((place * 7 + index) as u8) };
        }
    }
    let Some(mut surface) = opencl_surface(&picture) else {
        eprintln!("skipped: surfaces copied, for want of an OpenCL device (Debian: pocl-opencl-icd)");
        return;
    };
    surface.tag(crate::pixel::Range::Full, crate::pixel::Matrix::Bt709);
    // SAFETY: our own frame.
    unsafe {
        (*surface.as_mut_ptr()).pts = 90_126_000;
        (*surface.as_mut_ptr()).decode_error_flags = 1;
        ((*surface.as_mut_ptr()).crop_left, (*surface.as_mut_ptr()).crop_top) = (64, 2);
        ((*surface.as_mut_ptr()).crop_right, (*surface.as_mut_ptr()).crop_bottom) = (4, 6);
    }
    assert_eq!(download(&surface, AVPixelFormat::AV_PIX_FMT_VAAPI as c_int).unwrap_err(), AvError::INVALID);
    let down = download(&surface, surface.format()).unwrap();
    assert_eq!((down.pts(), down.size(), down.is_damaged()), (90_126_000, (60, 40), true));
    let (planes, expected) = (down.planes().unwrap(), picture.planes().unwrap());
    assert_eq!((planes.range, planes.matrix), (crate::pixel::Range::Full, crate::pixel::Matrix::Bt709));
    for (index, (left, top, width, rows)) in
        [(64, 2, 60, 40), (32, 1, 30, 20), (32, 1, 30, 20)].into_iter().enumerate()
    {
        let (plane, whole) = (planes.planes[index], expected.planes[index]);
        for y in 0..rows {
            let row = &plane.data[y * plane.stride..][..width];
            assert_eq!(
                row,
                &whole.data[(y + top) * whole.stride + left..][..width],
                "plane {index}, row {y}"
            );
        }
    }
}
