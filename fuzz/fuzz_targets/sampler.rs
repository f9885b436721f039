//! Units of any kind at any time: what the sampler holds stays bounded, what it feeds can be decoded, and its slots add up.
//!
//! Input: four bytes (plan, time base, bytes to hold, window), then three bytes a unit (kind and reorder depth, time step, size).
#![no_main]

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocelli_media::{
    AccessUnit, Codec, CodecParameters,
    bitstream::{Access, Field, PictureInfo},
    sampler::{Sampler, Step, Window},
};
use ocelli_model::{SamplingPlan, SlotClock, TimeBase};

const PLANS: [&str; 8] = ["all", "1", "5", "0.1", "30", "30000/1001", "100000", "0.000001"];
const BASES: [(u32, u32); 6] = [(1, 1), (1, 30), (1, 1000), (1, 90_000), (1001, 30_000), (1, u32::MAX)];
const CAPS: [usize; 4] = [0, 300, 5_000, 1 << 20];
static BYTES: [u8; 4096] = [0; 4096];

/// Run, PTS, slot.
type Choice = (u32, i64, Option<i64>);

struct Unit {
    pts: i64,
    info: PictureInfo,
    presentable: bool,
    size: usize,
}

/// What was pushed, by place in decode order.
struct Pushed {
    pts: i64,
    info: PictureInfo,
    choosable: bool,
}

/// What is known of the run in hand.
struct Run {
    /// With a clock: of the run; `None` where every picture is chosen.
    clock: Option<SlotClock>,
    t0: i64,
    /// The first unit that is judged.
    first: usize,
    chosen: BTreeSet<i64>,
    empty: u64,
    /// Nothing fed from here on may be shown before this.
    floor: Option<i64>,
}

struct Check {
    plan: SamplingPlan,
    base: TimeBase,
    pushed: Vec<Pushed>,
    /// The newest unit fed.
    fed: Option<usize>,
    run: Option<Run>,
    window: Window,
    repeats: bool,
    /// The newest unit fed from which decoding can start.
    anchor: Option<usize>,
    all_chosen: Vec<Choice>,
    runs: u32,
}

impl Check {
    fn steps(&mut self, sampler: &mut Sampler, until: usize) {
        while let Some(step) = sampler.next_step() {
            if matches!(step, Step::EndOfRun { .. }) {
                self.end_of_run(until);
            }
            self.step(step);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Run { run, t0 } => {
                assert_eq!(run, self.runs, "runs count from 0");
                assert!(self.run.is_none(), "a run ends before the next one starts");
                self.runs += 1;
                let clock = match self.plan {
                    SamplingPlan::All => None,
                    SamplingPlan::Rate(rate) => Some(SlotClock::new(t0, self.base, rate)),
                };
                self.run = Some(Run {
                    clock,
                    t0,
                    first: self.pushed.len() - 1,
                    chosen: BTreeSet::new(),
                    empty: 0,
                    floor: None,
                });
            }
            Step::Empty { first, last } => {
                self.run.as_mut().expect("slots belong to a run").empty += last.abs_diff(first) + 1;
            }
            Step::EndOfRun { .. } => (self.run, self.anchor) = (None, None),
            Step::Feed(feed) => self.feed(&feed),
            Step::Passed(_) => unreachable!("everything is wanted"),
        }
    }

    fn feed(&mut self, feed: &ocelli_media::sampler::Feed) {
        let seq = feed.unit.dts.expect("units carry their place") as usize;
        assert!(self.fed.is_none_or(|fed| fed < seq), "decode order, once each");
        self.fed = Some(seq);
        let unit = &self.pushed[seq];
        assert_eq!((unit.pts, unit.info.access), (feed.unit.pts, feed.info.access));
        let random_access = unit.info.access != Access::None;
        assert!(!feed.fresh || random_access, "nothing else can be decoded afresh");
        if random_access && (feed.fresh || self.anchor.is_none()) {
            self.anchor = Some(seq);
        }
        assert!(self.anchor.is_some(), "decoding starts at a keyframe or a recovery point");
        assert!(unit.info.reference || random_access || feed.chosen.is_some(), "serves nobody");
        if let Some(run) = &mut self.run {
            assert!(run.floor.is_none_or(|floor| floor <= unit.pts), "shown before what cannot follow");
            run.floor = run.floor.max(feed.floor);
        }
        let Some(chosen) = feed.chosen else { return };
        // A run that starts at a recovery point is fed before its first picture is right, and only then opens.
        let run = self.run.as_mut().expect("pictures are chosen within a run");
        assert!(unit.choosable && unit.pts >= run.t0);
        assert!((self.window.start..self.window.end).contains(&unit.pts));
        assert_eq!(chosen.slot, run.clock.map(|clock| clock.slot(unit.pts)), "lies in its slot");
        assert!(chosen.slot.is_none_or(|slot| run.chosen.insert(slot)), "one picture a slot");
        self.all_chosen.push((self.runs - 1, unit.pts, chosen.slot));
    }

    /// Due are the slots whose centre is not after the last PTS, and any that yielded.
    fn end_of_run(&self, until: usize) {
        // A window hides choices, and with them the sum.
        if let Some(run) = &self.run
            && let Some(clock) = run.clock
            && self.window == Window::ALL
            // Which of two pictures at the same time counts is not followed here.
            && !self.repeats
        {
            let seen = self.pushed[run.first..until].iter();
            let last = seen.filter(|unit| unit.choosable && unit.pts >= run.t0).map(|unit| unit.pts).max();
            let due = last.map_or(0, |last| clock.last_centre(last) + 1);
            let beyond = run.chosen.range(due..).count() as i64;
            assert_eq!(run.chosen.len() as i64 + run.empty as i64, due + beyond, "slots add up");
        }
    }
}

fn unit(&[kind, time, size]: &[u8; 3], pts: &mut i64) -> Unit {
    // No window includes the very last tick there is.
    *pts = pts.saturating_add(step(time)).min(i64::MAX - 1);
    let depth = u32::from(kind >> 4) % 5;
    let access = match kind % 8 {
        0 => Access::Keyframe { leading: false },
        1 => Access::Keyframe { leading: true },
        2 => Access::Recovery { after: u32::from(kind >> 4) },
        _ => Access::None,
    };
    let info = PictureInfo {
        access,
        reference: kind % 8 != 3,
        skipped_after_random_access: false,
        reorder_depth: depth,
        references_lost: kind % 8 == 6,
        shown: kind % 8 != 4,
        field: Field::Whole,
    };
    Unit { pts: *pts, info, presentable: kind % 8 != 5, size: usize::from(size) * 16 }
}

fn step(time: u8) -> i64 {
    match time {
        0..=199 => i64::from(time) - 50,
        200..=249 => (i64::from(time) - 200) * 997,
        250 => i64::MAX,
        251 => i64::MIN,
        _ => 11 * 90_000,
    }
}

fn sample(plan: SamplingPlan, base: TimeBase, cap: usize, window: Window, units: &[Unit]) -> Vec<Choice> {
    let mut sampler = Sampler::new(plan, base).with_held_bytes(cap).with_window(window);
    let parameters = Arc::new(CodecParameters::new(Codec::H264, Bytes::new(), base));
    let mut check = Check {
        plan,
        base,
        window,
        repeats: units.iter().map(|unit| unit.pts).collect::<BTreeSet<_>>().len() < units.len(),
        pushed: Vec::new(),
        fed: None,
        anchor: None,
        run: None,
        all_chosen: Vec::new(),
        runs: 0,
    };
    let mut largest = 0;
    for (seq, unit) in units.iter().enumerate() {
        let data = Bytes::from_static(&BYTES[..unit.size]);
        largest = largest.max(unit.size);
        check.pushed.push(Pushed {
            pts: unit.pts,
            info: unit.info,
            choosable: unit.presentable && unit.info.shown,
        });
        let parameters = Arc::clone(&parameters);
        let (dts, presentable) = (Some(seq as i64), unit.presentable);
        let mut access = AccessUnit::new(unit.pts, data, parameters);
        (access.dts, access.presentable) = (dts, presentable);
        sampler.push(access, unit.info);
        // The unit just pushed may be the first of the next run.
        check.steps(&mut sampler, seq);
        assert!(sampler.held_bytes() <= 4 * cap + largest, "{} bytes held", sampler.held_bytes());
    }
    sampler.finish();
    check.steps(&mut sampler, units.len());
    assert!(check.run.is_none() && sampler.held_bytes() == 0);
    check.all_chosen
}

fuzz_target!(|data: &[u8]| {
    let Some((&[plan, base, cap, window], units)) = data.split_first_chunk() else { return };
    let plan: SamplingPlan = PLANS[usize::from(plan) % PLANS.len()].parse().expect("a plan");
    let (num, den) = BASES[usize::from(base) % BASES.len()];
    let base = TimeBase::new(num, den).expect("a time base");
    let cap = CAPS[usize::from(cap) % CAPS.len()];
    let mut pts = 0_i64;
    let units: Vec<Unit> = units.as_chunks::<3>().0.iter().map(|bytes| unit(bytes, &mut pts)).collect();
    let whole = sample(plan, base, cap, Window::ALL, &units);
    if window == 0 || units.is_empty() {
        assert_eq!(whole, sample(plan, base, cap, Window::ALL, &units), "the same units, the same choice");
        return;
    }
    let bound = |at: usize| units[at % units.len()].pts;
    let window = Window { start: bound(usize::from(window)), end: bound(usize::from(window) * 7) };
    // Where room is short, slots are decided early, and a window leaves more room.
    let room = 1 << 20;
    let mut inside = sample(plan, base, room, Window::ALL, &units);
    inside.retain(|(_, pts, _)| (window.start..window.end).contains(pts));
    assert_eq!(inside, sample(plan, base, room, window, &units), "a window selects and changes nothing");
});
