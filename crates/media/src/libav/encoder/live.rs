//! Pictures that browsers do not play become H.264, one for one and at their own times.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use ocelli_model::TimeBase;

use super::{
    super::{AvError, LibavDecoder, packet::Packet},
    Canvas, EncodeError, canvas,
    codec::{self, Encoder},
};
use crate::{
    AccessUnit, Codec, CodecParameters,
    decode::{DecodeError, Decoder as _},
    pixel::Picture,
};

/// Seconds of stream time from one keyframe to the next, as segments want them.
const KEYFRAMES_SECONDS: i128 = 2;

/// Why a picture is left out.
#[derive(Debug, thiserror::Error)]
pub enum VideoTranscodeError {
    /// It cannot be decoded.
    #[error("the picture cannot be decoded")]
    Decode(#[from] DecodeError),
    /// Decoding withheld or damaged it.
    #[error("the picture is damaged")]
    Damaged,
    /// It cannot be encoded.
    #[error("the picture cannot be encoded")]
    Encode(#[from] EncodeError),
}

/// Makes H.264 (libx264) of pictures that are coded in another way. PTS and time base are the source's; there is one picture out for each
/// that is shown, without reordering, and a keyframe once 2 s of stream time have passed since the last. Another size begins anew, with
/// parameters of its own. Upright, in limited range.
///
/// No picture waits in the encoder; in the decoder wait those that are reordered.
#[derive(Debug, Default)]
pub struct VideoTranscoder {
    decoder: Option<LibavDecoder>,
    encoding: Option<Encoding>,
    /// PTS of units that are damaged, and have not come out.
    damaged: BTreeSet<i64>,
    ready: VecDeque<AccessUnit>,
}

impl VideoTranscoder {
    /// Whether pictures of this codec have to be transcoded to be recorded: all but those that [`crate::cmaf`] holds.
    pub fn is_for(codec: &Codec) -> bool {
        !matches!(codec, Codec::H264 | Codec::H265 | Codec::Av1 | Codec::Vp9)
    }

    /// The next unit in decode order. Where it is an error, a picture is left out, and the next may be better.
    pub fn push(&mut self, unit: &AccessUnit) -> Result<(), VideoTranscodeError> {
        let known = |decoder: &LibavDecoder| Arc::ptr_eq(decoder.parameters(), &unit.parameters);
        if !self.decoder.as_ref().is_some_and(known) {
            let drained = self.drain();
            self.decoder = Some(LibavDecoder::open(&unit.parameters)?);
            drained?;
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let sent = decoder.send(unit, unit.presentable).map_err(VideoTranscodeError::from);
        if unit.damaged || sent.is_err() {
            self.damaged.insert(unit.pts);
        }
        // What comes out is taken in any case.
        let received = self.receive(Some(unit.pts));
        sent.and(received)
    }

    /// A picture that is ready, oldest first.
    pub fn next_unit(&mut self) -> Option<AccessUnit> {
        self.ready.pop_front()
    }

    /// Nothing follows what came so far: all of it is ready. What comes next begins anew, with a keyframe.
    pub fn end(&mut self) -> Result<(), VideoTranscodeError> {
        let drained = self.drain();
        (self.decoder, self.encoding) = (None, None);
        drained
    }

    fn drain(&mut self) -> Result<(), VideoTranscodeError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        decoder.send_end();
        let received = self.receive(None);
        self.damaged.clear();
        received
    }

    /// Takes every picture that is decoded. `sent`: PTS of the unit that went in before.
    fn receive(&mut self, sent: Option<i64>) -> Result<(), VideoTranscodeError> {
        let mut done = Ok(());
        while let Some(decoder) = &mut self.decoder {
            let decoded = match decoder.receive() {
                Ok(Some(decoded)) => decoded,
                Ok(None) => return done,
                Err(error) => return done.and(Err(error.into())),
            };
            let source = Arc::clone(decoder.parameters());
            if decoded.unit_damaged.is_some() {
                self.damaged.extend(sent);
            }
            let damaged = decoded.damaged || self.damaged.contains(&decoded.pts);
            // Those of earlier times do not come any more.
            self.damaged = self.damaged.split_off(&decoded.pts.saturating_add(1));
            let encoded = match decoded.frame {
                None => Ok(()),
                Some(_) if damaged => Err(VideoTranscodeError::Damaged),
                Some(Ok(frame)) => self.encode(&frame.picture(), decoded.pts, &source),
                Some(Err(error)) => Err(EncodeError::Codec(error).into()),
            };
            done = done.and(encoded);
        }
        done
    }

    fn encode(
        &mut self,
        picture: &Picture<'_>,
        pts: i64,
        source: &CodecParameters,
    ) -> Result<(), VideoTranscodeError> {
        canvas::check(picture)?;
        let fits = |encoding: &mut Encoding| encoding.fits(picture, source.time_base);
        if self.encoding.as_mut().is_none_or(|encoding| !fits(encoding)) {
            self.encoding = Some(Encoding::open(picture, source)?);
        }
        let Some(encoding) = &mut self.encoding else { return Ok(()) };
        encoding.encode(picture, pts, &mut self.ready).map_err(|cause| EncodeError::Codec(cause).into())
    }
}

/// An encoder for pictures of one size.
#[derive(Debug)]
struct Encoding {
    canvas: Canvas,
    encoder: Encoder,
    packet: Packet,
    parameters: Arc<CodecParameters>,
    size: (u32, u32),
    /// PTS of the newest keyframe.
    keyframe: Option<i64>,
}

impl Encoding {
    fn open(picture: &Picture<'_>, source: &CodecParameters) -> Result<Self, EncodeError> {
        let size = (picture.width, picture.height);
        let refused = |cause| EncodeError::Open { width: size.0, height: size.1, cause };
        let mut canvas = Canvas::like(picture).map_err(refused)?;
        if !codec::available().contains(&codec::Name::X264) {
            return Err(EncodeError::NoEncoder);
        }
        let encoder = Encoder::open_live(&mut canvas).map_err(refused)?;
        let packet = Packet::new().map_err(EncodeError::Codec)?;
        let mut parameters = CodecParameters::new(Codec::H264, encoder.extradata(), source.time_base);
        (parameters.width, parameters.height) = (size.0.next_multiple_of(2), size.1.next_multiple_of(2));
        parameters.frame_rate = source.frame_rate;
        Ok(Self { canvas, encoder, packet, parameters: Arc::new(parameters), size, keyframe: None })
    }

    fn fits(&self, picture: &Picture<'_>, base: TimeBase) -> bool {
        self.size == (picture.width, picture.height) && self.parameters.time_base == base
    }

    fn encode(
        &mut self,
        picture: &Picture<'_>,
        pts: i64,
        out: &mut VecDeque<AccessUnit>,
    ) -> Result<(), AvError> {
        let base = self.parameters.time_base;
        let due = self.keyframe.is_none_or(|last| {
            let since = i128::from(pts) - i128::from(last);
            // A time that goes back is no reason to wait.
            since < 0 || since * i128::from(base.num()) >= KEYFRAMES_SECONDS * i128::from(base.den())
        });
        self.canvas.draw(picture)?;
        let frame = self.canvas.frame_mut();
        frame.force_keyframe(due);
        self.encoder.send(frame)?;
        while self.encoder.receive(&mut self.packet)? {
            let keyframe = self.packet.is_keyframe();
            if keyframe {
                self.keyframe = Some(pts);
            }
            // Copied: the encoder's buffers are larger than what is in them.
            let data = Bytes::copy_from_slice(&self.packet.take_data()?);
            let mut unit = AccessUnit::new(pts, data, Arc::clone(&self.parameters));
            (unit.dts, unit.container_keyframe) = (Some(pts), keyframe);
            out.push_back(unit);
        }
        Ok(())
    }
}
