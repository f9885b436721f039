use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::{Begins, Cuts, Cutting, Next};
use crate::{ArchiveConfig, lengths::Lengths};

fn lengths() -> Lengths {
    Lengths::new(&ArchiveConfig::new("/nowhere".into(), || 0))
}

const NOTHING: Cuts = Cuts { before: Begins::Nothing, here: Begins::Nothing };

/// What became of a run, but for the open part and segment at its end: ticks of each part, and of each segment how many parts are its own,
/// its ticks and whether it opens.
#[derive(Debug, Default)]
struct Cut {
    parts: Vec<i64>,
    segments: Vec<(usize, i64, bool)>,
}

/// Cuts a run, its promises kept up as a recorder does.
fn cut(base: TimeBase, units: impl Iterator<Item = (i64, bool)>, lengths: &mut Lengths) -> Cut {
    let mut units = units.peekable();
    let (first, opens) = *units.peek().unwrap();
    let mut cutting = Cutting::new(base, first, opens);
    let (mut part, mut segment, mut last) = (first, (first, opens), (first, opens));
    let mut made = Cut::default();
    let mut begin = |made: &mut Cut, lengths: &mut Lengths, begins, (dts, opens)| {
        if begins != Begins::Nothing && dts > part {
            made.parts.push(dts - part);
            lengths.part_closed(dts - part, base);
            part = dts;
        }
        if begins == Begins::Segment {
            let before: usize = made.segments.iter().map(|(parts, _, _)| parts).sum();
            made.segments.push((made.parts.len() - before, dts - segment.0, segment.1));
            lengths.segment_closed(dts - segment.0, base);
            segment = (dts, opens);
        }
    };
    for (dts, opens) in units.skip(1) {
        let rest = cutting.rest(lengths);
        let cuts = cutting.next(Next { dts, opens, anew: false }, lengths);
        let rests = !opens && dts.saturating_sub(last.0) < rest;
        assert!(!rests || cuts == NOTHING, "{cuts:?} within {rest} ticks");
        begin(&mut made, lengths, cuts.before, last);
        begin(&mut made, lengths, cuts.here, (dts, opens));
        last = (dts, opens);
    }
    made
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
        let Cut { parts, segments } = cut(base, steady(step, gop, count), &mut lengths);
        let opens = segment % (gop * step) == 0;
        assert!(segments.len() > 2, "{name}");
        assert!(segments.iter().all(|(_, ticks, _)| *ticks == segment), "{name}: {segments:?}");
        assert!(!opens || segments.iter().all(|(_, _, opens)| *opens), "{name}: {segments:?}");
        // The last part of a segment may be shorter.
        assert!(parts.iter().all(|ticks| *ticks <= part), "{name}: {parts:?}");
        assert_eq!(parts.iter().max(), Some(&part), "{name}");
        assert_eq!((lengths.part_target_ms(), lengths.target_seconds()), (part_ms, seconds), "{name}");
    };
    let ms90 = (1, 90_000);
    check("25 fps", ms90, 3600, 50, 1000, 18_000, 180_000, (216, 2));
    check("30 fps, keyframes every second", ms90, 3000, 30, 1000, 18_000, 180_000, (216, 2));
    check("29.97 fps", ms90, 3003, 60, 1000, 18_018, 180_180, (217, 3));
    check("29.97 fps in ticks of pictures", (1001, 30_000), 1, 60, 1000, 6, 60, (217, 3));
    check("24 fps", ms90, 3750, 48, 1000, 18_750, 180_000, (226, 2));
    check("every picture a keyframe", ms90, 3000, 1, 1000, 18_000, 180_000, (216, 2));
    check("a picture a second", ms90, 90_000, 1, 20, 90_000, 180_000, (1080, 2));
    check("keyframes every 4 s", ms90, 3000, 120, 2000, 18_000, 360_000, (216, 4));
    check("keyframes every 20 s", ms90, 3000, 600, 2000, 18_000, 900_000, (216, 10));
    check("no keyframes", ms90, 3000, 1_000_000, 2000, 18_000, 900_000, (216, 10));
}

/// A group longer than the first segment is cut where the promise ends; the next keyframe begins a segment again.
#[test]
fn the_promise_is_kept() {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut lengths = lengths();
    let keyframes = [0, 2000, 4000, 9500, 10_500, 12_500];
    let units = (0..15_000).step_by(100).map(|dts| (dts, keyframes.contains(&dts)));
    let segments: Vec<_> =
        cut(base, units, &mut lengths).segments.into_iter().map(|(_, ticks, opens)| (ticks, opens)).collect();
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
    let mut next = |dts, opens, anew| cutting.next(Next { dts, opens, anew }, &lengths());
    let begins = |here| Cuts { before: Begins::Nothing, here };
    assert_eq!(next(40, false, false), begins(Begins::Nothing));
    assert_eq!(next(80, true, false), begins(Begins::Nothing));
    assert_eq!(next(120, true, true), begins(Begins::Segment));
    assert_eq!(next(160, true, false), begins(Begins::Nothing));
}

/// Whose length nobody could know stands alone, and what comes after it is as before.
#[test]
fn a_picture_that_lasts_is_a_part_of_its_own() {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut lengths = lengths();
    // 25 fps; the picture at 4080 lasts 3 s.
    let units = (0..=4080).step_by(40).chain((7080..12_000).step_by(40));
    let made = cut(base, units.map(|dts| (dts, dts % 2000 == 0)), &mut lengths);
    assert_eq!(lengths.part_target_ms(), 216);
    let place = made.parts.iter().position(|ticks| *ticks > 216).unwrap();
    assert_eq!(made.parts[place - 1..place + 3], [80, 3000, 200, 200], "{:?}", made.parts);
    assert_eq!(made.parts.iter().filter(|ticks| **ticks > 216).count(), 1);
    assert!(!made.segments[2].2 || made.segments[2].1 >= 2000, "{:?}", made.segments);
}

/// A start that stumbles promises no long parts.
#[test]
fn most_parts_say_what_is_promised() {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut lengths = lengths();
    let units = std::iter::once(0).chain((1400..9000).step_by(40));
    cut(base, units.map(|dts| (dts, dts % 2000 == 0)), &mut lengths);
    assert_eq!(lengths.part_target_ms(), 216);
}

/// Pictures of all kinds of sources: steady ones, such whose milliseconds are rounded or jitter, such that vary, stumble, or fall silent.
fn timings() -> impl Strategy<Value = Vec<i64>> {
    let steady = (5_i64..1200).prop_flat_map(|step| proptest::collection::vec(Just(step), 400));
    let jitter = (12_i64..200, 1_i64..12)
        .prop_flat_map(|(step, by)| proptest::collection::vec((step - by).max(1)..=step + by, 400));
    let varying = proptest::collection::vec(prop_oneof![4 => 5_i64..70, 1 => 70_i64..400], 400);
    let stumbling = (20_i64..70).prop_flat_map(|step| {
        proptest::collection::vec(prop_oneof![40 => Just(step), 1 => 1_i64..5000], 400)
    });
    prop_oneof![steady, jitter, varying, stumbling]
}

fn even_enough() -> impl Strategy<Value = Vec<i64>> {
    let short = (5_i64..=30).prop_flat_map(|most| proptest::collection::vec(5..=most, 600));
    let steady = (5_i64..1200).prop_flat_map(|step| proptest::collection::vec(step - 1..=step + 1, 600));
    prop_oneof![short, steady]
}

proptest! {
    /// Whatever comes, what playlists say of it keeps what they promise.
    #[test]
    fn promises_are_kept(steps in timings(), gop in 1_usize..200) {
        let base = TimeBase::new(1, 1000).unwrap();
        let mut dts = 90_126_000;
        let units: Vec<_> = steps.iter().enumerate().map(|(n, step)| { let unit = (dts, n % gop == 0); dts += step; unit }).collect();
        let mut lengths = lengths();
        let made = cut(base, units.iter().copied(), &mut lengths);
        let (target, most) = (i64::from(lengths.target_seconds()) * 1000, i64::from(lengths.part_target_ms()));
        let mut from = 0;
        for (at, (count, ticks, opens)) in made.segments.iter().enumerate() {
            let parts = &made.parts[from..from + count];
            prop_assert_eq!(parts.iter().sum::<i64>(), *ticks, "{}", at);
            let stated: i64 = parts.iter().map(|ticks| lengths.stated(*ticks, base)).sum();
            prop_assert!(stated < target + 500, "{}: {} of {}", at, stated, target);
            prop_assert!(parts.iter().all(|ticks| lengths.stated(*ticks, base) <= most));
            // What is longer than promised is one picture.
            let mut begins = made.parts[..from].iter().sum::<i64>();
            for ticks in parts.iter().skip(if at == 0 { *count } else { 0 }) {
                let pictures = units.iter().filter(|(dts, _)| (begins..begins + ticks).contains(&(dts - 90_126_000))).count();
                prop_assert!(*ticks <= most || pictures == 1, "{} {} {}", at, ticks, pictures);
                begins += ticks;
            }
            let longest = steps.iter().max().unwrap();
            prop_assert!(!opens || *ticks * 2 + longest >= 4000 || *ticks + longest >= target, "{}: {:?}", at, made.segments);
            from += count;
        }
    }

    /// At a steady rate, give or take a millisecond, and at any rate where no picture is longer than parts may differ: each part but the
    /// last of a segment has 85 % of what is promised. The first segment was cut before anything was.
    #[test]
    fn parts_are_long_enough(steps in even_enough(), gop in 1_usize..200) {
        let base = TimeBase::new(1, 1000).unwrap();
        let mut dts = 0;
        let units = steps.iter().enumerate().map(|(n, step)| { let unit = (dts, n % gop == 0); dts += step; unit });
        let mut lengths = lengths();
        let made = cut(base, units, &mut lengths);
        let most = i64::from(lengths.part_target_ms());
        let mut from = 0;
        for (at, (count, _, _)) in made.segments.iter().enumerate() {
            for ticks in made.parts[from..from + count - 1].iter().filter(|_| at > 0) {
                prop_assert!((most * 85..=most * 100).contains(&(ticks * 100)), "{}: {} of {}", at, ticks, most);
            }
            from += count;
        }
    }
}
