//! Light that changes everywhere at once: a lamp, a cloud, auto exposure, gain of the sensor. A straight line from old to new levels explains it, fitted
//! so that objects in less than half of the picture do not bend it.

/// Levels per group of cells that were equally bright.
const GROUP: f32 = 16.0;
const GROUPS: usize = 16;
/// Differences of -256 to 256 levels in steps of a half.
const STEPS: usize = 1024;
/// Every third cell is enough for a median. Grids are seldom a multiple of three wide, so that all columns count.
const STRIDE: usize = 3;
/// Groups nearer to each other than this tell too little of a slope, levels.
const LEAST_APART: f32 = 24.0;

/// A line less steep is no change of light, nor is one as much steeper: the picture is another.
const LEAST_GAIN: f32 = 0.4;

/// The change of light that a picture shows: `gain` and `offset` make the expected level of what was `level`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Light {
    pub(super) gain: f32,
    pub(super) offset: f32,
}

/// Cells that were equally bright.
#[derive(Clone, Copy, Debug)]
struct Group {
    level: f32,
    change: f32,
    weight: f32,
}

/// Fits, with memory that is used again.
#[derive(Clone, Debug)]
pub(super) struct LightFit {
    counts: Vec<[u16; STEPS]>,
    pairs: Vec<(f32, f32)>,
}

impl Default for LightFit {
    fn default() -> Self {
        Self { counts: vec![[0; STEPS]; GROUPS], pairs: Vec::new() }
    }
}

impl Light {
    pub(super) fn expected(self, level: f32) -> f32 {
        self.gain * level + self.offset
    }

    /// By how much a middle grey changes, levels.
    pub(super) fn change(self) -> f32 {
        (self.expected(128.0) - 128.0).abs().max((self.expected(32.0) - 32.0).abs())
    }
}

impl LightFit {
    /// The line from `before` to `now`, cell by cell.
    pub(super) fn fit(&mut self, before: &[f32], now: &[f32]) -> Light {
        let groups = self.groups(before, now);
        let offset = median(&mut self.pairs, groups.iter().map(|group| (group.change, group.weight)));
        // Medians are right to half a step; a slope is believed only where it explains more than that.
        if groups.iter().all(|group| (group.change - offset).abs() < 1.5) {
            return Light { gain: 1.0, offset };
        }
        let slopes = groups.iter().enumerate().flat_map(|(index, a)| {
            let apart = groups[..index].iter().filter(|b| (a.level - b.level).abs() >= LEAST_APART);
            apart.map(|b| ((a.change - b.change) / (a.level - b.level), a.weight * b.weight))
        });
        let slope = median(&mut self.pairs, slopes);
        if !(LEAST_GAIN..=1.0 / LEAST_GAIN).contains(&(1.0 + slope)) {
            return Light { gain: 1.0, offset: 0.0 };
        }
        let rest = groups.iter().map(|group| (group.change - slope * group.level, group.weight));
        Light { gain: 1.0 + slope, offset: median(&mut self.pairs, rest) }
    }

    /// Median change of each group that has a hundredth of the picture.
    fn groups(&mut self, before: &[f32], now: &[f32]) -> Vec<Group> {
        self.counts.iter_mut().for_each(|counts| counts.fill(0));
        let (mut totals, mut levels) = ([0_u16; GROUPS], [0.0_f32; GROUPS]);
        for (&before, &now) in before.iter().zip(now).step_by(STRIDE) {
            let group = ((before / GROUP) as usize).min(GROUPS - 1);
            let step = (((now - before) * 2.0 + (STEPS / 2) as f32 + 0.5) as usize).min(STEPS - 1);
            let count = &mut self.counts[group][step];
            *count = count.saturating_add(1);
            totals[group] = totals[group].saturating_add(1);
            levels[group] += before;
        }
        let least = before.len() / STRIDE / 100;
        let group = |index: usize| {
            let total = totals[index];
            let change = (middle(&self.counts[index], total) as f32 - (STEPS / 2) as f32) / 2.0;
            Group { level: levels[index] / f32::from(total), change, weight: total.into() }
        };
        (0..GROUPS).filter(|&index| usize::from(totals[index]) > least).map(group).collect()
    }
}

/// The bucket in which the middle of `total` falls.
fn middle(counts: &[u16], total: u16) -> usize {
    let mut sum = 0_u32;
    let reaches = |&count: &u16| {
        sum += u32::from(count);
        2 * sum > u32::from(total)
    };
    counts.iter().position(reaches).unwrap_or(0)
}

/// Weighted median; 0 of nothing.
fn median(pairs: &mut Vec<(f32, f32)>, values: impl Iterator<Item = (f32, f32)>) -> f32 {
    pairs.clear();
    pairs.extend(values);
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * pairs.iter().map(|(_, weight)| weight).sum::<f32>();
    let mut sum = 0.0;
    let reaches = |&&(_, weight): &&(f32, f32)| {
        sum += weight;
        sum >= half
    };
    pairs.iter().find(reaches).map_or(0.0, |&(value, _)| value)
}

/// Median of absolute differences, in steps of a quarter level up to 64.
pub(super) fn spread(differences: &[f32]) -> f32 {
    let mut counts = [0_u16; 256];
    let mut total = 0_u16;
    for difference in differences.iter().step_by(STRIDE) {
        let count = &mut counts[((difference.abs() * 4.0) as usize).min(255)];
        *count = count.saturating_add(1);
        total = total.saturating_add(1);
    }
    (middle(&counts, total) as f32 + 0.5) / 4.0
}
