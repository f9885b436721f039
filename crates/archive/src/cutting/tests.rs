use std::time::Duration;

use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::{Begins, Cutting, Lengths, Next};
use crate::ArchiveConfig;

fn lengths() -> Lengths {
    Lengths::new(&ArchiveConfig::new("/nowhere".into(), || 0))
}

/// Lengths in ticks of the parts and segments of a run, its promises kept up as a recorder does; the open ones at the end left out.
fn cut(
    base: TimeBase,
    units: impl Iterator<Item = (i64, bool)>,
    lengths: &mut Lengths,
) -> (Vec<i64>, Vec<(i64, bool)>) {
    let mut units = units.peekable();
    let (first, opens) = *units.peek().unwrap();
    let mut cutting = Cutting::new(base, first, opens);
    let (mut part, mut segment) = (first, (first, opens));
    let (mut parts, mut segments) = (Vec::new(), Vec::new());
    for (dts, opens) in units.skip(1) {
        let begins = cutting.next(Next { dts, opens, anew: false }, lengths);
        if begins != Begins::Nothing {
            parts.push(dts - part);
            lengths.part_closed(dts - part, base);
            part = dts;
        }
        if begins == Begins::Segment {
            segments.push((dts - segment.0, segment.1));
            lengths.segment_closed(dts - segment.0, base);
            segment = (dts, opens);
        }
    }
    (parts, segments)
}

/// Pictures of `step` ticks, every `gop`th a keyframe, far from zero.
fn steady(step: i64, gop: i64, count: i64) -> impl Iterator<Item = (i64, bool)> {
    (0..count).map(move |n| (90_126_000 + n * step, n % gop == 0))
}

#[test]
fn steady_streams_are_cut_evenly() {
    let check = |name, (num, den), step, gop, count, part, segment, (part_ms, seconds)| {
        let mut lengths = lengths();
        let base = TimeBase::new(num, den).unwrap();
        let (parts, segments) = cut(base, steady(step, gop, count), &mut lengths);
        let opens = segment % (gop * step) == 0;
        assert!(segments.len() > 2, "{name}");
        assert!(segments.iter().all(|(ticks, _)| *ticks == segment), "{name}: {segments:?}");
        assert!(!opens || segments.iter().all(|(_, opens)| *opens), "{name}: {segments:?}");
        // The last part of a segment may be shorter.
        assert!(parts.iter().all(|ticks| *ticks <= part), "{name}: {parts:?}");
        assert_eq!(parts.iter().max(), Some(&part), "{name}");
        assert_eq!((lengths.part_target_ms(), lengths.target_seconds()), (part_ms, seconds), "{name}");
    };
    let ms90 = (1, 90_000);
    check("25 fps", ms90, 3600, 50, 1000, 18_000, 180_000, (200, 2));
    check("30 fps, keyframes every second", ms90, 3000, 30, 1000, 18_000, 180_000, (200, 2));
    check("29.97 fps", ms90, 3003, 60, 1000, 18_018, 180_180, (201, 3));
    check("29.97 fps in ticks of pictures", (1001, 30_000), 1, 60, 1000, 6, 60, (201, 3));
    check("24 fps", ms90, 3750, 48, 1000, 18_750, 180_000, (209, 2));
    check("every picture a keyframe", ms90, 3000, 1, 1000, 18_000, 180_000, (200, 2));
    check("a picture a second", ms90, 90_000, 1, 20, 90_000, 180_000, (1000, 2));
    check("keyframes every 4 s", ms90, 3000, 120, 2000, 18_000, 360_000, (200, 4));
    check("keyframes every 20 s", ms90, 3000, 600, 2000, 18_000, 900_000, (200, 10));
    check("no keyframes", ms90, 3000, 1_000_000, 2000, 18_000, 900_000, (200, 10));
}

/// A group longer than the first segment is cut where the promise ends; the next keyframe begins a segment again.
#[test]
fn the_promise_is_kept() {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut lengths = lengths();
    let keyframes = [0, 2000, 4000, 9500, 10_500, 12_500];
    let units = (0..15_000).step_by(100).map(|dts| (dts, keyframes.contains(&dts)));
    let (_, segments) = cut(base, units, &mut lengths);
    let expected = [
        (2000, true),
        (2000, true),
        (2000, true),
        (2000, false),
        (1500, false),
        (2000, true),
        (1000, false),
        (2000, true),
    ];
    assert_eq!(segments, expected);
    assert_eq!(lengths.target_seconds(), 2);
}

#[test]
fn other_parameters_begin_a_segment() {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut cutting = Cutting::new(base, 0, true);
    assert_eq!(cutting.next(Next { dts: 40, opens: false, anew: false }, &lengths()), Begins::Nothing);
    assert_eq!(cutting.next(Next { dts: 80, opens: true, anew: false }, &lengths()), Begins::Nothing);
    assert_eq!(cutting.next(Next { dts: 120, opens: true, anew: true }, &lengths()), Begins::Segment);
    assert_eq!(cutting.next(Next { dts: 160, opens: true, anew: false }, &lengths()), Begins::Nothing);
}

proptest! {
    /// Whatever comes: no segment is longer than promised by more than a picture, and none with a keyframe shorter than asked for.
    #[test]
    fn lengths_have_bounds(units in proptest::collection::vec((1_i64..2000, proptest::bool::weighted(0.1)), 2..400)) {
        let base = TimeBase::new(1, 1000).unwrap();
        let mut dts = 0;
        let units: Vec<_> = units.into_iter().map(|(step, opens)| { dts += step; (dts, opens) }).collect();
        let longest = units.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or(0);
        let mut lengths = lengths();
        let (parts, segments) = cut(base, units.into_iter(), &mut lengths);
        let cap = Duration::from_secs(u64::from(lengths.target_seconds().max(10))).as_millis() as i64;
        prop_assert!(parts.iter().all(|ticks| *ticks <= 200 + longest));
        for (at, (ticks, opens)) in segments.iter().enumerate() {
            prop_assert!(*ticks <= cap + longest, "{at}: {segments:?}");
            prop_assert!(!opens || *ticks * 2 + longest >= 4000, "{at}: {segments:?}");
        }
    }
}
