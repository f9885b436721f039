//! Media made to bloat or to hold up whoever decodes it.

use ocelli_ingest::{Source as _, child::ChildLimits};
use ocelli_testkit::{Clip, ClipCodec, Container};

use super::{chain, file, honest, open};

/// What reading and decoding everything comes to, as words of errors.
fn whole(path: &std::path::Path, limits: ChildLimits) -> Vec<String> {
    let mut said = Vec::new();
    let mut source = match open(path, &honest().with_limits(limits)) {
        Ok(source) => source,
        Err(error) => return vec![chain(&error)],
    };
    let open = source.decoder().unwrap();
    let mut decoder = None;
    loop {
        let unit = match source.next_unit() {
            Ok(Some(unit)) => unit,
            Ok(None) => return said,
            Err(error) => {
                said.push(chain(&error));
                return said;
            }
        };
        if decoder.is_none() {
            match open(&unit.parameters) {
                Ok(opened) => decoder = Some(opened),
                Err(error) => {
                    said.push(error.to_string());
                    return said;
                }
            }
        }
        let decoder = decoder.as_mut().unwrap();
        said.extend(decoder.send(&unit, true).err().map(|error| error.to_string()));
        for _ in 0..1024 {
            match decoder.receive() {
                Ok(None) => break,
                Ok(Some(decoded)) => {
                    said.extend(decoded.frame.and_then(Result::err).map(|error| error.to_string()));
                }
                Err(error) => said.push(error.to_string()),
            }
        }
    }
}

/// A VP8 keyframe may claim any size in ten bytes: pictures of 12288x12288 want 226 MB each.
#[test]
fn a_picture_that_claims_to_be_huge_takes_no_more_than_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let clip = Clip::new(192, 128).frames(30).codec(ClipCodec::Vp8).container(Container::Raw);
    let mut bytes = std::fs::read(clip.cached()).unwrap();
    let starts: Vec<usize> = bytes
        .windows(3)
        .enumerate()
        .filter(|(_, three)| *three == [0x9d, 0x01, 0x2a])
        .map(|(at, _)| at)
        .collect();
    assert!(!starts.is_empty(), "keyframes");
    for at in starts {
        bytes[at + 3..at + 7].copy_from_slice(&[0, 0x30, 0, 0x30]);
    }
    let limits = ChildLimits { memory_bytes: 128 << 20, ..ChildLimits::default() };
    let said = whole(&file(&dir, &bytes), limits);
    assert!(!said.is_empty(), "nothing of it can be decoded within the limit");
    let memory = |said: &String| said.contains("memory") || said.contains("128 MiB");
    assert!(said.iter().any(memory), "{said:?}");
}

/// Pictures that fit into memory, but not into what the parent takes.
#[test]
fn pictures_beyond_the_limit_are_not_taken() {
    let path = Clip::new(192, 128).frames(5).cached();
    let limits = ChildLimits { pixels: 192 * 127, ..ChildLimits::default() };
    let said = whole(&path, limits);
    assert!(said.iter().any(|said| said.contains("a picture of 192x128")), "{said:?}");
}

/// Boxes of an MP4 that claim four gigabytes.
#[test]
fn sizes_that_are_claimed_are_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let clip = std::fs::read(Clip::new(192, 128).frames(30).cached()).unwrap();
    for name in [b"avcC", b"stsz", b"stco", b"stts", b"stsd", b"mdat", b"moov", b"udta"] {
        let Some(at) = clip.windows(4).position(|four| four == name) else { continue };
        for size in [0xffff_ffff_u32, 0x7fff_fff0, 0x1000_0000] {
            let mut bytes = clip.clone();
            bytes[at - 4..at].copy_from_slice(&size.to_be_bytes());
            // A count, where there is one.
            if bytes.len() > at + 16 {
                bytes[at + 8..at + 12].copy_from_slice(&size.to_be_bytes());
            }
            whole(&file(&dir, &bytes), ChildLimits::default());
        }
    }
}
