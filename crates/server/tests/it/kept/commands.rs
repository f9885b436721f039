//! The commands that read a store, used rightly and wrongly.

use super::{analyze, clip};
use crate::{
    args,
    ocelli::{home, ocelli},
    results::lines,
};

fn text(stdout: &[u8]) -> &str {
    str::from_utf8(stdout).unwrap()
}

#[test]
fn what_a_store_holds_can_be_seen() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let printed = analyze(&clip(), &store, args!["--fps", "5", "--confidence", "0.05"]).whole();
    let printed = lines(&printed.stdout);
    let due = printed.len();

    let runs = ocelli(args!["runs", "--store", store]).whole();
    let runs = text(&runs.stdout).to_owned();
    let name = clip().file_name().unwrap().to_str().unwrap().to_owned();
    for word in
        ["run 1", &name, "whole", "ssdlite-mobilenet-v2", "5 fps", &format!("{due} due, {due} analysed")]
    {
        assert!(runs.contains(word), "{word}: {runs}");
    }

    let ledger = ocelli(args!["ledger", "--store", store, "--input", name]).whole();
    assert!(text(&ledger.stdout).contains("balanced: every frame"), "{}", text(&ledger.stdout));

    let listed = ocelli(args!["results", "list", "--store", store, "--json"]).whole();
    let listed = lines(&listed.stdout);
    let seen: usize = printed.iter().map(|line| line["detections"].as_array().unwrap().len()).sum();
    assert_eq!(listed.len(), seen);
    let label = listed[0]["label"].as_str().unwrap();
    let of_label = listed.iter().filter(|row| row["label"] == label).count();
    let some = ocelli(args!["results", "list", "--store", store, "--json", "--class", label]).whole();
    assert_eq!(lines(&some.stdout).len(), of_label);
    let limited = ocelli(args!["results", "list", "--store", store, "--json", "--limit", "3"]).whole();
    assert_eq!(lines(&limited.stdout), listed[..seen.min(3)]);
    // The environment names a store as well.
    let mut command = crate::ocelli::after("", args!["runs"]);
    let named = crate::ocelli::ran(command.env("OCELLI_STORE", &store)).whole();
    assert_eq!(text(&named.stdout), runs);
}

#[test]
fn a_video_of_a_run_is_found_again() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, video) = (folder.path().join("seen"), folder.path().join("seen.mp4"));
    analyze(&clip(), &store, args!["--fps", "2"]).whole();
    let blobs = || -> Vec<serde_json::Value> {
        let runs = lines(&ocelli(args!["runs", "--json", "--store", store]).whole().stdout);
        runs[0]["blobs"].as_array().unwrap().clone()
    };
    assert_eq!(blobs().len(), 1, "the media itself");
    // Nothing is analysed again for it.
    analyze(&clip(), &store, args!["--fps", "2", "--annotate", video]).whole();
    let [media, annotated] = &blobs()[..] else { panic!("{:?}", blobs()) };
    assert_eq!((&media["kind"], &annotated["kind"]), (&"media".into(), &"annotated".into()));
    assert_eq!(annotated["bytes"], video.metadata().unwrap().len());
    let found = std::path::Path::new(annotated["location"].as_str().unwrap());
    assert_eq!(found, video.canonicalize().unwrap());
}

#[test]
fn words_that_mean_nothing_are_told() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    analyze(&clip(), &store, args!["--fps", "1"]).whole();
    let refused = |args: &[std::ffi::OsString], words: &[&str]| {
        let mut args = args.to_vec();
        args.extend_from_slice(args!["--store", store]);
        ocelli(&args).refused(2, words);
    };
    refused(args!["runs", "--run", "7"], &["no such run 7"]);
    refused(args!["runs", "--input", "other.mp4"], &["no run of", "other.mp4"]);
    refused(
        args!["results", "list", "--model", "yolox-nano"],
        &["yolox-nano", "it has ssdlite-mobilenet-v2"],
    );
    refused(args!["ledger", "--fps", "29"], &["nothing that matches"]);
    refused(
        args!["results", "diff", "ssdlite-mobilenet-v2", "ssdlite-mobilenet-v2"],
        &["one analyzer version"],
    );
    refused(args!["results", "list", "--start", "5", "--end", "4"], &["--end 4 is not after"]);
    refused(args!["results", "list", "--confidence", "50"], &["--confidence", "0 to 1"]);
    let nothing = ocelli(args!["results", "list", "--store", store, "--class", "Person"]).whole();
    assert!(text(&nothing.stdout).ends_with("\nno detection matches\n"));
    let out = folder.path().join("there.csv");
    std::fs::write(&out, "precious").unwrap();
    refused(args!["results", "export", "--format", "csv", "--out", out], &["exists", "--overwrite"]);
    assert_eq!(std::fs::read(&out).unwrap(), b"precious");
    refused(args!["results", "export", "--format", "csv", "--out", store], &["is a directory"]);
    let own = store.join("ocelli.db");
    let over = args!["results", "export", "--format", "csv", "--overwrite", "--out", own];
    refused(over, &["ocelli.db is read"]);
    // Two versions of one model have one name.
    analyze(&clip(), &store, args!["--fps", "1", "--confidence", "0.3"]).whole();
    let out = folder.path().join("{model}.txt");
    refused(
        args!["results", "export", "--format", "mot", "--out", out],
        &["one sequence", "--model VERSION"],
    );
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 2, "the store, and what was there before");
    let mut default = crate::ocelli::after("", args!["runs"]);
    default.env("OCELLI_HOME", folder.path()).env_remove("OCELLI_STORE");
    crate::ocelli::ran(&mut default).refused(2, &["no --store is named", "there is no store"]);
}
