//! Changed cells that touch each other, and which of them are there again in the next look.

use super::config::GateConfig;

/// Of more, the first are followed: the gate is open then anyway.
const MAX_CLUSTERS: usize = 256;
/// Seconds over which chance clusters are counted.
const CHANCE_SECONDS: f64 = 10.0;
/// How often chance alone may open the gate, per look.
const BY_CHANCE: f64 = 1e-4;
/// Where as many looks in a row are not enough, only size counts.
const LONGEST_CHAIN: u32 = 12;
/// How far a cluster may move from one look to the next: so many cells, and so many of its own sizes a second.
const REACH: f64 = 2.0;
const SPEED: f64 = 4.0;
/// A long time between looks makes no cluster reach farther than this many of its sizes.
const FARTHEST: f64 = 4.0;
/// A cluster is surely no speckle when it is this much larger than the largest of them.
const ABOVE_SPECKLE: f64 = 1.5;
/// Speckle is never thought larger than this share of the picture.
const LARGEST_SPECKLE: f64 = 0.05;

/// Cells that touch each other, corners included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) cells: usize,
    /// Columns and rows, both ends included.
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    /// Looks in a row that showed it or something near it.
    chain: u32,
}

/// Tells things that move from speckle: rain, snow, insects at a lamp, sparks of noise. Speckle comes and goes from look to look, so that a cluster
/// is followed through as many looks as chance would not.
#[derive(Clone, Debug, Default)]
pub(super) struct Clusters {
    now: Vec<Cluster>,
    before: Vec<Cluster>,
    /// Clusters per look that may be speckle.
    chance: f64,
    /// Cells of the largest cluster of late that one look only has shown.
    speckle: f64,
    pending: Vec<usize>,
    visited: Vec<bool>,
}

impl Clusters {
    /// Forgets what was seen.
    pub(super) fn begin(&mut self) {
        self.now.clear();
    }

    /// Cells that move, 0 if none do. `passed` is the time since the look before.
    pub(super) fn moving(
        &mut self,
        config: &GateConfig,
        (columns, changed): (usize, &[bool]),
        passed: f64,
    ) -> usize {
        std::mem::swap(&mut self.before, &mut self.now);
        self.find(columns, changed, config.least_cells as usize);
        let reach = (SPEED * passed).min(FARTHEST);
        self.chain(reach);
        let needed = self.chain_needed(reach, changed.len());
        let at_once = f64::from(config.at_once_cells).max(ABOVE_SPECKLE * self.speckle);
        let moves = |cluster: &&Cluster| cluster.chain >= needed || cluster.cells as f64 >= at_once;
        let moving = self.now.iter().filter(moves).map(|cluster| cluster.cells).sum();
        // Those that have been followed for long count as well: else chance would vanish by opening the gate.
        let chance = self.now.iter().filter(|cluster| (cluster.cells as f64) < at_once).count();
        self.learn_speckle((passed, reach), chance, changed.len());
        moving
    }

    fn find(&mut self, columns: usize, changed: &[bool], least: usize) {
        self.now.clear();
        self.visited.clear();
        self.visited.resize(changed.len(), false);
        for start in 0..changed.len() {
            if !changed[start] || self.visited[start] {
                continue;
            }
            let cluster = self.fill(columns, changed, start);
            if cluster.cells >= least && self.now.len() < MAX_CLUSTERS {
                self.now.push(cluster);
            }
        }
    }

    fn fill(&mut self, columns: usize, changed: &[bool], start: usize) -> Cluster {
        let (row, column) = (start / columns, start % columns);
        let mut cluster = Cluster { cells: 0, left: column, right: column, top: row, bottom: row, chain: 1 };
        let rows = changed.len() / columns;
        self.visited[start] = true;
        self.pending.push(start);
        while let Some(index) = self.pending.pop() {
            let (row, column) = (index / columns, index % columns);
            cluster.cells += 1;
            (cluster.left, cluster.right) = (cluster.left.min(column), cluster.right.max(column));
            (cluster.top, cluster.bottom) = (cluster.top.min(row), cluster.bottom.max(row));
            for y in row.saturating_sub(1)..=(row + 1).min(rows - 1) {
                for x in column.saturating_sub(1)..=(column + 1).min(columns - 1) {
                    let near = y * columns + x;
                    if changed[near] && !self.visited[near] {
                        self.visited[near] = true;
                        self.pending.push(near);
                    }
                }
            }
        }
        cluster
    }

    fn chain(&mut self, reach: f64) {
        for cluster in &mut self.now {
            let near = self.before.iter().filter(|before| cluster.may_be(before, reach));
            cluster.chain = 1 + near.map(|before| before.chain).max().unwrap_or(0);
        }
    }

    /// Looks in a row that chance clusters, as many and as large as those of late, reach less often than [`BY_CHANCE`].
    fn chain_needed(&self, reach: f64, cells: usize) -> u32 {
        let area = |cluster: &Cluster| {
            let side = 2.0 * (cluster.reach(reach) + cluster.size() as f64) + 1.0;
            side * side
        };
        let areas: f64 = self.now.iter().map(area).sum();
        // A shower begins faster than a mean can follow.
        let chance = self.chance.max(self.now.len().saturating_sub(1) as f64);
        let near = chance * areas / (self.now.len().max(1) * cells) as f64;
        let mut expected = chance * near;
        let mut needed = 2;
        while expected > BY_CHANCE {
            if needed == LONGEST_CHAIN {
                return u32::MAX;
            }
            expected *= near;
            needed += 1;
        }
        needed
    }

    fn learn_speckle(&mut self, (passed, reach): (f64, f64), chance: usize, cells: usize) {
        self.chance += passed / (CHANCE_SECONDS + passed) * (chance as f64 - self.chance);
        self.speckle -= passed / (CHANCE_SECONDS + passed) * self.speckle;
        let gone =
            |before: &&Cluster| before.chain == 1 && !self.now.iter().any(|now| now.may_be(before, reach));
        let largest = self.before.iter().filter(gone).map(|before| before.cells).max().unwrap_or(0);
        self.speckle = self.speckle.max((largest as f64).min(LARGEST_SPECKLE * cells as f64));
    }
}

impl Cluster {
    /// The longer side of the box around it, less one cell.
    fn size(&self) -> usize {
        (self.right - self.left).max(self.bottom - self.top)
    }

    /// Cells that it may have moved, `sizes` of its own and a few more.
    fn reach(&self, sizes: f64) -> f64 {
        REACH + sizes * self.size() as f64
    }

    /// Whether it lies where `before` may have come to.
    fn may_be(&self, before: &Self, sizes: f64) -> bool {
        let reach = self.reach(sizes) as usize;
        self.left <= before.right + reach
            && before.left <= self.right + reach
            && self.top <= before.bottom + reach
            && before.top <= self.bottom + reach
    }
}
