//! The lines of one ledger in one 10 s window, as values: what an entry changes in them.

use std::collections::{BTreeMap, BTreeSet};

use ocelli_model::Verdict;

use crate::Span;

/// A run of slots, or one picture, that share everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) last: i64,
    pub(super) count: u64,
    /// `None`: they were due.
    pub(super) verdict: Option<Verdict>,
    pub(super) reason: String,
    pub(super) pts: Option<i64>,
}

impl Line {
    /// Those that were due.
    pub(super) fn due() -> Self {
        Self { last: 0, count: 0, verdict: None, reason: String::new(), pts: None }
    }

    fn over(&self, span: Span) -> Self {
        Self { last: span.last, count: span.count, ..self.clone() }
    }

    /// Whether a single line may say both.
    fn agrees(&self, other: &Self) -> bool {
        self.verdict == other.verdict
            && self.pts.is_none()
            && other.pts.is_none()
            && self.reason == other.reason
    }

    fn is_gap(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Dropped | Verdict::Lost))
    }
}

/// Which of the two lists of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Due,
    Settled,
}

/// Lines by their first slot or PTS; those of one kind never overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    due: BTreeMap<i64, Line>,
    settled: BTreeMap<i64, Line>,
    /// Lines that are not stored as they are here.
    changed: BTreeSet<(Kind, i64)>,
    /// Slots: neighbours become one line. Never pictures: one between two known ones would become known, too.
    joins: bool,
}

impl Window {
    /// Without lines. `joins` where slots are due, not pictures.
    pub(super) fn empty(joins: bool) -> Self {
        Self { joins, ..Self::default() }
    }

    /// A stored line.
    pub(super) fn load(&mut self, kind: Kind, first: i64, line: Line) {
        self.lines(kind).insert(first, line);
    }

    fn lines(&mut self, kind: Kind) -> &mut BTreeMap<i64, Line> {
        match kind {
            Kind::Due => &mut self.due,
            Kind::Settled => &mut self.settled,
        }
    }

    /// Lines to store anew, or, where there is none, to remove.
    pub(super) fn take_changes(&mut self) -> Vec<(Kind, i64, Option<Line>)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|(kind, first)| (kind, first, self.lines(kind).get(&first).cloned()))
            .collect()
    }

    /// These are due; what is known already is not counted twice.
    pub(super) fn due(&mut self, span: Span) {
        for free in self.free(Kind::Due, span) {
            self.insert(Kind::Due, free, &Line::due());
        }
    }

    /// Whether *analysed* would change anything at `at`.
    pub(super) fn is_open(&self, at: i64) -> bool {
        let found = self.settled.range(..=at).next_back().filter(|(_, line)| line.last >= at);
        found.is_none_or(|(_, line)| line.is_gap())
    }

    /// This became of them. A final verdict stays; *dropped* and *lost* give way to a final one.
    pub(super) fn settle(&mut self, span: Span, line: &Line) {
        if !line.is_gap() {
            self.clear_gaps(span);
        }
        for free in self.free(Kind::Settled, span) {
            self.insert(Kind::Settled, free, line);
        }
    }

    /// Those parts of `span` that no line covers.
    fn free(&mut self, kind: Kind, span: Span) -> Vec<Span> {
        let mut free = Vec::new();
        let mut from = span.first;
        for (first, last) in self.covering(kind, span) {
            if first > from {
                free.push(Span::slots(from, first - 1));
            }
            from = match last.checked_add(1) {
                Some(next) => next.max(from),
                None => return free,
            };
        }
        if from <= span.last {
            free.push(if from == span.first { span } else { Span::slots(from, span.last) });
        }
        free
    }

    /// First and last of the lines that share anything with `span`, ascending.
    fn covering(&mut self, kind: Kind, span: Span) -> Vec<(i64, i64)> {
        let lines = self.lines(kind);
        let before = lines.range(..span.first).next_back().filter(|(_, line)| line.last >= span.first);
        let within = lines.range(span.first..=span.last);
        before.into_iter().chain(within).map(|(first, line)| (*first, line.last)).collect()
    }

    /// Takes `span` out of *dropped* and *lost* lines, which keep what lies beside it.
    fn clear_gaps(&mut self, span: Span) {
        for (first, last) in self.covering(Kind::Settled, span) {
            if !self.settled.get(&first).is_some_and(Line::is_gap) {
                continue;
            }
            let Some(gap) = self.settled.remove(&first) else { continue };
            self.changed.insert((Kind::Settled, first));
            if first < span.first {
                self.put(Kind::Settled, first, gap.over(Span::slots(first, span.first - 1)));
            }
            if last > span.last {
                self.put(Kind::Settled, span.last + 1, gap.over(Span::slots(span.last + 1, last)));
            }
        }
    }

    fn put(&mut self, kind: Kind, first: i64, line: Line) {
        self.lines(kind).insert(first, line);
        self.changed.insert((kind, first));
    }

    /// Adds a line where none is, joined to its neighbours where they agree.
    fn insert(&mut self, kind: Kind, span: Span, line: &Line) {
        let (mut first, mut line) = (span.first, line.over(span));
        if self.joins {
            let before = self.lines(kind).range(..first).next_back().map(|(at, line)| (*at, line.clone()));
            if let Some((at, before)) = before.filter(|(_, it)| it.last + 1 == first && it.agrees(&line)) {
                line.count += before.count;
                first = at;
            }
            let next =
                line.last.checked_add(1).and_then(|next| Some((next, self.lines(kind).get(&next)?.clone())));
            if let Some((at, after)) = next.filter(|(_, it)| it.agrees(&line)) {
                self.lines(kind).remove(&at);
                self.changed.insert((kind, at));
                line.last = after.last;
                line.count += after.count;
            }
        }
        self.put(kind, first, line);
    }
}

#[cfg(test)]
mod tests;
