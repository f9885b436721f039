use super::*;

fn line(verdict: Verdict) -> Line {
    Line { verdict: Some(verdict), ..Line::due() }
}

/// Plays `acts` on a window; `expected` are its verdict lines: first, last, verdict.
fn check(joins: bool, acts: &[(i64, i64, Verdict)], expected: &[(i64, i64, Verdict)]) {
    let mut window = Window::empty(joins);
    // What would be stored, by the changes told.
    let mut stored = BTreeMap::new();
    for (first, last, verdict) in acts {
        window.settle(Span::slots(*first, *last), &line(*verdict));
        for (kind, first, line) in window.take_changes() {
            assert_eq!(kind, Kind::Settled);
            match line {
                Some(line) => stored.insert(first, line),
                None => stored.remove(&first),
            };
        }
    }
    assert_eq!(stored, window.settled, "what was told to store is what is there: {acts:?}");
    let found: Vec<_> =
        stored.iter().filter_map(|(first, line)| Some((*first, line.last, line.verdict?))).collect();
    assert_eq!(found, expected, "{acts:?}");
    assert!(stored.iter().all(|(first, line)| line.count == line.last.abs_diff(*first) + 1));
}

#[test]
fn lines_join_split_and_stay() {
    use Verdict::{Analysed, Dropped, Failed, Lost};
    check(
        true,
        &[(0, 0, Analysed), (1, 1, Analysed), (3, 3, Analysed)],
        &[(0, 1, Analysed), (3, 3, Analysed)],
    );
    check(true, &[(0, 0, Analysed), (2, 2, Analysed), (1, 1, Analysed)], &[(0, 2, Analysed)]);
    check(false, &[(0, 0, Analysed), (1, 1, Analysed)], &[(0, 0, Analysed), (1, 1, Analysed)]);
    check(true, &[(0, 9, Dropped), (4, 4, Analysed)], &[(0, 3, Dropped), (4, 4, Analysed), (5, 9, Dropped)]);
    check(true, &[(0, 9, Dropped), (0, 9, Failed)], &[(0, 9, Failed)]);
    check(true, &[(2, 3, Dropped), (6, 7, Lost), (0, 9, Failed)], &[(0, 9, Failed)]);
    check(
        true,
        &[(2, 3, Analysed), (0, 5, Dropped), (0, 5, Lost)],
        &[(0, 1, Dropped), (2, 3, Analysed), (4, 5, Dropped)],
    );
    check(true, &[(0, 3, Failed), (2, 5, Analysed)], &[(0, 3, Failed), (4, 5, Analysed)]);
    check(
        true,
        &[(i64::MIN, i64::MIN, Lost), (i64::MAX, i64::MAX, Lost)],
        &[(i64::MIN, i64::MIN, Lost), (i64::MAX, i64::MAX, Lost)],
    );
}

#[test]
fn slots_are_open_until_final() {
    let mut window = Window::empty(true);
    window.settle(Span::slots(2, 4), &line(Verdict::Dropped));
    window.settle(Span::one(6), &line(Verdict::Gated));
    for (slot, open) in [(1, true), (2, true), (4, true), (5, true), (6, false), (7, true)] {
        assert_eq!(window.is_open(slot), open, "{slot}");
    }
}
