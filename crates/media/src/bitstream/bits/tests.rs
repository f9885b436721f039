use super::super::BitstreamError;
use super::Bits;

/// Bits written as text, padded with zeros.
pub(in super::super) fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').map(|byte| byte - b'0').collect();
    digits
        .chunks(8)
        .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | bit << (7 - at)))
        .collect()
}

/// The Exp-Golomb code of a number, as text.
pub(in super::super) fn ue(number: u32) -> String {
    let code = format!("{:b}", number + 1);
    format!("{}{code}", "0".repeat(code.len() - 1))
}

/// A NAL unit: its header, then bits written as text and the stop bit, with emulation prevention.
pub(in super::super) fn nal(header: &[u8], text: &str) -> Vec<u8> {
    let mut nal = header.to_vec();
    for byte in bytes(&format!("{text}1")) {
        if byte <= 3 && nal.ends_with(&[0, 0]) {
            nal.push(3);
        }
        nal.push(byte);
    }
    nal
}

/// An access unit with start codes.
pub(in super::super) fn annex_b(nals: &[&[u8]]) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
}

#[test]
fn exp_golomb_codes_are_those_of_table_9_2() {
    let cases = [
        ("1", 0, 0),
        ("010", 1, 1),
        ("011", 2, -1),
        ("00100", 3, 2),
        ("00101", 4, -2),
        ("00110", 5, 3),
        ("00111", 6, -3),
        ("0001000", 7, 4),
        ("0001001", 8, -4),
        ("000000000000000 1 000000000000001", 32_768, -16_384),
    ];
    for (code, unsigned, signed) in cases {
        let data = bytes(code);
        assert_eq!(Bits::plain(&data).ue(), Ok(unsigned), "{code}");
        assert_eq!(bytes(&ue(unsigned)), data, "{code}");
        assert_eq!(Bits::plain(&data).se(), Ok(signed), "{code}");
    }
}

#[test]
fn the_longest_codes_are_read_and_longer_ones_refused() {
    let longest = bytes(&format!("{}1{}", "0".repeat(31), "1".repeat(31)));
    assert_eq!(Bits::plain(&longest).ue(), Ok(u32::MAX - 1));
    assert_eq!(Bits::plain(&longest).se(), Ok(-i32::MAX));
    let endless = [0; 64];
    assert_eq!(Bits::plain(&endless).ue(), Err(BitstreamError::OutOfRange("Exp-Golomb code")));
    assert_eq!(Bits::plain(&endless[..3]).ue(), Err(BitstreamError::Truncated));
    assert_eq!(Bits::plain(&bytes("010")).ue_to(0, "name"), Err(BitstreamError::OutOfRange("name")));
}

#[test]
fn reads_cross_byte_borders() {
    let data = [0b1010_0101, 0xff, 0x00, 0x12, 0x34, 0x56, 0x78];
    let mut bits = Bits::plain(&data);
    assert_eq!(bits.u(3), Ok(0b101));
    assert_eq!(bits.u(0), Ok(0));
    assert_eq!(bits.u(10), Ok(0b00_1011_1111));
    bits.skip(11).unwrap();
    assert_eq!(bits.u(32), Ok(0x1234_5678));
    assert_eq!(bits.flag(), Err(BitstreamError::Truncated));
}

#[test]
fn emulation_prevention_is_taken_out_of_nal_units_only() {
    let cases: [(&[u8], &[u8]); 6] = [
        (&[0, 0, 3, 1], &[0, 0, 1]),
        (&[0, 0, 3, 0, 0, 3, 2], &[0, 0, 0, 0, 2]),
        (&[0, 0, 3], &[0, 0]),
        (&[7, 0, 0, 1, 9], &[7, 0, 0]),
        (&[7, 0, 0, 0, 1], &[7, 0, 0]),
        (&[0, 3, 0, 3], &[0, 3, 0, 3]),
    ];
    for (coded, payload) in cases {
        let mut bits = Bits::nal(coded);
        for byte in payload {
            assert_eq!(bits.u(8), Ok(u32::from(*byte)), "{coded:?}");
        }
        // The end holds, however often one asks.
        assert_eq!(bits.u(8), Err(BitstreamError::Truncated), "{coded:?}");
        assert_eq!(bits.u(8), Err(BitstreamError::Truncated), "{coded:?}");
    }
    assert_eq!(Bits::plain(&[0, 0, 3, 1]).u(32), Ok(0x301));
}
