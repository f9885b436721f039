//! A camera of our own making, for demonstrations and tests where there is no other.

mod scene;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{Cursor, Seek, SeekFrom, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ocelli_media::{
    AccessUnit, CodecParameters,
    libav::{Demuxer, VideoSettings, VideoWriter},
};
use ocelli_model::{Rate, TimeBase};

use self::scene::Scene;
use crate::{Motion, Source, SourceError, Stop, SyntheticOptions};

/// Ticks a second, as over RTSP.
const CLOCK: u32 = 90_000;
/// Seconds until it repeats itself.
const ROUND: f64 = 4.0;
const ROUND_WITH_VISIT: f64 = 12.0;
/// Pictures until then: few enough that opening takes a moment, enough that they differ.
const MOST_PICTURES: u64 = 300;
const FEWEST_PICTURES: u64 = 12;

/// A short loop of pictures, painted and encoded once when it is opened (H.264 where this FFmpeg can) and then given again
/// and again with PTS that go on: media costs nothing after that. Each round begins with a keyframe. As fast as it is
/// asked: [`Paced`](super::Paced) makes a camera of it.
pub struct SyntheticSource {
    options: SyntheticOptions,
    /// One round.
    units: Vec<AccessUnit>,
    parameters: Arc<CodecParameters>,
    given: u64,
}

impl SyntheticSource {
    /// Paints and encodes one round: 0.1 s of work at 640x360 and 5 pictures a second, 2 s at 1080p and 25. `stop` ends that.
    pub fn open(options: SyntheticOptions, stop: &Stop) -> Result<Self, SourceError> {
        let seconds = if options.motion == Motion::Visits { ROUND_WITH_VISIT } else { ROUND };
        let pictures = (options.rate.per_second() * seconds).round() as u64;
        let pictures = pictures.clamp(FEWEST_PICTURES, MOST_PICTURES);
        let file = encode(options, pictures, stop)?;
        let mut demuxer = Demuxer::open(Box::new(Cursor::new(file)))?;
        let mut parameters = CodecParameters::clone(demuxer.parameters());
        parameters.duration = None;
        parameters.frame_rate = options.rate.per_second();
        let parameters = Arc::new(parameters);
        let mut units = Vec::new();
        while let Some(mut unit) = demuxer.next_unit()? {
            unit.parameters = Arc::clone(&parameters);
            units.push(unit);
        }
        if units.is_empty() {
            return Err(SourceError::Empty);
        }
        Ok(Self { options, units, parameters, given: 0 })
    }
}

/// PTS of picture `n`, from 0.
fn pts(rate: Rate, n: u64) -> i64 {
    let ticks = u128::from(n) * u128::from(CLOCK) * u128::from(rate.den()) / u128::from(rate.num());
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

fn time_base() -> TimeBase {
    TimeBase::new(1, CLOCK).expect("neither is zero")
}

/// One round as MP4.
fn encode(options: SyntheticOptions, pictures: u64, stop: &Stop) -> Result<Vec<u8>, SourceError> {
    let scene = Scene::new(options.size, options.motion, pictures);
    let file = Memory::default();
    let mut writer = VideoWriter::create(Box::new(file.clone()), VideoSettings::new(time_base()))
        .map_err(SourceError::Synthetic)?;
    for n in 0..pictures {
        if stop.is_asked() {
            return Err(SourceError::Stopped);
        }
        let pts = pts(options.rate, n);
        let picture = scene.picture(n, time_base().seconds(pts));
        writer.write(&picture.as_picture(), pts).map_err(SourceError::Synthetic)?;
    }
    writer.finish().map_err(SourceError::Synthetic)?;
    let bytes = mem::take(&mut *file.cursor());
    Ok(bytes.into_inner())
}

/// A file in memory that outlives its writer.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Memory {
    fn cursor(&self) -> MutexGuard<'_, Cursor<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.cursor().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.cursor().seek(to)
    }
}

impl Source for SyntheticSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        if self.options.frames.is_some_and(|frames| self.given >= frames) {
            return Ok(None);
        }
        let mut unit = self.units[(self.given % self.units.len() as u64) as usize].clone();
        unit.pts = pts(self.options.rate, self.given);
        unit.dts = Some(unit.pts);
        self.given += 1;
        Ok(Some(unit))
    }

    fn damage(&self) -> Option<&str> {
        None
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        self.given = 0;
        Ok(true)
    }
}

impl fmt::Debug for SyntheticSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyntheticSource").field("options", &self.options).finish_non_exhaustive()
    }
}
