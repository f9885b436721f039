//! The slot rule: which picture wins which slot. Knows times and kinds, no bytes.

use std::{collections::BTreeMap, ops::RangeInclusive};

use ocelli_model::{Rate, SamplingPlan, SlotClock, TimeBase};

use super::{Resume, Window};

/// What the rule sees of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    /// Its place in decode order.
    pub(super) seq: u64,
    pub(super) pts: i64,
    pub(super) keyframe: bool,
    pub(super) reference: bool,
    /// False for keyframes that only carry the GOP length.
    pub(super) choosable: bool,
}

/// A picture that won.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) seq: u64,
    pub(super) pts: i64,
    pub(super) slot: Option<i64>,
}

/// A slot that may still receive pictures.
#[derive(Debug, Default)]
struct Open {
    won: bool,
    /// Newest in decode order.
    last_reference: Option<Candidate>,
    /// Newest in decode order, reference or not.
    last: Option<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    seq: u64,
    pts: i64,
}

impl Open {
    /// Who wins if the slot closes now.
    fn candidate(&self) -> Option<Candidate> {
        if self.won { None } else { self.last_reference.or(self.last) }
    }
}

#[derive(Debug)]
pub(super) struct Rule {
    base: TimeBase,
    /// `None`: every picture.
    rate: Option<Rate>,
    clock: Option<SlotClock>,
    t0: i64,
    last_pts: Option<i64>,
    last_key: Option<i64>,
    gop: Option<i64>,
    open: BTreeMap<i64, Open>,
    window: Window,
    /// Slots before this one are closed.
    first_open: i64,
    choices: Vec<Choice>,
    empty: Vec<RangeInclusive<i64>>,
}

impl Rule {
    pub(super) fn new(plan: SamplingPlan, base: TimeBase) -> Self {
        let rate = match plan {
            SamplingPlan::All => None,
            SamplingPlan::Rate(rate) => Some(rate),
        };
        Self {
            base,
            rate,
            clock: None,
            t0: 0,
            last_pts: None,
            last_key: None,
            gop: None,
            open: BTreeMap::new(),
            window: Window::ALL,
            first_open: 0,
            choices: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// Slots before `resume.first_slot` count as closed. Returns the stored t0.
    pub(super) fn resume_at(&mut self, resume: Resume) -> i64 {
        self.first_open = resume.first_slot;
        resume.t0
    }

    pub(super) fn start(&mut self, t0: i64, window: Window) {
        self.t0 = t0;
        self.window = window;
        self.clock = self.rate.map(|rate| SlotClock::new(t0, self.base, rate));
        if let Some(clock) = self.clock {
            // The slot that `start` lies in may still be won by a picture of the window.
            self.first_open = self.first_open.max(clock.slot(window.start.max(t0)));
        }
    }

    /// Whether every picture before `end` is decided.
    pub(super) fn is_past(&self, end: i64, floor: Option<i64>) -> bool {
        let Some(floor) = floor else { return false };
        self.clock.map_or(floor >= end, |clock| clock.slot(floor) > clock.slot(end))
    }

    /// Judges a picture in decode order. Pictures shown before t0 are ignored.
    pub(super) fn judge(&mut self, picture: Picture) {
        if picture.pts < self.t0 {
            return;
        }
        let expected = self.expected_keyframe();
        if picture.keyframe {
            self.gop = self.last_key.map(|last| picture.pts - last);
            self.last_key = Some(picture.pts);
        }
        if !picture.choosable {
            return;
        }
        self.last_pts = self.last_pts.max(Some(picture.pts));
        let Some(clock) = self.clock else {
            self.choose(picture.seq, picture.pts, None);
            return;
        };
        let slot = clock.slot(picture.pts);
        if slot < self.first_open {
            return;
        }
        let open = self.open.entry(slot).or_default();
        if open.won {
            return;
        }
        let keyframe_comes =
            expected.is_some_and(|pts| clock.slot(pts) == slot && clock.reaches_centre(pts, slot));
        let centred = picture.reference && clock.reaches_centre(picture.pts, slot) && !keyframe_comes;
        if picture.keyframe || centred {
            open.won = true;
            self.choose(picture.seq, picture.pts, Some(slot));
        } else {
            let candidate = Some(Candidate { seq: picture.seq, pts: picture.pts });
            open.last = candidate;
            if picture.reference {
                open.last_reference = candidate;
            }
        }
    }

    /// Closes every slot that ends at or before `floor`: no picture of it is still to come. Slots after the last PTS
    /// stay open, for they are due only if a picture follows: pictures that cannot be chosen may have moved the floor.
    pub(super) fn close_before(&mut self, floor: Option<i64>) {
        if let (Some(clock), Some(floor), Some(last_pts)) = (self.clock, floor, self.last_pts) {
            self.close_until(clock.slot(floor.min(last_pts)));
        }
    }

    /// The end of the run. Due are the slots whose centre is not after the last PTS, and any that yield.
    pub(super) fn finish(&mut self) {
        let (Some(clock), Some(last_pts)) = (self.clock, self.last_pts) else { return };
        self.close_until(clock.last_centre(last_pts).saturating_add(1));
        let beyond = self.open.keys().next_back().map_or(self.first_open, |slot| slot.saturating_add(1));
        let empty = std::mem::take(&mut self.empty);
        self.close_until(beyond);
        self.empty = empty;
    }

    /// Largest PTS judged; t0 where there is none.
    pub(super) fn last_pts(&self) -> i64 {
        self.last_pts.unwrap_or(self.t0)
    }

    /// Winners since the last call.
    pub(super) fn take_choices(&mut self) -> Vec<Choice> {
        std::mem::take(&mut self.choices)
    }

    /// Slots that closed without a picture since the last call, in order.
    pub(super) fn take_empty(&mut self) -> Vec<RangeInclusive<i64>> {
        std::mem::take(&mut self.empty)
    }

    /// Pictures that would win if their slot closed now, by place in decode order.
    pub(super) fn candidates(&self) -> impl Iterator<Item = u64> + '_ {
        self.open.values().filter_map(Open::candidate).map(|candidate| candidate.seq)
    }

    /// Lets a candidate win although its slot may still receive pictures.
    pub(super) fn decide_early(&mut self, seq: u64) {
        let slots = self.open.iter_mut();
        let mut theirs = slots.filter(|(_, open)| open.candidate().is_some_and(|found| found.seq == seq));
        if let Some((&slot, open)) = theirs.next()
            && let Some(Candidate { seq, pts }) = open.candidate()
        {
            open.won = true;
            self.choose(seq, pts, Some(slot));
        }
    }

    fn choose(&mut self, seq: u64, pts: i64, slot: Option<i64>) {
        if (self.window.start..self.window.end).contains(&pts) {
            self.choices.push(Choice { seq, pts, slot });
        }
    }

    /// The first slot that lies wholly after the window.
    fn end_of_interest(&self) -> i64 {
        let last = self.window.end.saturating_sub(1);
        match self.clock {
            Some(clock) if self.window.end < i64::MAX => clock.slot(last).saturating_add(1),
            _ => i64::MAX,
        }
    }

    fn expected_keyframe(&self) -> Option<i64> {
        self.last_key.zip(self.gop).map(|(last, gop)| last.saturating_add(gop))
    }

    fn close_until(&mut self, end: i64) {
        if end <= self.first_open {
            return;
        }
        let later = self.open.split_off(&end);
        let closing = std::mem::replace(&mut self.open, later);
        // Slots after the window are nobody's concern: neither due nor empty.
        let counted_end = end.min(self.end_of_interest());
        let mut next = self.first_open;
        for (slot, open) in closing {
            if let Some(Candidate { seq, pts }) = open.candidate() {
                self.choose(seq, pts, Some(slot));
            }
            if slot < counted_end && (open.won || open.last.is_some()) {
                self.note_empty(next, slot);
                next = slot.saturating_add(1);
            }
        }
        self.note_empty(next, counted_end);
        self.first_open = end;
    }

    /// Slots from `first` to before `end` closed without a picture.
    fn note_empty(&mut self, first: i64, end: i64) {
        if first < end {
            self.empty.push(first..=end - 1);
        }
    }
}
