use super::*;

/// Size and kind.
type Box = (u32, &'static [u8; 4]);

#[test]
fn an_index_behind_the_pictures_shows_at_the_start() {
    let boxes = |boxes: &[Box]| {
        let mut bytes = Vec::new();
        for (size, kind) in boxes {
            bytes.extend(size.to_be_bytes());
            bytes.extend(*kind);
            bytes.resize(bytes.len() + (*size as usize).saturating_sub(8).min(64), 0);
        }
        bytes
    };
    let cases: [(&[Box], bool); 8] = [
        (&[(24, b"ftyp"), (8, b"free"), (9999, b"mdat")], true),
        (&[(24, b"ftyp"), (1, b"mdat")], true),
        (&[(24, b"ftyp"), (9999, b"moov")], false),
        (&[(24, b"ftyp"), (40, b"moof"), (99, b"mdat")], false),
        (&[(24, b"ftyp"), (9999, b"free"), (99, b"mdat")], false),
        (&[(24, b"ftyp"), (0, b"free"), (99, b"mdat")], false),
        (&[(9999, b"mdat")], false),
        (&[], false),
    ];
    for (case, expected) in cases {
        assert_eq!(has_media_before_index(&boxes(case)), expected, "{case:?}");
    }
    assert!(!has_media_before_index(b"\0\0\0\x18ftyp"));
}
