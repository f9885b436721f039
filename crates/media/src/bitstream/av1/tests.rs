use super::*;

const SEQUENCE: &[u8] = &[0x0a, 1, 0];
const STILL_SEQUENCE: &[u8] = &[0x0a, 1, 0b0001_1000];
const DELIMITER: &[u8] = &[0x12, 0];
// Frame OBUs of one byte: show_existing_frame, frame_type (2 bits), show_frame.
const KEY: &[u8] = &[0x32, 1, 0b0001_0000];
const HIDDEN_KEY: &[u8] = &[0x32, 1, 0];
const INTER: &[u8] = &[0x32, 1, 0b0011_0000];
const INTRA_ONLY: &[u8] = &[0x32, 1, 0b0101_0000];
const SHOW_EXISTING: &[u8] = &[0x1a, 1, 0b1000_0000];

fn read(extradata: &[u8], obus: &[&[u8]]) -> Result<(Access, bool), BitstreamError> {
    Reader::new(extradata).read(&obus.concat()).map(|info| (info.access, info.shown))
}

#[test]
fn a_temporal_unit_is_what_its_first_frame_is() {
    let keyframe = Access::Keyframe { leading: false };
    let cases: [(&[&[u8]], Access, bool); 8] = [
        (&[DELIMITER, SEQUENCE, KEY], keyframe, true),
        (&[SEQUENCE, INTER], Access::None, true),
        (&[SEQUENCE, INTRA_ONLY], Access::None, true),
        (&[SEQUENCE, SHOW_EXISTING], Access::None, true),
        (&[SEQUENCE, HIDDEN_KEY], Access::None, false),
        (&[SEQUENCE, HIDDEN_KEY, INTER], Access::None, true),
        (&[STILL_SEQUENCE, HIDDEN_KEY], keyframe, true),
        // Layer extension byte, and a last OBU without a size.
        (&[SEQUENCE, &[0x36, 0, 1, 0b0001_0000], &[0x30, 0b0011_0000]], keyframe, true),
    ];
    for (obus, access, shown) in cases {
        assert_eq!(read(&[], obus), Ok((access, shown)), "{obus:x?}");
    }
}

#[test]
fn the_sequence_header_may_come_with_the_container() {
    let av1c = [&[0x81, 0, 0, 0], SEQUENCE].concat();
    let keyframe = Ok((Access::Keyframe { leading: false }, true));
    assert_eq!(read(&av1c, &[KEY]), keyframe);
    assert_eq!(read(SEQUENCE, &[KEY]), keyframe);
    assert_eq!(read(&[], &[KEY]), Err(BitstreamError::MissingParameterSet { set: "sequence", id: 0 }));
}

#[test]
fn bad_units_are_refused() {
    let no_picture: [&[u8]; 5] = [DELIMITER, SEQUENCE, &[0x80, 0], &[0x32], &[0x32, 0xff, 0xff, 0xff]];
    for unit in no_picture {
        assert_eq!(read(SEQUENCE, &[unit]), Err(BitstreamError::NoPicture), "{unit:x?}");
    }
    // The size reaches beyond the unit, the head is there; then it is not.
    assert_eq!(read(SEQUENCE, &[&[0x32, 100, 0b0011_0000]]), Ok((Access::None, true)));
    assert_eq!(read(SEQUENCE, &[&[0x32, 100]]), Err(BitstreamError::Truncated));
}
