//! Parts of a video in any order make the whole, and its tracks are those of one pass.

use super::{analyze, clip, exported, ledgers, sum};
use crate::{
    args,
    ocelli::home,
    results::{lines, untimed},
};

#[test]
fn parts_in_any_order_make_the_whole() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let low = args!["--fps", "7.5", "--confidence", "0.05"];
    let whole = analyze(&clip(), &folder.path().join("whole"), low).whole();
    let whole = lines(&exported_text(&folder.path().join("whole")));
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
        assert_eq!(
            untimed_values(&exported(&store, &[])),
            untimed_values(&whole),
            "{parts:?}: results and tracks"
        );
        let text = exported_text(&store);
        assert_eq!(untimed(&text).len(), whole.len());
    }
}

fn exported_text(store: &std::path::Path) -> Vec<u8> {
    exported(store, &[]).iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes()
}

fn untimed_values(lines: &[serde_json::Value]) -> Vec<serde_json::Value> {
    let mut lines = lines.to_vec();
    lines.iter_mut().for_each(|line| line["timing_ms"] = serde_json::Value::Null);
    lines
}
