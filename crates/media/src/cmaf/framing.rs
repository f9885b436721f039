//! Access units to samples: lengths instead of start codes, parameter sets out of band.

mod av1;
mod nal;
pub(super) mod record;
mod sets;
mod vp9;

use std::sync::Arc;

use bytes::Bytes;

use self::{av1::Av1, nal::NalUnits, vp9::Vp9};
use super::CmafError;
use crate::{AccessUnit, Codec, CodecParameters, bitstream::shape::Shape};

/// Makes samples of a run's access units, and keeps what describes them.
#[derive(Debug)]
pub struct Framing {
    /// As the source says; the units' own.
    source: Arc<CodecParameters>,
    /// As the initialisation segment needs them.
    described: Option<Arc<CodecParameters>>,
    coder: Coder,
}

#[derive(Debug)]
enum Coder {
    Nal(NalUnits),
    Av1(Av1),
    Vp9(Vp9),
}

/// A sample's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Empty where the unit held parameter sets only, which are out of band now: no sample then.
    pub data: Bytes,
    /// From this unit on [`Framing::parameters`] are others: they need another initialisation segment, and so another segment that
    /// begins here. Happens at keyframes only, and where the first parameters come with the units.
    pub changed: bool,
}

/// What a coder says of the stream: the configuration record, and what pictures look like.
struct Described {
    record: Bytes,
    shape: Shape,
}

impl Framing {
    /// For a run that begins with these parameters.
    pub fn new(parameters: &Arc<CodecParameters>) -> Result<Self, CmafError> {
        let mut framing =
            Self { source: Arc::clone(parameters), described: None, coder: Coder::of(parameters)? };
        framing.describe();
        Ok(framing)
    }

    /// The source's parameters with a configuration record (`avcC`, `hvcC`, `av1C`, `vpcC`) for extradata, and a size. Nothing before the
    /// units have shown what the source did not say.
    pub fn parameters(&self) -> Option<&Arc<CodecParameters>> {
        self.described.as_ref()
    }

    /// The sample of a unit, given in decode order. `keyframe`: decoding can start here, so that parameter sets that came since the last
    /// one go out of band. Between keyframes new ones stay in the samples.
    pub fn sample(&mut self, unit: &AccessUnit, keyframe: bool) -> Result<Framed, CmafError> {
        let mut announced = None;
        if !Arc::ptr_eq(&self.source, &unit.parameters) {
            if unit.parameters.codec != self.source.codec {
                return Err(CmafError::Configuration("stream: its codec has changed"));
            }
            self.source = Arc::clone(&unit.parameters);
            announced = Some(&unit.parameters.extradata);
        }
        let data = match &mut self.coder {
            Coder::Nal(nal) => nal.sample(&unit.data, announced, keyframe),
            Coder::Av1(av1) => av1.sample(&unit.data, announced, keyframe),
            Coder::Vp9(vp9) => {
                vp9.see(&unit.data);
                unit.data.clone()
            }
        };
        let changed = (keyframe || self.described.is_none()) && self.describe();
        if self.described.is_none() {
            return Err(CmafError::NoParameters(self.coder.needs()));
        }
        Ok(Framed { data, changed })
    }

    /// Brings the description up to date; says whether it is another one.
    fn describe(&mut self) -> bool {
        let Some(Described { record, shape }) = self.coder.describe(&self.source) else { return false };
        let is = |known: &CodecParameters| {
            let size = (known.width, known.height) == (shape.width, shape.height);
            size && known.extradata == record && known.rotation == self.source.rotation
        };
        if self.described.as_deref().is_some_and(is) {
            return false;
        }
        if is(&self.source) {
            self.described = Some(Arc::clone(&self.source));
            return true;
        }
        let mut described = (*self.source).clone();
        (described.width, described.height) = (shape.width, shape.height);
        described.extradata = record;
        described.native = None;
        self.described = Some(Arc::new(described));
        true
    }
}

impl Coder {
    fn of(parameters: &CodecParameters) -> Result<Self, CmafError> {
        let CodecParameters { codec, extradata, .. } = parameters;
        match codec {
            Codec::H264 | Codec::H265 => Ok(Self::Nal(NalUnits::new(codec, extradata))),
            Codec::Av1 => Ok(Self::Av1(Av1::new(extradata))),
            Codec::Vp9 => Ok(Self::Vp9(Vp9::default())),
            other => Err(CmafError::Video(other.name().to_owned())),
        }
    }

    fn describe(&self, source: &CodecParameters) -> Option<Described> {
        match self {
            Self::Nal(nal) => nal.describe(),
            Self::Av1(av1) => av1.describe(),
            Self::Vp9(vp9) => vp9.describe(source.frame_rate),
        }
    }

    fn needs(&self) -> &'static str {
        match self {
            Self::Nal(_) => "parameter set",
            Self::Av1(_) => "sequence header",
            Self::Vp9(_) => "keyframe",
        }
    }
}

#[cfg(test)]
mod tests;
