use super::*;

/// A group header with its closed flag, and a picture of a coding type.
fn unit(group: Option<bool>, kind: u8) -> Vec<u8> {
    let group = group.map(|closed| [0, 0, 1, GROUP, 0, 8, 0, u8::from(closed) << 6]);
    let picture = [0, 0, 1, PICTURE, 0, kind << 3, 0xff, 0xf8];
    [&[0, 0, 1, 0xb3, 1, 1, 1][..], group.as_ref().map_or(&[], |bytes| bytes), &picture].concat()
}

#[test]
fn intra_pictures_are_keyframes_and_closed_groups_have_no_leading_pictures() {
    let keyframe = |leading| Access::Keyframe { leading };
    let cases = [
        (unit(None, 1), 1, keyframe(true)),
        (unit(Some(false), 1), 1, keyframe(true)),
        (unit(Some(true), 1), 1, keyframe(false)),
        (unit(None, 1), 0, keyframe(false)),
        (unit(None, 2), 1, Access::None),
        (unit(None, 3), 1, Access::None),
    ];
    for (unit, depth, access) in cases {
        assert_eq!(read(&unit, depth), Ok(PictureInfo::of_unread_references(access, depth)), "{unit:x?}");
    }
    assert_eq!(read(&[0, 0, 1, 0xb3, 1, 2], 0), Err(BitstreamError::NoPicture));
    assert_eq!(read(&[0, 0, 1, PICTURE, 1], 0), Err(BitstreamError::Truncated));
}
