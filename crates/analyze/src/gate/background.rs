//! What each cell looks like while nothing happens: a running mean, a running mean deviation, and a newcomer that may replace them.

use super::{
    WARM_LOOKS,
    config::GateConfig,
    light::{Light, LightFit, spread},
};

/// Standard deviations in a mean deviation, and in a median one, of a normal distribution.
const SIGMA_OF_MEAN: f32 = 1.253;
const SIGMA_OF_MEDIAN: f32 = 1.483;
/// The picture has this many parts to each side when it is asked what is ordinary in it.
const PARTS: usize = 5;
/// How far above what is ordinary everywhere a difference must be.
const ABOVE_TAIL: f32 = 1.3;
/// Standard deviation and tail that are believed of a whole picture, levels. A camera that was turned has more, and that is no noise.
const MOST_NOISE: f32 = 3.0;
const LONGEST_TAIL: f32 = 16.0;
/// A change of light beyond this is carried over to the background at once, levels.
const STEP_OF_LIGHT: f32 = 1.5;
/// A change of light beyond this is a lamp or an exposure, levels. No line explains it in full, so that the look becomes the background; but not
/// one look after the other, or nobody would see by a flickering lamp.
const LAMP: f32 = 8.0;
const LAMP_SECONDS: f64 = 2.0;
/// Exposure, which a line explains, leaves half of the cells within this, levels.
const LEFT_BY_EXPOSURE: f32 = 2.5;
/// Cells that something may move to each side between two looks while a lamp goes on.
const STEP: usize = 4;
/// A lamp leaves half of the cells within this share of its change.
const LEFT_BY_LAMP: f32 = 0.35;
/// No lamp acts on all cells alike: so much of a change of light is forgiven.
const UNEVEN: f32 = 0.15;
/// Changed cells learn deviation this much slower. What always flickers stops to count, what often passes does not.
const LEARNING_FROM_MOTION: f32 = 0.125;
/// Beyond these, codecs and sensors clip, and a difference means nothing.
const DARKEST: f32 = 20.0;
const BRIGHTEST: f32 = 230.0;

/// The model of all cells, and what the last look made of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Background {
    columns: usize,
    /// Looks since it was begun.
    looks: u32,
    /// Seconds since the light last changed so much that this look became the background.
    since_lamp: f64,
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// Level at which a changed cell stands, and for how many seconds.
    newcomer: Vec<(f32, f32)>,
    difference: Vec<f32>,
    tolerance: Vec<f32>,
    changed: Vec<bool>,
    fit: LightFit,
}

impl Background {
    /// Forgets everything; this look is what there is.
    pub(super) fn begin(&mut self, columns: usize, levels: &[f32]) {
        (self.columns, self.looks, self.since_lamp) = (columns, 1, f64::INFINITY);
        let cells = levels.len();
        self.mean.clear();
        self.mean.extend_from_slice(levels);
        for zeroed in [&mut self.deviation, &mut self.difference, &mut self.tolerance] {
            zeroed.clear();
            zeroed.resize(cells, 0.0);
        }
        self.newcomer.clear();
        self.newcomer.resize(cells, (0.0, 0.0));
        self.changed.clear();
        self.changed.resize(cells, false);
    }

    /// Looks since it was begun.
    pub(super) fn looks(&self) -> u32 {
        self.looks
    }

    /// Whether it is of a grid of this shape.
    pub(super) fn fits(&self, columns: usize, cells: usize) -> bool {
        (self.columns, self.mean.len()) == (columns, cells)
    }

    /// The cells that differ from the background. Changes of light are carried over, nothing else is learned yet.
    pub(super) fn changed(&mut self, config: &GateConfig, levels: &[f32]) -> &[bool] {
        let light = self.light(levels);
        let uneven = light.change() > LAMP && spread(&self.difference) > LEFT_BY_EXPOSURE;
        if uneven && self.since_lamp > LAMP_SECONDS {
            self.since_lamp = 0.0;
            self.take_over(light, levels);
            return &self.changed;
        }
        let noise = (SIGMA_OF_MEDIAN * spread(&self.difference)).min(MOST_NOISE);
        let least = (config.contrast as f32).max(ABOVE_TAIL * self.tail().min(LONGEST_TAIL));
        self.tolerate(config.deviations as f32, light, (noise, least));
        if light.change() > STEP_OF_LIGHT {
            self.mean.iter_mut().for_each(|mean| *mean = light.expected(*mean));
        }
        for (index, &level) in levels.iter().enumerate() {
            let beyond = self.difference[index].abs() > self.tolerance[index];
            self.changed[index] = beyond && self.stays_changed(config, index, level);
        }
        &self.changed
    }

    /// What light explains, and the differences that it leaves.
    fn light(&mut self, levels: &[f32]) -> Light {
        let light = self.fit.fit(&self.mean, levels);
        self.differ(light, levels);
        if light.change() <= LAMP || spread(&self.difference) <= LEFT_BY_LAMP * light.change() {
            return light;
        }
        // That is no lamp but another picture.
        let same = Light { gain: 1.0, offset: 0.0 };
        self.differ(same, levels);
        same
    }

    /// Takes this look for the background, but where something was a look ago: there the line has to do, or its ghost would stay.
    fn take_over(&mut self, light: Light, levels: &[f32]) {
        // How much brighter than the line says cells to the left became: a lamp is nearer to some than to others.
        let mut nearby = 1.0;
        for (index, mean) in self.mean.iter_mut().enumerate() {
            let expected = light.expected(*mean).max(1.0);
            let near = index.saturating_sub(STEP)..(index + STEP + 1).min(levels.len());
            let covered = self.changed[near].contains(&true);
            if covered {
                *mean = (expected * nearby).min(255.0);
            } else {
                nearby += 0.2 * ((levels[index] / expected).clamp(0.5, 2.0) - nearby);
                *mean = levels[index];
            }
        }
        self.changed.fill(false);
    }

    fn differ(&mut self, light: Light, levels: &[f32]) {
        for ((difference, level), mean) in self.difference.iter_mut().zip(levels).zip(&self.mean) {
            *difference = level - light.expected(*mean);
        }
    }

    /// The largest difference in each part of the picture, and of these the one that a quarter of the parts does not reach: rain and pumping are
    /// everywhere, an object is not.
    fn tail(&self) -> f32 {
        let rows = self.difference.len() / self.columns;
        let mut largest = Vec::with_capacity(PARTS * PARTS);
        let mut columns = vec![0.0_f32; self.columns];
        for part in 0..PARTS {
            columns.fill(0.0);
            let part = part * rows / PARTS * self.columns..(part + 1) * rows / PARTS * self.columns;
            for row in self.difference[part].chunks_exact(self.columns) {
                for (most, cell) in columns.iter_mut().zip(row) {
                    *most = if cell.abs() > *most { cell.abs() } else { *most };
                }
            }
            let across = |x: usize| &columns[x * self.columns / PARTS..(x + 1) * self.columns / PARTS];
            largest.extend((0..PARTS).map(|x| across(x).iter().copied().fold(0.0, f32::max)));
        }
        largest.sort_by(f32::total_cmp);
        largest[largest.len() / 4]
    }

    fn tolerate(&mut self, deviations: f32, light: Light, (noise, least): (f32, f32)) {
        let cells = self.tolerance.iter_mut().zip(&self.deviation).zip(&self.mean);
        for ((tolerance, deviation), mean) in cells {
            let sigma = (SIGMA_OF_MEAN * deviation).max(noise);
            let uneven = UNEVEN * (light.expected(*mean) - mean).abs();
            *tolerance = (deviations * sigma).max(least) + uneven;
        }
    }

    /// Of a cell that differs: whether neither clipping nor a shaking camera explains it.
    fn stays_changed(&self, config: &GateConfig, index: usize, level: f32) -> bool {
        let (mean, tolerance) = (self.mean[index], self.tolerance[index]);
        if (mean <= DARKEST && level <= DARKEST) || (mean >= BRIGHTEST && level >= BRIGHTEST) {
            return false;
        }
        let (row, column) = (index / self.columns, index % self.columns);
        let (mut least, mut most) = (mean, mean);
        for y in row.saturating_sub(1)..=(row + 1).min(self.mean.len() / self.columns - 1) {
            for x in column.saturating_sub(1)..=(column + 1).min(self.columns - 1) {
                let near = self.mean[y * self.columns + x];
                (least, most) = (least.min(near), most.max(near));
            }
        }
        let shake = config.shake as f32;
        level > mean + shake * (most - mean) + tolerance || level < mean - shake * (mean - least) - tolerance
    }

    /// Learns from the look that [`Self::changed`] has judged, `passed` seconds after the one before.
    pub(super) fn learn(&mut self, config: &GateConfig, levels: &[f32], passed: f64) {
        self.looks = self.looks.saturating_add(1);
        self.since_lamp += passed;
        if self.since_lamp <= passed {
            return;
        }
        // No exponential: the same on every machine, and right for any step of time.
        let follow = (passed / (config.adapt_seconds + passed)) as f32;
        let rate = follow.max(1.0 / self.looks as f32);
        // At first nobody knows what has changed, and the first look may be the odd one.
        let all = self.looks <= WARM_LOOKS;
        let cells = self.mean.iter_mut().zip(&mut self.deviation).zip(levels);
        let judged = self.changed.iter().zip(&self.difference).zip(&self.tolerance);
        for (((mean, deviation), level), ((changed, difference), tolerance)) in cells.zip(judged) {
            let changed = *changed && !all;
            let (towards, by) =
                if changed { (*tolerance, LEARNING_FROM_MOTION * follow) } else { (difference.abs(), rate) };
            *deviation += by * (towards - *deviation);
            *mean += if changed { 0.0 } else { rate * (level - *mean) };
        }
        self.settle(config, levels, passed as f32);
    }

    /// What has come and stands becomes background.
    fn settle(&mut self, config: &GateConfig, levels: &[f32], passed: f32) {
        for (index, newcomer) in self.newcomer.iter_mut().enumerate() {
            if !self.changed[index] {
                newcomer.1 = 0.0;
                continue;
            }
            let (standing, seconds) = *newcomer;
            let stands = seconds > 0.0 && (levels[index] - standing).abs() <= self.tolerance[index];
            *newcomer = if stands {
                (standing + 0.2 * (levels[index] - standing), seconds + passed)
            } else {
                (levels[index], f32::MIN_POSITIVE)
            };
            if f64::from(newcomer.1) >= config.settle_seconds {
                self.mean[index] = newcomer.0;
                newcomer.1 = 0.0;
            }
        }
    }
}
