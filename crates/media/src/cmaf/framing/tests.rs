use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::*;

/// 64x64, constrained baseline.
const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99];
/// 128x64.
const WIDE: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x08, 0x26, 0x40];
const PPS: &[u8] = &[0x68, 0xce, 0x38, 0x80];
/// The same number, another initial quantiser.
const OTHER_PPS: &[u8] = &[0x68, 0xce, 0x16, 0x20];
const IDR: &[u8] = &[0x65, 0x88, 0x84, 1];
const SLICE: &[u8] = &[0x41, 0x9a, 2];

fn codes(nals: &[&[u8]]) -> Bytes {
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
}

fn lengths(nals: &[&[u8]]) -> Bytes {
    nals.iter().flat_map(|nal| [&[0, 0, 0, nal.len() as u8], *nal].concat()).collect()
}

fn avcc(length: u8, sps: &[u8], pps: &[u8]) -> Bytes {
    let head = [1, 0x42, 0xc0, 0x0a, 0xfc | (length - 1), 0xe1, 0, sps.len() as u8];
    [&head, sps, &[1, 0, pps.len() as u8], pps].concat().into()
}

fn parameters(codec: Codec, extradata: Bytes) -> Arc<CodecParameters> {
    Arc::new(CodecParameters::new(codec, extradata, TimeBase::SECOND))
}

fn h264(extradata: Bytes) -> (Framing, Arc<CodecParameters>) {
    let parameters = parameters(Codec::H264, extradata);
    (Framing::new(&parameters).unwrap(), parameters)
}

fn unit(data: Bytes, parameters: &Arc<CodecParameters>) -> AccessUnit {
    AccessUnit::new(0, data, Arc::clone(parameters))
}

#[test]
fn sets_go_out_of_band_however_they_come() {
    let expected = avcc(4, SPS, PPS);
    for extradata in [codes(&[SPS, PPS]), expected.clone(), avcc(2, SPS, PPS)] {
        let (framing, _) = h264(extradata);
        let found = framing.parameters().unwrap();
        assert_eq!((&found.extradata, found.width, found.height), (&expected, 64, 64));
    }
    // Only with the first unit.
    let (mut framing, parameters) = h264(Bytes::new());
    assert!(framing.parameters().is_none());
    let early = framing.sample(&unit(codes(&[SLICE]), &parameters), false);
    assert_eq!(early, Err(CmafError::NoParameters("parameter set")));
    let first = framing.sample(&unit(codes(&[SPS, PPS, IDR]), &parameters), true).unwrap();
    assert_eq!((first.data, first.changed), (lengths(&[IDR]), true));
    assert_eq!(framing.parameters().unwrap().extradata, expected);
    // Repeated, alone, and with neither: nothing changes any more.
    for (nals, expected) in
        [(&[SPS, PPS, IDR][..], &[IDR][..]), (&[SPS, PPS], &[]), (&[SLICE, SLICE], &[SLICE, SLICE])]
    {
        let framed = framing.sample(&unit(codes(nals), &parameters), true).unwrap();
        assert_eq!((framed.data, framed.changed), (lengths(expected), false));
    }
}

#[test]
fn units_that_are_framed_already_are_not_copied() {
    let (mut framing, parameters) = h264(avcc(4, SPS, PPS));
    let data = lengths(&[IDR]);
    let framed = framing.sample(&unit(data.clone(), &parameters), true).unwrap();
    assert_eq!((framed.data.as_ptr(), framed.changed), (data.as_ptr(), false));
    // Its last length runs past its end: made good.
    let cut = data.slice(..data.len() - 1);
    let framed = framing.sample(&unit(cut, &parameters), true).unwrap();
    assert_eq!(framed.data, lengths(&[&IDR[..IDR.len() - 1]]));
    // Lengths of two bytes.
    let (mut framing, parameters) = h264(avcc(2, SPS, PPS));
    let short = Bytes::from([&[0, IDR.len() as u8], IDR].concat());
    assert_eq!(framing.sample(&unit(short, &parameters), true).unwrap().data, lengths(&[IDR]));
}

#[test]
fn other_sets_change_the_head_at_the_next_keyframe_and_stay_in_band_until_then() {
    let (mut framing, parameters) = h264(avcc(4, SPS, PPS));
    let mut feed = |data: Bytes, keyframe| {
        let framed = framing.sample(&unit(data, &parameters), keyframe).unwrap();
        (framed.data, framed.changed, framing.parameters().unwrap().extradata.clone())
    };
    let (old, new) = (avcc(4, SPS, PPS), avcc(4, SPS, OTHER_PPS));
    assert_eq!(feed(lengths(&[OTHER_PPS, SLICE]), false), (lengths(&[OTHER_PPS, SLICE]), false, old.clone()));
    assert_eq!(feed(lengths(&[SLICE]), false), (lengths(&[SLICE]), false, old));
    assert_eq!(feed(lengths(&[IDR]), true), (lengths(&[IDR]), true, new.clone()));
    assert_eq!(feed(lengths(&[OTHER_PPS, IDR]), true), (lengths(&[IDR]), false, new));
    let wide = avcc(4, WIDE, OTHER_PPS);
    assert_eq!(feed(lengths(&[WIDE, IDR]), true), (lengths(&[IDR]), true, wide));
    assert_eq!(framing.parameters().unwrap().width, 128);
}

#[test]
fn a_set_that_comes_back_between_keyframes_is_not_lost() {
    let (mut framing, parameters) = h264(avcc(4, SPS, PPS));
    let mut feed = |nals: &[&[u8]]| framing.sample(&unit(lengths(nals), &parameters), false).unwrap().data;
    assert_eq!(feed(&[OTHER_PPS, SLICE]), lengths(&[OTHER_PPS, SLICE]));
    assert_eq!(feed(&[PPS, SLICE]), lengths(&[PPS, SLICE]), "the decoder holds the other one by now");
    // Now it holds this one.
    assert_eq!(feed(&[PPS, SLICE]), lengths(&[SLICE]));
    assert_eq!(feed(&[OTHER_PPS, SLICE]), lengths(&[OTHER_PPS, SLICE]));
    // A keyframe is none that begins with another head, for the head is the same.
    let framed = framing.sample(&unit(lengths(&[PPS, IDR]), &parameters), true).unwrap();
    assert_eq!((framed.data, framed.changed), (lengths(&[PPS, IDR]), false));
}

#[test]
fn what_a_container_announces_reaches_decoders() {
    let (mut framing, first) = h264(avcc(4, SPS, PPS));
    framing.sample(&unit(lengths(&[IDR]), &first), true).unwrap();
    // The same again, in another allocation.
    let same = parameters(Codec::H264, avcc(4, SPS, PPS));
    let framed = framing.sample(&unit(lengths(&[SLICE]), &same), false).unwrap();
    assert_eq!((framed.data, framed.changed), (lengths(&[SLICE]), false));
    // Others between keyframes: in band, once.
    let other = parameters(Codec::H264, avcc(4, SPS, OTHER_PPS));
    for expected in [lengths(&[OTHER_PPS, SLICE]), lengths(&[SLICE])] {
        let framed = framing.sample(&unit(lengths(&[SLICE]), &other), false).unwrap();
        assert_eq!((framed.data, framed.changed), (expected, false));
    }
    let framed = framing.sample(&unit(lengths(&[IDR]), &other), true).unwrap();
    assert_eq!((framed.data, framed.changed), (lengths(&[IDR]), true));
    assert_eq!(framing.parameters().unwrap().extradata, avcc(4, SPS, OTHER_PPS));
    let another = parameters(Codec::H265, Bytes::new());
    assert!(framing.sample(&unit(Bytes::new(), &another), true).is_err());
}

#[test]
fn another_size_of_vp9_needs_another_head() {
    // frame_marker, profile 0, a key frame that is shown; sync code; BT.709, 4:2:0; size.
    let keyframe = |width: u16| {
        let size = u64::from(width - 1) << 16 | 63;
        let mut out = vec![0x82, 0x49, 0x83, 0x42];
        // color_space 3 bits, color_range 1, width 16, height 16, 4 left.
        let tail = (2_u64 << 37 | size << 4).to_be_bytes();
        out.extend_from_slice(&tail[3..]);
        Bytes::from(out)
    };
    let parameters = parameters(Codec::Vp9, Bytes::new());
    let mut framing = Framing::new(&parameters).unwrap();
    let early = framing.sample(&unit(Bytes::from_static(&[0x86, 0]), &parameters), false);
    assert_eq!(early, Err(CmafError::NoParameters("keyframe")));
    for (width, changed) in [(64, true), (64, false), (96, true)] {
        let framed = framing.sample(&unit(keyframe(width), &parameters), true).unwrap();
        assert_eq!((framed.data, framed.changed), (keyframe(width), changed));
        let found = framing.parameters().unwrap();
        assert_eq!((found.width, found.height), (u32::from(width), 64));
        assert_eq!(found.extradata[..], [1, 0, 0, 0, 0, 10, 0x82, 1, 1, 1, 0, 0]);
    }
}

#[test]
fn av1_does_without_temporal_delimiters() {
    // libaom, 64x64: with a delimiter, a sequence header, a frame.
    let header = [0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xff, 0x9b, 0x5f, 0x30, 0x08];
    let frame = [0x32, 0x02, 0x10, 0x00];
    let whole = Bytes::from([&[0x12, 0x00], &header[..], &frame].concat());
    let parameters = parameters(Codec::Av1, Bytes::new());
    let mut framing = Framing::new(&parameters).unwrap();
    let framed = framing.sample(&unit(whole, &parameters), true).unwrap();
    assert_eq!((&framed.data[..], framed.changed), (&[&header[..], &frame].concat()[..], true));
    let found = framing.parameters().unwrap();
    assert_eq!((found.extradata[0], &found.extradata[4..]), (0x81, &header[..]));
    let again = framing.sample(&unit(framed.data, &parameters), true).unwrap();
    assert!(!again.changed);
}

proptest! {
    #[test]
    fn any_units_are_framed_in_bounds(
        codec in prop_oneof![Just(Codec::H264), Just(Codec::H265), Just(Codec::Av1), Just(Codec::Vp9)],
        extradata in prop::collection::vec(any::<u8>(), 0..60),
        units in prop::collection::vec((prop::collection::vec(0..5_u8, 0..60), any::<bool>()), 0..6),
    ) {
        let parameters = parameters(codec.clone(), extradata.into());
        let mut framing = Framing::new(&parameters).unwrap();
        for (data, keyframe) in units {
            let size = data.len();
            let Ok(framed) = framing.sample(&unit(data.into(), &parameters), keyframe) else { continue };
            prop_assert!(framed.data.len() <= 4 * size + 64);
            let nal = matches!(codec, Codec::H264 | Codec::H265);
            let fits = crate::bitstream::nal::Framing::Lengths(4).fits(&framed.data);
            prop_assert!(!nal || fits, "lengths add up");
        }
    }
}
