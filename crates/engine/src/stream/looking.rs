//! The stage from pictures to what is seen on them: gate, JPEG, models.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use ocelli_analyze::{Gate, GateConfig, MotionGate};
use ocelli_ingest::WallAnchor;
use ocelli_media::{libav::Frame, pixel::jpeg::JpegEncoder};
use ocelli_model::Verdict;

use super::{
    counters::Part,
    flow::{Kept, Pictured},
    seat::Seat,
    shelf::SharedModel,
};
use crate::{Demand, Failure, Known, Look, Notice, Place, Seen, jpeg::comment};

/// Reason of the verdict *dropped* where looking is behind.
const OVERTAKEN: &str = "a newer picture came before this one was looked at";

/// One thing for the look stage, in the order of media time.
#[derive(Debug)]
pub(super) enum LookItem {
    /// To be looked at.
    Picture { place: Place, frame: Frame, arrived: Instant },
    /// A choice without a picture.
    Without(Without),
    /// What concerns no picture.
    Told(Notice<Pictured>, Instant),
    /// What a clock showed at a PTS of the run in hand.
    Anchor(WallAnchor),
    /// Nothing follows.
    End,
}

/// A choice that nobody can look at.
#[derive(Debug)]
pub(super) struct Without {
    place: Place,
    verdict: Verdict,
    reason: String,
    arrived: Instant,
}

impl Without {
    pub(super) fn new(place: Place, verdict: Verdict, reason: &str, arrived: Instant) -> Self {
        Self { place, verdict, reason: reason.to_owned(), arrived }
    }
}

impl LookItem {
    pub(super) fn is_picture(&self) -> bool {
        matches!(self, Self::Picture { .. })
    }

    /// A newer one won: its pixels go, its verdict stays.
    pub(super) fn drop_picture(&mut self) {
        if let Self::Picture { place, arrived, .. } = self {
            *self = Self::Without(Without::new(*place, Verdict::Dropped, OVERTAKEN, *arrived));
        }
    }
}

/// What is done with the pictures of one stream.
pub(super) struct LookStage {
    /// Every due picture is made a JPEG; else only when somebody asks for one.
    frames: bool,
    encoder: JpegEncoder,
    gate: Option<(GateConfig, String, Option<MotionGate>)>,
    models: Vec<Arc<SharedModel>>,
    /// What an interrupted attempt settled; all is wanted if `None`. The frame folder counts as the last analyzer.
    known: Option<Arc<Known>>,
}

impl LookStage {
    /// `frames` asks for a JPEG of each picture; what `known` has settled is not done again.
    pub(super) fn new(
        frames: bool,
        encoder: JpegEncoder,
        gate: Option<GateConfig>,
        models: Vec<Arc<SharedModel>>,
        known: Option<Arc<Known>>,
    ) -> Self {
        let gate = gate.map(|config| {
            let closed = format!("nothing moves (gate {})", config.version());
            (config, closed, None)
        });
        Self { frames, encoder, gate, models, known }
    }

    pub(super) fn look(&mut self, item: LookItem, seat: &Seat) -> Kept {
        match item {
            LookItem::End => Kept::End,
            LookItem::Anchor(anchor) => Kept::Anchor(anchor),
            LookItem::Told(notice, at) => {
                if matches!(notice, Notice::Run { .. })
                    && let Some((.., gate)) = &mut self.gate
                {
                    // Media time begins anew, and the scene may have changed.
                    *gate = None;
                }
                Kept::Notice(notice, at)
            }
            LookItem::Without(Without { place, verdict, reason, arrived }) => {
                let result = if verdict == Verdict::Failed {
                    Err(Failure { reason })
                } else {
                    let looks = self.each(place, |_| Look::Kept(verdict, reason.clone()));
                    Ok(Pictured { size: (0, 0), jpeg: self.frames.then(|| Err(reason)), looks })
                };
                Kept::Notice(Notice::Frame(Seen { place, result }), arrived)
            }
            LookItem::Picture { place, frame, arrived } => {
                let pictured = self.picture(place, &frame, seat);
                Kept::Notice(Notice::Frame(Seen { place, result: Ok(pictured) }), arrived)
            }
        }
    }

    fn picture(&mut self, place: Place, frame: &Frame, seat: &Seat) -> Pictured {
        let picture = frame.picture();
        let size = (picture.width, picture.height);
        let counters = &seat.counters;
        let due = self.frames && self.wants(self.models.len(), place);
        let wanted = due || seat.wants_picture.swap(false, Ordering::Relaxed);
        let jpeg = wanted.then(|| {
            counters.spend(Part::Jpeg, || {
                let encoded = self.encoder.encode(&picture, Some(comment(place).as_bytes()));
                encoded.map(Bytes::copy_from_slice).map_err(|error| error.to_string())
            })
        });
        // The gate sees each picture all the same: it compares with the ones before.
        let closed = counters.spend(Part::Gate, || self.is_closed(place, frame));
        let closed = closed.filter(|_| !seat.wants_look.swap(false, Ordering::Relaxed));
        let looks = match closed {
            Some(reason) => self.each(place, |_| Look::Kept(Verdict::Gated, reason.clone())),
            None => counters.spend(Part::Analyze, || self.each(place, |model| model.look(frame))),
        };
        Pictured { size, jpeg, looks }
    }

    fn wants(&self, analyzer: usize, place: Place) -> bool {
        self.known.as_ref().is_none_or(|known| Demand::wants(&**known, analyzer, place))
    }

    /// What each model makes of a picture that it did not have before.
    fn each(&self, place: Place, look: impl Fn(&SharedModel) -> Look) -> Vec<Look> {
        let of = |(analyzer, model): (usize, &Arc<SharedModel>)| {
            if self.wants(analyzer, place) { look(model) } else { Look::Passed }
        };
        self.models.iter().enumerate().map(of).collect()
    }

    /// Why nobody needs to look, if so. In doubt the gate is open.
    fn is_closed(&mut self, place: Place, frame: &Frame) -> Option<String> {
        let (config, closed, gate) = self.gate.as_mut()?;
        if gate.is_none() {
            *gate = MotionGate::new(config.clone()).ok();
        }
        let picture = frame.picture();
        let size = (picture.width as usize, picture.height as usize);
        let said = gate.as_mut()?.look(place.seconds(), &picture.planes[0], size);
        matches!(said, Ok(Gate::Closed)).then(|| closed.clone())
    }
}

impl std::fmt::Debug for LookStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookStage")
            .field("frames", &self.frames)
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}
