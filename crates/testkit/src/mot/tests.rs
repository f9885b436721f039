use ocelli_model::BoundingBox;

use super::{Score, Sighting, text};

/// An object at this place in this frame; objects one apart do not touch.
fn at(id: u64, x: f32) -> Sighting {
    Sighting { id, bbox: BoundingBox { x, y: 0.0, width: 0.8, height: 1.0 } }
}

/// Misses, false positives, switches, MOTA, IDF1.
fn check(name: &str, truth: &[&[Sighting]], found: &[&[Sighting]], counts: [u64; 3], mota: f64, idf1: f64) {
    let owned = |frames: &[&[Sighting]]| frames.iter().map(|frame| frame.to_vec()).collect::<Vec<_>>();
    let score = Score::of(&owned(truth), &owned(found), 0.5);
    let clear = score.clear;
    assert_eq!([clear.misses, clear.false_positives, clear.switches], counts, "{name}");
    assert!((clear.mota() - mota).abs() < 1e-12, "{name}: MOTA {}", clear.mota());
    assert!((score.identity.idf1() - idf1).abs() < 1e-12, "{name}: IDF1 {}", score.identity.idf1());
}

#[test]
fn hand_made_cases() {
    let none: &[Sighting] = &[];
    let one: &[Sighting] = &[at(1, 0.0)];
    let two: &[Sighting] = &[at(1, 0.0), at(2, 1.0)];
    let ids_of_its_own: &[Sighting] = &[at(7, 1.0), at(9, 0.0)];
    check("perfect, ids of its own", &[two; 3], &[ids_of_its_own; 3], [0, 0, 0], 1.0, 1.0);
    check("nothing found", &[two; 3], &[none; 3], [6, 0, 0], 0.0, 0.0);
    check("nothing there", &[none; 2], &[one; 2], [0, 2, 0], -1.0, 0.0);
    check("too far off", &[one], &[&[at(1, 0.4)]], [1, 1, 0], -1.0, 0.0);
    let halves: &[&[Sighting]] = &[&[at(5, 0.0)], &[at(5, 0.0)], &[at(6, 0.0)], &[at(6, 0.0)]];
    check("one object, two identities", &[one; 4], halves, [0, 0, 1], 0.75, 0.5);
    let gap: &[&[Sighting]] = &[&[at(5, 0.0)], &[], &[at(5, 0.0)], &[at(5, 0.0)]];
    check("lost and found again", &[one; 4], gap, [1, 0, 0], 0.75, 6.0 / 7.0);
    let late: &[&[Sighting]] = &[&[at(5, 0.0)], &[], &[], &[at(6, 0.0)]];
    check("another identity after a gap", &[one; 4], late, [2, 0, 1], 0.25, 2.0 / 6.0);
    let swapped: &[&[Sighting]] = &[&[at(1, 0.0), at(2, 1.0)], &[at(2, 0.0), at(1, 1.0)]];
    check("two identities change places", &[two; 2], swapped, [0, 0, 2], 0.5, 0.5);
}

#[test]
fn what_went_together_stays_together_while_it_fits() {
    // In the second frame identity 8 overlaps more, but 7 still fits.
    let found: &[&[Sighting]] = &[&[at(7, 0.0)], &[at(7, 0.2), at(8, 0.0)]];
    let one: &[Sighting] = &[at(1, 0.0)];
    check("kept", &[one; 2], found, [0, 1, 0], 0.5, 4.0 / 5.0);
}

#[test]
fn as_many_as_possible_before_as_close_as_possible() {
    // Object 1 overlaps identity 5 best, but then object 2 would have none.
    let truth: &[&[Sighting]] = &[&[at(1, 0.0), at(2, 0.3)]];
    check("count first", truth, &[&[at(5, 0.1), at(6, -0.2)]], [0, 0, 0], 1.0, 1.0);
}

#[test]
fn text_is_read_as_it_is_written() {
    let bbox = BoundingBox { x: 0.25, y: 0.5, width: 0.125, height: 0.25 };
    let written =
        text::line(0, 3, &bbox, 1.0, 640.0, 480.0) + "\n" + &text::line(2, 4, &bbox, 0.5, 640.0, 480.0);
    assert_eq!(written.lines().next(), Some("1,3,160.0000,240.0000,80.0000,120.0000,1.0000,-1,-1,-1"));
    let frames = text::read(&written, 640.0, 480.0);
    assert_eq!(frames, [vec![Sighting { id: 3, bbox }], vec![], vec![Sighting { id: 4, bbox }]]);
}
