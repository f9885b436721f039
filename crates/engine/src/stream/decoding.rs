//! The stage from coded units to chosen pictures.

use std::{collections::BTreeMap, time::Instant};

use ocelli_media::{
    decode::{DecodeError, Decoding, OpenDecoder, Outcome, PictureError},
    libav::Frame,
    sampler::Step,
};
use ocelli_model::{TimeBase, Verdict};

use super::{
    coded::Coded,
    flow::Trouble,
    looking::{LookItem, Without},
};
use crate::{Notice, Place};

/// Reason of the verdict *dropped* where decoding is behind.
const BEHIND: &str = "decoding was behind";
/// Arrivals remembered of pictures that do not come out.
const MOST_ARRIVALS: usize = 1024;

/// Drives one decoder.
#[derive(Debug)]
pub(super) struct DecodeStage {
    decoding: Decoding,
    base: TimeBase,
    /// Ordinal within the stream of the attempt's first run.
    first_run: u32,
    run: u32,
    /// Of chosen pictures in the decoder, by PTS.
    arrivals: BTreeMap<i64, Instant>,
    decoded: bool,
    failed: bool,
}

impl DecodeStage {
    pub(super) fn new(open: Box<OpenDecoder>, base: TimeBase, first_run: u32) -> Self {
        let decoding = Decoding::new(open);
        Self {
            decoding,
            base,
            first_run,
            run: first_run,
            arrivals: BTreeMap::new(),
            decoded: false,
            failed: false,
        }
    }

    /// Does one thing; what came out of it, in order. An error is final: from then on only the end is passed on.
    pub(super) fn take(&mut self, coded: Coded, arrived: Instant) -> Result<Vec<LookItem>, Trouble> {
        let mut out = Vec::new();
        match coded {
            Coded::End => out.push(LookItem::End),
            Coded::Anchor(anchor) => out.push(LookItem::Anchor(anchor)),
            _ if self.failed => {}
            Coded::Dropped(choice) => {
                self.note(choice.pts, arrived);
                self.decoding.drop_choice(choice);
                self.settle(&mut out, arrived);
            }
            Coded::Gap => {
                self.decoding.interrupt();
                self.settle(&mut out, arrived);
            }
            Coded::RunEnd { last_pts, due, whole } => {
                self.decoding.drain();
                self.settle(&mut out, arrived);
                self.arrivals.clear();
                out.push(LookItem::Told(Notice::RunEnd { run: self.run, last_pts, due, whole }, arrived));
            }
            Coded::Step(step) => self.step(step, arrived, &mut out)?,
        }
        Ok(out)
    }

    fn step(&mut self, step: Step, arrived: Instant, out: &mut Vec<LookItem>) -> Result<(), Trouble> {
        match step {
            Step::Run { run, t0 } => {
                self.run = self.first_run + run;
                let notice = Notice::Run { run: self.run, t0, time_base: self.base };
                out.push(LookItem::Told(notice, arrived));
            }
            Step::Empty { first, last } => {
                out.push(LookItem::Told(Notice::Empty { run: self.run, first, last }, arrived));
            }
            Step::Feed(feed) => {
                if feed.chosen.is_some() {
                    self.note(feed.unit.pts, arrived);
                }
                let fed = self.decoding.feed(&feed);
                // Later, a change of parameters that nobody can decode is damage up to the next one.
                if let (Err(error), false) = (&fed, self.decoded) {
                    self.failed = true;
                    // What no software decodes, none decodes the next time. The others may.
                    let lasting = matches!(error, DecodeError::NoDecoder(_));
                    return Err(Trouble { reason: format!("cannot decode the video: {error}"), lasting });
                }
                self.decoded = true;
                self.settle(out, arrived);
            }
            Step::Passed(passed) => self.decoding.pass(passed),
            // Told as `Coded::RunEnd`.
            Step::EndOfRun { .. } => {}
        }
        Ok(())
    }

    fn note(&mut self, pts: i64, arrived: Instant) {
        if self.arrivals.len() >= MOST_ARRIVALS {
            self.arrivals.pop_first();
        }
        self.arrivals.insert(pts, arrived);
    }

    fn settle(&mut self, out: &mut Vec<LookItem>, now: Instant) {
        for Outcome { pts, slot, picture } in self.decoding.take_outcomes() {
            let place = Place { run: self.run, pts, time_base: self.base, slot };
            let arrived = self.arrivals.remove(&pts).unwrap_or(now);
            let item = match picture {
                Some(Ok(frame)) => picture_item(place, frame, arrived),
                Some(Err(PictureError::Dropped)) => {
                    LookItem::Without(Without::new(place, Verdict::Dropped, BEHIND, arrived))
                }
                Some(Err(error)) => {
                    LookItem::Without(Without::new(place, Verdict::Failed, &error.to_string(), arrived))
                }
                None => LookItem::Told(Notice::Passed(place), arrived),
            };
            out.push(item);
        }
    }
}

fn picture_item(place: Place, frame: Frame, arrived: Instant) -> LookItem {
    LookItem::Picture { place, frame, arrived }
}
