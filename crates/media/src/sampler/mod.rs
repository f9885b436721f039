//! The sampler: decides from coded bytes, before decoding, which pictures are looked at (the slot rule, see
//! docs/design/sampling.md) and which access units the decoder needs for them. It owns undecided units until then; units
//! that no chosen picture needs never reach a decoder.
//!
//! Pure: no clock, no I/O. The same units give the same steps however they arrive.

mod held;
mod horizon;
mod loss;
mod rule;

use std::{collections::VecDeque, fmt, sync::Arc};

use ocelli_model::{SamplingPlan, TimeBase};

use crate::{
    AccessUnit,
    bitstream::{Access, CarriedSets, PictureInfo},
};
use held::Held;
use horizon::Horizon;
use loss::Loss;
use rule::{Choice, Rule};

/// Names this way of choosing in the analyzer version. Change it with any change of a choice.
pub const SAMPLER_VERSION: &str = "slots-1";

/// A longer step forwards than this many seconds starts a new run.
const LONGEST_GAP_SECONDS: i64 = 10;

/// Undecided units are fed early beyond this; the choice stays the same, only decoding that might have been
/// saved is not. Beyond four times as much, which only damaged streams reach, slots are decided early too.
const DEFAULT_HELD_BYTES: usize = 16 << 20;

/// What the sampler asks of the decoding side, in decode order.
#[derive(Debug)]
pub enum Step {
    /// A run starts; its slots count from `t0`.
    Run {
        /// Counts from 0 within one source.
        run: u32,
        /// PTS of the run's first decodable picture, normally a keyframe.
        t0: i64,
    },
    /// Decode this unit.
    Feed(Feed),
    /// A picture that was chosen and that nobody wants.
    Passed(Passed),
    /// Slots that closed without a picture.
    Empty {
        /// The first of them.
        first: i64,
        /// The last of them, not before the first.
        last: i64,
    },
    /// The run is over: drain the decoder.
    EndOfRun {
        /// Largest PTS of a picture that could be chosen.
        last_pts: i64,
    },
}

/// A unit that the decoder needs.
#[derive(Debug)]
pub struct Feed {
    /// To be decoded.
    pub unit: AccessUnit,
    /// What it is.
    pub info: PictureInfo,
    /// Drain and flush the decoder first: nothing before this unit is needed by what follows.
    pub fresh: bool,
    /// No unit of the run that is fed after this one is shown before this PTS; `None` where that is not known yet.
    pub floor: Option<i64>,
    /// Whether its picture was chosen, or only serves as a reference.
    pub chosen: Option<Chosen>,
}

/// A picture that won its slot and is not decoded for it: see [`Interest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Media time.
    pub pts: i64,
    /// Its slot; `None` where every picture is chosen.
    pub slot: Option<i64>,
    /// As in [`Feed::floor`].
    pub floor: Option<i64>,
}

/// Which chosen pictures anybody wants, such as those without a result so far. It selects among the choices and does
/// not change them. Pure as the sampler is: the same question has the same answer.
pub trait Interest: fmt::Debug + Send + Sync {
    /// Whether this choice of a run of the source is wanted.
    fn wants(&self, run: u32, slot: Option<i64>, pts: i64) -> bool;
}

/// A picture that won its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its slot; `None` where every picture is chosen.
    pub slot: Option<i64>,
}

/// Where a resumed run takes up its count: see [`Sampler::resume`].
#[derive(Clone, Copy, Debug)]
pub struct Resume {
    /// The run's t0, as it was stored.
    pub t0: i64,
    /// The first slot to report.
    pub first_slot: i64,
}

/// Media time that is of interest. It selects among the choices and does not change them: a picture is chosen
/// within a window if and only if it is chosen without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First PTS of interest.
    pub start: i64,
    /// First PTS that is not.
    pub end: i64,
}

impl Window {
    /// All of it.
    pub const ALL: Self = Self { start: i64::MIN, end: i64::MAX };
}

/// See the module page.
#[derive(Debug)]
pub struct Sampler {
    plan: SamplingPlan,
    base: TimeBase,
    held_bytes: usize,
    resume: Option<Resume>,
    window: Window,
    interest: Option<Arc<dyn Interest>>,
    /// Times that step are gaps in one run, not the ends of runs.
    unbroken: bool,
    run: Option<Run>,
    carried: CarriedSets,
    runs: u32,
    steps: VecDeque<Step>,
}

/// The state of one run.
#[derive(Debug)]
struct Run {
    rule: Rule,
    horizon: Horizon,
    held: Held,
    loss: Loss,
    /// Its number, once it started.
    number: u32,
    interest: Option<Arc<dyn Interest>>,
    /// A run that began at a recovery point: pictures still to come before one is right.
    recovering: u32,
    started: bool,
}

impl Sampler {
    /// A sampler for units whose times count in `base`.
    pub fn new(plan: SamplingPlan, base: TimeBase) -> Self {
        Self {
            plan,
            base,
            held_bytes: DEFAULT_HELD_BYTES,
            resume: None,
            window: Window::ALL,
            interest: None,
            unbroken: false,
            run: None,
            carried: CarriedSets::default(),
            runs: 0,
            steps: VecDeque::new(),
        }
    }

    /// Takes up a run in its middle: the first unit pushed must be at or before the second keyframe before the
    /// start of `first_slot`. Earlier slots are not reported.
    #[must_use]
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = Some(resume);
        self
    }

    /// All that comes is one run, as its recording says: where time steps something is missing.
    #[must_use]
    pub fn unbroken(mut self) -> Self {
        self.unbroken = true;
        self
    }

    /// Bounds the bytes of undecided units (16 MiB unless told).
    #[must_use]
    pub fn with_held_bytes(mut self, bytes: usize) -> Self {
        self.held_bytes = bytes;
        self
    }

    /// Reports only what lies in a window.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Passes over choices that nobody wants: they are told, and decoded only where others refer to them.
    #[must_use]
    pub fn with_interest(mut self, interest: Option<Arc<dyn Interest>>) -> Self {
        self.interest = interest;
        self
    }

    /// Whether nothing that is still to come can lie in the window.
    pub fn is_past_window(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.rule.is_past(self.window.end, run.horizon.floor()))
    }

    /// The number of the run in hand, from its first decodable picture on: the one that its [`Step::Run`] says, or will say.
    pub fn run(&self) -> Option<u32> {
        self.run.as_ref().map(|run| run.number)
    }

    /// Takes the next unit in decode order. Steps that follow are ready in [`Sampler::next_step`].
    pub fn push(&mut self, unit: AccessUnit, info: PictureInfo) {
        let breaks = |run: &Run| run.horizon.breaks(unit.pts, self.longest_gap());
        if !self.unbroken && self.run.as_ref().is_some_and(breaks) {
            self.finish();
        }
        if self.run.is_none() && !self.open_run(&info) {
            return self.pass_over(&unit);
        }
        let Some(run) = &mut self.run else { return };
        if let Access::Keyframe { .. } = info.access {
            run.recovering = 0;
        }
        run.horizon.push(unit.pts, info.reorder_depth);
        let decodable = run.recovering == 0;
        // H.264 counts `frame_num`, which only references advance.
        run.recovering = run.recovering.saturating_sub(u32::from(info.reference));
        if decodable && !run.started {
            run.started = true;
            let t0 = self.resume.take().map_or(unit.pts, |resume| run.rule.resume_at(resume));
            run.rule.start(t0, self.window);
            self.steps.push_back(Step::Run { run: self.runs, t0 });
            self.runs += 1;
        }
        let info = run.loss.carry(unit.pts, info);
        run.held.push(unit, info, run.horizon.floor());
        if let (true, Some(picture)) = (decodable, run.held.newest()) {
            run.rule.judge(picture);
        }
        run.rule.close_before(run.horizon.floor());
        run.settle(self.held_bytes, &mut self.carried, &mut self.steps);
    }

    /// A unit without a picture: its parameter sets go along with the next unit that is fed.
    pub fn pass_over(&mut self, unit: &AccessUnit) {
        self.carried.keep(unit);
    }

    /// The end of the source, or of the run: closes every slot.
    pub fn finish(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        run.rule.finish();
        run.held.end();
        run.settle(self.held_bytes, &mut self.carried, &mut self.steps);
        if run.started {
            self.steps.push_back(Step::EndOfRun { last_pts: run.rule.last_pts() });
        }
    }

    /// The next thing to do, in decode order.
    pub fn next_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Bytes of units that wait for a decision.
    pub fn held_bytes(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.held.bytes())
    }

    fn open_run(&mut self, info: &PictureInfo) -> bool {
        let recovering = match info.access {
            Access::None => return false,
            Access::Keyframe { .. } => 0,
            Access::Recovery { after } => after,
        };
        self.run = Some(Run {
            rule: Rule::new(self.plan, self.base),
            horizon: Horizon::default(),
            held: Held::default(),
            loss: Loss::default(),
            number: self.runs,
            interest: self.interest.clone(),
            recovering,
            started: false,
        });
        true
    }

    fn longest_gap(&self) -> i64 {
        LONGEST_GAP_SECONDS * i64::from(self.base.den()) / i64::from(self.base.num())
    }
}

impl Run {
    /// Carries the rule's decisions over to the held units and lets go of what is settled.
    fn settle(&mut self, held_bytes: usize, carried: &mut CarriedSets, steps: &mut VecDeque<Step>) {
        let empty = self.rule.take_empty().into_iter();
        steps.extend(empty.map(|slots| Step::Empty { first: *slots.start(), last: *slots.end() }));
        loop {
            for Choice { seq, pts, slot } in self.rule.take_choices() {
                let wanted = self.interest.as_ref().is_none_or(|of| of.wants(self.number, slot, pts));
                self.held.choose(seq, Chosen { slot }, wanted);
            }
            let emit = |step| steps.push_back(step);
            let stuck = self.held.release(&self.rule, self.horizon.floor(), held_bytes, carried, emit);
            let Some(seq) = stuck else { return };
            self.rule.decide_early(seq);
        }
    }
}

#[cfg(test)]
mod tests;
