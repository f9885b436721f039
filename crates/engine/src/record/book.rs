//! One analyzer over one run: its ledger, and the objects it follows.

use ocelli_analyze::{Tracker, TrackerConfig};
use ocelli_model::{Detection, TimeBase, TrackId, Verdict};
use ocelli_store::{DerivationId, Entry, FrameResult, OpenLedger, Pending, Settled, Span, StoreError};

use super::{Media, Told, known::KnownLedger, replay::Replay};
use crate::{Look, Place};

/// What one analyzer of the pass finds in the run in hand.
#[derive(Debug)]
pub(super) struct Book {
    config: Option<TrackerConfig>,
    tracker: Option<Tracker>,
    kept: Option<KeptBook>,
}

/// What the store holds of it.
#[derive(Debug)]
pub(super) struct KeptBook {
    open: OpenLedger,
    known: KnownLedger,
    replay: Replay,
    /// Why frames failed in earlier passes, ascending, disjoint.
    reasons: Vec<(Span, String)>,
    /// The tracks follow the results up to here.
    tracked_through: Option<i64>,
    /// A result came in before that: the tracks are derived anew when the run ends.
    stale: bool,
}

impl KeptBook {
    pub(super) fn new(open: OpenLedger, settled: &Settled, reasons: Vec<(Span, String)>) -> Self {
        let replay = Replay::new(open);
        let (known, tracked_through) = (KnownLedger::new(settled, true), settled.tracked_through);
        Self { open, known, replay, reasons, tracked_through, stale: false }
    }

    /// Identities of the frame at `pts`, where they are not kept yet.
    fn note_tracks(&mut self, pts: i64, tracks: &[Option<TrackId>], entries: &mut Vec<Entry>) {
        let Some(derivation) = self.open.derivation else { return };
        if !self.stale && self.tracked_through.is_none_or(|through| pts > through) {
            self.tracked_through = Some(pts);
            entries.push(Entry::Tracked { derivation, pts, tracks: tracks.to_vec() });
        }
    }

    fn analysed(&mut self, place: Place, result: Option<FrameResult>, entries: &mut Vec<Entry>) {
        let (ledger, span) = (self.open.ledger, span(place));
        // Of another plan or not, for this ledger it is new.
        self.stale |= self.tracked_through.is_some_and(|through| place.pts <= through);
        entries.push(Entry::Due { ledger, span });
        entries.push(Entry::Analysed { ledger, span, pts: place.pts, result });
    }

    fn unseen(&self, place: Place, verdict: Verdict, reason: &str, entries: &mut Vec<Entry>) {
        let (ledger, span) = (self.open.ledger, span(place));
        // A quiet stream has few lines, not one per frame.
        let (reason, pts) = (reason.to_owned(), (verdict != Verdict::Gated).then_some(place.pts));
        entries.push(Entry::Due { ledger, span });
        entries.push(Entry::Unseen { ledger, span, verdict, reason, pts });
    }

    fn reason(&self, place: Place) -> String {
        let at = span(place).first;
        let after = self.reasons.partition_point(|(span, _)| span.first <= at);
        let known = self.reasons[..after].last().filter(|(span, _)| span.contains(at));
        known.map_or_else(String::new, |(_, reason)| reason.clone())
    }
}

/// The unit in which a plan's ledger counts.
fn span(place: Place) -> Span {
    Span::one(place.slot.unwrap_or(place.pts))
}

impl Book {
    pub(super) fn new(config: Option<&TrackerConfig>, kept: Option<KeptBook>) -> Self {
        Self { config: config.cloned(), tracker: config.map(tracker), kept }
    }

    /// Takes what was seen at `place`, or finds what is known of it; adds what is to be stored.
    pub(super) fn take(
        &mut self,
        place: Place,
        size: (u32, u32),
        look: Look,
        media: Option<&Media>,
        analyzer: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<Told, StoreError> {
        self.follow_stored(media, place, entries)?;
        match look {
            Look::Seen(analysis) => {
                let (width, height) = size;
                let result =
                    FrameResult { width, height, detections: analysis.detections, took: analysis.took };
                if let Some(kept) = &mut self.kept {
                    kept.analysed(place, Some(result.clone()), entries);
                }
                Ok(self.seen(place, result, entries))
            }
            Look::Failed(failure) => {
                if let Some(kept) = &self.kept {
                    kept.unseen(place, Verdict::Failed, &failure.reason, entries);
                }
                Ok(Told::Failed { reason: failure.reason })
            }
            Look::Kept(verdict, reason) => {
                if let Some(kept) = &self.kept {
                    kept.unseen(place, verdict, &reason, entries);
                }
                Ok(Told::Settled(verdict))
            }
            Look::Passed => self.again(place, media, analyzer, entries),
        }
    }

    /// What an earlier pass, or another plan's, found.
    fn again(
        &mut self,
        place: Place,
        media: Option<&Media>,
        analyzer: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<Told, StoreError> {
        let nothing = || StoreError::Invalid(format!("nothing is known of the frame at {}", place.pts));
        let (Some(kept), Some(media)) = (&mut self.kept, media) else { return Err(nothing()) };
        let verdict = kept.known.verdict(place.slot, place.pts);
        match verdict {
            None if !kept.known.has_result(place.pts) => return Err(nothing()),
            None | Some(Verdict::Analysed) => {}
            Some(Verdict::Failed) => return Ok(Told::Failed { reason: kept.reason(place) }),
            Some(other) => return Ok(Told::Settled(other)),
        }
        let own = kept.replay.next_until(&media.kept, place.pts, true)?;
        let frame = match own {
            Some(frame) => Some(frame),
            None => media.kept.frame(kept.open.series, place.pts)?,
        };
        let Some(frame) = frame else {
            if media.cut && place.slot.is_some() && verdict.is_some() {
                return Ok(Told::Settled(Verdict::Analysed));
            }
            let missing = format!("result of analyzer {analyzer} at {} is missing", place.pts);
            return Err(StoreError::Invalid(missing));
        };
        if verdict.is_none() {
            kept.analysed(place, None, entries);
        }
        Ok(self.seen(place, frame.result, entries))
    }

    fn seen(&mut self, place: Place, result: FrameResult, entries: &mut Vec<Entry>) -> Told {
        let tracks = self.follow(place.time_base, place.pts, &result.detections, entries);
        Told::Seen { result, tracks }
    }

    fn follow(
        &mut self,
        base: TimeBase,
        pts: i64,
        detections: &[Detection],
        entries: &mut Vec<Entry>,
    ) -> Vec<Option<TrackId>> {
        let Some(tracker) = &mut self.tracker else { return Vec::new() };
        let tracks = identities(tracker, base, pts, detections);
        if let Some(kept) = &mut self.kept {
            kept.note_tracks(pts, &tracks, entries);
        }
        tracks
    }

    /// Stored results before `place` that this pass does not ask for: tracks start at the run's start.
    fn follow_stored(
        &mut self,
        media: Option<&Media>,
        place: Place,
        entries: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let Some(media) = media else { return Ok(()) };
        while let Some(kept) = &mut self.kept
            && let Some(frame) = kept.replay.next_until(&media.kept, place.pts, false)?
        {
            self.follow(place.time_base, frame.pts, &frame.result.detections, entries);
        }
        Ok(())
    }

    pub(super) fn empty(&self, first: i64, last: i64, entries: &mut Vec<Entry>) {
        let Some(kept) = &self.kept else { return };
        let (ledger, span) = (kept.open.ledger, Span::slots(first, last));
        entries.push(Entry::Due { ledger, span });
        let (verdict, reason, pts) = (Verdict::Empty, String::new(), None);
        entries.push(Entry::Unseen { ledger, span, verdict, reason, pts });
    }

    /// The run ends: tracks go on over what is stored beyond this pass, or are derived anew where it filled a gap.
    pub(super) fn finish_tracks(&mut self, media: &Media, base: TimeBase) -> Result<(), StoreError> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        let (Some(derivation), Some(config)) = (kept.open.derivation, &self.config) else { return Ok(()) };
        if kept.stale {
            media.kept.appender.append_blocking(vec![Entry::Untracked { derivation }]).wait_blocking()?;
            return go_on(media, base, (derivation, None), tracker(config), &mut Replay::new(kept.open));
        }
        let Some(tracker) = self.tracker.take() else { return Ok(()) };
        go_on(media, base, (derivation, kept.tracked_through), tracker, &mut kept.replay)
    }
}

fn tracker(config: &TrackerConfig) -> Tracker {
    Tracker::new(config.clone()).expect("the pass checked its configuration")
}

/// Nobody's, where the clock is so fine that seconds cannot tell this frame from the one before.
fn identities(tracker: &mut Tracker, base: TimeBase, pts: i64, seen: &[Detection]) -> Vec<Option<TrackId>> {
    tracker.update(base.seconds(pts), seen).unwrap_or_else(|_same_time| vec![None; seen.len()])
}

/// Follows what `replay` holds. Commits one batch after the other, so that little is in memory.
fn go_on(
    media: &Media,
    base: TimeBase,
    (derivation, through): (DerivationId, Option<i64>),
    mut tracker: Tracker,
    replay: &mut Replay,
) -> Result<(), StoreError> {
    let mut before: Option<Pending> = None;
    let mut entries = Vec::new();
    loop {
        let next = replay.next_until(&media.kept, i64::MAX, true)?;
        if entries.len() >= 256 || (next.is_none() && !entries.is_empty()) {
            before.take().map_or(Ok(()), Pending::wait_blocking)?;
            before = Some(media.kept.appender.append_blocking(std::mem::take(&mut entries)));
        }
        let Some(frame) = next else { return before.map_or(Ok(()), Pending::wait_blocking) };
        let tracks = identities(&mut tracker, base, frame.pts, &frame.result.detections);
        if through.is_none_or(|through| frame.pts > through) {
            entries.push(Entry::Tracked { derivation, pts: frame.pts, tracks });
        }
    }
}
