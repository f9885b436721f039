//! Access units made of anything: the readers stay in bounds, and say the same of the same bytes.
//!
//! Input: a byte that chooses the codec, then pieces, each a length in two bytes and that many bytes. The first piece is
//! the extradata, the others are access units.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli_media::bitstream::{Access, BitstreamError, PictureInfo, PictureReader};
use ocelli_media::{Codec, CodecParameters};
use ocelli_model::TimeBase;

const DEEPEST: u32 = 16;

fn codec(choice: u8) -> Codec {
    match choice % 10 {
        0 => Codec::H264,
        1 => Codec::H265,
        2 => Codec::Mpeg4,
        3 => Codec::Mjpeg,
        4 => Codec::Vp8,
        5 => Codec::Vp9,
        6 => Codec::Av1,
        7 => Codec::Other("mpeg2video".to_owned()),
        8 => Codec::Other("h263".to_owned()),
        _ => Codec::Other("theora".to_owned()),
    }
}

fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk()?;
        let (piece, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        data = rest;
        Some(piece)
    })
}

fn check(codec: &Codec, info: Result<PictureInfo, BitstreamError>) {
    let Ok(info) = info else { return };
    assert!(info.reorder_depth <= DEEPEST);
    let leading = matches!(info.access, Access::Keyframe { leading: true });
    assert!(!leading || info.reorder_depth > 0, "nothing can lead without reordering");
    assert!(!info.references_lost || *codec == Codec::H264);
    assert!(!info.skipped_after_random_access || *codec == Codec::H265);
    assert!(info.reference || matches!(codec, Codec::H264 | Codec::H265));
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let mut pieces = pieces(data);
    let codec = codec(choice);
    let extradata = pieces.next().unwrap_or_default().to_vec();
    let base = TimeBase::new(1, 90_000).expect("a plain time base");
    let mut parameters = CodecParameters::new(codec.clone(), extradata.into(), base);
    parameters.reorder_hint = u32::from(choice) / 10;
    let mut first = PictureReader::new(&parameters);
    let mut second = PictureReader::new(&parameters);
    for unit in pieces {
        let info = first.read(unit, true);
        check(&codec, info);
        assert_eq!(info, second.read(&unit.to_vec(), true));
    }
});
