//! Units of one run become samples, and samples parts.

use std::sync::Arc;

use ocelli_media::{
    AccessUnit, Codec, CodecParameters,
    cmaf::{CmafError, DecodeTimes, Framing, Sample},
};
use ocelli_model::TimeBase;

use crate::{
    cutting::{Begins, Cuts, Cutting, Next},
    lengths::Lengths,
};

/// Most pictures of a part, whatever their times say.
const MOST_PICTURES: usize = 1000;
/// Bytes after which a part closes, whatever its times say.
const MOST_BYTES: usize = 4 << 20;

/// One unbroken connection.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ordinal: u32,
    pub(crate) base: TimeBase,
    codec: Codec,
    framing: Framing,
    times: DecodeTimes,
    cutting: Option<Cutting>,
    /// The newest picture: how long it lasts is known when the next is there.
    last: Option<Sample>,
    /// When it came, on a clock that nobody sets.
    last_ms: i64,
    /// Of the part that grows, before it.
    samples: Vec<Sample>,
    bytes: usize,
    /// When the last of them came, on that clock.
    kept_ms: i64,
    /// When the first unit came that nothing could be begun with.
    waits_since: Option<i64>,
}

/// Pictures of a part that is whole.
#[derive(Debug)]
pub(crate) struct Pictures {
    pub(crate) samples: Vec<Sample>,
    pub(crate) first_pts: i64,
    /// End of the last one that is shown.
    pub(crate) end_pts: i64,
    pub(crate) ticks: i64,
    /// When the last one came, on a clock that nobody sets.
    pub(crate) steady_ms: i64,
}

/// What a unit did.
#[derive(Debug)]
pub(crate) enum Step {
    /// It went into the part that grows, or is none (parameter sets alone).
    Taken,
    /// It cannot be used: nothing could be begun before it.
    LeftOut,
    /// Something begins, with it or with the picture before it: one or two cuts, in their order.
    Cut(Vec<Cut>),
}

/// Where a part or a segment begins.
#[derive(Debug)]
pub(crate) struct Cut {
    /// A whole part that ends here; none where there is nothing of it, as at the first unit of a run.
    pub(crate) closes: Option<Pictures>,
    pub(crate) begins: Begins,
    /// Of the picture that begins it.
    pub(crate) pts: i64,
    pub(crate) keyframe: bool,
    pub(crate) steady_ms: i64,
}

impl Run {
    pub(crate) fn new(ordinal: u32, unit: &AccessUnit) -> Result<Self, CmafError> {
        let base = unit.parameters.time_base;
        Ok(Self {
            ordinal,
            base,
            codec: unit.parameters.codec.clone(),
            framing: Framing::new(&unit.parameters)?,
            times: DecodeTimes::new(base, unit.parameters.frame_rate),
            cutting: None,
            last: None,
            last_ms: 0,
            samples: Vec::new(),
            bytes: 0,
            kept_ms: 0,
            waits_since: None,
        })
    }

    /// A unit is of this run, and of the same codec and ticks.
    pub(crate) fn goes_on_with(&self, ordinal: u32, unit: &AccessUnit) -> bool {
        let codec = &unit.parameters.codec;
        self.ordinal == ordinal && self.base == unit.parameters.time_base && self.codec == *codec
    }

    /// What an initialisation segment must describe.
    pub(crate) fn parameters(&self) -> Option<&Arc<CodecParameters>> {
        self.framing.parameters()
    }

    /// The next unit in decode order. `steady_ms`: when it came, on a clock that nobody sets. `patience_ms`: how long to wait for one that decoding can start with.
    pub(crate) fn push(
        &mut self,
        unit: &AccessUnit,
        opens: bool,
        depth: u32,
        steady_ms: i64,
        patience_ms: i64,
        lengths: &Lengths,
    ) -> Result<Step, CmafError> {
        let framed = match self.framing.sample(unit, opens) {
            Ok(framed) => framed,
            // They come with a later unit, before which nothing can be decoded.
            Err(CmafError::NoParameters(_)) => return Ok(Step::LeftOut),
            Err(error) => return Err(error),
        };
        if self.cutting.is_none() && !opens {
            let since = *self.waits_since.get_or_insert(steady_ms);
            if steady_ms.abs_diff(since) < patience_ms.unsigned_abs() {
                return Ok(Step::LeftOut);
            }
        }
        if framed.data.is_empty() {
            return Ok(Step::Taken);
        }
        let dts = self.times.push(unit.pts, unit.dts, depth);
        let sample = Sample { pts: unit.pts, dts, ticks: 0, keyframe: opens, data: framed.data };
        let Some(cutting) = &mut self.cutting else {
            self.cutting = Some(Cutting::new(self.base, dts, opens));
            (self.last, self.last_ms) = (Some(sample), steady_ms);
            let (begins, pts) = (Begins::Segment, unit.pts);
            return Ok(Step::Cut(vec![Cut { closes: None, begins, pts, keyframe: opens, steady_ms }]));
        };
        let before = self.last.as_ref().map_or(dts, |last| last.dts);
        let fits = u32::try_from(dts.saturating_sub(before)).ok().filter(|ticks| {
            // In the file it is counted in other ticks.
            ticks.checked_mul(self.base.num()).is_some()
        });
        let mut cuts = cutting.next(Next { dts, opens, anew: framed.changed || fits.is_none() }, lengths);
        if cuts.here == Begins::Nothing && (self.samples.len() >= MOST_PICTURES || self.bytes >= MOST_BYTES) {
            cutting.close_part(lengths);
            cuts.here = Begins::Part;
        }
        let (last, last_ms) = (self.last.replace(sample), std::mem::replace(&mut self.last_ms, steady_ms));
        let Some(last) = last else { return Ok(Step::Taken) };
        Ok(self.cut(
            cuts,
            (Sample { ticks: fits.unwrap_or(1), ..last }, last_ms),
            (unit.pts, opens, steady_ms),
        ))
    }

    /// Gives the picture that was last to its part. `next`: PTS, whether decoding can start with it, and arrival of the one after it.
    fn cut(&mut self, cuts: Cuts, (last, last_ms): (Sample, i64), next: (i64, bool, i64)) -> Step {
        let mut made = Vec::new();
        let mut cut = |run: &mut Self, begins, (pts, keyframe, steady_ms)| {
            if begins != Begins::Nothing {
                let next_pts = (begins == Begins::Segment).then_some(pts);
                let closes = (!run.samples.is_empty()).then(|| run.close(next_pts));
                made.push(Cut { closes, begins, pts, keyframe, steady_ms });
            }
        };
        cut(self, cuts.before, (last.pts, last.keyframe, last_ms));
        self.keep(last, last_ms);
        cut(self, cuts.here, next);
        if made.is_empty() { Step::Taken } else { Step::Cut(made) }
    }

    /// See [`Cutting::rest`]; 0 before the first picture.
    pub(crate) fn rest(&self, lengths: &Lengths) -> i64 {
        self.cutting.as_ref().map_or(0, |cutting| cutting.rest(lengths))
    }

    /// What is left, where nothing follows.
    pub(crate) fn end(&mut self) -> Option<Pictures> {
        let last = self.last.take()?;
        let ticks = self.cutting.as_ref().map_or(1, Cutting::step);
        let ticks = u32::try_from(ticks).ok().filter(|ticks| ticks.checked_mul(self.base.num()).is_some());
        self.keep(Sample { ticks: ticks.unwrap_or(1), ..last }, self.last_ms);
        Some(self.close(None))
    }

    fn keep(&mut self, sample: Sample, steady_ms: i64) {
        (self.bytes, self.kept_ms) = (self.bytes + sample.data.len(), steady_ms);
        self.samples.push(sample);
    }

    /// The part so far. `next_pts`: of the picture that begins the next segment.
    fn close(&mut self, next_pts: Option<i64>) -> Pictures {
        self.bytes = 0;
        let samples = std::mem::take(&mut self.samples);
        let ends = samples.iter().map(|sample| sample.pts.saturating_add(i64::from(sample.ticks)));
        let end_pts = ends.max().unwrap_or_default();
        let latest = samples.iter().map(|sample| sample.pts).max().unwrap_or_default();
        Pictures {
            first_pts: samples.iter().map(|sample| sample.pts).min().unwrap_or_default(),
            // A picture lasts to the next one at most, whatever decode times say.
            end_pts: next_pts.filter(|next| *next > latest).map_or(end_pts, |next| next.min(end_pts)),
            ticks: samples.iter().map(|sample| i64::from(sample.ticks)).sum(),
            samples,
            steady_ms: self.kept_ms,
        }
    }
}
