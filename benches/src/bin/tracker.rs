//! Sequences with known truth, our tracker over them, and our own reading of how well an answer fits.
//!
//! - `tracker make HOME FOLDER`: one file for each sequence, JSON lines with the detections and the truth of a frame.
//! - `tracker follow SEQUENCE TIMES`: follows the objects that often, each time anew, and prints the tracks of each frame of the last time as
//!   `[[id, x, y, width, height], …]`; with 0 it only reads.
//! - `tracker score SEQUENCE TRACKS`: IDF1, MOTA and switches of such an answer.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use ocelli_analyze::{Tracker, TrackerConfig};
use ocelli_model::{BoundingBox, Detection};
use ocelli_testkit::{
    mot::{Score, Sighting, text},
    scene::{Faults, Scene, SceneFrame, degraded, undoubted},
};
use serde::{Deserialize, Serialize};

/// Other seeds than those on which the tracker's parameters were chosen.
const SEEDS: std::ops::Range<u64> = 21..25;
/// So many stand in the scene, many of them hidden, that 50 are found in a frame on average.
const CROWD: usize = 160;

/// One line of a sequence.
#[derive(Serialize, Deserialize)]
struct Line {
    seconds: f64,
    /// Label, confidence, box.
    detections: Vec<(String, f32, [f32; 4])>,
    /// Object, box.
    truth: Vec<(u64, [f32; 4])>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", home, folder] => make(Path::new(home), Path::new(folder)),
        ["follow", sequence, times] => follow(&read(sequence)?, times.parse()?),
        ["score", sequence, tracks] => score(&read(sequence)?, tracks),
        _ => bail!(
            "usage: tracker make HOME FOLDER | tracker follow SEQUENCE TIMES | tracker score SEQUENCE TRACKS"
        ),
    }
}

fn make(home: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for seed in SEEDS {
        for fps in [30.0, 10.0, 5.0] {
            let frames = Scene::street(seed, fps).frames();
            write(folder, &format!("street {fps} fps"), seed, &frames)?;
        }
        for name in ["TUD-Campus", "TUD-Stadtmitte"] {
            let truth = sightings(home, name, "gt")?;
            let frames = degraded(&truth, 25.0, "person", &Faults::usual(), seed);
            write(folder, &format!("{name}, truth with faults"), seed, &frames)?;
        }
    }
    for name in ["TUD-Campus", "TUD-Stadtmitte"] {
        let frames =
            undoubted(&sightings(home, name, "gt")?, &sightings(home, name, "test")?, 25.0, "person");
        write(folder, &format!("{name}, found boxes"), 0, &frames)?;
    }
    let crowd = Scene { crowd: CROWD, ..Scene::street(SEEDS.start, 10.0) };
    write(folder, "crowd", 0, &crowd.frames())
}

fn sightings(home: &Path, name: &str, file: &str) -> Result<Vec<Vec<Sighting>>> {
    let path = home.join(format!("footage/mot/{name}/{file}.txt"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text::read(&text, 640.0, 480.0))
}

fn edges(bbox: &BoundingBox) -> [f32; 4] {
    [bbox.x, bbox.y, bbox.width, bbox.height]
}

fn bbox([x, y, width, height]: [f32; 4]) -> BoundingBox {
    BoundingBox { x, y, width, height }
}

fn write(folder: &Path, name: &str, seed: u64, frames: &[SceneFrame]) -> Result<()> {
    let mut out = io::BufWriter::new(fs::File::create(folder.join(format!("{name}~{seed}.jsonl")))?);
    for frame in frames {
        let detection = |one: &Detection| (one.label.to_string(), one.confidence, edges(&one.bbox));
        let line = Line {
            seconds: frame.seconds,
            detections: frame.detections.iter().map(detection).collect(),
            truth: frame.truth.iter().map(|one| (one.id, edges(&one.bbox))).collect(),
        };
        serde_json::to_writer(&mut out, &line)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

fn read(path: &str) -> Result<Vec<SceneFrame>> {
    let text = fs::read_to_string(path).with_context(|| path.to_owned())?;
    let frame = |line: &str| -> Result<SceneFrame> {
        let line: Line = serde_json::from_str(line)?;
        let detection = |(label, confidence, place): (String, f32, _)| Detection {
            label: label.into(),
            confidence,
            bbox: bbox(place),
        };
        Ok(SceneFrame {
            seconds: line.seconds,
            truth: line.truth.into_iter().map(|(id, place)| Sighting { id, bbox: bbox(place) }).collect(),
            detections: line.detections.into_iter().map(detection).collect(),
        })
    };
    text.lines().map(frame).collect()
}

fn follow(frames: &[SceneFrame], times: u32) -> Result<()> {
    let mut tracks = Vec::new();
    for _ in 0..times {
        let mut tracker = Tracker::new(TrackerConfig::default())?;
        tracks.clear();
        for frame in frames {
            tracks.push(tracker.update(frame.seconds, &frame.detections)?);
        }
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (ids, frame) in tracks.iter().zip(frames) {
        let found = ids.iter().zip(&frame.detections);
        let line: Vec<(u64, f32, f32, f32, f32)> = found
            .filter_map(|(id, detection)| {
                let [x, y, width, height] = edges(&detection.bbox);
                Some(((*id)?.0, x, y, width, height))
            })
            .collect();
        serde_json::to_writer(&mut out, &line)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

fn score(frames: &[SceneFrame], tracks: &str) -> Result<()> {
    let text = fs::read_to_string(tracks).with_context(|| tracks.to_owned())?;
    let sightings = |line: &str| -> Result<Vec<Sighting>> {
        let line: Vec<(u64, f32, f32, f32, f32)> = serde_json::from_str(line)?;
        let sighting = |(id, x, y, width, height)| Sighting { id, bbox: BoundingBox { x, y, width, height } };
        Ok(line.into_iter().map(sighting).collect())
    };
    let found = text.lines().map(sightings).collect::<Result<Vec<_>>>()?;
    let truth: Vec<_> = frames.iter().map(|frame| frame.truth.clone()).collect();
    let score = Score::of(&truth, &found, 0.5);
    let told = [score.identity.idf1(), score.clear.mota(), score.clear.switches as f64];
    Ok(writeln!(io::stdout().lock(), "{}", serde_json::to_string(&told)?)?)
}
