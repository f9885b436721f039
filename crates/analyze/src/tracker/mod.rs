//! Detections of successive frames joined into tracks: which boxes are the same object.
//!
//! The kind of SORT and ByteTrack: a Kalman filter tells where each object should be, and an optimal assignment gives each track at most one
//! detection of its own label, in four rounds: confident detections to the tracks seen in the frame before, what is left of them to lost tracks, weak ones
//! to whichever of both found none, and confident ones to tentative tracks. What is then left may begin a track. [`TrackerConfig`] has the motion model,
//! the measure of likeness and where they come from.
//!
//! No clock, no chance, no I/O, and only arithmetic that IEEE 754 defines to the bit: the same times and detections give the same ids on every machine, in
//! whatever order the detections of a frame come.

mod assignment;
mod config;
mod intake;
mod motion;
mod track;

use ocelli_model::{Detection, TrackId};

use assignment::Edge;
pub use config::{PerAxis, TrackerConfig, TrackerConfigError};
use intake::Intake;
pub use intake::MAX_DETECTIONS;
use track::{Expected, Track};

/// Most tracks at once, lost and tentative ones included; while there are as many, none begins.
pub const MAX_TRACKS: usize = 1000;

/// Follows the objects of one run.
///
/// **Bounds.** A frame costs at most what an optimal assignment of [`MAX_DETECTIONS`] to [`MAX_TRACKS`] does: 0.03 ms for 50 objects, some 50 ms where
/// 500 boxes of one label all lie on each other. Of more detections the most confident are looked at, the others get no track. Boxes that
/// are none (NaN, infinite, no area, farther than ten pictures away) get no track either and change nothing.
#[derive(Clone, Debug)]
pub struct Tracker {
    config: TrackerConfig,
    tracks: Vec<Track>,
    /// Media time of the last frame.
    last: Option<f64>,
    /// The next id that nobody had.
    next: u64,
}

/// A frame whose time cannot be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TimeError {
    /// NaN or infinite.
    #[error("the time of a frame is {0}")]
    NotFinite(f64),
    /// Frames come in order of media time; one that steps back belongs to another run.
    #[error("a frame at {seconds} s came after one at {last} s")]
    NotLater {
        /// Time of the refused frame.
        seconds: f64,
        /// Time of the last frame.
        last: f64,
    },
}

/// Who may be given a detection in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Confident detections to confirmed tracks of the frame before.
    Current,
    /// Confident detections to confirmed tracks that are lost.
    Lost,
    /// Weak detections to confirmed tracks.
    Weak,
    /// Confident detections to tracks that are not confirmed yet.
    Tentative,
}

impl Tracker {
    /// For one run; the parameters are checked.
    pub fn new(config: TrackerConfig) -> Result<Self, TrackerConfigError> {
        config.check()?;
        Ok(Self { config, tracks: Vec::new(), last: None, next: 1 })
    }

    /// Takes the detections of the next frame, at `seconds` of media time (PTS times time base), later than all before. Frames may be any time apart, and
    /// those without detections matter: leaving them out makes lost tracks seem to be those of the frame before.
    ///
    /// One entry for each detection, in their order: the confirmed track that it belongs to. An answer is final: detections of a tentative
    /// track have none, and keep none when it is confirmed later. Ids count from 1 and are never used again. After an error nothing
    /// has changed.
    pub fn update(
        &mut self,
        seconds: f64,
        detections: &[Detection],
    ) -> Result<Vec<Option<TrackId>>, TimeError> {
        if !seconds.is_finite() {
            return Err(TimeError::NotFinite(seconds));
        }
        if let Some(last) = self.last.filter(|last| *last >= seconds) {
            return Err(TimeError::NotLater { seconds, last });
        }
        self.advance(seconds);
        let mut frame = Frame::new(seconds, self, detections);
        for round in [Round::Current, Round::Lost, Round::Weak, Round::Tentative] {
            self.associate(&mut frame, round);
        }
        self.tracks.retain(|track| track.lives(seconds, &self.config));
        self.begin(&mut frame);
        self.last = Some(seconds);
        Ok(frame.answer)
    }

    /// Ends what was not seen for too long and moves the rest on.
    fn advance(&mut self, seconds: f64) {
        let Some(last) = self.last else { return };
        self.tracks.retain(|track| seconds - track.seen <= self.config.keep_seconds);
        for track in &mut self.tracks {
            track.advance(seconds - last, &self.config);
        }
    }

    fn associate(&mut self, frame: &mut Frame<'_>, round: Round) {
        let edges = frame.edges(&self.tracks, round, &self.config);
        for (index, seen) in assignment::heaviest(self.tracks.len(), frame.intake.all().len(), &edges) {
            let track = &mut self.tracks[index];
            track.correct(frame.seconds, &frame.intake.all()[seen].place, &self.config);
            if track.is_due(&self.config) {
                track.id = Some(TrackId(self.next));
                self.next += 1;
            }
            frame.give(index, seen, track.id);
        }
    }

    /// Tracks for what belongs to none.
    fn begin(&mut self, frame: &mut Frame<'_>) {
        // What is there when a run begins did not appear just now (ByteTrack has the same rule).
        let at_once = self.last.is_none() || self.config.confirm_hits == 1;
        for (index, seen) in frame.intake.all().iter().enumerate() {
            if frame.given[index] || seen.confidence < self.config.begin || self.tracks.len() == MAX_TRACKS {
                continue;
            }
            let mut track = Track::begin(seen.label.clone(), frame.seconds, &seen.place, &self.config);
            if at_once {
                track.id = Some(TrackId(self.next));
                self.next += 1;
                frame.answer[seen.index] = track.id;
            }
            self.tracks.push(track);
        }
    }
}

/// One frame while its detections are given to tracks.
#[derive(Debug)]
struct Frame<'a> {
    seconds: f64,
    /// Time of the frame before.
    before: f64,
    intake: Intake<'a>,
    /// For each track.
    expected: Vec<Expected>,
    /// For each track: whether it has its detection.
    served: Vec<bool>,
    /// For each of the intake: whether a track has it.
    given: Vec<bool>,
    answer: Vec<Option<TrackId>>,
}

impl<'a> Frame<'a> {
    fn new(seconds: f64, tracker: &Tracker, detections: &'a [Detection]) -> Self {
        let (config, tracks) = (&tracker.config, &tracker.tracks);
        let before = tracker.last.unwrap_or(seconds);
        let intake = Intake::new(detections, config.weak);
        Self {
            seconds,
            before,
            expected: tracks.iter().map(|track| track.expected(before, config)).collect(),
            served: vec![false; tracks.len()],
            given: vec![false; intake.all().len()],
            answer: vec![None; detections.len()],
            intake,
        }
    }

    /// Who could be whom in this round.
    fn edges(&self, tracks: &[Track], round: Round, config: &TrackerConfig) -> Vec<Edge> {
        let mut edges = Vec::new();
        let takes_part = |track: &Track| match (round, track.id) {
            (Round::Current, Some(_)) => track.seen >= self.before,
            (Round::Lost, Some(_)) => track.seen < self.before,
            (Round::Weak, id) => id.is_some(),
            (Round::Tentative, id) => id.is_none(),
            (_, None) => false,
        };
        let least = config.least_likeness;
        for (index, track) in tracks.iter().enumerate() {
            if self.served[index] || !takes_part(track) {
                continue;
            }
            for detection in self.intake.of(&track.label) {
                let seen = &self.intake.all()[detection];
                let confident = seen.confidence >= config.confident;
                if self.given[detection] || confident == (round == Round::Weak) {
                    continue;
                }
                let likeness = self.expected[index].likeness(&seen.place);
                if likeness > least {
                    // In whole millionths, so that sums have no rounding.
                    let weight = ((likeness - least) * 1e6) as i64 + 1;
                    edges.push(Edge { track: index, detection, weight });
                }
            }
        }
        edges
    }

    fn give(&mut self, track: usize, seen: usize, id: Option<TrackId>) {
        self.served[track] = true;
        self.given[seen] = true;
        self.answer[self.intake.all()[seen].index] = id;
    }
}

#[cfg(test)]
mod tests;
