//! Killed at random points: nothing that was printed is lost, nothing is done twice, the ledger balances.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use ocelli_testkit::Clip;
use serde_json::Value;

use super::{analyze, exported, ledgers, sum, untimed};
use crate::{args, ocelli::home, results::lines};

const KILLS: u64 = 50;

/// Runs the analysis until `lines` were printed, then kills it; what was printed, and whether it was killed.
fn killed_after(input: &Path, store: &Path, lines: usize) -> (Vec<Value>, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.args(args!["analyze", input, "--fps", "all", "--store", store]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen: Vec<Value> = printed.by_ref().take(lines).map(|line| parsed(&line.unwrap())).collect();
    child.kill().unwrap();
    // What was in the pipe was printed too; the last line may be cut short.
    let rest = printed.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
    let seen = seen.into_iter().chain(rest).collect();
    (seen, child.wait().unwrap().code().is_none())
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

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
        let (printed, killed) = killed_after(&input, &store, acknowledged.len() + (random % 5) as usize);
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
