//! Parts of a video in any order make the whole, and its tracks are those of one pass.

use super::{analyze, clip, exported, ledgers, sum, untimed};
use crate::{args, ocelli::home};

#[test]
fn parts_in_any_order_make_the_whole() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let low = args!["--fps", "7.5", "--confidence", "0.05"];
    let store = folder.path().join("whole");
    analyze(&clip(), &store, low).whole();
    let whole = exported(&store, &[]);
    let tracked = |line: &serde_json::Value| line.to_string().contains("\"track\"");
    assert!(whole.iter().any(tracked), "something is followed");
    let orders: [&[[&str; 2]]; 3] = [
        &[["0", "1"], ["2", "3"], ["1", "2"]],
        &[["1.3", "2.1"], ["0", "9"]],
        &[["2", "9"], ["1", "2"], ["0", "1"]],
    ];
    for (index, parts) in orders.iter().enumerate() {
        let store = folder.path().join(format!("parts-{index}"));
        for [start, end] in *parts {
            let more = args!["--fps", "7.5", "--confidence", "0.05", "--start", start, "--end", end];
            analyze(&clip(), &store, more).whole();
            let [ledger] = &ledgers(&store)[..] else { panic!("one ledger") };
            let (due, analysed) = sum(ledger, "analysed");
            assert_eq!(due, analysed, "{parts:?}");
        }
        assert_eq!(untimed(&exported(&store, &[])), untimed(&whole), "{parts:?}: results and tracks");
    }
}
