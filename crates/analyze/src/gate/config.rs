//! The gate's parameters, what they mean, and their ranges.

use ocelli_model::{AnalyzerVersion, VersionBuilder};

/// Raise it with every change that can change a verdict while all parameters stay the same.
const GATE_REVISION: u32 = 1;

/// How a [`MotionGate`](super::MotionGate) tells motion. Times are seconds of media time, levels are steps of 8-bit luma, cells are those of the grid
/// that a picture is reduced to.
#[derive(Clone, Debug, PartialEq)]
pub struct GateConfig {
    /// Cells along the picture's longer side. 16 to 640.
    pub longest: u32,
    /// Least difference from the background that counts, levels. 0.5 to 128.
    pub contrast: f64,
    /// Least difference that counts, in standard deviations of the cell. 1 to 20.
    pub deviations: f64,
    /// What a cell may take over from its neighbours without having changed, as a share of their difference: a camera that shakes by that
    /// share of a cell shows no motion. 0 to 1.
    pub shake: f64,
    /// Least number of changed cells that touch each other. 1 to 1000.
    pub least_cells: u32,
    /// So many open the gate in the first look that shows them; fewer must be there again in the next, as raindrops and noise are
    /// not. `least_cells` to 100000.
    pub at_once_cells: u32,
    /// Share of changed cells at which the background no longer holds and is learned anew. 0.05 to 1.
    pub upheaval: f64,
    /// Time constant with which the background follows. 0.1 to 3600.
    pub adapt_seconds: f64,
    /// What has come and stands still for this long belongs to the background. 0 to 3600.
    pub settle_seconds: f64,
    /// Open for this long, and for eight looks, while the background is learned. 0 to 600.
    pub warm_seconds: f64,
    /// Stays open for this long after the last motion. 0 to 600.
    pub hold_seconds: f64,
    /// Lets a picture through when it has been closed for this long: what stands still is not missed for ever. 0.1 to 86400.
    pub look_every_seconds: f64,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            longest: 160,
            contrast: 6.0,
            deviations: 4.0,
            shake: 0.6,
            least_cells: 3,
            at_once_cells: 12,
            upheaval: 0.5,
            adapt_seconds: 8.0,
            settle_seconds: 8.0,
            warm_seconds: 2.0,
            hold_seconds: 2.0,
            look_every_seconds: 10.0,
        }
    }
}

/// A parameter that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("gate parameter {parameter} is {value}, it must be from {least} to {most}")]
pub struct GateConfigError {
    /// Its name.
    pub parameter: &'static str,
    /// What it was set to.
    pub value: f64,
    /// Its range.
    pub least: f64,
    /// Its range.
    pub most: f64,
}

impl GateConfig {
    /// Identifies this way of gating: revision of the code and every parameter. It stands beside the sampling plan, not in the version of an
    /// analyzer: a gate changes which pictures are looked at, never what is seen on one.
    pub fn version(&self) -> AnalyzerVersion {
        let revision = VersionBuilder::default().with("gate", GATE_REVISION);
        let with = |version: VersionBuilder, (name, value, _, _): (&str, f64, f64, f64)| {
            version.with(&format!("gate {name}"), value)
        };
        self.parameters().into_iter().fold(revision, with).build()
    }

    /// Whether every parameter is within its range.
    pub fn check(&self) -> Result<(), GateConfigError> {
        let outside = |(_, value, least, most): &(&str, f64, f64, f64)| !(*least..=*most).contains(value);
        match self.parameters().into_iter().find(outside) {
            Some((parameter, value, least, most)) => Err(GateConfigError { parameter, value, least, most }),
            None => Ok(()),
        }
    }

    /// Name, value and range of every parameter.
    fn parameters(&self) -> [(&'static str, f64, f64, f64); 12] {
        [
            ("longest", self.longest.into(), 16.0, 640.0),
            ("contrast", self.contrast, 0.5, 128.0),
            ("deviations", self.deviations, 1.0, 20.0),
            ("shake", self.shake, 0.0, 1.0),
            ("least_cells", self.least_cells.into(), 1.0, 1e3),
            ("at_once_cells", self.at_once_cells.into(), self.least_cells.into(), 1e5),
            ("upheaval", self.upheaval, 0.05, 1.0),
            ("adapt_seconds", self.adapt_seconds, 0.1, 3600.0),
            ("settle_seconds", self.settle_seconds, 0.0, 3600.0),
            ("warm_seconds", self.warm_seconds, 0.0, 600.0),
            ("hold_seconds", self.hold_seconds, 0.0, 600.0),
            ("look_every_seconds", self.look_every_seconds, 0.1, 86_400.0),
        ]
    }
}
