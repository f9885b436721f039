//! `--summary`: what was seen, as a table for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::Duration,
};

use ocelli_engine::Report;
use ocelli_model::{Detection, Tally, TrackId};

#[derive(Debug, Default)]
struct Class {
    frames: u64,
    detections: u64,
    most_in_a_frame: u64,
    best: f32,
    tracks: BTreeSet<(u64, u32, TrackId)>,
}

/// Counts over all inputs of one call.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// By model and label.
    classes: BTreeMap<(String, String), Class>,
    models: BTreeSet<String>,
    tally: Tally,
    media_seconds: f64,
    took: Duration,
    pictures: u64,
    decoded: u64,
    unreadable: u64,
}

impl Summary {
    /// One frame of an input that `job` names, as one model saw it.
    pub(super) fn frame(
        &mut self,
        model: &str,
        (job, run): (u64, u32),
        detections: &[Detection],
        tracks: &[Option<TrackId>],
    ) {
        self.models.insert(model.to_owned());
        let mut here: BTreeMap<&str, u64> = BTreeMap::new();
        let tracks = tracks.iter().copied().chain(std::iter::repeat(None));
        for (detection, track) in detections.iter().zip(tracks) {
            *here.entry(&detection.label).or_default() += 1;
            let class = self.classes.entry((model.to_owned(), detection.label.to_string())).or_default();
            class.best = class.best.max(detection.confidence);
            class.tracks.extend(track.map(|track| (job, run, track)));
        }
        for (label, count) in here {
            let class = self.classes.entry((model.to_owned(), label.to_owned())).or_default();
            class.frames += 1;
            class.detections += count;
            class.most_in_a_frame = class.most_in_a_frame.max(count);
        }
    }

    pub(super) fn input(&mut self, report: &Report, media_seconds: f64, took: Duration) {
        self.tally.merge(report.tally);
        self.media_seconds += media_seconds;
        self.took += took;
        self.pictures += report.pictures;
        self.decoded += report.decoded;
        self.unreadable += report.unreadable.values().sum::<u64>();
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Tally { analysed, failed, empty, .. } = self.tally;
        let due = self.tally.due();
        let model = |name: &str| {
            if self.models.len() > 1 { format!("{name:24} ") } else { String::new() }
        };
        writeln!(
            out,
            "{}{:20} {:>8} {:>10} {:>8} {:>8} {:>10}",
            model("model"),
            "seen",
            "frames",
            "detections",
            "at once",
            "tracks",
            "best score"
        )?;
        for ((name, label), class) in &self.classes {
            let Class { frames, detections, most_in_a_frame, best, tracks } = class;
            writeln!(
                out,
                "{}{label:20} {frames:>8} {detections:>10} {most_in_a_frame:>8} {:>8} {best:>10.2}",
                model(name),
                tracks.len()
            )?;
        }
        if self.classes.is_empty() {
            writeln!(out, "nothing above the confidence asked for")?;
        }
        // Each model has its own verdict on each frame.
        let models = match self.models.len() {
            0 | 1 => String::new(),
            several => format!(" to {several} models together"),
        };
        writeln!(
            out,
            "{due} frames due{models}: {analysed} analysed, {failed} failed, {empty} without a picture"
        )?;
        let speed = self.media_seconds / self.took.as_secs_f64().max(1e-6);
        let (seconds, took) = (self.media_seconds, self.took.as_secs_f64());
        writeln!(
            out,
            "{seconds:.1} s of video in {took:.1} s ({speed:.1}x real time), {} of {} pictures decoded",
            self.decoded, self.pictures
        )?;
        if self.unreadable > 0 {
            writeln!(out, "{} pictures could not be read and count as references", self.unreadable)?;
        }
        Ok(())
    }
}
