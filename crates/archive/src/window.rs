//! The live window as it is kept up.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    LiveView,
    lengths::stated,
    live::{LivePart, LiveSegment, LiveWindow},
};

/// Sealed segments that stay in memory.
const IN_MEMORY: usize = 2;

#[derive(Debug)]
struct Held {
    segment: Arc<LiveSegment>,
    /// The archive will not have it, or not all of it.
    missed: bool,
}

/// What live players see. Shared by whoever brings parts and whoever writes them.
#[derive(Debug)]
pub(crate) struct Window {
    held: VecDeque<Held>,
    /// How far back segments are listed.
    listed: Duration,
    target_seconds: u32,
    part_target_ms: u32,
    ended: bool,
    /// Run, initialisation segment and discontinuity sequence of the newest segment since the window began.
    newest: Option<(u32, String, u64)>,
    /// Somebody records.
    recorded: bool,
    /// So many say that more is to come.
    holds: u32,
    paused: Option<String>,
    encoded: Vec<String>,
    shown: watch::Sender<Arc<LiveWindow>>,
}

impl Window {
    pub(crate) fn new(listed: Duration) -> Self {
        let window = LiveWindow { ended: true, ..LiveWindow::default() };
        Self {
            held: VecDeque::new(),
            listed,
            target_seconds: 0,
            part_target_ms: 0,
            ended: true,
            newest: None,
            recorded: false,
            holds: 0,
            paused: None,
            encoded: Vec::new(),
            shown: watch::Sender::new(Arc::new(window)),
        }
    }

    pub(crate) fn view(&self) -> LiveView {
        LiveView::new(self.shown.subscribe())
    }

    /// Recording begins. True: anew, so that promises of before do not bind it, and what they were made for is gone.
    pub(crate) fn start(&mut self) -> bool {
        self.recorded = true;
        self.paused = None;
        self.encoded.clear();
        let anew = self.ended;
        if anew {
            self.held.clear();
            (self.target_seconds, self.part_target_ms) = (0, 0);
            (self.ended, self.newest) = (false, None);
        }
        self.show();
        anew
    }

    /// Until as many releases, the end of a recording is an interruption: a playlist that has ended may not go on.
    pub(crate) fn hold(&mut self) {
        self.holds += 1;
        self.show();
    }

    pub(crate) fn release(&mut self) {
        self.holds = self.holds.saturating_sub(1);
        self.end_unless_needed();
    }

    /// A segment begins; what is before it is whole. Shown with its first part, which follows. `missed`: the archive will not have it.
    pub(crate) fn begin(&mut self, mut segment: LiveSegment, missed: bool) {
        // Numbers are never given twice, and no window has more discontinuities than segments: so neither is a count that begins with one.
        let count = self.newest.as_ref().map_or(segment.number, |(run, init, count)| {
            count + u64::from((*run, init) != (segment.run, &segment.init.name))
        });
        segment.discontinuity = count;
        self.newest = Some((segment.run, segment.init.name.clone(), count));
        self.held.push_back(Held { segment: Arc::new(segment), missed });
        self.trim();
    }

    /// The newest segment grows.
    pub(crate) fn grow(&mut self, part: LivePart, first_pts: i64, end_pts: i64) {
        if let Some(held) = self.held.back_mut() {
            let segment = Arc::make_mut(&mut held.segment);
            segment.stated += part.stated;
            segment.parts.push(part);
            (segment.first_pts, segment.end_pts) = (first_pts, end_pts);
        }
        self.show();
    }

    /// What playlists promise; shown with what changes next. What came before it is told as it says.
    pub(crate) fn promise(&mut self, target_seconds: u32, part_target_ms: u32) {
        if self.part_target_ms == 0 {
            for held in self.held.iter_mut().filter(|held| !held.segment.parts.is_empty()) {
                let segment = Arc::make_mut(&mut held.segment);
                for part in &mut segment.parts {
                    part.stated = stated(part.ticks, segment.time_base, part_target_ms);
                }
                segment.stated = segment.parts.iter().map(|part| part.stated).sum();
            }
        }
        (self.target_seconds, self.part_target_ms) = (target_seconds, part_target_ms);
    }

    /// The archive holds a segment. Where it has a piece of it only, players go on with all of it from memory: it is not over for them.
    pub(crate) fn sealed(&mut self, number: u64) {
        if let Some(held) = self.find(number).filter(|held| !held.missed) {
            Arc::make_mut(&mut held.segment).sealed = true;
        }
        self.trim();
        self.show();
    }

    /// The archive will not hold a segment, or not all of it.
    pub(crate) fn missed(&mut self, number: u64) {
        if let Some(held) = self.find(number) {
            held.missed = true;
        }
    }

    pub(crate) fn pause(&mut self, reason: Option<String>) {
        if self.paused != reason {
            self.paused = reason;
            self.show();
        }
    }

    /// What was coded in this way was encoded anew. Of a source that comes with ever new codecs, the first few are told.
    pub(crate) fn encoded(&mut self, codec: &str) {
        const MOST: usize = 8;
        if self.encoded.len() < MOST && !self.encoded.iter().any(|known| known == codec) {
            self.encoded.push(codec.to_owned());
            self.show();
        }
    }

    /// Recording ends.
    pub(crate) fn end(&mut self) {
        self.recorded = false;
        self.end_unless_needed();
    }

    fn end_unless_needed(&mut self) {
        if !self.ended && !self.recorded && self.holds == 0 {
            self.ended = true;
            self.trim();
        }
        self.show();
    }

    fn find(&mut self, number: u64) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.segment.number == number)
    }

    /// Memory is for the newest; what is older is listed where the archive has it. Playlists lose segments at their beginning only:
    /// where one is nowhere, what is before it goes, too.
    fn trim(&mut self) {
        let keep = if self.ended { 0 } else { IN_MEMORY + 1 };
        let old = self.held.len().saturating_sub(keep);
        for at in (0..old).rev() {
            let held = &mut self.held[at];
            if held.missed {
                self.held.drain(..=at);
                break;
            }
            if held.segment.sealed && !held.segment.parts.is_empty() {
                Arc::make_mut(&mut held.segment).parts = Vec::new();
            }
        }
        let mut later: f64 = self.held.iter().map(|held| held.segment.seconds()).sum();
        while self.held.len() > IN_MEMORY + 1 {
            later -= self.held[0].segment.seconds();
            // One that waits to be sealed is in memory only.
            if later < self.listed.as_secs_f64() || !self.held[0].segment.sealed {
                break;
            }
            self.held.pop_front();
        }
    }

    fn show(&self) {
        self.shown.send_replace(Arc::new(LiveWindow {
            segments: self.held.iter().map(|held| Arc::clone(&held.segment)).collect(),
            target_seconds: self.target_seconds,
            part_target_ms: self.part_target_ms,
            ended: self.ended,
            waiting: !self.recorded && self.holds > 0,
            paused: self.paused.clone(),
            encoded: self.encoded.clone(),
        }));
    }
}

#[cfg(test)]
mod tests;
