//! Killed at random points: nothing that was printed is lost, nothing is done twice, the ledger balances.

use ocelli_testkit::Clip;

use super::{analyze, exported, killed_after, ledgers, sum, untimed};
use crate::{args, ocelli::home, results::lines};

const KILLS: u64 = 50;

#[test]
fn fifty_kills_lose_nothing_that_was_printed() {
    if home().is_none() {
        return;
    }
    let input = Clip::new(192, 128).frames(200).params("keyint=20:bframes=2").cached();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let (mut random, mut acknowledged, mut kills) = (0x2545_F491_4F6C_DD1D_u64, Vec::new(), 0);
    while kills < KILLS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // A few lines beyond those of the kill before, from none at all.
        let args = args!["analyze", input, "--fps", "all", "--store", store];
        let (printed, killed) = killed_after(args, acknowledged.len() + (random % 5) as usize);
        kills += u64::from(killed);
        assert!(killed || acknowledged.len() == 200, "it ends by itself only when nothing is left");
        if printed.len() > acknowledged.len() {
            assert_eq!(printed[..acknowledged.len()], acknowledged[..], "printed once, printed for ever");
            acknowledged = printed;
        }
        if acknowledged.is_empty() {
            continue;
        }
        let kept = exported(&store, &[]);
        assert!(kept.len() >= acknowledged.len(), "{} of {} are kept", kept.len(), acknowledged.len());
        assert_eq!(kept[..acknowledged.len()], acknowledged[..], "after {kills} kills");
        let [ledger] = &ledgers(&store)[..] else { panic!("one ledger") };
        assert_eq!(sum(ledger, "analysed"), (kept.len() as u64, kept.len() as u64));
    }
    let whole = lines(&analyze(&input, &store, args!["--fps", "all"]).whole().stdout);
    assert_eq!(whole.len(), 200);
    assert_eq!(whole[..acknowledged.len()], acknowledged[..]);
    // A store that nobody killed holds the same, tracks included.
    let calm = folder.path().join("calm");
    let calm = lines(&analyze(&input, &calm, args!["--fps", "all"]).whole().stdout);
    assert_eq!(untimed(&whole), untimed(&calm));
    assert_eq!(untimed(&exported(&store, &[])), untimed(&calm));
}
