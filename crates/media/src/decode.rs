//! Decoding of chosen pictures: the [`Decoder`] seam, and the stage that drives one through the sampler's steps.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use crate::{
    AccessUnit, CodecParameters,
    bitstream::Access,
    libav::{AvError, Fallback, Frame},
    sampler::{Chosen, Feed, Passed},
};

/// A push/pull state machine: no thread, no socket, no file of its own. After each [`Decoder::send`] and
/// [`Decoder::send_end`] pull until [`Decoder::receive`] has nothing.
pub trait Decoder: Send + std::fmt::Debug {
    /// Takes one unit in decode order. An error concerns this unit; the decoder goes on. Where its picture is not `wanted`,
    /// it comes out without pixels: nothing is converted, copied or handed over that nobody looks at.
    fn send(&mut self, unit: &AccessUnit, wanted: bool) -> Result<(), DecodeError>;
    /// No more units: what is held back comes out.
    fn send_end(&mut self);
    /// The next picture in output order, if one is ready.
    fn receive(&mut self) -> Result<Option<Decoded>, DecodeError>;
    /// Forgets all pictures; the next unit must be a keyframe or a recovery point.
    fn flush(&mut self);
    /// What it was opened with.
    fn parameters(&self) -> &Arc<CodecParameters>;
}

/// A picture as it leaves a decoder.
#[derive(Debug)]
pub struct Decoded {
    /// Media time in the stream's time base.
    pub pts: i64,
    /// The picture, or why it could not be made from what was decoded; `None` where it was not wanted.
    pub frame: Option<Result<Frame, AvError>>,
    /// Parts of it are missing or concealed.
    pub damaged: bool,
    /// What was said about the unit that was decoded meanwhile, which need not be this picture's.
    pub unit_damaged: Option<DecodeError>,
}

/// Why a unit could not be decoded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DecodeError {
    /// No decoder in this build of FFmpeg.
    #[error("this FFmpeg has no decoder for {0}")]
    NoDecoder(String),
    /// The decoder refused the unit.
    #[error("{0}")]
    Codec(AvError),
    /// The decoder went on over damage.
    #[error("{0}")]
    Damaged(String),
    /// The decoder went on without a picture that this unit, and perhaps others after it, refer to.
    #[error("{0}")]
    ReferenceLost(String),
    /// The hardware that was asked for is not there, or does not decode this.
    #[error("{0}")]
    Hardware(Fallback),
    /// What decoded is gone for good, a process that died for one: nothing more comes from it.
    #[error("{0}")]
    Gone(String),
}

/// What became of a chosen picture.
#[derive(Debug)]
pub struct Outcome {
    /// Media time.
    pub pts: i64,
    /// Its slot; `None` where every picture is chosen.
    pub slot: Option<i64>,
    /// The picture, or why there is none; `None` where nobody wants it.
    pub picture: Option<Result<Frame, PictureError>>,
}

/// Why a chosen picture is *failed*: concealed and damaged pictures are not results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The picture itself is damaged.
    #[error("the picture is damaged ({0})")]
    Damaged(String),
    /// It is predicted from a damaged or missing picture.
    #[error("the picture refers to a damaged one")]
    Reference,
    /// The decoder gave nothing for it.
    #[error("the decoder gave no picture")]
    Missing,
    /// It was not decoded, for want of time: *dropped*, not failed.
    #[error("more came than could be decoded")]
    Dropped,
}

/// Opens a decoder for a stream's parameters; called again when these change.
pub type OpenDecoder = dyn Fn(&Arc<CodecParameters>) -> Result<Box<dyn Decoder>, DecodeError> + Send;

/// Drives one decoder and picks the chosen pictures out of what it gives, in PTS order.
pub struct Decoding {
    open: Box<OpenDecoder>,
    decoder: Option<Box<dyn Decoder>>,
    /// Pictures fed since the last flush, by PTS, until they come out.
    fed: BTreeMap<i64, Fed>,
    /// Decode order of the unit being fed.
    seq: u64,
    /// Pictures from this place in decode order up to the next keyframe refer to damage.
    tainted_from: Option<u64>,
    /// Pictures shown before this keyframe refer to damage before it (open GOP).
    tainted_leading: Option<i64>,
    /// Decode order and PTS of the newest keyframe fed.
    keyframe_seq: u64,
    keyframe_pts: Option<i64>,
    /// Chosen pictures whose fate is known, by PTS and decode order, until nothing before them can follow.
    settled: BTreeMap<(i64, u64), Outcome>,
    /// Nothing fed from here on is shown before this PTS.
    floor: Option<i64>,
    /// What the decoder said while it was drained, of no picture in particular.
    drain_error: Option<PictureError>,
    outcomes: Vec<Outcome>,
}

#[derive(Debug)]
struct Fed {
    seq: u64,
    reference: bool,
    chosen: Option<Chosen>,
    /// Found out before the picture came out.
    error: Option<PictureError>,
}

impl Decoding {
    /// `open` makes the decoder when the first unit arrives.
    pub fn new(open: Box<OpenDecoder>) -> Self {
        Self {
            open,
            decoder: None,
            fed: BTreeMap::new(),
            seq: 0,
            tainted_from: None,
            tainted_leading: None,
            keyframe_seq: 0,
            keyframe_pts: None,
            settled: BTreeMap::new(),
            floor: None,
            drain_error: None,
            outcomes: Vec::new(),
        }
    }

    /// Decodes one unit; an error only where no decoder could be opened for the first. Chosen pictures that are settled by it are ready in [`Decoding::take_outcomes`].
    pub fn feed(&mut self, feed: &Feed) -> Result<(), DecodeError> {
        let changed = |decoder: &dyn Decoder| !Arc::ptr_eq(decoder.parameters(), &feed.unit.parameters);
        let reopen = self.decoder.as_deref().is_none_or(changed);
        if feed.fresh || reopen {
            self.restart();
        }
        let first = self.seq == 0;
        self.note(feed);
        if reopen {
            self.reopen(feed, first)?;
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let sent = decoder.send(&feed.unit, feed.chosen.is_some());
        if let Err(error) = sent {
            self.mark_damaged(feed.unit.pts, &error);
        } else if feed.unit.damaged {
            self.mark_damaged(
                feed.unit.pts,
                &DecodeError::Damaged("bytes were lost in transport".to_owned()),
            );
        }
        self.receive(Some(feed.unit.pts));
        self.floor = self.floor.max(feed.floor);
        self.release();
        Ok(())
    }

    /// A choice that nobody wants takes its place among the outcomes.
    pub fn pass(&mut self, passed: Passed) {
        self.settle_without(passed, None);
    }

    /// Units in between went for want of time: what the decoder holds comes out. Up to the next fresh unit nothing is fed.
    pub fn interrupt(&mut self) {
        self.restart();
        self.release();
    }

    /// A choice whose unit went for want of time takes its place among the outcomes.
    pub fn drop_choice(&mut self, choice: Passed) {
        self.settle_without(choice, Some(Err(PictureError::Dropped)));
    }

    fn settle_without(&mut self, choice: Passed, picture: Option<Result<Frame, PictureError>>) {
        let Passed { pts, slot, floor } = choice;
        self.settled.insert((pts, self.seq), Outcome { pts, slot, picture });
        self.floor = self.floor.max(floor);
        self.release();
    }

    /// Opens a decoder for the unit's parameters. Where there was one before, failure is damage: a whole change of
    /// parameters may follow.
    fn reopen(&mut self, feed: &Feed, first: bool) -> Result<(), DecodeError> {
        self.decoder = None;
        match (self.open)(&feed.unit.parameters) {
            Ok(decoder) => self.decoder = Some(decoder),
            Err(error) if first => return Err(error),
            Err(error) => self.mark_damaged(feed.unit.pts, &error),
        }
        if !first && self.decoder.is_some() && feed.info.access == Access::None {
            let lost = "the parameters changed within a group of pictures".to_owned();
            self.mark_damaged(feed.unit.pts, &DecodeError::ReferenceLost(lost));
        }
        Ok(())
    }

    /// The end of a run: gets everything out of the decoder; what does not come out by then is missing.
    pub fn drain(&mut self) {
        self.restart();
        self.outcomes.extend(std::mem::take(&mut self.settled).into_values());
        self.floor = None;
    }

    /// Lets go of what is in order. Decoders of damaged streams give pictures early.
    fn release(&mut self) {
        let mut pending = self.fed.iter().filter(|(_, fed)| fed.chosen.is_some()).map(|(pts, _)| *pts);
        let pending = pending.next();
        while let Some(first) = self.settled.first_entry()
            && self.floor.is_some_and(|floor| first.key().0 <= floor)
            && pending.is_none_or(|pending| first.key().0 < pending)
        {
            self.outcomes.push(first.remove());
        }
    }

    /// Empties the decoder and makes it forget.
    fn restart(&mut self) {
        if let Some(decoder) = &mut self.decoder {
            decoder.send_end();
            self.receive(None);
        }
        if let Some(decoder) = &mut self.decoder {
            decoder.flush();
        }
        self.give_up_before(None);
        self.drain_error = None;
        self.tainted_from = None;
        self.tainted_leading = None;
    }

    /// Chosen pictures settled since the last call, in PTS order.
    pub fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    fn note(&mut self, feed: &Feed) {
        self.seq += 1;
        if matches!(feed.info.access, Access::Keyframe { .. }) {
            self.tainted_leading = self.tainted_from.take().map(|_| feed.unit.pts);
            (self.keyframe_seq, self.keyframe_pts) = (self.seq, Some(feed.unit.pts));
        }
        if feed.info.references_lost && !feed.fresh {
            match self.keyframe_pts {
                // Pictures shown after the keyframe do not refer to those shown before it.
                Some(keyframe) if feed.unit.pts < keyframe => self.tainted_leading = Some(keyframe),
                _ => _ = self.tainted_from.get_or_insert(self.seq),
            }
        }
        let leads_damage = self.tainted_leading.is_some_and(|keyframe| feed.unit.pts < keyframe);
        let error = (self.tainted_from.is_some() || leads_damage).then_some(PictureError::Reference);
        let reference = feed.info.reference;
        let fed = Fed { seq: self.seq, reference, chosen: feed.chosen, error };
        match self.fed.entry(feed.unit.pts) {
            Entry::Vacant(place) => drop(place.insert(fed)),
            // Two pictures at one time, of which the first was chosen: it keeps its verdict.
            Entry::Occupied(first) if first.get().chosen.is_some() && feed.chosen.is_none() => {}
            Entry::Occupied(mut other) => drop(other.insert(fed)),
        }
    }

    /// The unit at `pts` is damaged, and with it what refers to it.
    fn mark_damaged(&mut self, pts: i64, error: &DecodeError) {
        let Some(fed) = self.fed.get_mut(&pts) else { return };
        fed.error = Some(PictureError::Damaged(error.to_string()));
        if fed.reference || matches!(error, DecodeError::ReferenceLost(_)) {
            self.tainted_from = Some(self.tainted_from.map_or(fed.seq, |seq| seq.min(fed.seq)));
        }
    }

    fn receive(&mut self, feeding: Option<i64>) {
        // A decoder that answers every call with an error would never end.
        for _ in 0..1024 {
            let Some(decoder) = &mut self.decoder else { return };
            match decoder.receive() {
                Ok(None) => return,
                Ok(Some(decoded)) => {
                    if let Some(error) = &decoded.unit_damaged {
                        // In a drain no unit is decoded any more: what is said concerns the picture itself.
                        self.mark_damaged(feeding.unwrap_or(decoded.pts), error);
                    }
                    self.settle(decoded);
                }
                Err(error) => {
                    if let Some(pts) = feeding {
                        self.mark_damaged(pts, &error);
                    } else {
                        let error = PictureError::Damaged(error.to_string());
                        self.drain_error.get_or_insert(error);
                    }
                    let ends = |error: &DecodeError| {
                        use DecodeError::{Damaged, Gone, ReferenceLost};
                        matches!(error, Damaged(_) | ReferenceLost(_) | Gone(_))
                    };
                    if ends(&error) {
                        return;
                    }
                }
            }
        }
    }

    /// A picture came out: everything before it that did not is missing.
    fn settle(&mut self, decoded: Decoded) {
        let pts = decoded.pts;
        let Some(fed) = self.fed.remove(&pts) else { return };
        self.give_up_before(Some(pts));
        let damaged = decoded.damaged.then(|| PictureError::Damaged("concealed by the decoder".to_owned()));
        if damaged.is_some() && fed.reference {
            // Later pictures in decode order refer to it, those waiting to come out included.
            let same_gop =
                |seq: u64| seq > fed.seq && (seq < self.keyframe_seq || fed.seq >= self.keyframe_seq);
            for later in self.fed.values_mut().filter(|later| same_gop(later.seq)) {
                later.error.get_or_insert(PictureError::Reference);
            }
            if fed.seq >= self.keyframe_seq {
                self.tainted_from.get_or_insert(fed.seq);
            }
        }
        if let Some(chosen) = fed.chosen {
            let picture = match fed.error.or(damaged) {
                Some(error) => Err(error),
                // Its planes could not be used; what refers to it inside the decoder is not touched by that.
                None => decoded.frame.map_or(Err(PictureError::Missing), |frame| {
                    frame.map_err(|error| PictureError::Damaged(error.to_string()))
                }),
            };
            let outcome = Outcome { pts, slot: chosen.slot, picture: Some(picture) };
            self.settled.insert((pts, fed.seq), outcome);
        }
    }

    fn give_up_before(&mut self, pts: Option<i64>) {
        let rest = pts.map(|pts| self.fed.split_off(&pts)).unwrap_or_default();
        for (pts, fed) in std::mem::replace(&mut self.fed, rest) {
            if let Some(chosen) = fed.chosen {
                let error = fed.error.or_else(|| self.drain_error.clone()).unwrap_or(PictureError::Missing);
                let outcome = Outcome { pts, slot: chosen.slot, picture: Some(Err(error)) };
                self.settled.insert((pts, fed.seq), outcome);
            }
        }
    }
}

impl std::fmt::Debug for Decoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoding")
            .field("decoder", &self.decoder)
            .field("fed", &self.fed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
