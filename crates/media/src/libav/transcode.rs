//! Sound that browsers do not play becomes AAC, at the times of the source.
//!
//! Times: the first sample is put where its PTS says, and all that follows is counted in samples from there, in a time base of one
//! sample. A source whose times go another way than its samples is followed once they differ by more than 20 ms: gaps of up to a second
//! are filled with silence, what comes twice is cut away, and a longer step begins anew at the new time. So sound is at no time further
//! than 20 ms from where its source had it, however long it goes on.
//!
//! The encoder's delay: a block of AAC is whole only with half of the block before (ISO/IEC 14496-3, 4.6.11: windows overlap), so that an
//! encoder puts one block in front of the sound. `AVCodecContext::initial_padding` says how long it is (1024 samples); that block is
//! kept, its PTS is so much before the sound's, and each sample is heard at its own time without an edit list. Only where that PTS would be
//! negative, of sound that begins at 0, it is left out: players would move everything for it.

mod decoding;
mod encoding;
mod place;
mod resampling;

use std::{collections::VecDeque, sync::Arc};

use ffmpeg_sys_next as ffi;

use self::{
    decoding::Decoding,
    encoding::Encoding,
    place::{Place, sample_at},
    resampling::{Resampler, Shape},
};
use super::{AvError, av_frame::AvFrame};
use crate::{AudioCodec, AudioParameters, AudioUnit};

/// Longest sound of one decoded block, in seconds: what waits is bounded by it.
const LONGEST_SECONDS: u32 = 10;

/// Why sound is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranscodeError {
    /// Of a codec that is not decoded.
    #[error("there is no decoder for sound as {0}")]
    NoDecoder(String),
    /// FFmpeg was built without one.
    #[error("this FFmpeg has no encoder of AAC")]
    NoEncoder,
    /// Damaged, or not what it is said to be.
    #[error("sound as {codec} cannot be decoded")]
    Decode {
        /// How it is said to be coded.
        codec: String,
        /// What libav said.
        #[source]
        cause: AvError,
    },
    /// Rates, channels or times that no sound has.
    #[error("sound that is decoded makes no sense")]
    Senseless,
    /// Resampling or encoding failed.
    #[error("sound cannot be encoded")]
    Encode(#[source] AvError),
}

impl TranscodeError {
    fn decode(codec: &str, cause: AvError) -> Self {
        Self::Decode { codec: codec.to_owned(), cause }
    }
}

/// Makes AAC of sound that browsers do not play; AAC and Opus go through as they came. Mono stays mono, more than two channels are
/// mixed down to two. The rate is the source's, or the next multiple of it from 16 kHz on: sound of telephones has 32 kb/s.
///
/// A block is there two blocks after its sound: 128 ms at 16 kHz, 43 ms at 48 kHz. No more than that waits here, once all that is ready
/// is taken.
#[derive(Debug, Default)]
pub struct AudioTranscoder {
    chain: Option<Chain>,
    /// What cannot be decoded, and why.
    refused: Option<(Arc<AudioParameters>, TranscodeError)>,
    ready: VecDeque<AudioUnit>,
}

impl AudioTranscoder {
    /// Nothing came so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next block of the source. Where it is an error, this block is left out, and the next may be better.
    pub fn push(&mut self, unit: AudioUnit) -> Result<(), TranscodeError> {
        let AudioCodec::Other(codec) = &unit.parameters.codec else {
            self.end();
            self.ready.push_back(unit);
            return Ok(());
        };
        if let Some((_, why)) = self.refused.as_ref().filter(|(refused, _)| is_same(refused, &unit)) {
            return Err(why.clone());
        }
        if self.chain.as_ref().is_none_or(|chain| !is_same(&chain.source, &unit)) {
            let opened = Decoding::open(codec, &unit.parameters);
            let opened = opened.inspect_err(|why| {
                self.refused = Some((Arc::clone(&unit.parameters), why.clone()));
            });
            self.change(opened?, &unit)?;
        }
        let Some(chain) = &mut self.chain else { return Ok(()) };
        chain.push(&unit, codec, &mut self.ready)
    }

    /// Sound that is ready, oldest first.
    pub fn next_unit(&mut self) -> Option<AudioUnit> {
        self.ready.pop_front()
    }

    /// What the next block needs that is ready or will be, as soon as that is known: some time before the block itself.
    pub fn parameters(&self) -> Option<&Arc<AudioParameters>> {
        let coming = || self.chain.as_ref()?.encoding.as_ref().map(|encoding| &encoding.parameters);
        self.ready.front().map(|unit| &unit.parameters).or_else(coming)
    }

    /// Nothing follows what came so far: all of it is ready. What comes next begins anew.
    pub fn end(&mut self) {
        if let Some(chain) = self.chain.take() {
            // What fails here was whole up to here.
            chain.finish(&mut self.ready).ok();
        }
    }

    /// The same sound, coded in another way: what is encoded goes on where it can.
    fn change(&mut self, decoding: Decoding, unit: &AudioUnit) -> Result<(), TranscodeError> {
        let source = Arc::clone(&unit.parameters);
        let frame = AvFrame::new().map_err(TranscodeError::Encode)?;
        let before = self.chain.take();
        let encoding = before.and_then(|chain| chain.decoded(&mut self.ready).ok().flatten());
        self.chain = Some(Chain { source, decoding, frame, resampler: None, encoding, mending: false });
        Ok(())
    }
}

fn is_same(parameters: &Arc<AudioParameters>, unit: &AudioUnit) -> bool {
    Arc::ptr_eq(parameters, &unit.parameters) || **parameters == *unit.parameters
}

/// From one kind of coded sound to AAC.
#[derive(Debug)]
struct Chain {
    source: Arc<AudioParameters>,
    decoding: Decoding,
    frame: AvFrame,
    /// For the shape of what was decoded last.
    resampler: Option<Resampler>,
    encoding: Option<Encoding>,
    /// The frame before was heard already.
    mending: bool,
}

impl Chain {
    fn push(
        &mut self,
        unit: &AudioUnit,
        codec: &str,
        out: &mut VecDeque<AudioUnit>,
    ) -> Result<(), TranscodeError> {
        self.decoding.send(unit).map_err(|cause| TranscodeError::decode(codec, cause))?;
        let (mut heard, mut first) = (Ok(()), true);
        // To the end, whatever becomes of it: the decoder takes nothing else before.
        loop {
            match self.decoding.receive(&mut self.frame) {
                Ok(true) => {}
                Ok(false) => return heard,
                Err(cause) => return heard.and(Err(TranscodeError::decode(codec, cause))),
            }
            // A block may hold several frames: its time is that of the first, and the others follow.
            let own = Some(self.frame.pts()).filter(|pts| *pts != ffi::AV_NOPTS_VALUE).unwrap_or(unit.pts);
            let pts = std::mem::replace(&mut first, false).then_some(own);
            heard = heard.and(self.hear(pts, out));
        }
    }

    /// Takes the frame that was decoded.
    fn hear(&mut self, pts: Option<i64>, out: &mut VecDeque<AudioUnit>) -> Result<(), TranscodeError> {
        let shape = Shape::of(&self.frame).ok_or(TranscodeError::Senseless)?;
        if self.frame.samples() > i64::from(LONGEST_SECONDS * shape.rate) {
            return Err(TranscodeError::Senseless);
        }
        let target = (shape.target_rate(), shape.target_channels());
        let base = self.source.time_base;
        let at =
            pts.map(|pts| sample_at(pts, base, target.0).ok_or(TranscodeError::Senseless)).transpose()?;
        self.follow(shape)?;
        if let Some(other) = self.encoding.take_if(|encoding| encoding.shape() != target) {
            other.finish(out)?;
        }
        let skipped = at.map_or(Ok(0), |at| self.make_room(at, out))?;
        if self.encoding.is_none() {
            // Sound without any time belongs nowhere.
            let Some(at) = at else { return Ok(()) };
            self.encoding = Some(Encoding::open(target, at)?);
        }
        let (Some(resampler), Some(encoding)) = (&mut self.resampler, &mut self.encoding) else {
            return Ok(());
        };
        let before = encoding.waiting.len();
        resampler.convert(&self.frame, &mut encoding.waiting).map_err(TranscodeError::Encode)?;
        self.mending = skipped > 0 && skipped >= encoding.waiting.len() - before;
        encoding.waiting.cut(before, skipped);
        encoding.encode(out)
    }

    /// Before sound that belongs at this sample. Gives how much of it was heard already.
    fn make_room(&mut self, at: i64, out: &mut VecDeque<AudioUnit>) -> Result<usize, TranscodeError> {
        let (Some(resampler), Some(encoding)) = (&mut self.resampler, &mut self.encoding) else {
            return Ok(0);
        };
        let place = Place::of(at, encoding.end() + resampler.delay(), encoding.shape().0, self.mending);
        if place == Place::Next {
            return Ok(0);
        }
        resampler.flush(&mut encoding.waiting).map_err(TranscodeError::Encode)?;
        match place {
            Place::Next => {}
            Place::Gap => encoding.wait_until(at),
            Place::Overlap => return Ok(usize::try_from(encoding.end() - at).unwrap_or(0)),
            Place::Elsewhere => {
                if let Some(before) = self.encoding.take() {
                    before.finish(out)?;
                }
            }
        }
        Ok(0)
    }

    /// Makes a resampler for frames of this shape, unless it is there.
    fn follow(&mut self, shape: Shape) -> Result<(), TranscodeError> {
        if self.resampler.as_ref().is_some_and(|resampler| resampler.shape == shape) {
            return Ok(());
        }
        self.flush();
        self.resampler = Some(Resampler::open(shape).map_err(TranscodeError::Encode)?);
        Ok(())
    }

    /// What the resampler held back goes to the encoder that it was made for.
    fn flush(&mut self) {
        if let (Some(mut resampler), Some(encoding)) = (self.resampler.take(), &mut self.encoding) {
            resampler.flush(&mut encoding.waiting).ok();
        }
    }

    /// All that was sent is decoded, and with the encoder.
    fn decoded(mut self, out: &mut VecDeque<AudioUnit>) -> Result<Option<Encoding>, TranscodeError> {
        self.decoding.send_end();
        while self.decoding.receive(&mut self.frame).is_ok_and(|received| received) {
            self.hear(None, out)?;
        }
        self.flush();
        Ok(self.encoding.take())
    }

    fn finish(self, out: &mut VecDeque<AudioUnit>) -> Result<(), TranscodeError> {
        self.decoded(out)?.map_or(Ok(()), |encoding| encoding.finish(out))
    }
}
