//! The tracker's parameters, what they mean, and their ranges.

use ocelli_model::{AnalyzerVersion, VersionBuilder};

/// Raise it with every change that can change a track while all parameters stay the same.
const TRACKER_REVISION: u32 = 1;

/// A figure for each axis: in box widths across the picture, in box heights down it. So stretching a picture changes no track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerAxis {
    /// In box widths.
    pub x: f64,
    /// In box heights.
    pub y: f64,
}

/// How detections become tracks. All times are seconds of media time, never frames: the same objects give the same tracks at 30 frames a second and,
/// as far as their motion allows, at 2.
///
/// **Motion.** A Kalman filter with constant velocity follows the centre of each box, noise told in the size of the box. The form is that of DeepSORT
/// (Wojke et al. 2017: 1/20 of the box height a frame for position, 1/160 a frame for velocity); ByteTrack (Zhang et al. 2022) took it over. Both
/// count in frames. Here velocity is pushed about by white noise of spectral density `push`², whose effect over a time `dt` is exact for
/// any `dt`:
///
/// ```text
/// variance of velocity += push² dt;   covariance += push² dt²/2;   variance of position += push² dt³/3
/// ```
///
/// At 30 frames a second DeepSORT's 1/160 is 30/160 heights a second gained 30 times a second: `push` = 30/160 · √30 = 1.03, near the 1.1
/// that measurement found best here. Width and height follow a random walk.
///
/// **Likeness** of a track and a detection of the same label, 0 to 1, `d²` being the squared Mahalanobis distance of the centres:
///
/// ```text
/// likeness = (1 - d²/gate²) · (smaller/larger width) · (smaller/larger height) · (1 - doubt · time lost / keep_seconds)
/// ```
///
/// It is used instead of intersection over union, which is 0 for most objects between frames that are half a second apart: the spread of the prediction grows
/// with the time that has passed, and the gate with it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerConfig {
    /// Detections from this confidence on are associated first. 0 to 1.
    pub confident: f64,
    /// Those from this confidence on may begin a track. `confident` to 1.
    pub begin: f64,
    /// Those from this confidence on, but not `confident`, may go on with a confirmed track that found nothing better; the rest is
    /// ignored. 0 to `confident`. A detector with a higher threshold of its own gives no such weak detections.
    pub weak: f64,
    /// A track is confirmed in the frame in which it is seen for this time; what stands in the first frame of a run at once. 1 to 100.
    pub confirm_hits: u32,
    /// A track not confirmed yet ends with a frame that does not show it, when it was last seen longer ago than this, s. 0 to
    /// `keep_seconds`.
    pub tentative_seconds: f64,
    /// A confirmed track ends when it was last seen longer ago than this, s: so does every track in a gap that is longer. 0.001 to
    /// 60. Where frames are farther apart than this there are no tracks.
    pub keep_seconds: f64,
    /// Standard deviation of a detected centre, width and height. 0.001 to 1.
    pub measured: f64,
    /// Standard deviation of an object's velocity when it is first seen, 1/s. 0 to 100.
    pub speed: PerAxis,
    /// How velocity changes: standard deviation gained in a second, 1/s. 0 to 100.
    pub push: PerAxis,
    /// How width and height change: relative standard deviation gained in a second. 0 to 10.
    pub growth: f64,
    /// Farthest that a detection may be from where a track is expected, in standard deviations. 0.1 to 10.
    pub gate: f64,
    /// Least likeness of a track and a detection that may be the same object. 0 to 1.
    pub least_likeness: f64,
    /// Share of likeness that a lost track has lost by the time it ends. 0 to 1.
    pub doubt: f64,
}

impl Default for TrackerConfig {
    /// Chosen on made-up scenes at 1 to 30 frames a second and two real sequences; the optimum is flat. A vertical speed of less than half
    /// the horizontal one is that of things on the ground.
    fn default() -> Self {
        Self {
            confident: 0.4,
            begin: 0.5,
            weak: 0.1,
            confirm_hits: 2,
            tentative_seconds: 0.5,
            keep_seconds: 2.0,
            measured: 0.12,
            speed: PerAxis { x: 1.5, y: 0.45 },
            push: PerAxis { x: 1.1, y: 0.33 },
            growth: 0.4,
            gate: 3.25,
            least_likeness: 0.4,
            doubt: 0.7,
        }
    }
}

/// A parameter that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("tracker parameter {parameter} is {value}, it must be from {least} to {most}")]
pub struct TrackerConfigError {
    /// Its name.
    pub parameter: &'static str,
    /// What it was set to.
    pub value: f64,
    /// Its range.
    pub least: f64,
    /// Its range.
    pub most: f64,
}

impl TrackerConfig {
    /// Identifies this way of tracking: revision of the code and every parameter. The detections that it is given have a version of their own.
    pub fn version(&self) -> AnalyzerVersion {
        let revision = VersionBuilder::default().with("tracker", TRACKER_REVISION);
        let with = |version: VersionBuilder, (name, value, _, _): (&str, f64, f64, f64)| {
            version.with(&format!("tracker {name}"), value)
        };
        self.parameters().into_iter().fold(revision, with).build()
    }

    /// Whether every parameter is within its range.
    pub fn check(&self) -> Result<(), TrackerConfigError> {
        let outside = |(_, value, least, most): &(&str, f64, f64, f64)| !(*least..=*most).contains(value);
        match self.parameters().into_iter().find(outside) {
            Some((parameter, value, least, most)) => {
                Err(TrackerConfigError { parameter, value, least, most })
            }
            None => Ok(()),
        }
    }

    /// Name, value and range of every parameter.
    fn parameters(&self) -> [(&'static str, f64, f64, f64); 15] {
        [
            ("confident", self.confident, 0.0, 1.0),
            ("begin", self.begin, self.confident, 1.0),
            ("weak", self.weak, 0.0, self.confident),
            ("confirm_hits", self.confirm_hits.into(), 1.0, 100.0),
            ("keep_seconds", self.keep_seconds, 1e-3, 60.0),
            ("tentative_seconds", self.tentative_seconds, 0.0, self.keep_seconds),
            ("measured", self.measured, 1e-3, 1.0),
            ("speed.x", self.speed.x, 0.0, 100.0),
            ("speed.y", self.speed.y, 0.0, 100.0),
            ("push.x", self.push.x, 0.0, 100.0),
            ("push.y", self.push.y, 0.0, 100.0),
            ("growth", self.growth, 0.0, 10.0),
            ("gate", self.gate, 0.1, 10.0),
            ("least_likeness", self.least_likeness, 0.0, 1.0),
            ("doubt", self.doubt, 0.0, 1.0),
        ]
    }
}
