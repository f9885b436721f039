//! What the writer remembers, so that the usual entry, the next one, needs no look at the database. There is one writer
//! only, and this is thrown away whenever a transaction is undone: it never differs from what is stored.

use std::{collections::HashMap, sync::Arc};

use ocelli_model::SamplingPlan;

use crate::{DerivationId, LedgerClock, LedgerId, SeriesId, embedded::window::Window};

/// Bounds of each map; beyond, it starts anew.
const LABELS: usize = 1 << 16;
const LEDGERS: usize = 1 << 12;
const WINDOWS: usize = 1 << 10;
const FRAMES: usize = 1 << 12;

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) labels: HashMap<Arc<str>, i64>,
    pub(super) ledgers: HashMap<LedgerId, Ledger>,
    pub(super) owners: HashMap<DerivationId, LedgerId>,
    /// Greatest PTS of a series' results; `None`: it has none.
    pub(super) newest: HashMap<SeriesId, Option<i64>>,
    pub(super) windows: HashMap<(LedgerId, i64), Window>,
    /// Results that this writer wrote lately.
    pub(super) frames: HashMap<(SeriesId, i64), Frame>,
}

#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) series: SeriesId,
    pub(super) plan: SamplingPlan,
    pub(super) clock: LedgerClock,
    /// What is before is gone, and nothing comes to it.
    pub(super) kept_window: i64,
    /// See `kept_window`.
    pub(super) kept_pts: i64,
    /// Greatest window with a line.
    pub(super) newest_window: Option<i64>,
    /// With how far their tracks follow the results.
    pub(super) derivations: Vec<(DerivationId, Option<i64>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Who brought it.
    pub(super) ledger: LedgerId,
    /// Label and confidence of each detection.
    pub(super) detections: Vec<(i64, f32)>,
}

impl Memory {
    /// Called between transactions only: within one, `frames` and `windows` hold what is not written yet.
    pub(super) fn make_room(&mut self) {
        fn bound<K, V>(map: &mut HashMap<K, V>, most: usize) {
            if map.len() > most {
                map.clear();
            }
        }
        bound(&mut self.labels, LABELS);
        bound(&mut self.ledgers, LEDGERS);
        bound(&mut self.owners, LEDGERS);
        bound(&mut self.newest, LEDGERS);
        bound(&mut self.windows, WINDOWS);
        bound(&mut self.frames, FRAMES);
    }
}
