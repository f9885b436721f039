//! From units to steps for the decoding side.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use ocelli_ingest::WallAnchor;
use ocelli_media::{AccessUnit, AudioUnit, sampler::Step};
use ocelli_model::TimeBase;

use super::{anchors::Thinned, coded::Coded, flow::Flow, now, tape::Tape};
use crate::choosing::Choosing;

/// Arrivals remembered of units that wait in the sampler.
const MOST_ARRIVALS: usize = 4096;

/// The sampler's steps on their way to the decoder, with the arrival of each unit.
pub(super) struct Planning<'a> {
    choosing: Choosing,
    flow: &'a Arc<Flow>,
    arrivals: BTreeMap<i64, Instant>,
    /// Chosen pictures and empty slots of the run so far.
    due: u64,
    runs: u64,
    whole: bool,
    anchors: Thinned,
    /// Where what comes is recorded, before anything is decided of it.
    tape: Option<Tape>,
}

impl<'a> Planning<'a> {
    pub(super) fn new(choosing: Choosing, flow: &'a Arc<Flow>, tape: Option<Tape>) -> Self {
        Self {
            choosing,
            flow,
            arrivals: BTreeMap::new(),
            due: 0,
            runs: 0,
            whole: true,
            anchors: Thinned::default(),
            tape,
        }
    }

    pub(super) fn push(&mut self, unit: AccessUnit, arrived: Instant) {
        let (arrivals, tape) = (&mut self.arrivals, &mut self.tape);
        self.choosing.push(unit, |whole| {
            if let Some(tape) = tape {
                tape.unit(&whole);
            }
            if arrivals.len() >= MOST_ARRIVALS {
                arrivals.pop_first();
            }
            arrivals.insert(whole.unit.pts, arrived);
        });
        self.plan(arrived);
    }

    /// What the sender says of its clock goes the same way as its pictures: it belongs to the run in hand there.
    pub(super) fn anchor(&mut self, anchor: Option<WallAnchor>, base: TimeBase) {
        if let Some(anchor) = anchor
            && self.runs > 0
            && self.anchors.keeps(anchor, base)
        {
            let at = now();
            self.flow.plan(Coded::Anchor(anchor), at, at);
        }
    }

    /// Sound is recorded, and not looked at so far.
    pub(super) fn sound(&mut self, unit: AudioUnit) {
        if let Some(tape) = &mut self.tape {
            tape.sound(unit);
        }
    }

    /// For how many ticks after the last unit a recording needs none; 0 without one.
    pub(super) fn rest(&self) -> i64 {
        self.tape.as_ref().map_or(0, Tape::rest)
    }

    /// Whether anything was chosen of the source since the last end.
    pub(super) fn has_run(&self) -> bool {
        self.runs > 0
    }

    /// Nothing more of this run comes; `whole` where that is its own end.
    pub(super) fn end_run(&mut self, whole: bool) {
        self.whole = whole;
        let tape = &mut self.tape;
        self.choosing.finish(|whole| {
            if let Some(tape) = tape {
                tape.unit(&whole);
            }
        });
        self.end_tape();
        self.plan(now());
        self.runs = 0;
        self.whole = true;
        self.arrivals.clear();
    }

    /// Nothing more of this run is recorded; what is open for analyzers stays open.
    pub(super) fn end_tape(&mut self) {
        if let Some(tape) = &mut self.tape {
            tape.end_run();
        }
    }

    pub(super) fn end(&self) {
        let at = now();
        self.flow.plan(Coded::End, at, at);
    }

    fn plan(&mut self, at: Instant) {
        while let Some(step) = self.choosing.next_step() {
            let mut arrived = at;
            let coded = match step {
                Step::EndOfRun { last_pts } => {
                    // The PTS of the next run may be any; what comes now is its own.
                    self.arrivals.retain(|_, arrived| *arrived >= at);
                    self.anchors = Thinned::default();
                    Coded::RunEnd { last_pts, due: std::mem::take(&mut self.due), whole: self.whole }
                }
                step => {
                    match &step {
                        Step::Run { .. } => self.runs += 1,
                        Step::Empty { first, last } => self.due += last.abs_diff(*first) + 1,
                        Step::Passed(_) => self.due += 1,
                        Step::Feed(feed) => {
                            self.due += u64::from(feed.chosen.is_some());
                            arrived = self.arrivals.remove(&feed.unit.pts).unwrap_or(at);
                        }
                        Step::EndOfRun { .. } => {}
                    }
                    Coded::Step(step)
                }
            };
            self.flow.plan(coded, at, arrived);
        }
    }
}
