//! Messages to access units: times continued past their 32 bits, parameters that change, what cannot be used counted.

mod clock;
mod parameters;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{AccessUnit, AudioCodec, AudioParameters, AudioUnit, Codec, CodecParameters};
use ocelli_model::TimeBase;

use self::{
    clock::Clock,
    parameters::{Announced, is_whole, length_size, sound_of},
};
use super::{
    amf,
    flv::{self, AudioTag, FlvError, VideoTag},
};

/// Longer is no record of parameters.
const LONGEST_RECORD: usize = 64 << 10;

/// Media of one publish. PTS and DTS are milliseconds as they were sent, in a time base of 1/1000, and exact.
#[derive(Debug)]
pub struct Units {
    base: TimeBase,
    clock: Clock,
    video: Option<Arc<CodecParameters>>,
    audio: Option<Arc<AudioParameters>>,
    announced: Announced,
    newest: Option<i64>,
    /// What came so far.
    pub counts: Counts,
}

/// What came of a publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pictures.
    pub pictures: u64,
    /// Blocks of sound.
    pub sounds: u64,
    /// Pictures whose decoding time is before that of the picture before.
    pub backwards: u64,
    /// Pictures whose bytes do not add up.
    pub damaged: u64,
    /// Pictures and sound left out, for nobody has said how they are coded.
    pub unexplained: u64,
    /// Tags that could not be read.
    pub unreadable: u64,
}

impl Default for Units {
    fn default() -> Self {
        Self::new()
    }
}

impl Units {
    /// Nothing came so far.
    pub fn new() -> Self {
        Self {
            base: TimeBase::new(1, 1000).expect("neither is zero"),
            clock: Clock::default(),
            video: None,
            audio: None,
            announced: Announced::default(),
            newest: None,
            counts: Counts::default(),
        }
    }

    /// What a message of values announces: the size of pictures. What cannot be read announces nothing.
    pub fn announce(&mut self, payload: &[u8]) {
        if let Ok(values) = amf::read(payload) {
            self.announced = Announced::of(&values).unwrap_or(self.announced);
        }
    }

    /// A message of pictures. Errors are of this one message, unless they are lasting.
    pub fn video(&mut self, timestamp: u32, payload: Bytes) -> Result<Option<AccessUnit>, FlvError> {
        let time = self.clock.at(timestamp);
        let read = flv::video(payload).and_then(|tag| self.picture(time, tag));
        self.counted(read)
    }

    /// A message of sound.
    pub fn audio(&mut self, timestamp: u32, payload: Bytes) -> Result<Option<AudioUnit>, FlvError> {
        let time = self.clock.at(timestamp);
        let read = flv::audio(payload).and_then(|tag| self.sound(time, tag));
        self.counted(read)
    }

    fn counted<T>(&mut self, read: Result<T, FlvError>) -> Result<T, FlvError> {
        self.counts.unreadable += u64::from(read.is_err());
        if self.counts.pictures == 0 && self.counts.sounds == 0 {
            // Parameters come at time 0, whatever the time of the media is: that of an encoder that runs for weeks is no step from there.
            self.clock = Clock::default();
        }
        read
    }

    fn picture(&mut self, dts: i64, tag: VideoTag) -> Result<Option<AccessUnit>, FlvError> {
        match tag {
            VideoTag::Nothing => Ok(None),
            VideoTag::Configuration { codec, record } => {
                if !is_whole(&codec, &record) || record.len() > LONGEST_RECORD {
                    return Err(FlvError::Unknown("the record of parameters"));
                }
                let same = |now: &Arc<CodecParameters>| now.codec == codec && now.extradata == record;
                if !self.video.as_ref().is_some_and(same) {
                    self.video = Some(Arc::new(self.parameters(codec, &record)));
                }
                Ok(None)
            }
            VideoTag::Picture { codec, keyframe, composition, data } => {
                if !self.video.as_ref().is_some_and(|now| now.codec == codec) {
                    if matches!(codec, Codec::H264 | Codec::H265) {
                        self.counts.unexplained += 1;
                        return Ok(None);
                    }
                    // The others say in each keyframe what must be known.
                    self.video = Some(Arc::new(self.parameters(codec, &[])));
                }
                let Some(parameters) = &self.video else { return Ok(None) };
                let mut unit = AccessUnit::new(dts + i64::from(composition), data, Arc::clone(parameters));
                unit.dts = Some(dts);
                unit.container_keyframe = keyframe;
                unit.damaged = length_size(parameters).is_some_and(|size| !adds_up(&unit.data, size));
                self.counts.pictures += 1;
                self.counts.damaged += u64::from(unit.damaged);
                self.counts.backwards +=
                    u64::from(self.newest.replace(dts).is_some_and(|before| dts < before));
                Ok(Some(unit))
            }
        }
    }

    /// What was announced is of the parameters that follow it, and of no others.
    fn parameters(&mut self, codec: Codec, record: &[u8]) -> CodecParameters {
        let announced = std::mem::take(&mut self.announced);
        // A slice of a message would keep all of it.
        let mut parameters = CodecParameters::new(codec, Bytes::copy_from_slice(record), self.base);
        (parameters.width, parameters.height) = announced.size;
        parameters.frame_rate = announced.frame_rate;
        parameters
    }

    fn sound(&mut self, pts: i64, tag: AudioTag) -> Result<Option<AudioUnit>, FlvError> {
        let (codec, from_tag, data) = match tag {
            AudioTag::Nothing => return Ok(None),
            AudioTag::Configuration { codec, record } => {
                let (sample_rate, channels) = sound_of(&codec, &record)?;
                self.set_audio(&codec, &record, (sample_rate, channels));
                return Ok(None);
            }
            AudioTag::Sound { codec, sample_rate, channels, data } => (codec, (sample_rate, channels), data),
        };
        let is_known = self.audio.as_ref().is_some_and(|now| now.codec == codec);
        match codec {
            AudioCodec::Aac | AudioCodec::Opus if !is_known => {
                self.counts.unexplained += 1;
                return Ok(None);
            }
            // The tag says all, each time anew; or it was said before.
            AudioCodec::Other(_) if !is_known || from_tag.0 > 0 => self.set_audio(&codec, &[], from_tag),
            _ => {}
        }
        self.counts.sounds += 1;
        let unit =
            |parameters: &Arc<AudioParameters>| AudioUnit { pts, data, parameters: Arc::clone(parameters) };
        Ok(self.audio.as_ref().map(unit))
    }

    fn set_audio(&mut self, codec: &AudioCodec, record: &[u8], (sample_rate, channels): (u32, u16)) {
        let extradata = Bytes::copy_from_slice(record);
        let new =
            AudioParameters { codec: codec.clone(), extradata, sample_rate, channels, time_base: self.base };
        if self.audio.as_deref() != Some(&new) {
            self.audio = Some(Arc::new(new));
        }
    }
}

/// Whether lengths and NAL units fill a picture exactly.
fn adds_up(mut data: &[u8], size: usize) -> bool {
    while !data.is_empty() {
        let Some((length, rest)) = data.split_at_checked(size) else { return false };
        let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let Some((_, rest)) = rest.split_at_checked(length) else { return false };
        data = rest;
    }
    true
}
