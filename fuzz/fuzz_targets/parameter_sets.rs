//! Parameter sets and configurations of codecs, in front of units and within them: what a recording says of a stream is bounded, and is
//! read again as it was written.
//!
//! Input: a byte that chooses the codec, then pieces, each a length in two bytes and that many bytes: the configuration of the
//! pictures (`avcC`, `hvcC`, `av1C`, or start codes), that of the sound (AudioSpecificConfig, OpusHead), then access units.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocelli_media::{
    AccessUnit, AudioCodec, AudioParameters, Codec, CodecParameters,
    bitstream::CarriedSets,
    cmaf::{Framing, init, read_init},
};
use ocelli_model::TimeBase;

fn base() -> TimeBase {
    TimeBase::new(1, 90_000).expect("a fraction")
}

fn codec(choice: u8) -> (Codec, AudioCodec) {
    let pictures = match choice % 4 {
        0 => Codec::H264,
        1 => Codec::H265,
        2 => Codec::Av1,
        _ => Codec::Vp9,
    };
    (pictures, if choice & 4 == 0 { AudioCodec::Aac } else { AudioCodec::Opus })
}

fn pieces(mut data: &[u8]) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk()?;
        let (piece, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        data = rest;
        Some(Bytes::copy_from_slice(piece))
    })
}

/// What is said of a stream is read again, and its name is one.
fn check(video: &CodecParameters, sound: Option<&AudioParameters>) {
    let Ok(head) = init(video, sound) else { return };
    assert!((1..=u32::from(u16::MAX)).contains(&head.width) && (1..=u32::from(u16::MAX)).contains(&head.height));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".,".contains(letter);
    assert!(head.codecs.chars().all(plain) && head.codecs.len() < 100, "{}", head.codecs);
    let again = read_init(&head.bytes).expect("what was written can be read");
    assert_eq!((&again.video.codec, &again.video.extradata), (&video.codec, &video.extradata));
    assert_eq!(again.sound.is_some(), sound.is_some());
    if let (Some(again), Some(sound)) = (again.sound, sound)
        && sound.codec == AudioCodec::Aac
    {
        assert_eq!((&again.extradata, again.sample_rate), (&sound.extradata, sound.sample_rate));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let (codec, audio) = codec(choice);
    let mut pieces = pieces(data);
    let extradata = pieces.next().unwrap_or_default();
    let sound = AudioParameters {
        codec: audio,
        extradata: pieces.next().unwrap_or_default(),
        sample_rate: 48_000,
        channels: 2,
        time_base: TimeBase::new(1, 48_000).expect("a fraction"),
    };
    let parameters = Arc::new(CodecParameters::new(codec, extradata, base()));
    let mut framing = Framing::new(&parameters).expect("a codec that is recorded");
    let mut carried = CarriedSets::default();
    for (pts, unit) in (0..).zip(pieces) {
        if let Some(described) = framing.parameters() {
            check(described, None);
            check(described, Some(&sound));
        }
        let before = framing.parameters().cloned();
        let unit = AccessUnit::new(pts, unit, Arc::clone(&parameters));
        let keyframe = pts % 2 == 0;
        match framing.sample(&unit, keyframe) {
            Ok(framed) => {
                let same = match (&before, framing.parameters()) {
                    (Some(before), Some(after)) => Arc::ptr_eq(before, after),
                    (before, after) => before.is_none() && after.is_none(),
                };
                assert_eq!(framed.changed, !same, "another description is told");
                assert!(before.is_none() || keyframe || same, "and comes with keyframes only");
                // A length of four bytes for a start code of three, at worst for each byte pair.
                assert!(framed.data.len() <= 4 * unit.data.len() + 8);
            }
            Err(_) => assert!(framing.parameters().is_none() || before.is_some()),
        }
        let (kept, length) = (unit.clone(), unit.data.len());
        let mut given = unit;
        carried.give(&mut given);
        assert!(given.data.len() <= length + (64 << 10) + (128 << 10) && given.data.ends_with(&kept.data));
        carried.keep(&kept);
    }
});
