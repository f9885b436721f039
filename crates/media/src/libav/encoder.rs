//! Pictures to a video file whose media times are exactly those given.

mod canvas;
mod codec;
mod live;
mod muxer;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io};

use ocelli_model::TimeBase;

pub use self::live::{VideoTranscodeError, VideoTranscoder};
use self::{
    canvas::Canvas,
    codec::Encoder,
    muxer::{LONGEST_STEP, Muxer},
};
use super::{AvError, io::Output, packet::Packet, route_logs};
use crate::pixel::Picture;

/// Far beyond any clock, and far from where libavformat's sums overflow.
const MOST_TICKS: i64 = 1 << 60;

/// Repeated pictures in one gap at most.
const MOST_REPEATS: i64 = 16;

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSettings {
    /// Seconds per tick of every PTS.
    pub time_base: TimeBase,
    /// Constant rate factor of H.264, 0 (lossless) to 51; 23 is x264's own default.
    pub crf: u8,
    /// Encoding threads, at least 1.
    pub threads: u16,
}

impl VideoSettings {
    /// One thread and a quality at which drawn lines stay clean.
    pub fn new(time_base: TimeBase) -> Self {
        Self { time_base, crf: 23, threads: 1 }
    }
}

/// Why a video could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// This build of FFmpeg lacks libx264 and mpeg4.
    #[error("this FFmpeg can encode neither H.264 (libx264) nor MPEG-4")]
    NoEncoder,
    /// The encoder refuses this size of picture.
    #[error("cannot encode pictures of {width}x{height}")]
    Open {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// What the last encoder said.
        #[source]
        cause: AvError,
    },
    /// MP4 counts time in 1/n seconds with n below 2^31.
    #[error("MP4 cannot count in ticks of {}/{} s", .0.num(), .0.den())]
    TimeBase(TimeBase),
    /// Planes shorter than the size says, or no pixels at all.
    #[error("the picture's planes do not hold {width}x{height} pixels")]
    Picture {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Pictures come in the order in which they are shown, one at a time.
    #[error("PTS {pts} does not follow PTS {last}")]
    NotIncreasing {
        /// As given.
        pts: i64,
        /// Of the picture before.
        last: i64,
    },
    /// Beyond 2^60 ticks of the file's own timescale.
    #[error("PTS {0} is out of range")]
    TimeRange(i64),
    /// More than 17 times 2^31 ticks of the file's own timescale lie between two pictures.
    #[error("PTS {pts} follows PTS {last} after too long a gap for MP4")]
    Gap {
        /// As given.
        pts: i64,
        /// Of the picture before.
        last: i64,
    },
    /// The encoder or the muxer failed.
    #[error("cannot encode the video")]
    Codec(#[source] AvError),
    /// The output failed, such as a full disk. Fragments written before stay playable.
    #[error("cannot write the video")]
    Output(#[source] io::Error),
    /// An earlier write failed; pictures are missing.
    #[error("no video is written after an earlier failure")]
    Broken,
    /// MP4 needs the size of a picture before anything can be written.
    #[error("no pictures to write")]
    Empty,
}

/// Writes fragmented MP4: H.264, or MPEG-4 part 2 where this FFmpeg has no libx264.
///
/// **Times** are those given, exactly, whatever their spacing: pictures are not reordered, the track's timescale is the
/// denominator of the time base (its numerator, reduced, multiplies each PTS), and each fragment carries its own
/// start, so that no edit list, which players read differently, is needed for a first PTS that is not zero. MP4 has no
/// times below zero: if the first PTS is negative, all are moved by [`shift`](Self::shift). Nor has it room for more
/// than 2^31 ticks between two pictures (6.6 hours at 1/90000 s, but 2.1 s at 1 ns): there the picture before the gap
/// is repeated inside it, which adds pictures, never moves one.
///
/// **A crash** leaves a file that plays up to the last fragment; a fragment ends at each keyframe, at most 30 pictures
/// on. Pass an output that does not buffer by itself, else what it holds is lost.
///
/// **Size** is that of the first picture, rounded up to even by repeating the last column or row. Later pictures of
/// other sizes are scaled to fit and letterboxed in black. **Colour** is limited range (full range is converted: players
/// handle its flag unevenly), with the matrix of the first picture.
///
/// Blocking. Memory is bounded by x264's look-ahead of ten pictures and one fragment: measured, 120 MB at 1080p (55 MB
/// without the look-ahead, for files 40 % larger), and 9 ms of CPU a picture.
#[derive(Debug)]
pub struct VideoWriter {
    settings: VideoSettings,
    scale: i64,
    shift: i64,
    last: Option<i64>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Waits for the first picture, which says how large the video is.
    Waiting {
        output: Box<dyn Output>,
        codecs: Vec<codec::Name>,
    },
    Open(Box<Recording>),
    Broken,
}

#[derive(Debug)]
struct Recording {
    canvas: Canvas,
    encoder: Encoder,
    muxer: Muxer,
    packet: Packet,
    /// Times of pictures inside the encoder, which counts pictures instead: MPEG-4 has 16 bits for a time base.
    waiting: VecDeque<i64>,
    newest: i64,
    duration: i64,
}

impl std::fmt::Debug for dyn Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl VideoWriter {
    /// Nothing is written before the first picture.
    pub fn create(output: Box<dyn Output>, settings: VideoSettings) -> Result<Self, EncodeError> {
        Self::with_codecs(output, settings, codec::available())
    }

    fn with_codecs(
        output: Box<dyn Output>,
        settings: VideoSettings,
        codecs: Vec<codec::Name>,
    ) -> Result<Self, EncodeError> {
        route_logs();
        if codecs.is_empty() {
            return Err(EncodeError::NoEncoder);
        }
        let timescale = i32::try_from(muxer::timescale(settings.time_base).1);
        timescale.map_err(|_too_fine| EncodeError::TimeBase(settings.time_base))?;
        let scale = i64::from(muxer::timescale(settings.time_base).0);
        Ok(Self { settings, scale, shift: 0, last: None, stage: Stage::Waiting { output, codecs } })
    }

    /// libav's names of the encoders that this FFmpeg has, in the order in which they are tried.
    pub fn codecs() -> Vec<&'static str> {
        codec::available().into_iter().map(codec::Name::as_str).collect()
    }

    /// libav's name of the encoder in use, or of the one that is tried first before the first picture.
    pub fn codec_name(&self) -> Option<&'static str> {
        match &self.stage {
            Stage::Waiting { codecs, .. } => codecs.first().map(|name| name.as_str()),
            Stage::Open(recording) => Some(recording.encoder.name().as_str()),
            Stage::Broken => None,
        }
    }

    /// Ticks added to every PTS: 0 unless the first was negative.
    pub fn shift(&self) -> i64 {
        self.shift
    }

    /// Adds a picture shown from `pts` on, in ticks of the time base, until the next. PTS must rise.
    pub fn write(&mut self, picture: &Picture<'_>, pts: i64) -> Result<(), EncodeError> {
        let ticks = self.ticks(pts)?;
        canvas::check(picture)?;
        let mut recording = match std::mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Broken => return Err(EncodeError::Broken),
            Stage::Open(recording) => recording,
            Stage::Waiting { output, codecs } => {
                Box::new(Recording::open(output, &codecs, picture, ticks, self.settings)?)
            }
        };
        recording.add(picture, ticks)?;
        self.stage = Stage::Open(recording);
        self.last = Some(pts);
        Ok(())
    }

    /// Writes what the encoder still holds, and the end of the file.
    pub fn finish(self) -> Result<(), EncodeError> {
        match self.stage {
            Stage::Broken => Err(EncodeError::Broken),
            Stage::Waiting { .. } => Err(EncodeError::Empty),
            Stage::Open(recording) => recording.finish(),
        }
    }

    /// The file's time of a PTS; the first one decides the shift.
    fn ticks(&mut self, pts: i64) -> Result<i64, EncodeError> {
        let Some(last) = self.last else {
            self.shift = pts.min(0).checked_neg().ok_or(EncodeError::TimeRange(pts))?;
            return self.scaled(pts);
        };
        if pts <= last {
            return Err(EncodeError::NotIncreasing { pts, last });
        }
        let ticks = self.scaled(pts)?;
        let gap = ticks - self.scaled(last)?;
        if gap / LONGEST_STEP > MOST_REPEATS { Err(EncodeError::Gap { pts, last }) } else { Ok(ticks) }
    }

    fn scaled(&self, pts: i64) -> Result<i64, EncodeError> {
        let ticks = pts.checked_add(self.shift).and_then(|moved| moved.checked_mul(self.scale));
        ticks.filter(|ticks| *ticks <= MOST_TICKS).ok_or(EncodeError::TimeRange(pts))
    }
}

impl Recording {
    /// Opens the first codec that takes pictures of this size.
    fn open(
        output: Box<dyn Output>,
        codecs: &[codec::Name],
        picture: &Picture<'_>,
        ticks: i64,
        settings: VideoSettings,
    ) -> Result<Self, EncodeError> {
        let mut canvas = Canvas::like(picture).map_err(EncodeError::Codec)?;
        let mut refused = AvError::INVALID;
        for name in codecs {
            match Encoder::open(*name, &mut canvas, settings) {
                Ok(encoder) => {
                    let muxer = Muxer::create(output, &encoder, settings.time_base)?;
                    let packet = Packet::new().map_err(EncodeError::Codec)?;
                    return Ok(Self {
                        canvas,
                        encoder,
                        muxer,
                        packet,
                        waiting: VecDeque::new(),
                        newest: ticks,
                        duration: 0,
                    });
                }
                Err(error) => refused = error,
            }
        }
        Err(EncodeError::Open { width: picture.width, height: picture.height, cause: refused })
    }

    fn add(&mut self, picture: &Picture<'_>, ticks: i64) -> Result<(), EncodeError> {
        while ticks - self.newest > LONGEST_STEP {
            self.encode(self.newest + LONGEST_STEP)?;
        }
        self.canvas.draw(picture).map_err(EncodeError::Codec)?;
        self.encode(ticks)
    }

    /// Encodes what is on the canvas.
    fn encode(&mut self, ticks: i64) -> Result<(), EncodeError> {
        self.encoder.send(self.canvas.frame_mut()).map_err(EncodeError::Codec)?;
        self.waiting.push_back(ticks);
        self.newest = ticks;
        self.pass_on()
    }

    fn finish(mut self) -> Result<(), EncodeError> {
        self.encoder.send_end().map_err(EncodeError::Codec)?;
        self.pass_on()?;
        self.muxer.finish()
    }

    /// Packets leave the encoder in the order in which pictures entered: there are no B-frames.
    fn pass_on(&mut self) -> Result<(), EncodeError> {
        while self.encoder.receive(&mut self.packet).map_err(EncodeError::Codec)? {
            let pts = self.waiting.pop_front().ok_or(EncodeError::Codec(AvError::INVALID))?;
            if let Some(next) = self.waiting.front() {
                self.duration = next - pts;
            }
            self.muxer.write(&mut self.packet, pts, self.duration)?;
        }
        Ok(())
    }
}
