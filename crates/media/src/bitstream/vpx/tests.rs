use super::*;

const KEYFRAME: Access = Access::Keyframe { leading: false };
/// Shown and hidden VP9 key frames, a shown inter frame, an intra-only frame, an old frame shown again.
const KEY: &[u8] = &[0b1000_0010, 0x49, 0x83, 0x42, 0];
const HIDDEN_KEY: &[u8] = &[0b1000_0000, 0x49, 0x83, 0x42, 0];
const INTER: &[u8] = &[0b1000_0110, 0, 0];
const INTRA_ONLY: &[u8] = &[0b1000_0100, 0x80, 0];
const SHOW_EXISTING: &[u8] = &[0b1000_1000];

fn check(unit: &[u8], access: Access, shown: bool) {
    let info = read_vp9(unit).unwrap();
    assert_eq!((info.access, info.shown, info.reference), (access, shown, true), "{unit:x?}");
}

fn superframe(frames: &[&[u8]]) -> Vec<u8> {
    let marker = 0b1100_1000 | (frames.len() as u8 - 1);
    let sizes = frames.iter().flat_map(|frame| (frame.len() as u16).to_le_bytes());
    let index = [marker].into_iter().chain(sizes).chain([marker]);
    frames.concat().into_iter().chain(index).collect()
}

#[test]
fn a_vp9_unit_is_what_its_first_frame_is() {
    check(KEY, KEYFRAME, true);
    check(HIDDEN_KEY, KEYFRAME, false);
    check(INTER, Access::None, true);
    check(INTRA_ONLY, Access::None, false);
    check(SHOW_EXISTING, Access::None, true);
    // Profile 3 has one bit more before the frame type.
    check(&[0b1011_0001, 0b0010_0100, 0b1100_0001, 0b1010_0001, 0], KEYFRAME, true);
    check(&superframe(&[HIDDEN_KEY, INTER]), KEYFRAME, true);
    check(&superframe(&[INTRA_ONLY, INTER]), Access::None, true);
    check(&superframe(&[INTRA_ONLY, INTRA_ONLY]), Access::None, false);
    check(&superframe(&[INTER, KEY]), Access::None, true);
    check(&superframe(&[KEY, b"\0"]), KEYFRAME, true);
}

#[test]
fn bad_vp9_units_are_refused() {
    let cases: [(&[u8], BitstreamError); 5] = [
        (&[], BitstreamError::NoPicture),
        (&[0b1100_1000, 0, 0, 0b1100_1000], BitstreamError::NoPicture),
        (&[0x40], BitstreamError::OutOfRange("frame_marker")),
        (&[0b1000_0010, 0x49, 0x83, 0x43], BitstreamError::OutOfRange("frame_sync_code")),
        (&KEY[..3], BitstreamError::Truncated),
    ];
    for (unit, error) in cases {
        assert_eq!(read_vp9(unit), Err(error), "{unit:x?}");
    }
}

#[test]
fn a_vp8_frame_tells_in_its_tag() {
    type Outcome = Result<(Access, bool), BitstreamError>;
    let cases: [(&[u8], Outcome); 6] = [
        (&[0x10, 0, 0, 0x9d, 0x01, 0x2a], Ok((KEYFRAME, true))),
        (&[0x11, 0, 0], Ok((Access::None, true))),
        (&[0x01, 0, 0], Ok((Access::None, false))),
        (&[0x10, 0, 0, 1, 2, 3], Err(BitstreamError::OutOfRange("start code of a key frame"))),
        (&[0x10, 0], Err(BitstreamError::Truncated)),
        (&[], Err(BitstreamError::NoPicture)),
    ];
    for (frame, expected) in cases {
        assert_eq!(read_vp8(frame).map(|info| (info.access, info.shown)), expected, "{frame:x?}");
    }
}
