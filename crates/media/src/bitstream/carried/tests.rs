use std::sync::Arc;

use ocelli_model::TimeBase;

use super::*;
use crate::CodecParameters;

const AVCC: [u8; 5] = [1, 100, 0, 13, 0xff];

fn unit(codec: Codec, extradata: &'static [u8], data: &[u8]) -> AccessUnit {
    let parameters = CodecParameters::new(codec, Bytes::from_static(extradata), TimeBase::SECOND);
    AccessUnit::new(0, Bytes::copy_from_slice(data), Arc::new(parameters))
}

/// What the next unit looks like after `dropped`.
fn check(codec: &Codec, extradata: &'static [u8], dropped: &[&[u8]], next: &[u8], expected: &[u8]) {
    let mut carried = CarriedSets::default();
    for data in dropped {
        carried.keep(&unit(codec.clone(), extradata, data));
    }
    let mut fed = unit(codec.clone(), extradata, next);
    carried.give(&mut fed);
    assert_eq!(fed.data, expected, "{codec:?}");
    let mut later = unit(codec.clone(), extradata, next);
    carried.give(&mut later);
    assert_eq!(later.data, next, "given once");
}

#[test]
fn dropped_parameter_sets_go_in_front_of_the_next_unit() {
    // Access unit delimiter, SPS, PPS, SEI, IDR slice.
    let keyframe =
        [0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 1, 6, 6, 0, 0, 1, 0x65, 7];
    let slice = [0, 0, 0, 1, 0x41, 5];
    let prefixed = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x41, 5];
    check(&Codec::H264, &[], &[&keyframe], &slice, &prefixed);
    check(&Codec::H264, &[], &[&keyframe, &keyframe, &slice], &slice, &prefixed);
    check(&Codec::H264, &[], &[&keyframe], &keyframe, &keyframe);
    check(&Codec::H264, &[], &[&slice], &slice, &slice);
}

#[test]
fn lengths_and_the_other_codecs_are_told_apart() {
    let keyframe = [0, 0, 0, 2, 0x67, 1, 0, 0, 0, 2, 0x65, 7];
    let slice = [0, 0, 0, 2, 0x41, 5];
    check(&Codec::H264, &AVCC, &[&keyframe], &slice, &[0, 0, 0, 2, 0x67, 1, 0, 0, 0, 2, 0x41, 5]);
    // VPS, then CRA.
    let irap = [0, 0, 1, 0x40, 1, 9, 0, 0, 1, 0x2a, 1];
    let trail = [0, 0, 1, 0x02, 1];
    check(&Codec::H265, &[], &[&irap], &trail, &[0, 0, 0, 1, 0x40, 1, 9, 0, 0, 1, 0x02, 1]);
    check(&Codec::Vp9, &[], &[&keyframe], &slice, &slice);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut carried = CarriedSets::default();
    for number in 0..1000_u32 {
        let mut data = vec![0, 0, 1, 0x67];
        data.extend(number.to_be_bytes().map(|byte| byte | 0x80).repeat(100));
        data.extend([0, 0, 1, 0x65]);
        carried.keep(&unit(Codec::H264, &[], &data));
        assert!(carried.sets.len() <= MOST_BYTES);
    }
}
