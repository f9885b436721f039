//! AAC as transport streams carry it: each access unit behind a header of its own.

use bytes::Bytes;

/// Samples a second by index (ISO/IEC 14496-3 table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// Channels by configuration (table 1.19); 0 is written elsewhere.
const CHANNELS: [u16; 8] = [0, 1, 2, 3, 4, 5, 6, 8];

/// What the header of an ADTS frame says (ISO/IEC 14496-3 section 1.A.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Adts {
    /// The same as an `AudioSpecificConfig`.
    pub(crate) config: [u8; 2],
    pub(crate) sample_rate: u32,
    pub(crate) channels: u16,
    /// Bytes of the header.
    head: usize,
    /// Bytes of header and access unit.
    whole: usize,
}

impl Adts {
    /// `None` for what is no whole frame of one access unit whose channels the header tells.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let [0xff, b1, b2, b3, b4, b5, b6, ..] = *frame else { return None };
        // The rest of the sync word, and layer 0.
        if b1 & 0xf6 != 0xf0 || b6 & 3 != 0 {
            return None;
        }
        let (object, rate) = ((b2 >> 6) + 1, b2 >> 2 & 15);
        let channels = (b2 & 1) << 2 | b3 >> 6;
        let sample_rate = *RATES.get(usize::from(rate))?;
        let head = if b1 & 1 == 1 { 7 } else { 9 };
        let whole = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
        let fits = channels > 0 && whole > head && whole <= frame.len();
        fits.then_some(Self {
            config: [object << 3 | rate >> 1, rate << 7 | channels << 3],
            sample_rate,
            channels: CHANNELS[usize::from(channels)],
            head,
            whole,
        })
    }

    /// The access unit alone.
    pub(crate) fn unit(&self, frame: &Bytes) -> Bytes {
        frame.slice(self.head..self.whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of two channels at 44100 Hz, low complexity, 3 bytes of payload.
    const FRAME: [u8; 10] = [0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3];

    #[test]
    fn a_header_becomes_a_configuration() {
        let read = Adts::read(&FRAME).unwrap();
        assert_eq!((read.config, read.sample_rate, read.channels), ([0x12, 0x10], 44_100, 2));
        assert_eq!(read.unit(&Bytes::from_static(&FRAME)), Bytes::from_static(&[1, 2, 3]));
        let checked = [&[0xff, 0xf0, 0x50, 0x80, 0x01, 0x5f, 0xfc, 9, 9][..], &[7]].concat();
        let read = Adts::read(&checked).unwrap();
        assert_eq!(read.unit(&Bytes::from(checked)), Bytes::from_static(&[7]), "a checksum is no payload");
    }

    #[test]
    fn what_is_no_frame_is_none() {
        let changed = |at: usize, byte: u8| {
            let mut frame = FRAME;
            frame[at] = byte;
            frame
        };
        for (at, byte) in
            [(0, 0xfe), (1, 0xe1), (1, 0xf3), (2, 0x7c), (3, 0x00), (5, 0x7f), (4, 0x00), (6, 0xfd)]
        {
            assert_eq!(Adts::read(&changed(at, byte)), None, "{at} {byte:x}");
        }
        assert_eq!(Adts::read(&FRAME[..9]), None, "cut short");
        assert_eq!(Adts::read(&[]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if bytes.len() > 1 {
                (bytes[0], bytes[1]) = (0xff, bytes[1] | 0xf0);
            }
            if let Some(read) = Adts::read(&bytes) {
                prop_assert!(!read.unit(&Bytes::from(bytes)).is_empty());
            }
        }
    }
}
