use super::*;

/// Decode order from words such as `K0 P3 b1 B2`: keyframe, reference, non-reference (`b`), reference B, RADL (`R` reference).
fn pictures(words: &str) -> Vec<Picture> {
    let picture = |word: &str| {
        let (kind, pts) = word.split_at(1);
        Picture {
            pts: pts.parse().unwrap(),
            keyframe: kind == "K",
            reference: kind != "b",
            radl: kind == "R",
        }
    };
    words.split_whitespace().map(picture).collect()
}

/// `groups` mini-GOPs at `ticks` per picture: a reference shown after `b` non-reference pictures; a keyframe every `gop` pictures.
fn with_b(groups: i64, b: i64, ticks: i64, gop: i64) -> Vec<Picture> {
    let mut all = pictures("K0");
    for group in 1..=groups {
        let n = group * (b + 1);
        let keyframe = n % gop == 0;
        all.push(Picture { pts: n * ticks, keyframe, reference: true, radl: false });
        all.extend((1..=b).map(|i| Picture {
            pts: (n - b - 1 + i) * ticks,
            keyframe: false,
            reference: false,
            radl: false,
        }));
    }
    all
}

fn run(pictures: &[Picture], per_second: u32, plan: &str, depth: usize) -> Choice {
    choose(pictures, TimeBase::new(1, per_second).unwrap(), plan.parse().unwrap(), depth)
}

fn check(words: &str, plan: &str, chosen: &[(i64, i64)], needed: &[usize]) {
    let choice = run(&pictures(words), 10, plan, 3);
    assert_eq!(choice.chosen(), chosen, "{words} at {plan}");
    assert_eq!(choice.needed.into_iter().collect::<Vec<_>>(), needed, "{words} at {plan}");
}

#[test]
fn each_clause_of_the_rule() {
    // 10 ticks a second, so at 1 fps slot k is [10k-5, 10k+5).
    // (b) from the centre on, the first reference: not 7 (before the centre), not the non-reference 10.
    check("K0 P7 b10 P11 P13", "1", &[(0, 0), (11, 1)], &[0, 1, 3]);
    // (c) nothing from the centre on: the last reference before it, else the last picture.
    check("K0 P6 P8 b9 P16", "1", &[(0, 0), (8, 1), (16, 2)], &[0, 1, 2, 4]);
    check("K0 b6 b8 b9", "1", &[(0, 0), (9, 1)], &[0, 3]);
    // (a) a keyframe before the centre; and one after it that nothing announced comes too late.
    check("K0 P6 K7 P10", "1", &[(0, 0), (7, 1)], &[0, 2]);
    check("K0 P10 K12", "1", &[(0, 0), (10, 1)], &[0, 1]);
    // An expected keyframe is waited for: GOPs of 11 ticks, 22 lies in [20, 25).
    check("K0 K11 P20 P21 K22", "1", &[(0, 0), (11, 1), (22, 2)], &[0, 1, 4]);
    // It does not come: the last reference when the slot closes.
    check("K0 K11 P20 P24 b24 P25", "1", &[(0, 0), (11, 1), (24, 2), (25, 3)], &[0, 1, 2, 3, 5]);
    // Expected before the centre (GOPs of 9, 18 lies before 20) or at the end (12.5 a GOP: 25): not waited for.
    check("K0 K9 P18 P20 P21", "1", &[(0, 0), (9, 1), (20, 2)], &[0, 1, 2, 3]);
    check("K0 K10 P16 P20 K24", "1", &[(0, 0), (10, 1), (24, 2)], &[0, 1, 4]);
    check("K0 K5 K15 P20 K25", "1", &[(0, 0), (5, 1), (15, 2), (25, 3)], &[0, 1, 2, 4]);
}

#[test]
fn due_empty_and_the_end_of_a_run() {
    // Slots 2 and 3 are empty; 34 is in slot 3; slot 4 (centre 40) is not due at 38, but yields.
    let choice = run(&pictures("K0 P10 P38"), 10, "1", 0);
    assert_eq!((choice.chosen(), &choice.runs[0].empty), (vec![(0, 0), (10, 1), (38, 4)], &vec![2, 3]));
    assert_eq!(choice.runs[0].due(), 5);
    let choice = run(&pictures("K0 P10 P20"), 10, "10", 0);
    assert_eq!((choice.runs[0].due(), choice.runs[0].empty.len()), (21, 18));
}

#[test]
fn all_is_every_picture_from_the_first_keyframe_on() {
    check("P1 P2 K6 b5 P8 b7", "all", &[(6, 0), (7, 1), (8, 2)], &[2, 4, 5]);
}

#[test]
fn a_late_keyframe_sets_t0_and_earlier_pictures_are_ignored() {
    // Leading pictures 15 and 16 of the keyframe 17 lie before t0.
    check("P2 P10 K17 b15 b16 P27", "1", &[(17, 0), (27, 1)], &[2, 5]);
    let choice = run(&pictures("P0 P10 P20"), 10, "1", 0);
    assert_eq!((choice.runs[0].t0, choice.chosen(), choice.needed.len()), (None, vec![], 0));
}

#[test]
fn open_gops_cost_the_gop_before() {
    // B8 and b9 are shown before K10 and decoded after it; slot 4 of 5 fps is [7, 9): B8 from the centre.
    check("K0 P4 K10 B8 b9 P14", "5", &[(0, 0), (4, 2), (8, 4), (10, 5), (14, 7)], &[0, 1, 2, 3, 5]);
    // A RADL picture needs its keyframe and RADL references only, an ordinary leading picture all of it.
    check("K0 P2 P4 K20 R13 R12", "1", &[(0, 0), (13, 1), (20, 2)], &[0, 3, 4]);
    check("K0 P2 P4 K20 R9 R12", "1", &[(0, 0), (12, 1), (20, 2)], &[0, 3, 4, 5]);
    check("K0 P2 P4 K20 B12", "1", &[(0, 0), (12, 1), (20, 2)], &[0, 1, 2, 3, 4]);
    // Trailing pictures need no leading one.
    check("K0 P2 K10 B9 P14", "1", &[(0, 0), (10, 1)], &[0, 2]);
    check("K0 P2 K10 B9 P20", "1", &[(0, 0), (10, 1), (20, 2)], &[0, 2, 4]);
    // Leading references of the keyframe before are not needed for a leading picture.
    let words = "K0 K20 B18 P22 K40 B33";
    check(words, "1", &[(0, 0), (20, 2), (33, 3), (40, 4)], &[0, 1, 3, 4, 5]);
}

#[test]
fn steps_in_time_start_runs() {
    let starts = |words: &str, depth| {
        run(&pictures(words), 10, "1", depth).runs.iter().map(|run| run.pictures.start).collect::<Vec<_>>()
    };
    assert_eq!(starts("K0 P100 P200", 0), [0], "10 s exactly");
    assert_eq!(starts("K0 P101 K110", 0), [0, 1]);
    assert_eq!(starts("K0 P3 b1 b2", 1), [0]);
    assert_eq!(starts("K0 P3 b1 b2", 0), [0, 2], "b2 follows b1");
    assert_eq!(starts("K50 P53 P56 K0 P3", 2), [0, 3]);
    assert_eq!(starts("K50 P53 K0 P3", 2), [0], "too few pictures to tell");
    // The picture after the step is ignored if it is no keyframe.
    let choice = run(&pictures("K0 P10 P300 K310"), 10, "1", 0);
    assert_eq!(choice.chosen(), [(0, 0), (10, 1), (310, 0)]);
    assert_eq!(choice.runs[1].t0, Some(310));
}

#[test]
fn sources_close_to_the_rate() {
    // 1.1 fps at N=1, time base 1/11, 10 ticks a picture: each second its own picture, one in eleven unused.
    let picture = |n: i64| Picture { pts: n * 10, keyframe: n % 50 == 0, reference: true, radl: false };
    let slow: Vec<Picture> = (0..111).map(picture).collect();
    let choice = run(&slow, 11, "1", 0);
    assert_eq!((choice.runs[0].due(), choice.runs[0].empty.len()), (101, 0));
    // Two non-reference B at 30 fps: at 30 every picture; at 15 the reference where there is one in the slot.
    let two = with_b(100, 2, 1, 30);
    assert_eq!(run(&two, 30, "30", 2).chosen(), (0..=300).map(|n| (n, n)).collect::<Vec<_>>());
    let choice = run(&two, 30, "15", 2);
    assert_eq!((choice.runs[0].due(), choice.runs[0].empty.len()), (151, 0));
    assert!(choice.chosen().iter().all(|(pts, slot)| (2 * slot - 1..=2 * slot).contains(pts)));
    // Slots are [2k-1, 2k+1), the pairs (1,2) (3,4) (5,6): b2 is last, then P3 and P6.
    assert_eq!(choice.chosen()[..4], [(0, 0), (2, 1), (3, 2), (6, 3)]);
    // Three at 25 fps with N=10, 2.5 pictures a slot: [1.25, 3.75) holds b2 b3, [3.75, 6.25) P4 b5 b6, …
    let choice = run(&with_b(50, 3, 1, 48), 25, "10", 3);
    assert_eq!((choice.runs[0].due(), choice.runs[0].empty.len()), (81, 0));
    assert_eq!(choice.chosen()[..5], [(0, 0), (3, 1), (4, 2), (8, 3), (11, 4)]);
}

#[test]
fn any_permitted_start_decides_the_same() {
    for (gop, b, plan) in [(12, 2, "7"), (9, 2, "3"), (20, 1, "30000/1001"), (8, 3, "0.9"), (30, 2, "2.5")] {
        let all = with_b(80, b, 1, gop);
        let (base, rate) = (TimeBase::new(1, 25).unwrap(), plan.parse().unwrap());
        let whole = &run(&all, 25, plan, b as usize).runs[0];
        for chosen in &whole.chosen {
            let start = permitted_start(&all, whole, base, rate, chosen.slot).unwrap();
            let again = resume(&all, start..all.len(), base, SamplingPlan::Rate(rate), whole.t0.unwrap());
            let from =
                |run: &Run| run.chosen.iter().filter(|c| c.slot >= chosen.slot).copied().collect::<Vec<_>>();
            assert_eq!(from(&again), from(whole), "{plan} from {start} for slot {}", chosen.slot);
        }
    }
}
