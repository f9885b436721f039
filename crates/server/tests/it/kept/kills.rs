//! Killed at random points: nothing that was printed is lost, nothing is done twice, the ledger balances.

use std::{fs, path::Path};

use ocelli_testkit::{Clip, fault};
use serde_json::Value;

use super::{analyze, exported, killed_after, ledgers, sum, untimed};
use crate::{args, ocelli::home, results::lines};

/// An analysis killed so many times and then let go on holds what a store that nobody killed holds: the same results, tracks
/// and verdicts.
fn killed(input: &Path, plan: &str, times: u64, mut random: u64) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (store, calm) = (folder.path().join("seen"), folder.path().join("calm"));
    let undisturbed = analyze(input, &calm, args!["--fps", plan]);
    let all = lines(&undisturbed.stdout);
    let (mut acknowledged, mut kills) = (Vec::new(), 0);
    while kills < times {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // A few lines beyond those of the kill before, from none at all.
        let args = args!["analyze", input, "--fps", plan, "--store", store];
        let (printed, killed) = killed_after(args, acknowledged.len() + (random % 5) as usize);
        kills += u64::from(killed);
        assert!(killed || acknowledged.len() == all.len(), "it ends by itself only when nothing is left");
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
        assert_eq!(sum(ledger, "analysed").1 + sum(ledger, "failed").1, kept.len() as u64);
    }
    let ended = analyze(input, &store, args!["--fps", plan]);
    assert_eq!((ended.code, &ended.stderr), (undisturbed.code, &undisturbed.stderr));
    let whole = lines(&ended.stdout);
    assert_eq!(whole[..acknowledged.len()], acknowledged[..]);
    assert_eq!(untimed(&whole), untimed(&all));
    assert_eq!(untimed(&exported(&store, &[])), untimed(&all));
    let (ledgers, calm) = (ledgers(&store), ledgers(&calm));
    assert_eq!(ledgers, calm, "verdict for verdict, window for window");
    ledgers[0].clone()
}

#[test]
fn kills_lose_nothing_that_was_printed() {
    if home().is_none() {
        return;
    }
    let input = Clip::new(192, 128).frames(200).params("keyint=20:bframes=2").cached();
    let ledger = killed(&input, "all", 25, 0x2545_F491_4F6C_DD1D);
    assert_eq!(sum(&ledger, "analysed"), (200, 200));
}

#[test]
fn kills_lose_nothing_of_a_video_with_holes_and_damage() {
    if home().is_none() {
        return;
    }
    // A hole of three seconds, one of six, and bits that flipped: over two windows of the ledger.
    let hole = |n: i64| {
        if n < 60 {
            0
        } else if n < 300 {
            270_000
        } else {
            810_000
        }
    };
    let pts: Vec<i64> = (0..400).map(|n| n * 3000 + hole(n)).collect();
    let clip = Clip::new(192, 128).timestamps(90_000, &pts).params("keyint=20:bframes=2").cached();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("damaged.mp4");
    let bytes = fs::read(clip).unwrap();
    fs::write(&input, fault::flip_bits(&bytes, 7, 40, 20_000..bytes.len() / 2)).unwrap();
    let ledger = killed(&input, "7.5", 25, 0x9E37_79B9_7F4A_7C15);
    for verdict in ["analysed", "failed", "empty"] {
        assert!(sum(&ledger, verdict).1 > 0, "some are {verdict}: {ledger}");
    }
    assert!(ledger["windows"].as_array().unwrap().len() >= 2, "{ledger}");
}
