//! Recordings made of anything: the box reader stays in bounds, and whatever it accepts is written again as it was read.
//!
//! Input: bytes of a segment file, or with a first byte of 1 of a part behind a head that is whole. Checksums are set right where a part
//! has one, so that they do not keep everything else from being tried.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocelli_media::{
    AudioCodec, AudioParameters, Codec, CodecParameters,
    cmaf::{Framing, Part, Tracks, init, part, read_init, read_part, scan},
};
use ocelli_model::TimeBase;

/// A sequence and a picture parameter set: 64x64, constrained baseline.
const SETS: [u8; 19] =
    [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80];

fn base(num: u32, den: u32) -> TimeBase {
    TimeBase::new(num, den).expect("a fraction")
}

fn tracks() -> Tracks {
    let bare = Arc::new(CodecParameters::new(Codec::H264, Bytes::from_static(&SETS), base(3, 90_000)));
    let framing = Framing::new(&bare).expect("H.264 is recorded");
    let sound = AudioParameters {
        codec: AudioCodec::Aac,
        extradata: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        time_base: base(1, 48_000),
    };
    let video = Arc::clone(framing.parameters().expect("its sets were given"));
    Tracks { video, sound: Some(Arc::new(sound)) }
}

/// Sets the checksum of the part at the head of `bytes` right, where its `moof` ends with one.
fn mend(bytes: &mut [u8]) {
    let size = |at: usize| {
        let size = bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)?;
        usize::try_from(size).ok()
    };
    let Some(moof) = size(0).filter(|moof| *moof >= 36) else { return };
    let Some(end) = size(moof).and_then(|mdat| moof.checked_add(mdat)).filter(|end| *end <= bytes.len()) else {
        return;
    };
    if bytes[moof - 24..moof - 20] == *b"uuid" && end > moof {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&bytes[..moof - 4]);
        sum.update(&bytes[moof..end]);
        bytes[moof - 4..moof].copy_from_slice(&sum.finalize().to_be_bytes());
    }
}

fn write(tracks: &Tracks, read: &Part) -> Bytes {
    let sound = tracks.sound.as_ref().map_or(TimeBase::SECOND, |sound| sound.time_base);
    let written = part(read.sequence, (&read.video, tracks.video.time_base), (&read.sound, sound));
    written.expect("what was read can be written")
}

fn check_part(tracks: &Tracks, bytes: &Bytes) {
    let Ok(read) = read_part(tracks, bytes) else { return };
    let media: usize = read.video.iter().map(|sample| sample.data.len()).sum();
    let heard: usize = read.sound.iter().map(|sample| sample.data.len()).sum();
    assert!(media + heard <= bytes.len(), "samples share the part's bytes");
    let again = write(tracks, &read);
    assert_eq!(read_part(tracks, &again).as_ref(), Ok(&read), "the same again");
}

fuzz_target!(|data: &[u8]| {
    let (known, mut file) = (tracks(), Vec::new());
    let Some((&choice, data)) = data.split_first() else { return };
    let mut data = data.to_vec();
    if choice == 1 {
        mend(&mut data);
        file.extend(init(&known.video, known.sound.as_deref()).expect("both are recorded").bytes);
    }
    file.extend(data);
    let file = Bytes::from(file);
    let found = scan(&file);
    assert!(found.init <= found.whole && found.whole <= file.len());
    let mut end = found.init;
    for range in &found.parts {
        assert!(range.start == end && range.end > range.start, "one after the other");
        end = range.end;
    }
    assert_eq!(end, found.whole);
    let tracks = read_init(&file).ok();
    if let Some(read) = &tracks
        && let Ok(head) = init(&read.video, read.sound.as_deref())
    {
        let again = read_init(&head.bytes).expect("what was written can be read");
        assert_eq!((&again.video.codec, &again.video.extradata), (&read.video.codec, &read.video.extradata));
        assert_eq!((again.video.time_base, again.video.rotation), (read.video.time_base, read.video.rotation));
        assert_eq!(again.sound, read.sound);
    }
    for range in found.parts {
        check_part(tracks.as_ref().unwrap_or(&known), &file.slice(range));
    }
});
