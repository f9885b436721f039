//! The whole walk, on a real camera: two models in one pass, killed, resumed, compared, exported, read by other people's
//! programs.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{exported, killed_after, ledgers, sum, yolox};
use crate::{
    args,
    ocelli::{home, ocelli, skipped},
    results::lines,
};

const MODELS: [&str; 2] = ["ssdlite-mobilenet-v2", "yolox-nano"];
/// 79.5 s of video at two frames a second: slots around 0.0, 0.5 … 79.5 s, the last of which has half its pictures.
const FRAMES: usize = 160;
/// Lines, one for each model of a frame, after which the first process is killed.
const KILLED_AT: usize = 100;

#[test]
fn two_models_killed_resumed_compared_and_exported() {
    let (Some(home), Some(yolox)) = (home(), yolox()) else { return };
    let input = home.join("footage/vtest.avi");
    if !input.try_exists().unwrap() {
        skipped(&format!("{} is not here; './dev setup' mends it", input.display()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let command =
        args!["analyze", input, "--fps", "2", "--model", MODELS[0], "--model", yolox, "--store", store];
    let printed = killed_and_resumed(command);
    let kept = by_model(&store);
    assert_eq!(kept, MODELS.map(|model| of(&printed, model)), "what was printed is what is kept");
    assert_eq!(exported(&store, &[]), printed, "frame by frame, as it was printed");
    for (ledger, kept) in ledgers(&store).iter().zip(&kept) {
        assert_eq!(sum(ledger, "analysed"), (FRAMES as u64, FRAMES as u64));
        assert_eq!((ledger["gaps"].as_array().unwrap().len(), kept.len()), (0, FRAMES));
    }
    compared(&store, &kept);
    let Some(python) = readers(&home) else { return };
    read_by_pycocotools(&python, folder.path(), &store, &kept);
    read_by_motmetrics(&python, folder.path(), &store, &kept);
}

/// Killed in the middle, then run again to its end; what it printed then.
fn killed_and_resumed(command: &[OsString]) -> Vec<Value> {
    let (first, killed) = killed_after(command, KILLED_AT);
    assert!(killed && (KILLED_AT..2 * FRAMES).contains(&first.len()), "killed after {} lines", first.len());
    let printed = lines(&ocelli(command).whole().stdout);
    assert_eq!(printed.len(), 2 * FRAMES);
    assert_eq!(printed[..first.len()], first[..], "printed once, printed for ever");
    printed
}

fn of(lines: &[Value], model: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["model"] == model).cloned().collect()
}

/// What the store holds of each model, as JSON Lines.
fn by_model(store: &Path) -> [Vec<Value>; 2] {
    MODELS.map(|model| exported(store, args!["--model", model]))
}

fn detections(line: &Value) -> &[Value] {
    line["detections"].as_array().expect("an analysed frame")
}

fn sides(rectangle: &Value) -> [f64; 4] {
    ["x", "y", "width", "height"].map(|side| rectangle[side].as_f64().expect("a number"))
}

/// Intersection over union.
fn overlap(one: &Value, other: &Value) -> f64 {
    let ([x, y, w, h], [u, v, r, s]) = (sides(&one["box"]), sides(&other["box"]));
    let across = (x + w).min(u + r) - x.max(u);
    let down = (y + h).min(v + s) - y.max(v);
    let shared = across.max(0.0) * down.max(0.0);
    shared / (w * h + r * s - shared)
}

/// Same, moved, gone and appeared detections of each class.
type Counts = BTreeMap<String, [u64; 4]>;

/// Adds one frame to the counts: again and again the pair of one class that overlaps most, while that is half or more.
fn count(first: &[Value], second: &[Value], counts: &mut Counts) {
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    let mut add = |seen: &Value, column: usize| {
        counts.entry(seen["label"].as_str().unwrap().to_owned()).or_default()[column] += 1;
    };
    loop {
        let places = (0..first.len()).flat_map(|a| (0..second.len()).map(move |b| (a, b)));
        let same_class = places.filter(|(a, b)| first[*a]["label"] == second[*b]["label"]);
        let overlaps = same_class.map(|(a, b)| (overlap(&first[a], &second[b]), a, b));
        let Some((most, a, b)) = overlaps.max_by(|one, other| one.0.total_cmp(&other.0)) else { break };
        if most < 0.5 {
            break;
        }
        add(&first.remove(a), usize::from(most < 0.9));
        second.remove(b);
    }
    for seen in &first {
        add(seen, 2);
    }
    for seen in &second {
        add(seen, 3);
    }
}

/// `results diff` says what a count of one's own, over the exported lines, finds.
fn compared(store: &Path, kept: &[Vec<Value>; 2]) {
    let mut counts = Counts::new();
    for (first, second) in kept[0].iter().zip(&kept[1]) {
        assert_eq!(first["pts"], second["pts"]);
        count(detections(first), detections(second), &mut counts);
    }
    let diff = |more: &str| {
        let args = args!["results", "diff", MODELS[0], MODELS[1], "--store", store, more];
        ocelli(args).whole().stdout
    };
    let table = String::from_utf8(diff("--summary")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    let (header, rest) = rows.split_first().unwrap();
    let (last, rows) = rest.split_last().unwrap();
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["class", "same", "moved", "gone", "appeared"]);
    assert!(last.starts_with(&format!("{FRAMES} frames compared; 0 only")), "{last}");
    let row = |row: &&str| {
        // Names of classes have spaces.
        let mut words: Vec<&str> = row.split_whitespace().collect();
        let numbers = words.split_off(words.len() - 4);
        let numbers: Vec<u64> = numbers.iter().map(|number| number.parse().unwrap()).collect();
        (words.join(" "), numbers.try_into().unwrap())
    };
    assert_eq!(rows.iter().map(row).collect::<Counts>(), counts);
    let mut told = Counts::new();
    for line in lines(&diff("--json")) {
        let column = ["moved", "gone", "appeared"].iter().position(|change| line["change"] == *change);
        told.entry(line["label"].as_str().unwrap().to_owned()).or_default()[1 + column.unwrap()] += 1;
    }
    // What stayed in its place is no difference, and has no line.
    for counts in counts.values_mut() {
        counts[0] = 0;
    }
    counts.retain(|_, counts| *counts != [0; 4]);
    assert_eq!(told, counts);
    let people = counts["person"];
    assert!(people.iter().skip(1).all(|count| *count > 50), "the models differ in every way: {people:?}");
}

/// The Python that has the readers.
fn readers(home: &Path) -> Option<PathBuf> {
    let python = home.join("venv-readers/bin/python");
    if python.try_exists().unwrap() {
        return Some(python);
    }
    skipped(&format!("exports read back, for want of {}; ./dev test installs it", python.display()));
    None
}

/// Everything that the store holds.
fn export(store: &Path, format: &str, out: &Path) {
    ocelli(args!["results", "export", "--format", format, "--out", out, "--store", store]).whole();
}

/// What a library of Python finds in a file.
fn read_back(python: &Path, format: &str, file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sinks/tests/readers/read_back.py");
    let output = Command::new(python).arg("-B").arg(script).arg(format).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same rows, in whatever order: one file goes frame by frame, another model by model.
#[track_caller]
fn same_rows(read: &Value, expected: impl Iterator<Item = Value>) -> usize {
    // Readers make floating point of every number.
    let number =
        |field: &Value| field.as_f64().map_or_else(|| field.to_string(), |number| format!("{number:.6}"));
    let text = |row: &Value| row.as_array().unwrap().iter().map(number).collect::<Vec<_>>().join(" ");
    let mut read: Vec<String> = read.as_array().unwrap().iter().map(text).collect();
    let mut expected: Vec<String> = expected.map(|row| text(&row)).collect();
    read.sort_unstable();
    expected.sort_unstable();
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
    read.len()
}

fn read_by_pycocotools(python: &Path, folder: &Path, store: &Path, kept: &[Vec<Value>; 2]) {
    let path = folder.join("seen.json");
    export(store, "coco", &path);
    let read = read_back(python, "coco", &path);
    let frame =
        |line: &Value| json!([line["input"], line["run"], line["pts"], line["width"], line["height"]]);
    // Both models looked at the same pictures.
    same_rows(&read["frames"], kept[0].iter().map(frame));
    let seen = kept.iter().flatten().flat_map(|line| {
        detections(line).iter().map(|one| {
            let [x, y, width, height] = sides(&one["box_px"]);
            json!([
                line["input"],
                line["run"],
                line["pts"],
                one["label"],
                one["confidence"],
                x,
                y,
                width,
                height,
                one["track"],
                line["model"],
            ])
        })
    });
    assert!(same_rows(&read["seen"], seen) > 10 * FRAMES);
    assert!(read["evaluated"].as_f64().unwrap() > 0.999, "{}", read["evaluated"]);
}

fn read_by_motmetrics(python: &Path, folder: &Path, store: &Path, kept: &[Vec<Value>; 2]) {
    export(store, "mot", &folder.join("{input}-{model}.txt"));
    let made = fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "txt")
    });
    assert_eq!(made.count(), 2, "one sequence, one file");
    for (model, kept) in MODELS.iter().zip(kept) {
        let read = read_back(python, "mot", &folder.join(format!("vtest-{model}.txt")));
        let seen = kept.iter().flat_map(|line| {
            let frame = 1 + line["slot"].as_i64().unwrap();
            detections(line).iter().map(move |one| {
                let [x, y, width, height] = sides(&one["box_px"]);
                let track = one["track"].as_i64().unwrap_or(-1);
                json!([frame, track, x, y, width, height, one["confidence"]])
            })
        });
        same_rows(&read, seen);
        let tracks = kept.iter().flat_map(detections).filter_map(|one| one["track"].as_i64());
        assert!(tracks.collect::<BTreeSet<_>>().len() > 10, "{model} follows people");
    }
}
