use super::*;

/// Bits of a picture header behind its start code, written as text.
fn unit(header: &str) -> Vec<u8> {
    let mut bits = format!("0000000000000000100000{header}");
    while !bits.len().is_multiple_of(8) {
        bits.push('0');
    }
    bits.as_bytes()
        .chunks(8)
        .map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

#[test]
fn picture_types_plain_and_extended() {
    let keyframe = Access::Keyframe { leading: false };
    let cases = [
        ("00000001 10000 010 0 00000", keyframe),
        ("00000001 10000 010 1 00000", Access::None),
        // With and without the optional part of the extended type.
        ("00000001 10000 111 001 010000000000001000 000 000001", keyframe),
        ("00000001 10000 111 001 010000000000001000 001 000001", Access::None),
        ("00000001 10000 111 000 000 000001", keyframe),
        ("00000001 10000 111 000 001 000001", Access::None),
    ];
    for (header, access) in cases {
        let unit = unit(&header.replace(' ', ""));
        assert_eq!(read(&unit), Ok(PictureInfo::of_unread_references(access, 0)), "{header}");
    }
    assert_eq!(read(&[0, 0, 0x80, 2]), Err(BitstreamError::Truncated));
    assert_eq!(read(&[0, 0, 1, 0xb3, 1]), Err(BitstreamError::NoPicture));
}
