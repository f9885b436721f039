//! Several inputs at once, and files for other tools beside the lines.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ocelli_testkit::Clip;
use serde_json::Value;

use crate::{
    args,
    ocelli::{home, ocelli},
    results::{lines, untimed},
};

fn clips() -> Vec<PathBuf> {
    let clip = |frames, params| Clip::new(192, 128).frames(frames).params(params).cached();
    vec![clip(90, "keyint=15:bframes=2"), clip(60, "keyint=10"), clip(45, "keyint=30")]
}

fn by_input(stdout: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut inputs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (line, untimed) in lines(stdout).iter().zip(untimed(stdout)) {
        inputs.entry(line["input"].as_str().unwrap().to_owned()).or_default().push(untimed);
    }
    inputs
}

#[test]
fn inputs_at_once_give_what_each_gives_alone() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let mut args = args!["analyze", "--fps", "7.5", "--jobs", "2", "--store", store].to_vec();
    args.extend(clips().iter().map(std::ffi::OsString::from));
    let together = by_input(&ocelli(&args).whole().stdout);
    assert_eq!(together.len(), 3);
    for clip in clips() {
        let alone = ocelli(args!["analyze", clip, "--fps", "7.5"]).whole();
        assert_eq!(together[&clip.display().to_string()], untimed(&alone.stdout), "in order, and the same");
    }
    let runs = lines(&ocelli(args!["runs", "--json", "--store", store]).whole().stdout);
    assert_eq!(runs.len(), 3);
    // A bad input costs the others nothing.
    args.push("nowhere.mp4".into());
    let ran = ocelli(&args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nowhere.mp4"), "{}", ran.stderr);
    assert_eq!(by_input(&ran.stdout), together);
}

/// All detections of printed lines: input, PTS, label.
fn detections(printed: &[Value]) -> Vec<(String, i64, String)> {
    let of = |line: &Value| {
        let (input, pts) = (line["input"].as_str().unwrap().to_owned(), line["pts"].as_i64().unwrap());
        let seen = line["detections"].as_array().unwrap().clone();
        seen.into_iter().map(move |seen| (input.clone(), pts, seen["label"].as_str().unwrap().to_owned()))
    };
    printed.iter().flat_map(of).collect()
}

#[test]
fn files_for_other_tools_hold_what_is_printed() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (coco, csv, mot) = (path("all.json"), path("all.csv"), path("{input}.txt"));
    let mut args =
        args!["analyze", "--fps", "5", "--confidence", "0.05", "--coco", coco, "--csv", csv, "--mot", mot]
            .to_vec();
    args.extend(clips().iter().map(std::ffi::OsString::from));
    let printed = lines(&ocelli(&args).whole().stdout);
    let expected = detections(&printed);
    assert!(expected.len() > 20, "{} detections", expected.len());
    let object: Value = serde_json::from_slice(&fs::read(&coco).unwrap()).unwrap();
    assert_eq!(object["images"].as_array().unwrap().len(), printed.len());
    assert_eq!(object["annotations"].as_array().unwrap().len(), expected.len());
    let rows = fs::read_to_string(&csv).unwrap();
    assert_eq!(rows.lines().count(), expected.len() + 1, "a header and a row each");
    for clip in clips() {
        let name = format!("{}.txt", clip.file_stem().unwrap().to_str().unwrap());
        let rows = fs::read_to_string(path(&name)).unwrap();
        let of_clip = expected.iter().filter(|(input, ..)| *input == clip.display().to_string()).count();
        assert_eq!(rows.lines().count(), of_clip, "{name}");
    }
    // Nothing is replaced without a word, and nothing half done is left.
    let before = fs::read(&csv).unwrap();
    ocelli(&args).refused(2, &["exists", "--overwrite"]);
    assert_eq!(fs::read(&csv).unwrap(), before);
    args.push("--overwrite".into());
    ocelli(&args).whole();
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let left = files.filter(|path| path.extension().is_some_and(|extension| extension == "part"));
    assert_eq!(left.count(), 0);
}

#[test]
fn one_file_cannot_hold_two_sequences_of_tracks() {
    let mut args = args!["analyze", "--mot", "tracks.txt"].to_vec();
    args.extend(clips().iter().map(std::ffi::OsString::from));
    ocelli(&args).refused(2, &["one sequence", "{input}", "tracks.txt"]);
}
