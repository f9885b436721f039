//! The rule and the release of units on hand-written streams: kinds and times, no bits. Whether real streams are read
//! and chosen rightly is checked against a full libav decode in `tests/it`.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::{Codec, CodecParameters, bitstream::Field};

/// I: keyframe, O: open-GOP keyframe, P: reference, b: not a reference, with its PTS.
type Coded = (char, i64);

#[derive(Debug, Default, PartialEq, Eq)]
struct Sampled {
    chosen: Vec<(i64, Option<i64>)>,
    fed: Vec<i64>,
    fresh: Vec<i64>,
    empty: Vec<i64>,
    passed: Vec<(i64, Option<i64>)>,
    runs: Vec<i64>,
}

fn unit(base: TimeBase, pts: i64) -> AccessUnit {
    let parameters = CodecParameters::new(Codec::H264, Bytes::new(), base);
    let data = Bytes::from_static(&[0; 100]);
    let parameters = Arc::new(parameters);
    AccessUnit::new(pts, data, parameters)
}

fn info(kind: char, depth: u32) -> PictureInfo {
    let access = match kind {
        'I' => Access::Keyframe { leading: false },
        'O' => Access::Keyframe { leading: true },
        'R' => Access::Recovery { after: 3 },
        _ => Access::None,
    };
    PictureInfo {
        access,
        reference: kind != 'b',
        skipped_after_random_access: false,
        reorder_depth: depth,
        references_lost: false,
        shown: true,
        field: Field::Whole,
    }
}

fn drain(sampler: &mut Sampler, sampled: &mut Sampled) {
    while let Some(step) = sampler.next_step() {
        match step {
            Step::Run { t0, .. } => sampled.runs.push(t0),
            Step::Empty { first, last } => sampled.empty.extend(first..=last),
            Step::EndOfRun { .. } => {}
            Step::Passed(passed) => sampled.passed.push((passed.pts, passed.slot)),
            Step::Feed(feed) => {
                sampled.fed.push(feed.unit.pts);
                if feed.fresh {
                    sampled.fresh.push(feed.unit.pts);
                }
                sampled.chosen.extend(feed.chosen.map(|chosen| (feed.unit.pts, chosen.slot)));
            }
        }
    }
}

fn sample_with(mut sampler: Sampler, base: TimeBase, depth: u32, coded: &[Coded]) -> Sampled {
    let mut sampled = Sampled::default();
    for &(kind, pts) in coded {
        sampler.push(unit(base, pts), info(kind, depth));
        drain(&mut sampler, &mut sampled);
    }
    sampler.finish();
    drain(&mut sampler, &mut sampled);
    sampled
}

fn sample(fps: &str, ticks: u32, depth: u32, coded: &[Coded]) -> Sampled {
    let base = TimeBase::new(1, ticks).unwrap();
    sample_with(Sampler::new(fps.parse().unwrap(), base), base, depth, coded)
}

/// `gop` pictures a keyframe, `step` ticks apart.
fn ippp(pictures: i64, gop: i64, step: i64) -> Vec<Coded> {
    (0..pictures).map(|n| (if n % gop == 0 { 'I' } else { 'P' }, n * step)).collect()
}

fn chosen_pts(sampled: &Sampled) -> Vec<i64> {
    let mut pts: Vec<i64> = sampled.chosen.iter().map(|(pts, _)| *pts).collect();
    pts.sort_unstable();
    pts
}

#[test]
fn a_keyframe_a_second_is_all_that_one_fps_decodes() {
    let sampled = sample("1", 30, 0, &ippp(150, 30, 1));
    assert_eq!(chosen_pts(&sampled), [0, 30, 60, 90, 120, 149]);
    // The last slot has its centre after the end; it yields all the same, and costs the tail of its GOP.
    assert_eq!(sampled.fed.len(), 4 + 30);
    assert_eq!(sampled.fresh, [0, 30, 60, 90, 120]);
    assert_eq!(sampled.empty, [0; 0]);
}

#[test]
fn a_keyframe_that_comes_late_is_waited_for_within_its_slot() {
    // Keyframes every 1.1 s on a 1 s grid: expected from the second GOP on, also where none comes (44).
    let mut coded = Vec::new();
    for n in 0..100 {
        coded.push((if n == 0 || n == 11 || n == 22 || n == 33 { 'I' } else { 'P' }, n));
    }
    let sampled = sample("1", 10, 0, &coded);
    assert_eq!(&chosen_pts(&sampled)[..5], [0, 10, 22, 33, 44]);
}

#[test]
fn an_expected_keyframe_that_never_comes_leaves_the_last_reference() {
    let mut coded = ippp(20, 10, 1);
    coded.extend((20..40).map(|n| ('P', n)));
    let sampled = sample("1", 10, 0, &coded);
    // 20 was expected to be a keyframe: slot 2 = [15, 25) closes with its last reference.
    assert_eq!(&chosen_pts(&sampled)[..4], [0, 10, 24, 30]);
}

#[test]
fn pictures_slower_than_the_rate_leave_slots_empty() {
    // 1.1 pictures a second at N = 1: every picture its own slot, no slot empty, none lost.
    let coded: Vec<Coded> = (0..33).map(|n| ('I', (n * 10_000 + 5) / 11)).collect();
    let sampled = sample("1", 1000, 0, &coded);
    assert_eq!(sampled.chosen.len(), 30);
    assert_eq!(sampled.empty, [0; 0]);
    // One picture every four seconds.
    let coded: Vec<Coded> = (0..5).map(|n| ('I', n * 4)).collect();
    let sampled = sample("1", 1, 0, &coded);
    assert_eq!((sampled.chosen.len(), sampled.empty.len()), (5, 12));
}

/// I b b P b b P ... in decode order: P before the two pictures it follows in time.
fn ibbp(groups: i64) -> Vec<Coded> {
    let mut coded = vec![('I', 0)];
    for group in 0..groups {
        let first = group * 3 + 1;
        coded.extend([('P', first + 2), ('b', first), ('b', first + 1)]);
    }
    coded
}

#[test]
fn pictures_that_nothing_refers_to_win_only_slots_without_a_reference() {
    // 30 fps at N = 15: slots of two pictures; every third picture is a reference.
    let sampled = sample("15", 30, 1, &ibbp(10));
    assert_eq!(sampled.empty, [0; 0]);
    assert_eq!(&chosen_pts(&sampled)[..7], [0, 2, 3, 6, 8, 9, 12]);
    let mut slots: Vec<i64> = sampled.chosen.iter().map(|(_, slot)| slot.unwrap()).collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..16).collect::<Vec<_>>());
    // N = 30: every picture is alone in its slot.
    let sampled = sample("30", 30, 1, &ibbp(10));
    assert_eq!((sampled.chosen.len(), sampled.empty.len()), (31, 0));
}

#[test]
fn three_unreferenced_pictures_at_25_fps_and_ten() {
    let mut coded = vec![('I', 0)];
    for group in 0..20 {
        let first = group * 4 + 1;
        coded.extend([('P', first + 3), ('b', first), ('b', first + 1), ('b', first + 2)]);
    }
    let sampled = sample("10", 25, 1, &coded);
    // 80 pictures after the first, 2.5 a slot: centres 0, 2.5, 5, ... 80.
    assert_eq!((sampled.chosen.len(), sampled.empty.len()), (33, 0));
    let unreferenced = sampled.chosen.iter().filter(|(pts, _)| pts % 4 != 0).count();
    assert_eq!(unreferenced, 12);
}

#[test]
fn what_precedes_the_first_keyframe_is_ignored() {
    let mut coded: Vec<Coded> = (0..7).map(|n| ('P', n)).collect();
    coded.extend([('I', 7), ('P', 8), ('P', 9)]);
    let sampled = sample("all", 1, 0, &coded);
    assert_eq!((chosen_pts(&sampled), sampled.runs), (vec![7, 8, 9], vec![7]));
}

#[test]
fn leading_pictures_bridge_two_groups_only_when_chosen() {
    // O at 6 follows a group in which 3 is the last reference; 4 and 5 are shown before it and need both.
    let coded =
        [('I', 0), ('P', 3), ('b', 1), ('b', 2), ('O', 6), ('b', 4), ('b', 5), ('P', 9), ('b', 7), ('b', 8)];
    let every = sample("all", 1, 1, &coded);
    assert_eq!(every.fed, [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]);
    assert_eq!(every.fresh, [0]);
    // A slot is three ticks: 0, 3, 6, 9 win, and 6 starts afresh.
    let third = sample("1/3", 1, 1, &coded);
    assert_eq!(third.fed, [0, 3, 6, 9]);
    assert_eq!(third.fresh, [0, 6]);
}

#[test]
fn a_run_without_keyframes_starts_when_its_recovery_is_done() {
    let coded = [('P', 0), ('R', 1), ('P', 2), ('P', 3), ('P', 4), ('P', 5)];
    let sampled = sample("all", 1, 0, &coded);
    assert_eq!(chosen_pts(&sampled), [4, 5]);
    assert_eq!(sampled.fed, [1, 2, 3, 4, 5]);
    assert_eq!(sampled.runs, [4]);
}

#[test]
fn steps_in_time_start_new_runs() {
    let back = [('I', 100), ('P', 101), ('P', 50), ('I', 51), ('P', 52)];
    let sampled = sample("all", 1, 0, &back);
    assert_eq!((chosen_pts(&sampled), sampled.runs), (vec![51, 52, 100, 101], vec![100, 51]));
    let ahead = [('I', 0), ('P', 10), ('P', 21), ('I', 22)];
    let sampled = sample("all", 1, 0, &ahead);
    assert_eq!((chosen_pts(&sampled), sampled.runs), (vec![0, 10, 22], vec![0, 22]));
}

#[test]
fn extreme_times_neither_panic_nor_loop() {
    let coded =
        [('I', i64::MIN), ('P', i64::MAX), ('I', 0), ('P', i64::MAX), ('I', i64::MIN + 1), ('I', i64::MAX)];
    for fps in ["all", "100000", "0.000001"] {
        for ticks in [1, u32::MAX] {
            assert!(!sample(fps, ticks, 0, &coded).runs.is_empty());
        }
    }
}

#[test]
fn a_resumed_run_chooses_what_the_whole_run_chose() {
    let base = TimeBase::new(1, 30).unwrap();
    let coded = ippp(300, 14, 1);
    let whole = sample("3", 30, 0, &coded);
    for first_slot in [2, 7, 12, 20, 29] {
        let start = first_slot * 10 - 5;
        let second_keyframe = (start / 14 - 1).max(0) * 14;
        let from = coded.iter().position(|(_, pts)| *pts == second_keyframe).unwrap();
        let sampler = Sampler::new("3".parse().unwrap(), base).resume(Resume { t0: 0, first_slot });
        let resumed = sample_with(sampler, base, 0, &coded[from..]);
        let expected: Vec<_> =
            whole.chosen.iter().copied().filter(|(_, slot)| *slot >= Some(first_slot)).collect();
        assert_eq!(resumed.chosen, expected, "from slot {first_slot}");
    }
}

#[test]
fn a_window_selects_among_choices_and_changes_none() {
    let base = TimeBase::new(1, 30).unwrap();
    let coded = ippp(300, 14, 1);
    for fps in ["3", "all", "0.7"] {
        let whole = sample(fps, 30, 0, &coded);
        for (start, end) in [(0, 300), (31, 200), (44, 45), (-50, 10), (290, 1000)] {
            let window = Window { start, end };
            let sampler = Sampler::new(fps.parse().unwrap(), base).with_window(window);
            let inside: Vec<_> =
                whole.chosen.iter().copied().filter(|(pts, _)| (start..end).contains(pts)).collect();
            assert_eq!(sample_with(sampler, base, 0, &coded).chosen, inside, "{fps} {window:?}");
        }
    }
}

#[test]
fn held_bytes_stay_bounded_and_the_choice_the_same() {
    let base = TimeBase::new(1, 30).unwrap();
    let coded = ippp(3000, 1500, 1);
    let whole = sample("0.1", 30, 0, &coded);
    let mut sampler = Sampler::new("0.1".parse().unwrap(), base).with_held_bytes(5_000);
    let mut sampled = Sampled::default();
    for &(kind, pts) in &coded {
        sampler.push(unit(base, pts), info(kind, 0));
        drain(&mut sampler, &mut sampled);
        assert!(sampler.held_bytes() <= 5_000 + 100);
    }
    sampler.finish();
    drain(&mut sampler, &mut sampled);
    assert_eq!(sampled.chosen, whole.chosen);
    assert!(sampled.fed.len() >= whole.fed.len());
}

#[test]
fn a_second_picture_at_the_same_time_is_never_chosen() {
    let sampled = sample("all", 1, 0, &[('I', 0), ('P', 1), ('P', 1), ('P', 2)]);
    assert_eq!(chosen_pts(&sampled), [0, 1, 2]);
}

#[test]
fn slots_after_the_last_picture_are_not_due_whatever_moves_the_floor() {
    // Hidden references run ahead of the pictures that are shown.
    let base = TimeBase::SECOND;
    let mut sampler = Sampler::new("1".parse().unwrap(), base);
    let mut sampled = Sampled::default();
    for (kind, pts, shown) in [('I', 0, true), ('P', 1, true), ('P', 8, false), ('P', 9, false)] {
        sampler.push(unit(base, pts), PictureInfo { shown, ..info(kind, 0) });
        drain(&mut sampler, &mut sampled);
    }
    sampler.finish();
    drain(&mut sampler, &mut sampled);
    assert_eq!((chosen_pts(&sampled), sampled.empty), (vec![0, 1], vec![]));
}

/// Pushes `coded` into a sampler that may hold 5 kB; the most it ever held.
fn most_held(fps: &str, depth: u32, coded: impl Iterator<Item = (Coded, bool)>) -> usize {
    let base = TimeBase::new(1, 1000).unwrap();
    let mut sampler = Sampler::new(fps.parse().unwrap(), base).with_held_bytes(5_000);
    let mut most = 0;
    for ((kind, pts), shown) in coded {
        sampler.push(unit(base, pts), PictureInfo { shown, ..info(kind, depth) });
        while sampler.next_step().is_some() {}
        most = most.max(sampler.held_bytes());
    }
    most
}

#[test]
fn damaged_streams_cannot_make_the_sampler_hold_more_than_its_limit() {
    // A slot of ten seconds with a candidate, then references that are never shown.
    let hidden = (0..3000).map(|n| (if n == 0 { ('I', 0) } else { ('P', 5_001 + n) }, n < 2));
    assert!(most_held("0.1", 0, hidden) <= 20_100);
    // Pictures that lead an open-GOP keyframe, without end.
    let leading = (0..3000).map(|n| (if n == 0 { ('O', 9_000) } else { ('P', 1) }, true));
    assert!(most_held("1", 1, leading) <= 5_100);
}

#[test]
fn slots_outside_the_window_are_not_counted() {
    let base = TimeBase::new(1, 10).unwrap();
    // Pictures in the first and the tenth second, nothing between.
    let coded: Vec<Coded> = (0..10).chain(90..100).map(|n| ('I', n)).collect();
    for (window, empty) in [((0, 15), 0), ((0, 25), 1), ((0, 1000), 7), ((45, 1000), 4)] {
        let (start, end) = window;
        let sampler = Sampler::new("1".parse().unwrap(), base).with_window(Window { start, end });
        assert_eq!(sample_with(sampler, base, 0, &coded).empty.len(), empty, "{window:?}");
    }
}
