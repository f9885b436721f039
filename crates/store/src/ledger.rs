//! Arithmetic of the ledger: spans of slots, the 10 s windows they lie in, and whether an account balances.

use std::collections::BTreeMap;

use ocelli_model::{SamplingPlan, Tally, TimeBase, Verdict};

/// Length of a window of the ledger in seconds of media time.
pub const WINDOW_SECONDS: i64 = 10;

/// Some of what is due under one plan: slots by their number, or, where every picture is due, pictures by their PTS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First slot, or PTS of the first picture.
    pub first: i64,
    /// Last slot, or PTS of the last picture.
    pub last: i64,
    /// How many: `last - first + 1` slots, or a count of pictures.
    pub count: u64,
}

impl Span {
    /// One slot or picture.
    pub fn one(at: i64) -> Self {
        Self { first: at, last: at, count: 1 }
    }

    /// Slots from `first` to `last`, which is not before it.
    pub fn slots(first: i64, last: i64) -> Self {
        Self { first, last, count: last.abs_diff(first).saturating_add(1) }
    }

    /// Whether `at` lies in it.
    pub fn contains(&self, at: i64) -> bool {
        (self.first..=self.last).contains(&at)
    }
}

/// Which window a slot or picture of one run and plan belongs to. Windows count from t0; a slot belongs to the window
/// that its centre lies in. Exact for any plan and time base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerClock {
    /// Slot 0, or t0.
    origin: i128,
    /// Windows per slot or tick, as a fraction.
    num: i128,
    den: i128,
}

impl LedgerClock {
    /// For a run that counts from `t0` in `base`.
    pub fn new(plan: SamplingPlan, base: TimeBase, t0: i64) -> Self {
        let window = i128::from(WINDOW_SECONDS);
        match plan {
            SamplingPlan::Rate(rate) => {
                Self { origin: 0, num: i128::from(rate.den()), den: window * i128::from(rate.num()) }
            }
            SamplingPlan::All => {
                Self { origin: t0.into(), num: base.num().into(), den: window * i128::from(base.den()) }
            }
        }
    }

    /// The window of a slot, or of a picture's PTS.
    pub fn window(&self, at: i64) -> i64 {
        saturated(((i128::from(at) - self.origin) * self.num).div_euclid(self.den))
    }

    /// The first slot or PTS of a window.
    pub(crate) fn first(&self, window: i64) -> i64 {
        let ahead = i128::from(window) * self.den;
        saturated(self.origin - (-ahead).div_euclid(self.num))
    }

    /// The parts of a span of slots that lie in one window each, with that window. A span of pictures lies in one.
    pub fn split(&self, span: Span) -> Vec<(i64, Span)> {
        let mut parts = Vec::new();
        let mut first = span.first;
        loop {
            let window = self.window(first);
            let next = self.first(window.saturating_add(1));
            if next > span.last || next <= first {
                let rest = if first == span.first { span } else { Span::slots(first, span.last) };
                parts.push((window, rest));
                return parts;
            }
            parts.push((window, Span::slots(first, next - 1)));
            first = next;
        }
    }
}

fn saturated(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// What one window holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowAccount {
    /// Slots (pictures) that were due.
    pub due: u64,
    /// What became of them.
    pub tally: Tally,
}

impl WindowAccount {
    /// Due slots that have no verdict: they were in hand when a process died.
    pub fn unsettled(&self) -> u64 {
        self.due.saturating_sub(self.tally.due())
    }
}

/// All windows of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// By number.
    pub windows: BTreeMap<i64, WindowAccount>,
}

impl Account {
    /// These were due.
    pub fn due(&mut self, window: i64, count: u64) {
        self.windows.entry(window).or_default().due += count;
    }

    /// This became of them.
    pub fn verdict(&mut self, window: i64, verdict: Verdict, count: u64) {
        self.windows.entry(window).or_default().tally.add(verdict, count);
    }

    /// The sum of all windows.
    pub fn total(&self) -> WindowAccount {
        self.windows.values().fold(WindowAccount::default(), |mut sum, window| {
            sum.due += window.due;
            sum.tally.merge(window.tally);
            sum
        })
    }

    /// Windows in which due and the sum of verdicts differ.
    pub fn unbalanced(&self) -> impl Iterator<Item = (i64, &WindowAccount)> {
        let differs = |account: &WindowAccount| account.due != account.tally.due();
        self.windows
            .iter()
            .filter(move |(_, account)| differs(account))
            .map(|(window, account)| (*window, account))
    }
}

#[cfg(test)]
mod tests;
