//! The sound beside the pictures of a stream.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{AudioCodec, AudioParameters, AudioQueue, AudioUnit};
use ocelli_model::TimeBase;
use retina::{
    client::{Described, Session, Stream},
    codec::{AudioFrame, ParametersRef},
};

use super::{CLOCK, alignment::Alignment};
use crate::WallAnchor;

/// What is asked for, and what of it waits.
#[derive(Debug)]
pub(super) struct Sound {
    /// Which of the server's streams.
    pub(super) index: usize,
    parameters: Arc<AudioParameters>,
    alignment: Alignment,
    waiting: AudioQueue,
}

impl Sound {
    /// The first that a decoder can be told of.
    pub(super) fn of(session: &Session<Described>) -> Option<Self> {
        let streams = session.streams().iter().enumerate();
        let mut sounds = streams.filter(|(_, stream)| stream.media() == "audio");
        let (index, parameters) = sounds.find_map(|(index, stream)| Some((index, parameters(stream)?)))?;
        let alignment = Alignment::new(CLOCK, parameters.time_base.den());
        Some(Self { index, parameters: Arc::new(parameters), alignment, waiting: AudioQueue::default() })
    }

    /// Takes a block that arrived after the picture of this PTS.
    pub(super) fn take(&mut self, frame: &AudioFrame, picture: i64) {
        if let Some(pts) = self.alignment.pts(frame.timestamp().timestamp(), picture) {
            let (data, parameters) = (Bytes::copy_from_slice(frame.data()), Arc::clone(&self.parameters));
            self.waiting.push(AudioUnit { pts, data, parameters });
        }
    }

    pub(super) fn next(&mut self) -> Option<AudioUnit> {
        self.waiting.pop()
    }

    pub(super) fn report(&mut self, report: WallAnchor) {
        self.alignment.sound_report(report);
    }

    pub(super) fn picture_report(&mut self, report: WallAnchor) {
        self.alignment.picture_report(report);
    }
}

/// What a decoder must know; `None` for what the library does not unpack (Opus, for one), or no decoder could use by its
/// name alone.
fn parameters(stream: &Stream) -> Option<AudioParameters> {
    let Some(ParametersRef::Audio(told)) = stream.parameters() else { return None };
    let clock = stream.clock_rate_hz();
    let (codec, sample_rate) = match stream.encoding_name() {
        "mpeg4-generic" => (AudioCodec::Aac, told.clock_rate()),
        "pcma" => (AudioCodec::Other("pcm_alaw".to_owned()), clock),
        "pcmu" => (AudioCodec::Other("pcm_mulaw".to_owned()), clock),
        "l16" => (AudioCodec::Other("pcm_s16be".to_owned()), clock),
        "u8" => (AudioCodec::Other("pcm_u8".to_owned()), clock),
        // By a mistake in the standard that is kept (RFC 3551 section 4.5.2), the clock has half the samples.
        "g722" => (AudioCodec::Other("adpcm_g722".to_owned()), 16_000),
        "g723" => (AudioCodec::Other("g723_1".to_owned()), clock),
        _ => return None,
    };
    Some(AudioParameters {
        codec,
        extradata: Bytes::copy_from_slice(told.extra_data()),
        sample_rate,
        channels: told.channels().get(),
        time_base: TimeBase::new(1, clock).ok()?,
    })
}
