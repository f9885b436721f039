//! Units that wait: until their slot is decided, or until it is known whether a chosen picture needs them.

use std::collections::VecDeque;

use super::{
    Chosen, Feed, Passed, Step,
    rule::{Picture, Rule},
};
use crate::{
    AccessUnit,
    bitstream::{Access, CarriedSets, PictureInfo},
};

/// PTS values remembered to refuse a second picture at the same time: two could not be told apart.
const RECENT: usize = 64;

/// Times the cap beyond which a slot is decided before it closes. Whole streams stay far below: what waits behind a
/// candidate is at most what their reordering spans.
const HARD_LIMIT: usize = 4;

/// A place in the stream where decoding can start.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    seq: u64,
    pts: i64,
    /// Pictures after it may be shown before it and need what came before it.
    leading: bool,
}

#[derive(Debug)]
struct Waiting {
    seq: u64,
    unit: AccessUnit,
    info: PictureInfo,
    /// When it was pushed: of what follows it.
    floor: Option<i64>,
    chosen: Option<Chosen>,
    /// Chosen, but nobody wants it.
    passed: Option<Chosen>,
    /// The anchor it is decoded from, or itself.
    anchor: Anchor,
    /// The anchor before that one.
    previous: Option<u64>,
    choosable: bool,
}

impl Waiting {
    fn is_keyframe(&self) -> bool {
        matches!(self.info.access, Access::Keyframe { .. })
    }

    fn is_anchor(&self) -> bool {
        self.seq == self.anchor.seq
    }

    fn passed(&self) -> Option<Step> {
        let Chosen { slot } = self.passed?;
        Some(Step::Passed(Passed { pts: self.unit.pts, slot, floor: self.floor }))
    }

    /// Shown before the keyframe it follows in decode order.
    fn is_leading(&self) -> bool {
        self.unit.pts < self.anchor.pts
    }

    /// Whether `wanted`, later in decode order, cannot be decoded without this unit. Trailing pictures never use
    /// leading ones (H.265 8.3.2; H.264 D.2.8 by the meaning of a recovery point).
    fn serves(&self, wanted: &Self) -> bool {
        if self.seq == wanted.seq || !(self.info.reference || self.is_anchor()) {
            return false;
        }
        if self.seq >= wanted.anchor.seq {
            return !self.is_leading() || wanted.is_leading();
        }
        let crosses = wanted.is_leading() && wanted.anchor.leading;
        crosses && wanted.previous.is_some_and(|previous| self.seq >= previous) && !self.is_leading()
    }
}

#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<Waiting>,
    next_seq: u64,
    bytes: usize,
    chosen: usize,
    anchor: Option<Anchor>,
    previous: Option<u64>,
    recent: VecDeque<i64>,
    /// Not references: of no use once they lost their slot.
    idle: Vec<u64>,
    ended: bool,
}

impl Held {
    pub(super) fn push(&mut self, unit: AccessUnit, info: PictureInfo, floor: Option<i64>) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let starts = match info.access {
            Access::Keyframe { leading } => Some(leading),
            Access::Recovery { .. } if self.anchor.is_none() => Some(false),
            Access::Recovery { .. } | Access::None => None,
        };
        let anchor = match (starts, self.anchor) {
            (None, Some(anchor)) => anchor,
            (leading, before) => {
                self.previous = before.map(|anchor| anchor.seq);
                Anchor { seq, pts: unit.pts, leading: leading.unwrap_or(false) }
            }
        };
        self.anchor = Some(anchor);
        let shown = unit.presentable && info.shown;
        let choosable = shown && !self.recent.contains(&unit.pts);
        if shown {
            self.recent.push_back(unit.pts);
        }
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.bytes += unit.data.len();
        if !info.reference && seq != anchor.seq {
            self.idle.push(seq);
        }
        let previous = self.previous;
        self.waiting.push_back(Waiting {
            seq,
            unit,
            info,
            floor,
            chosen: None,
            passed: None,
            anchor,
            previous,
            choosable,
        });
    }

    /// The newest unit as the rule sees it.
    pub(super) fn newest(&self) -> Option<Picture> {
        self.waiting.back().map(|unit| Picture {
            seq: unit.seq,
            pts: unit.unit.pts,
            keyframe: unit.is_keyframe(),
            reference: unit.info.reference,
            choosable: unit.choosable,
        })
    }

    pub(super) fn choose(&mut self, seq: u64, chosen: Chosen, wanted: bool) {
        let Ok(at) = self.waiting.binary_search_by_key(&seq, |unit| unit.seq) else { return };
        if wanted {
            self.waiting[at].chosen = Some(chosen);
            self.chosen += 1;
        } else {
            self.waiting[at].passed = Some(chosen);
        }
    }

    /// No unit follows.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Feeds what is known to be needed and drops what is known not to be, in decode order, up to the first unit
    /// whose fate is open. Beyond `cap` bytes references are fed although they may not be needed. Gives the unit
    /// that stops this beyond the hard limit, as damaged streams bring about: its slot must be decided now.
    /// Parameter sets in what is dropped are carried to what is fed next. Choices that nobody wants are told at their place.
    pub(super) fn release(
        &mut self,
        rule: &Rule,
        floor: Option<i64>,
        cap: usize,
        carried: &mut CarriedSets,
        mut emit: impl FnMut(Step),
    ) -> Option<u64> {
        let candidates: Vec<u64> = rule.candidates().collect();
        self.drop_idle(&candidates, carried);
        while let Some(front) = self.waiting.front() {
            if candidates.contains(&front.seq) && front.chosen.is_none() {
                return (self.weight() > cap.saturating_mul(HARD_LIMIT)).then_some(front.seq);
            }
            let crowded = self.weight() > cap;
            let leading_may_come = front.is_anchor() && self.leading_may_come(front.anchor, floor);
            if leading_may_come && !crowded {
                return None;
            }
            let needed = front.chosen.is_some() || self.serves_a_chosen(front);
            if needed || (crowded && (front.info.reference || front.is_anchor())) {
                // Without a fresh start leading pictures can still be decoded.
                let fresh = front.is_anchor() && !leading_may_come && !self.has_chosen_leading(front.seq);
                let mut unit = self.pop();
                carried.give(&mut unit.unit);
                unit.passed().map(&mut emit);
                let Waiting { unit, info, floor, chosen, .. } = unit;
                emit(Step::Feed(Feed { unit, info, fresh, floor, chosen }));
            } else if self.is_obsolete(front, &candidates, floor) {
                let unit = self.pop();
                carried.keep(&unit.unit);
                unit.passed().map(&mut emit);
            } else {
                return None;
            }
        }
        None
    }

    /// Bytes including what it takes to remember a unit, so that many tiny ones count too.
    fn weight(&self) -> usize {
        self.bytes + self.waiting.len() * size_of::<Waiting>()
    }

    fn pop(&mut self) -> Waiting {
        let unit = self.waiting.pop_front().expect("called with a front");
        self.bytes -= unit.unit.data.len();
        self.chosen -= usize::from(unit.chosen.is_some());
        unit
    }

    /// Open GOP: whether pictures that are shown before `anchor` may still arrive.
    fn leading_may_come(&self, anchor: Anchor, floor: Option<i64>) -> bool {
        anchor.leading && !self.ended && floor.is_none_or(|floor| floor < anchor.pts)
    }

    fn serves_a_chosen(&self, front: &Waiting) -> bool {
        self.chosen > 0 && self.waiting.iter().any(|unit| unit.chosen.is_some() && front.serves(unit))
    }

    fn has_chosen_leading(&self, anchor: u64) -> bool {
        let leads = |unit: &Waiting| unit.anchor.seq == anchor && unit.is_leading() && unit.chosen.is_some();
        self.chosen > 0 && self.waiting.iter().any(leads)
    }

    /// Whether nothing chosen now or later can need `front`.
    fn is_obsolete(&self, front: &Waiting, candidates: &[u64], floor: Option<i64>) -> bool {
        if self.ended || !(front.info.reference || front.is_anchor()) {
            return true;
        }
        let Some(newest) = self.anchor else { return true };
        if front.anchor.seq == newest.seq {
            // Leading references serve leading pictures only.
            return front.is_leading() && floor.is_some_and(|floor| floor >= newest.pts);
        }
        let bridged = Some(front.anchor.seq) == self.previous && self.leading_may_come(newest, floor);
        let serves_candidate = || {
            candidates.iter().any(|seq| {
                let at = self.waiting.binary_search_by_key(seq, |unit| unit.seq);
                at.is_ok_and(|at| front.serves(&self.waiting[at]))
            })
        };
        !bridged && !serves_candidate()
    }

    /// Lets go of pictures that nothing refers to and that lost their slot, wherever they wait.
    fn drop_idle(&mut self, candidates: &[u64], carried: &mut CarriedSets) {
        let (waiting, bytes) = (&mut self.waiting, &mut self.bytes);
        self.idle.retain(|seq| {
            if candidates.contains(seq) {
                return true;
            }
            if let Ok(at) = waiting.binary_search_by_key(seq, |unit| unit.seq)
                && waiting[at].chosen.is_none()
                && waiting[at].passed.is_none()
            {
                *bytes -= waiting[at].unit.data.len();
                carried.keep(&waiting[at].unit);
                waiting.remove(at);
            }
            false
        });
    }
}
