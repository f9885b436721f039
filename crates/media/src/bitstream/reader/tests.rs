use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::*;
use crate::Rotation;

fn parameters(codec: Codec, extradata: Vec<u8>, reorder_hint: u32) -> CodecParameters {
    CodecParameters {
        codec,
        extradata: extradata.into(),
        width: 0,
        height: 0,
        rotation: Rotation::None,
        time_base: TimeBase::new(1, 90_000).unwrap(),
        reorder_hint,
        frame_rate: 0.0,
        duration: None,
        native: None,
    }
}

fn codecs() -> impl Strategy<Value = Codec> {
    proptest::sample::select(vec![
        Codec::H264,
        Codec::H265,
        Codec::Mpeg4,
        Codec::Mjpeg,
        Codec::Vp8,
        Codec::Vp9,
        Codec::Av1,
        Codec::Other("mpeg2video".to_owned()),
        Codec::Other("theora".to_owned()),
    ])
}

/// Bytes in which start codes, lengths and NAL unit types are likely.
fn coded_bytes() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..12),
        2 => Just(vec![0, 0, 1]),
        1 => Just(vec![0, 0, 0, 1, 0x67, 0x64, 0, 0x1f]),
        1 => Just(vec![0, 0, 0, 1, 0x68]),
        1 => Just(vec![0, 0, 0, 1, 0x65, 0x88]),
        1 => Just(vec![0, 0, 1, 0x42, 1, 1]),
        1 => Just(vec![0, 0, 1, 0x44, 1]),
        1 => Just(vec![0, 0, 1, 0x26, 1]),
        1 => Just(vec![0, 0, 3]),
        1 => Just(vec![0xff; 5]),
    ];
    proptest::collection::vec(chunk, 0..12).prop_map(|chunks| chunks.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_in_bounds_and_the_same_way_twice(
        codec in codecs(),
        extradata in coded_bytes(),
        units in proptest::collection::vec(coded_bytes(), 0..6),
        hint: u32,
    ) {
        let parameters = parameters(codec, extradata, hint);
        let (mut first, mut second) = (PictureReader::new(&parameters), PictureReader::new(&parameters));
        for unit in &units {
            let info = first.read(unit, false);
            if let Ok(info) = info {
                prop_assert!(info.reorder_depth <= MAX_REORDER_DEPTH);
            }
            // The bytes decide, not where they lie.
            prop_assert_eq!(info, second.read(&unit.clone(), false));
        }
    }
}

#[test]
fn the_container_is_believed_only_where_pictures_are_not_read() {
    let theora = Codec::Other("theora".to_owned());
    let keyframe = |leading| Access::Keyframe { leading };
    let cases = [
        (theora.clone(), 0, true, Ok(keyframe(false))),
        (theora.clone(), 2, true, Ok(keyframe(true))),
        (theora, 2, false, Ok(Access::None)),
        (Codec::H264, 0, true, Err(BitstreamError::NoPicture)),
        (Codec::Vp9, 0, true, Err(BitstreamError::OutOfRange("frame_marker"))),
    ];
    for (codec, hint, flag, expected) in cases {
        let mut reader = PictureReader::new(&parameters(codec.clone(), Vec::new(), hint));
        assert_eq!(
            reader.read(&[1, 2, 3], flag).map(|info| info.access),
            expected,
            "{codec:?} {hint} {flag}"
        );
    }
}

#[test]
fn nothing_is_no_picture_in_any_codec() {
    for codec in [Codec::H264, Codec::H265, Codec::Mpeg4, Codec::Mjpeg, Codec::Vp8, Codec::Vp9, Codec::Av1] {
        let mut reader = PictureReader::new(&parameters(codec.clone(), Vec::new(), 0));
        assert_eq!(reader.read(&[], true), Err(BitstreamError::NoPicture), "{codec:?}");
    }
}

#[test]
fn a_jpeg_is_one_that_starts_an_image() {
    let mut reader = PictureReader::new(&parameters(Codec::Mjpeg, Vec::new(), 7));
    let picture = PictureInfo::of_unread_references(Access::Keyframe { leading: false }, 0);
    assert_eq!(reader.read(&[0xff, 0xd8, 0xff, 0xe0], false), Ok(picture));
    assert_eq!(reader.read(&[0, 0xff, 0xd8], false), Ok(picture));
    assert_eq!(reader.read(&[0xff, 0xd9], false), Err(BitstreamError::NoPicture));
}
