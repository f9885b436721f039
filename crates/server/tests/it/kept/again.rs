//! The same again adds nothing; anything else that can change a result is a version of its own.

use std::fs;

use super::{analyze, clip, contents, exported, ledgers, sum, yolox};
use crate::{
    args,
    ocelli::{home, ocelli},
    results::{lines, untimed},
};

#[test]
fn the_same_again_prints_the_same_and_adds_nothing() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let first = analyze(&clip(), &store, args!["--fps", "7.5"]).whole();
    let before = contents(&store);
    let second = analyze(&clip(), &store, args!["--fps", "7.5"]).whole();
    assert_eq!(first.stdout, second.stdout, "stored results are printed to the bit, timings included");
    assert_eq!(contents(&store), before);
    // The same bytes under another name are the same source.
    let copy = folder.path().join("copy.mp4");
    fs::copy(clip(), &copy).unwrap();
    let third = analyze(&copy, &store, args!["--fps", "7.5"]).whole();
    let results = |stdout: &[u8]| -> Vec<serde_json::Value> {
        let mut lines = lines(stdout);
        for line in &mut lines {
            line["input"] = "".into();
        }
        lines
    };
    assert_eq!(results(&third.stdout), results(&first.stdout));
    assert_eq!(ledgers(&store).len(), 1);
    // Without a store it is the same but for the time it took.
    let bare = ocelli(args!["analyze", clip(), "--fps", "7.5"]).whole();
    assert_eq!(untimed(&bare.stdout), untimed(&first.stdout));
}

#[test]
fn what_was_printed_is_what_is_exported() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let printed = analyze(&clip(), &store, args!["--fps", "all", "--confidence", "0.05"]).whole();
    let mut printed = lines(&printed.stdout);
    assert_eq!(printed.len(), 90);
    assert!(printed.iter().any(|line| line["detections"].as_array().is_some_and(|seen| !seen.is_empty())));
    assert_eq!(exported(&store, &[]), printed);
    printed.retain(|line| (1.0..2.0).contains(&line["seconds"].as_f64().unwrap()));
    assert_eq!(exported(&store, args!["--start", "1", "--end", "2"]), printed);
}

#[test]
fn a_changed_threshold_is_a_version_beside_the_old_one() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let first = analyze(&clip(), &store, args!["--fps", "5"]).whole();
    let second = analyze(&clip(), &store, args!["--fps", "5", "--confidence", "0.05"]).whole();
    let version = |stdout: &[u8]| lines(stdout)[0]["analyzer_version"].as_str().unwrap().to_owned();
    let (one, other) = (version(&first.stdout), version(&second.stdout));
    assert_ne!(one, other);
    assert_eq!(ledgers(&store).len(), 2);
    assert_eq!(exported(&store, args!["--model", one]), lines(&first.stdout), "the old one is untouched");
    assert_eq!(exported(&store, args!["--model", other]), lines(&second.stdout));
    let diff = ocelli(args!["results", "diff", one, other, "--store", store, "--json"]).whole();
    let changes = lines(&diff.stdout);
    assert!(
        !changes.is_empty() && changes.iter().all(|change| change["change"] == "appeared"),
        "{changes:?}"
    );
}

#[test]
fn results_serve_every_plan_that_chooses_their_frame() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let all = lines(&analyze(&clip(), &store, args!["--fps", "all"]).whole().stdout);
    let some = lines(&analyze(&clip(), &store, args!["--fps", "2"]).whole().stdout);
    // Timings tell: these are the very same results.
    for line in &some {
        let same = all.iter().find(|other| other["pts"] == line["pts"]).unwrap();
        assert_eq!(
            (&same["timing_ms"], &same["detections"][0]["box"]),
            (&line["timing_ms"], &line["detections"][0]["box"])
        );
    }
    let ledgers = ledgers(&store);
    let due: Vec<_> = ledgers.iter().map(|ledger| sum(ledger, "analysed")).collect();
    assert_eq!(due, [(90, 90), (some.len() as u64, some.len() as u64)]);
    assert_eq!(exported(&store, args!["--fps", "2"]), some);
    let seen = |lines: &[serde_json::Value]| -> usize {
        lines.iter().map(|line| line["detections"].as_array().unwrap().len()).sum()
    };
    let listed = |more: &[std::ffi::OsString]| {
        let mut args = args!["results", "list", "--json", "--store", store].to_vec();
        args.extend_from_slice(more);
        lines(&ocelli(&args).whole().stdout)
    };
    assert_eq!(listed(&[]).len(), seen(&all), "results that plans share are listed once");
    assert_eq!(listed(args!["--fps", "2"]).len(), seen(&some));
    assert_eq!(listed(args!["--fps", "2", "--limit", "1"]), listed(args!["--fps", "2"])[..1]);
    assert_eq!(exported(&store, args!["--fps", "all"]), all);
}

#[test]
fn damaged_frames_are_failed_again_with_their_reason() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = (folder.path().join("seen"), folder.path().join("damaged.mp4"));
    let mut bytes = fs::read(clip()).unwrap();
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 600);
    bytes[from..to].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let first = analyze(&path, &store, args!["--fps", "all"]);
    assert_eq!(first.code, 1, "{}", first.stderr);
    let second = analyze(&path, &store, args!["--fps", "all"]);
    assert_eq!((second.code, &second.stdout, &second.stderr), (1, &first.stdout, &first.stderr));
    let failed = lines(&first.stdout).iter().filter(|line| line["verdict"] == "failed").count() as u64;
    assert!(failed > 0);
    let [ledger] = &ledgers(&store)[..] else { panic!("one ledger") };
    assert_eq!(sum(ledger, "failed").1, failed);
    assert_eq!(exported(&store, &[]), lines(&first.stdout), "failed frames included");
}

#[test]
fn two_models_share_a_pass_and_each_has_its_own_results() {
    let (Some(_), Some(yolox)) = (home(), yolox()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (store, alone) = (folder.path().join("seen"), folder.path().join("alone"));
    // One is there already: only the other looks.
    let first = lines(&analyze(&clip(), &store, args!["--fps", "5", "--model", yolox]).whole().stdout);
    let both = args!["--fps", "5", "--model", "ssdlite-mobilenet-v2", "--model", yolox];
    let second = lines(&analyze(&clip(), &store, both).whole().stdout);
    let of =
        |model: &str| -> Vec<_> { second.iter().filter(|line| line["model"] == model).cloned().collect() };
    assert_eq!(of("yolox-nano"), first);
    let bare = analyze(&clip(), &alone, args!["--fps", "5"]).whole();
    let ours: Vec<String> = of("ssdlite-mobilenet-v2").iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(untimed(ours.concat().as_bytes()), untimed(&bare.stdout), "company changes nothing");
    let models: Vec<_> = second.iter().map(|line| (line["pts"].as_i64(), line["model"].as_str())).collect();
    assert!(models.chunks(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1), "frame by frame");
    let twice = args!["--model", "ssdlite-mobilenet-v2", "--model", "ssdlite-mobilenet-v2"];
    analyze(&clip(), &store, twice).refused(2, &["ssdlite-mobilenet-v2", "twice"]);
}

#[test]
fn the_same_content_twice_in_one_call_is_looked_at_once() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, copy) = (folder.path().join("seen"), folder.path().join("copy.mp4"));
    fs::copy(clip(), &copy).unwrap();
    // A gap is filled: both would derive the tracks anew.
    analyze(&clip(), &store, args!["--fps", "all", "--start", "2"]).whole();
    let both = args!["analyze", clip(), copy, "--jobs", "2", "--fps", "all", "--store", store];
    let both = lines(&ocelli(both).whole().stdout);
    let of = |input: &std::path::Path| -> Vec<_> {
        let mut lines: Vec<_> =
            both.iter().filter(|line| line["input"] == input.to_str().unwrap()).cloned().collect();
        for line in &mut lines {
            line["input"] = "".into();
        }
        lines
    };
    assert_eq!(of(&clip()).len(), 90);
    assert_eq!(of(&clip()), of(&copy), "timings included");
    let [ledger] = &ledgers(&store)[..] else { panic!("one ledger") };
    assert_eq!(sum(ledger, "analysed"), (90, 90));
    let again = lines(&analyze(&copy, &store, args!["--fps", "all"]).whole().stdout);
    assert_eq!(exported(&store, &[]), again);
}
