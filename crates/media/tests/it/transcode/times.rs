//! Times that jump, drift and lie: samples that say when they belong.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{AudioCodec, AudioParameters, AudioUnit, libav::AudioTranscoder};
use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::heard::{BLOCK, listen, transcoded};

/// Samples a second.
const RATE: i64 = 16_000;

fn parameters(den: u32) -> Arc<AudioParameters> {
    Arc::new(AudioParameters {
        codec: AudioCodec::Other("pcm_s16le".to_owned()),
        extradata: Bytes::new(),
        sample_rate: RATE as u32,
        channels: 1,
        time_base: TimeBase::new(1, den).unwrap(),
    })
}

/// 20 ms, a tone where it is asked for.
fn block(pts: i64, tone: bool, parameters: &Arc<AudioParameters>) -> AudioUnit {
    let sample = |at: usize| if tone { (9000.0 * (at as f32 * 0.5).sin()) as i16 } else { 0 };
    let data: Vec<u8> = (0..320).flat_map(|at| sample(at).to_le_bytes()).collect();
    AudioUnit { pts, data: data.into(), parameters: Arc::clone(parameters) }
}

/// Where a tone begins after silence, in samples of the time line.
fn onsets(units: &[AudioUnit]) -> Vec<i64> {
    let (mut found, mut loud_before) = (Vec::new(), -400_i64);
    for (at, sample) in (0_i64..).zip(listen(units)) {
        if sample.abs() > 0.12 {
            if at - loud_before >= 400 {
                found.push(units[0].pts + at);
            }
            loud_before = at;
        }
    }
    found
}

#[test]
fn blocks_follow_each_other_however_ticks_are_rounded() {
    // Milliseconds that are a few off, as senders with coarse clocks have them.
    let milliseconds = parameters(1000);
    let given = (0..5000).map(|n| block(n * 20 + [0, 7, -6, 3][n as usize % 4], n % 50 == 25, &milliseconds));
    let (made, left_out) = transcoded(given);
    assert_eq!((left_out, made[0].pts), (0, 0));
    let begun = onsets(&made);
    assert_eq!(begun.len(), 100);
    for (index, at) in (0..).zip(begun) {
        let belongs = (index * 50 + 25) * 320;
        assert!((at - belongs).abs() <= 32, "tone {index} is {} samples off", at - belongs);
    }
}

#[test]
fn a_gap_is_silence_and_what_follows_it_is_in_its_place() {
    let ticks = parameters(8000);
    for missing in [2, 10, 50] {
        let at = |n: i64| if n < 100 { n * 160 } else { (n + missing) * 160 };
        let given = (0..200).map(|n| block(at(n), n == 50 || n == 150, &ticks));
        let (made, left_out) = transcoded(given);
        assert_eq!(left_out, 0);
        for (at, belongs) in onsets(&made).into_iter().zip([50 * 320, (150 + missing) * 320]) {
            assert!((at - belongs).abs() <= 32, "{missing}: {at} {belongs}");
        }
        let blocks = (200 + missing) * 320 / BLOCK;
        assert!((blocks + 1..=blocks + 3).contains(&(made.len() as i64)), "{}", made.len());
    }
}

#[test]
fn a_step_begins_anew_where_it_leads() {
    for step in [2 * RATE, -3 * RATE, 1000 * RATE, -1000 * RATE] {
        let ticks = parameters(RATE as u32);
        let at = |n: i64| if n < 100 { n * 320 } else { n * 320 + step };
        let (made, left_out) = transcoded((0..200).map(|n| block(at(n), n == 50 || n == 150, &ticks)));
        assert_eq!(left_out, 0);
        let turn = made.windows(2).position(|pair| pair[1].pts - pair[0].pts != BLOCK).unwrap() + 1;
        assert_eq!(made[turn].pts, 100 * 320 + step - BLOCK, "to the sample");
        let begun = [onsets(&made[..turn]), onsets(&made[turn..])].concat();
        for (at, belongs) in begun.into_iter().zip([50 * 320, 150 * 320 + step]) {
            assert!((at - belongs).abs() <= 32, "{step}: {at} {belongs}");
        }
    }
}

#[test]
fn what_comes_twice_is_heard_once() {
    let ticks = parameters(8000);
    // Ten blocks again, as after a lost acknowledgement.
    let order: Vec<i64> = (0..100).chain(90..200).collect();
    let given = order.iter().map(|n| block(n * 160, [50, 95, 150].contains(n), &ticks));
    let (made, left_out) = transcoded(given);
    assert_eq!(left_out, 0);
    let begun = onsets(&made);
    assert_eq!(begun.len(), 3, "{begun:?}");
    for (at, n) in begun.into_iter().zip([50, 95, 150]) {
        assert!((at - n * 320).abs() <= 32, "{n}: {at}");
    }
}

#[test]
fn a_clock_that_drifts_is_followed_within_a_block() {
    // Three minutes of a sender whose times are 0.2 % fast or slow against its samples.
    for drift in [-2, 2] {
        let ticks = parameters(90_000);
        let at = |n: i64| n * 1800 + n * 1800 * drift / 1000;
        let (made, _) = transcoded((0..9000).map(|n| block(at(n), n % 100 == 50, &ticks)));
        let begun = onsets(&made);
        assert_eq!(begun.len(), 90, "drift {drift}");
        for (index, heard) in (0..).zip(begun) {
            let belongs = at(index * 100 + 50) * RATE / 90_000;
            // 20 ms, and what a tone needs to be loud.
            assert!((heard - belongs).abs() <= 320 + 32, "{index}: {}", heard - belongs);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_times_and_no_bytes_do_harm(
        units in prop::collection::vec((any::<i64>(), 0_u8..8, prop::collection::vec(any::<u8>(), 0..3000)), 1..40),
        codec in prop::sample::select(vec!["pcm_alaw", "mp2", "mp3", "ac3", "adpcm_g722", "aac_latm", "speex", "g723_1"]),
    ) {
        let known = AudioParameters { codec: AudioCodec::Other(codec.to_owned()), ..(*parameters(8000)).clone() };
        let known = Arc::new(AudioParameters { sample_rate: 8000, ..known });
        let mut transcoder = AudioTranscoder::new();
        let mut now = 0_i64;
        for (chance, kind, data) in units {
            now = match kind {
                0 => chance,
                1 => now.wrapping_add(chance % 100_000),
                _ => now.wrapping_add(160),
            };
            let seconds = data.len() as f64 / 8000.0 + 40.0;
            transcoder.push(AudioUnit { pts: now, data: data.into(), parameters: Arc::clone(&known) }).ok();
            let ready = std::iter::from_fn(|| transcoder.next_unit()).count();
            prop_assert!(ready as f64 <= seconds * 16.0, "{} blocks at once", ready);
        }
        transcoder.end();
        std::iter::from_fn(|| transcoder.next_unit()).for_each(drop);
    }
}
