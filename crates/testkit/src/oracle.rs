//! The slot rule of docs/design/sampling.md, slow and plain, and the packets that a decoder needs for its choice.
//!
//! Readings of the rule, where its words leave room:
//! - "Pictures are judged in decode order": "first" and "last" in (b) and (c) mean decode order too, and the three conditions have no
//!   rank: a reference picture taken by (b) keeps its slot from a keyframe decoded later.
//! - A keyframe is expected in `[centre, end)` when `last + (last - previous)` lies there, with the last two keyframes of the run, in
//!   decode order, before the picture being judged; it stays expected after its time has passed, until the slot closes.
//! - A step backwards is beyond the reorder depth when more than that many earlier pictures of the run have a greater PTS; a
//!   step forwards counts from the greatest PTS of the run so far, and 10 s exactly is no new run. Ignored pictures count for both. The
//!   picture after the step is the first of its run.
//! - A run without a keyframe has no decodable picture and yields nothing: whoever builds the list says what is a keyframe.
//! - The run's last PTS is its greatest, ignored pictures aside.
//! - `all`: every picture that is not ignored; its slot is its rank in PTS order.
//! - "The second keyframe before its start": of the keyframes with a PTS below the slot's start, the last but one in decode order;
//!   without two of them, the run's first.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use ocelli_model::{Rate, SamplingPlan, TimeBase};

mod needed;

pub use needed::needed_for;

/// Forward steps longer than this start a new run.
const LONGEST_STEP_S: i128 = 10;

/// What the rule looks at, in decode order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In ticks of the stream.
    pub pts: i64,
    /// Decoding can start here and everything shown later is whole.
    pub keyframe: bool,
    /// Others may lean on it.
    pub reference: bool,
    /// A leading picture that leans on nothing before its keyframe (H.265 RADL). Other leading pictures are known by their PTS.
    pub radl: bool,
}

/// A picture that is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// In ticks of the stream.
    pub pts: i64,
    /// Which slot it fills.
    pub slot: i64,
    /// Which picture it is, counted in decode order from the start of the list.
    pub index: usize,
}

/// What one run yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its pictures in the list, ignored ones included.
    pub pictures: Range<usize>,
    /// PTS of its first keyframe; `None` without one, and then nothing is due.
    pub t0: Option<i64>,
    /// In PTS order.
    pub chosen: Vec<Chosen>,
    /// Due slots without a picture, ascending.
    pub empty: Vec<i64>,
}

impl Run {
    /// Slots that are due: each yielded or is empty.
    pub fn due(&self) -> usize {
        self.chosen.len() + self.empty.len()
    }
}

/// The rule's answer for a whole stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// In decode order.
    pub runs: Vec<Run>,
    /// The pictures a decoder must be fed, counted in decode order from the start of the list.
    pub needed: BTreeSet<usize>,
}

impl Choice {
    /// PTS and slot of all runs, as listed there.
    pub fn chosen(&self) -> Vec<(i64, i64)> {
        self.runs.iter().flat_map(|run| &run.chosen).map(|chosen| (chosen.pts, chosen.slot)).collect()
    }
}

/// Exact time in slots since `t0`.
#[derive(Clone, Copy, Debug)]
struct Slots {
    t0: i64,
    num: i128,
    den: i128,
}

impl Slots {
    fn new(t0: i64, base: TimeBase, rate: Rate) -> Self {
        // A rate tells its parts only by printing them.
        let shown = rate.to_string();
        let (num, den) = shown.split_once('/').unwrap_or((&shown, "1"));
        let part = |digits: &str| digits.parse::<i128>().expect("a rate prints as a fraction");
        Self { t0, num: part(num) * i128::from(base.num()), den: part(den) * i128::from(base.den()) }
    }

    /// Twice the time since `t0` in slots, as a numerator over `den`.
    fn doubled(self, pts: i128) -> i128 {
        2 * (pts - i128::from(self.t0)) * self.num
    }

    /// `k` with `k - 1/2 <= time < k + 1/2`.
    fn of(self, pts: i64) -> i64 {
        (self.doubled(pts.into()) + self.den).div_euclid(2 * self.den) as i64
    }

    /// `centre <= time`.
    fn at_or_after_centre(self, pts: i128, slot: i64) -> bool {
        self.doubled(pts) >= 2 * i128::from(slot) * self.den
    }

    /// `time < start of slot`.
    fn before(self, pts: i128, slot: i64) -> bool {
        self.doubled(pts) < (2 * i128::from(slot) - 1) * self.den
    }
}

/// Decides the whole stream. `reorder_depth` is the largest number of pictures decoded before one and shown after it.
pub fn choose(pictures: &[Picture], base: TimeBase, plan: SamplingPlan, reorder_depth: usize) -> Choice {
    let runs = split(pictures, base, reorder_depth)
        .into_iter()
        .map(|range| decide(pictures, range, base, plan, None));
    let runs: Vec<Run> = runs.collect();
    let needed = runs.iter().flat_map(|run| needed::of(pictures, run)).collect();
    Choice { runs, needed }
}

/// Decides one run of which only the pictures in `range` are known, and `t0`. Slots whose start comes after the second keyframe of
/// the range are decided as if all were known; earlier ones may differ, and nothing is said of emptiness before the first
/// choice.
pub fn resume(pictures: &[Picture], range: Range<usize>, base: TimeBase, plan: SamplingPlan, t0: i64) -> Run {
    let mut run = decide(pictures, range, base, plan, Some(t0));
    let first = run.chosen.first().map_or(i64::MAX, |chosen| chosen.slot);
    run.empty.retain(|&slot| slot > first);
    run
}

/// The last picture from which `slot` of `run` may be decided afresh: the second keyframe before the slot's start.
pub fn permitted_start(
    pictures: &[Picture],
    run: &Run,
    base: TimeBase,
    rate: Rate,
    slot: i64,
) -> Option<usize> {
    let slots = Slots::new(run.t0?, base, rate);
    let keyframes: Vec<usize> = run.pictures.clone().filter(|&i| pictures[i].keyframe).collect();
    let before = keyframes.iter().filter(|&&i| slots.before(pictures[i].pts.into(), slot));
    before.rev().nth(1).or(keyframes.first()).copied()
}

/// The list cut into runs.
fn split(pictures: &[Picture], base: TimeBase, reorder_depth: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (i, picture) in pictures.iter().enumerate() {
        let run = &pictures[start..i];
        let backwards = run.iter().filter(|earlier| earlier.pts > picture.pts).count() > reorder_depth;
        let forwards = run.iter().map(|earlier| earlier.pts).max().is_some_and(|greatest| {
            let step = i128::from(picture.pts) - i128::from(greatest);
            step * i128::from(base.num()) > LONGEST_STEP_S * i128::from(base.den())
        });
        if backwards || forwards {
            runs.push(start..i);
            start = i;
        }
    }
    if start < pictures.len() {
        runs.push(start..pictures.len());
    }
    runs
}

fn decide(
    pictures: &[Picture],
    range: Range<usize>,
    base: TimeBase,
    plan: SamplingPlan,
    t0: Option<i64>,
) -> Run {
    let nothing = Run { pictures: range.clone(), t0, chosen: Vec::new(), empty: Vec::new() };
    let Some(first) = range.clone().find(|&i| pictures[i].keyframe) else { return nothing };
    let t0 = t0.unwrap_or(pictures[first].pts);
    let judged: Vec<usize> = (first..range.end).filter(|&i| pictures[i].pts >= t0).collect();
    let (chosen, empty) = match plan {
        SamplingPlan::All => (every(pictures, judged), Vec::new()),
        SamplingPlan::Rate(rate) => by_slot(pictures, &judged, first, Slots::new(t0, base, rate)),
    };
    Run { t0: Some(t0), chosen, empty, ..nothing }
}

fn every(pictures: &[Picture], mut judged: Vec<usize>) -> Vec<Chosen> {
    judged.sort_by_key(|&i| pictures[i].pts);
    judged.iter().zip(0..).map(|(&index, slot)| Chosen { pts: pictures[index].pts, slot, index }).collect()
}

fn by_slot(pictures: &[Picture], judged: &[usize], first: usize, slots: Slots) -> (Vec<Chosen>, Vec<i64>) {
    let mut in_slot: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for &i in judged {
        in_slot.entry(slots.of(pictures[i].pts)).or_default().push(i);
    }
    let chosen = in_slot.iter().map(|(&slot, members)| {
        let index = pick(pictures, members, first, slots, slot);
        Chosen { pts: pictures[index].pts, slot, index }
    });
    let last = judged.iter().map(|&i| pictures[i].pts).max();
    let due = |slot: &i64| {
        // The centre is not after the last PTS.
        last.is_some_and(|last| slots.at_or_after_centre(last.into(), *slot))
    };
    let empty = (0..).take_while(due).filter(|slot| !in_slot.contains_key(slot));
    (chosen.collect(), empty.collect())
}

/// The picture of a slot, from its members in decode order.
fn pick(pictures: &[Picture], members: &[usize], first: usize, slots: Slots, slot: i64) -> usize {
    let wins = |&&i: &&usize| {
        let from_centre = slots.at_or_after_centre(pictures[i].pts.into(), slot);
        pictures[i].keyframe
            || pictures[i].reference && from_centre && !keyframe_expected(&pictures[first..i], slots, slot)
    };
    let last_reference = || members.iter().rev().find(|&&i| pictures[i].reference);
    let picked = members.iter().find(wins).or_else(last_reference).or(members.last());
    *picked.expect("a slot is listed for its members")
}

/// Whether the keyframes in `seen` make one expected in `[centre, end)` of `slot`.
fn keyframe_expected(seen: &[Picture], slots: Slots, slot: i64) -> bool {
    let mut keyframes =
        seen.iter().rev().filter(|picture| picture.keyframe).map(|picture| i128::from(picture.pts));
    let (Some(last), Some(previous)) = (keyframes.next(), keyframes.next()) else { return false };
    let expected = last + (last - previous);
    slots.at_or_after_centre(expected, slot) && slots.before(expected, slot + 1)
}

#[cfg(test)]
mod tests;
