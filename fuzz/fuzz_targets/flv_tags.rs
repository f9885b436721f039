//! Messages of pictures, sound and values, made of anything: units keep to their times, their parameters and their bytes.
//!
//! Input: pieces, each a byte that says what it is, a time in four bytes, a length in two, and that many bytes.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocelli_ingest::push::rtmp::units::Units;
use ocelli_media::{AudioCodec, AudioUnit, Codec};

struct Piece<'a> {
    kind: u8,
    time: u32,
    body: &'a [u8],
}

fn pieces(mut data: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let ([kind, a, b, c, d, low, high], rest) = data.split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (body, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        Some(Piece { kind: *kind, time: u32::from_le_bytes([*a, *b, *c, *d]), body })
    })
}

/// See `at`.
const HIGHEST: u32 = 1 << 31;
/// Composition times have 24 bits and a sign.
const FURTHEST: i64 = 1 << 23;

fuzz_target!(|data: &[u8]| {
    let mut units = Units::new();
    let mut newest: Option<i64> = None;
    let mut sounds: Option<AudioUnit> = None;
    for piece in pieces(data) {
        let (before, body) = (units.counts, Bytes::copy_from_slice(piece.body));
        let mut at = |time: i64| {
            // Of their 32 bits the highest may be what the encoder does not count, and no step is further than the others can say.
            assert_eq!(time as u32 & !HIGHEST, piece.time & !HIGHEST);
            assert!(newest.is_none_or(|newest| (time - newest).abs() <= 1 << 31), "{newest:?} {time}");
            newest = Some(time);
        };
        match piece.kind % 3 {
            0 => match units.video(piece.time, body) {
                Ok(Some(unit)) => {
                    let dts = unit.dts.expect("every message has a time");
                    at(dts);
                    assert!((-FURTHEST..FURTHEST).contains(&(unit.pts - dts)));
                    assert!(!unit.data.is_empty() && unit.data.len() <= piece.body.len());
                    let needs = matches!(unit.parameters.codec, Codec::H264 | Codec::H265);
                    assert!(!needs || unit.parameters.extradata.len() >= 7);
                    assert!(unit.parameters.width <= 1 << 14 && unit.parameters.height <= 1 << 14);
                    assert_eq!(units.counts.pictures, before.pictures + 1);
                    assert_eq!(units.counts.damaged - before.damaged, u64::from(unit.damaged));
                }
                Ok(None) => assert_eq!(units.counts.pictures, before.pictures),
                Err(_) => assert_eq!(units.counts.unreadable, before.unreadable + 1),
            },
            1 => match units.audio(piece.time, body) {
                Ok(Some(unit)) => {
                    at(unit.pts);
                    assert!(!unit.data.is_empty() && unit.data.len() <= piece.body.len());
                    let known = !matches!(unit.parameters.codec, AudioCodec::Other(_));
                    assert!(!known || (unit.parameters.sample_rate > 0 && unit.parameters.channels > 0));
                    if let Some(last) = sounds.replace(unit.clone()) {
                        // A new allocation where they change, and only there.
                        let same = last.parameters == unit.parameters;
                        assert!(same || !Arc::ptr_eq(&last.parameters, &unit.parameters));
                    }
                    assert_eq!(units.counts.sounds, before.sounds + 1);
                }
                Ok(None) => assert_eq!(units.counts.sounds, before.sounds),
                Err(_) => assert_eq!(units.counts.unreadable, before.unreadable + 1),
            },
            _ => {
                units.announce(piece.body);
                assert_eq!(units.counts, before);
                continue;
            }
        }
        // Whatever it held, its time counts; here it is not known.
        if units.counts.pictures == before.pictures && units.counts.sounds == before.sounds {
            newest = None;
        }
    }
});
