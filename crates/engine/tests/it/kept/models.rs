//! Several analyzers in one pass: each has its own results and its own failures.

use ocelli_engine::Told;
use ocelli_model::Verdict;

use super::{How, Shop, gaps::clip, untimed};

const SECOND: i64 = 90_000;
const BOTH: &[&str] = &["fickle", "one"];

#[test]
fn each_model_has_its_own_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    for plan in ["all", "7.5"] {
        let calm = Shop::open(&folder.path().join(format!("calm-{plan}")));
        let both = How { analyzers: BOTH, ..How::new(plan) };
        let whole = calm.pass(&clip(), &both);
        let failed = |told: &Told| matches!(told, Told::Failed { .. });
        let failures = whole.told.iter().filter(|(_, _, told)| failed(&told[0])).count();
        assert!(failures > 0 && !whole.told.iter().any(|(_, _, told)| failed(&told[1])), "{plan}");
        let reasons: Vec<&Told> =
            whole.told.iter().map(|(_, _, told)| &told[0]).filter(|told| failed(told)).collect();
        assert!(
            reasons
                .iter()
                .any(|told| matches!(told, Told::Failed { reason } if reason.contains("not finite"))),
            "{plan}: {reasons:?}"
        );
        // One is complete and the other has only a part.
        let shop = Shop::open(&folder.path().join(format!("seen-{plan}")));
        let one = How { analyzers: &["one"], ..How::new(plan) };
        let fickle = How { analyzers: &["fickle"], ..How::new(plan) };
        let mut looked = shop.pass(&clip(), &fickle.between(4 * SECOND, 5 * SECOND)).looked;
        looked += shop.pass(&clip(), &one).looked;
        let last = shop.pass(&clip(), &both);
        assert_eq!(looked + last.looked, whole.looked, "{plan}: each picture once for each");
        assert_eq!(untimed(&last.told), untimed(&whole.told), "{plan}");
        assert_eq!(shop.contents(), calm.contents(), "{plan}");
        // Drawn on, nothing is looked at again, failed ones included.
        let drawn = shop.pass(&clip(), &How { annotate: true, ..both });
        assert_eq!((drawn.looked, drawn.pictures), (0, last.told.len()), "{plan}");
        assert_eq!(drawn.told, last.told, "{plan}");
        let failed = calm.contents()[0].ledgers[0]
            .rows
            .iter()
            .filter(|row| row.verdict == Some(Verdict::Failed))
            .map(|row| row.span.count)
            .sum::<u64>();
        assert_eq!(failed, failures as u64, "{plan}");
    }
}

#[test]
fn results_of_one_plan_serve_another() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Shop::open(&folder.path().join("one")), Shop::open(&folder.path().join("other")));
    let calm = one.pass(&clip(), &How::new("3"));
    other.pass(&clip(), &How::new("all").between(SECOND / 2, 5 * SECOND));
    let shared = other.pass(&clip(), &How::new("3"));
    assert!(shared.looked < calm.looked);
    assert_eq!(untimed(&shared.told), untimed(&calm.told));
    let all = other.pass(&clip(), &How::new("all"));
    assert_eq!(
        other.contents()[0].ledgers.iter().find(|ledger| ledger.plan == "3"),
        one.contents()[0].ledgers.first()
    );
    one.pass(&clip(), &How::new("all"));
    let all_after = one.pass(&clip(), &How::new("all"));
    assert_eq!(untimed(&all.told), untimed(&all_after.told));
}
