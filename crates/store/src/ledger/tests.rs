use proptest::prelude::*;

use super::*;

fn clock(plan: &str, base: (u32, u32), t0: i64) -> LedgerClock {
    LedgerClock::new(plan.parse().unwrap(), TimeBase::new(base.0, base.1).unwrap(), t0)
}

#[test]
fn windows_of_slots_and_pictures() {
    let check = |plan, base, t0, at, window| {
        assert_eq!(clock(plan, base, t0).window(at), window, "{plan} {base:?} {t0} {at}");
    };
    check("5", (1, 90_000), 7, 0, 0);
    check("5", (1, 90_000), 7, 49, 0);
    check("5", (1, 90_000), 7, 50, 1);
    check("5", (1, 90_000), 7, -1, -1);
    check("0.1", (1, 90_000), 0, 1, 1);
    // Slot 299 is centred on 9.977 s, slot 300 on 10.01 s.
    check("30000/1001", (1, 30_000), 0, 299, 0);
    check("30000/1001", (1, 30_000), 0, 300, 1);
    check("all", (1, 90_000), 100, 900_099, 0);
    check("all", (1, 90_000), 100, 900_100, 1);
    check("all", (1, 90_000), 100, 99, -1);
}

#[test]
fn a_picture_is_never_split() {
    let span = Span { first: 100, last: 5_000_000, count: 7 };
    assert_eq!(clock("all", (1, 90_000), 0).split(Span::one(900_000)), [(1, Span::one(900_000))]);
    assert_eq!(clock("0.000001", (1, 90_000), 0).split(Span::one(3)).len(), 1);
    assert!(clock("1", (1, 1), 0).split(span).len() > 1);
}

#[test]
fn an_account_balances_or_says_where_not() {
    let mut account = Account::default();
    account.due(0, 50);
    account.verdict(0, Verdict::Analysed, 48);
    account.verdict(0, Verdict::Empty, 2);
    account.due(1, 50);
    account.verdict(1, Verdict::Dropped, 49);
    let unbalanced: Vec<_> =
        account.unbalanced().map(|(window, account)| (window, account.unsettled())).collect();
    assert_eq!(unbalanced, [(1, 1)]);
    assert_eq!((account.total().due, account.total().tally.due()), (100, 99));
}

proptest! {
    #[test]
    fn parts_are_the_span_again(
        plan in prop::sample::select(vec!["1", "5", "0.3", "29.97", "30000/1001", "100000"]),
        first in -2000_i64..2000,
        slots in 0_i64..2000,
    ) {
        let clock = clock(plan, (1, 90_000), 5);
        let span = Span::slots(first, first + slots);
        let parts = clock.split(span);
        prop_assert_eq!(parts.iter().map(|(_, part)| part.count).sum::<u64>(), span.count);
        let mut next = first;
        for (window, part) in parts {
            prop_assert_eq!(part.first, next);
            prop_assert!(part.last >= part.first);
            prop_assert_eq!((clock.window(part.first), clock.window(part.last)), (window, window));
            next = part.last + 1;
        }
        prop_assert_eq!(next, span.last + 1);
    }
}
