use super::*;

fn nals(declared: Option<usize>, unit: &[u8]) -> Vec<&[u8]> {
    Nals::new(unit, Framing::of(declared, unit)).collect()
}

#[test]
fn framing_is_what_the_bytes_show() {
    let cases: [(Option<usize>, &[u8], Framing); 9] = [
        (Some(4), &[0, 0, 0, 2, 9, 9], Framing::Lengths(4)),
        (Some(2), &[0, 2, 9, 9], Framing::Lengths(2)),
        // Annex B under an avcC.
        (Some(4), &[0, 0, 0, 1, 9, 9], Framing::StartCodes),
        (Some(4), &[0, 0, 1, 9, 9], Framing::StartCodes),
        // A NAL unit of one byte looks like a start code, but its length fits.
        (Some(4), &[0, 0, 0, 1, 9], Framing::Lengths(4)),
        // Cut short.
        (Some(4), &[0, 0, 0, 9, 9], Framing::Lengths(4)),
        // Lengths without an avcC.
        (None, &[0, 0, 0, 2, 9, 9], Framing::Lengths(4)),
        (None, &[0, 0, 0, 1, 9, 9], Framing::StartCodes),
        (None, &[9, 9, 9, 9, 9, 9], Framing::StartCodes),
    ];
    for (declared, unit, framing) in cases {
        assert_eq!(Framing::of(declared, unit), framing, "{declared:?} {unit:?}");
    }
}

#[test]
fn nal_units_with_lengths_end_where_they_say_or_where_the_bytes_do() {
    assert_eq!(nals(Some(4), &[0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3]), [&[1, 2][..], &[3]]);
    assert_eq!(nals(Some(1), &[1, 7, 0, 2, 8, 9]), [&[7][..], &[8, 9]]);
    assert_eq!(nals(Some(4), &[0, 0, 0, 9, 1, 2]), [&[1, 2][..]]);
    assert_eq!(nals(Some(4), &[0xff, 0xff, 0xff, 0xff, 1]), [&[1][..]]);
    assert_eq!(nals(Some(4), &[0, 0, 0]), [&[][..]; 0]);
}

#[test]
fn nal_units_with_start_codes_run_on_to_the_end() {
    let unit = [0, 0, 0, 1, 5, 6, 0, 0, 1, 7, 0, 0, 1];
    assert_eq!(nals(None, &unit), [&unit[4..], &unit[9..]]);
}

#[test]
fn start_codes_are_found_wherever_they_lie() {
    for offset in 0..16 {
        for filler in [0xff, 2, 1] {
            let mut data = vec![filler; offset];
            data.extend([0, 0, 1, 5]);
            assert_eq!(find_start_code(&data), Some(offset), "{offset} {filler}");
            data[offset + 2] = 2;
            assert_eq!(find_start_code(&data), None, "{offset} {filler}");
        }
    }
}

#[test]
fn the_recovery_point_is_found_among_other_messages() {
    let cases: [(&[u8], Option<u32>); 6] = [
        (&[6, 1, 0b1000_0000, 0x80], Some(0)),
        (&[6, 1, 0b0110_0000, 0x80], Some(2)),
        (&[1, 2, 9, 9, 6, 1, 0b0100_0000, 0x80], Some(1)),
        (&[5, 2, 6, 6, 0x80], None),
        (&[0xff, 0xff, 0xff, 0xff], None),
        (&[5, 0xff, 0xff, 0xff, 0x10, 6, 1, 0x80], None),
    ];
    for (sei, count) in cases {
        assert_eq!(recovery_point(sei).and_then(|mut bits| bits.ue().ok()), count, "{sei:?}");
    }
}
