//! Whether a picture is worth an analyzer: a gate that opens when something moves.
//!
//! A picture becomes a small grid of mean luma ([`Cells`]). Each cell has a background, a running mean and deviation; a straight line over all cells explains
//! what light changed everywhere; cells that differ by more than noise, clipping and a shaking camera explain are *changed*. Changed cells that touch each
//! other are followed from look to look, so that rain does not count. Time constants are seconds of media time: a gate that looks 5 times a
//! second and one that looks 25 times tell the same.
//!
//! **Where it belongs.** A gate decides which pictures are looked at, not what is seen on one. It belongs to the sampling: a gated
//! picture has the verdict *gated* and no result, and [`GateConfig::version`] goes with the plan, not into an analyzer version. Unlike the slot
//! rule it depends on all pictures before, from the start of the run.
//!
//! No clock, no chance, no I/O. In doubt it is open.

mod background;
mod clusters;
mod config;
mod light;

use ocelli_media::pixel::{Cells, PictureError, Plane};

use background::Background;
use clusters::Clusters;
pub use config::{GateConfig, GateConfigError};

/// Looks that the background needs at least before anything is judged by it.
const WARM_LOOKS: u32 = 8;
/// After a gap in media time that is longer than this, the background is learned anew, s. The slot rule begins a new run there.
const GAP_SECONDS: f64 = 10.0;

/// What the gate says of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// Look at it.
    Open {
        /// Why.
        why: Why,
        /// Share of the picture that moves, 0 to 1; 0 where that is not why.
        area: f64,
    },
    /// Nothing moves.
    Closed,
}

/// Why a gate is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The background is not known yet.
    Warming,
    /// Something moves.
    Motion,
    /// Something has moved a moment ago.
    Hold,
    /// It was closed for long: what stands still is to be seen now and then.
    Regular,
    /// Most of the picture is another: the camera was turned, or switched to infrared. The background is learned anew.
    Upheaval,
}

/// Looks at the pictures of one stream in order of media time.
///
/// **Bounds.** Work and memory per picture depend on the number of pixels and of cells, never on what it shows: 0.1 ms at 640x360.
#[derive(Clone, Debug)]
pub struct MotionGate {
    config: GateConfig,
    cells: Cells,
    background: Background,
    clusters: Clusters,
    /// Media time of the look before.
    last: f64,
    /// When the background was begun.
    begun: f64,
    /// When something last moved.
    moved: f64,
    /// When it was last open.
    opened: f64,
}

impl MotionGate {
    /// Knows nothing yet.
    pub fn new(config: GateConfig) -> Result<Self, GateConfigError> {
        config.check()?;
        Ok(Self {
            config,
            cells: Cells::default(),
            background: Background::default(),
            clusters: Clusters::default(),
            last: f64::NEG_INFINITY,
            begun: f64::NEG_INFINITY,
            moved: f64::NEG_INFINITY,
            opened: f64::NEG_INFINITY,
        })
    }

    /// Looks at the luma plane, `size` = (width, height), of the picture at `seconds` of media time. A time that is none, does not advance or
    /// leaps, and a picture of another shape, begin anew: open, and warming. So does nothing that is refused.
    pub fn look(
        &mut self,
        seconds: f64,
        luma: &Plane<'_>,
        size: (usize, usize),
    ) -> Result<Gate, PictureError> {
        self.cells.measure(luma, size, self.config.longest as usize)?;
        let passed = seconds - self.last;
        let follows = passed > 0.0 && passed <= GAP_SECONDS.max(self.config.look_every_seconds);
        let (columns, cells) = (self.cells.columns(), self.cells.levels().len());
        let (why, moving) = if follows && self.background.fits(columns, cells) {
            self.judge(seconds, passed)
        } else {
            self.begin(seconds);
            (Some(Why::Warming), 0)
        };
        self.last = seconds;
        let Some(why) = why else { return Ok(Gate::Closed) };
        self.opened = seconds;
        Ok(Gate::Open { why, area: moving as f64 / cells as f64 })
    }

    fn begin(&mut self, seconds: f64) {
        self.background.begin(self.cells.columns(), self.cells.levels());
        self.clusters.begin();
        (self.begun, self.moved) = (seconds, f64::NEG_INFINITY);
    }

    /// Why the gate is open, if it is, and how many cells move.
    fn judge(&mut self, seconds: f64, passed: f64) -> (Option<Why>, usize) {
        let (config, levels) = (&self.config, self.cells.levels());
        let changed = self.background.changed(config, levels);
        let count = changed.iter().filter(|&&changed| changed).count();
        if count as f64 > config.upheaval * levels.len() as f64 {
            self.begin(seconds);
            return (Some(Why::Upheaval), count);
        }
        let moving = self.clusters.moving(config, (self.cells.columns(), changed), passed);
        self.background.learn(config, levels, passed);
        if moving > 0 {
            self.moved = seconds;
        }
        let warm = self.background.looks() > WARM_LOOKS && seconds - self.begun >= self.config.warm_seconds;
        let why = if !warm {
            Some(Why::Warming)
        } else if moving > 0 {
            Some(Why::Motion)
        } else if seconds - self.moved <= self.config.hold_seconds {
            Some(Why::Hold)
        } else {
            (seconds - self.opened >= self.config.look_every_seconds).then_some(Why::Regular)
        };
        (why, if why == Some(Why::Motion) { moving } else { 0 })
    }
}

#[cfg(test)]
mod tests;
