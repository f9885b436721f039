//! A file as a camera would send it.

#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ocelli_media::{AccessUnit, AudioUnit, CodecParameters, decode::OpenDecoder};

use crate::{Source, SourceError, Stop, WallAnchor};

/// Who comes later than this finds the time in between gone, as with a camera: nothing is caught up.
const MOST_DEBT: Duration = Duration::from_secs(1);
/// A step of media time beyond it, in seconds, is the start of something else, not a gap to wait out.
const LONGEST_STEP: f64 = 10.0;
/// Seconds that decode order may step back where there is no DTS.
const MOST_REORDERING: f64 = 2.0;
/// How long a picture is shown where nobody says.
const PICTURE: f64 = 1.0 / 25.0;
/// How much earlier than its time the end is told at most, so that whoever begins anew is in time.
const HEAD_START: Duration = Duration::from_millis(100);

/// Gives each unit of another source when its media time has come, or at once; ends when it is told to, however fast it is
/// read. In real time the end is told half a picture early; a turn that follows by [`Source::rewind`] begins exactly where the
/// last one's last picture ended.
#[derive(Debug)]
pub struct Paced {
    source: Box<dyn Source>,
    stop: Stop,
    /// `None`: nothing waits.
    pace: Option<Metronome>,
}

impl Paced {
    /// As fast as it is asked.
    pub fn fast(source: Box<dyn Source>, stop: Stop) -> Self {
        Self { source, stop, pace: None }
    }

    /// In real time; the first unit is due at once.
    pub fn real_time(source: Box<dyn Source>, stop: Stop) -> Self {
        let rate = source.parameters().frame_rate;
        let picture = if rate > 0.0 { (1.0 / rate).min(LONGEST_STEP) } else { PICTURE };
        Self { source, stop, pace: Some(Metronome::new(picture)) }
    }

    fn wait_until(&self, due: Instant) -> Result<(), SourceError> {
        let left = due.saturating_duration_since(now());
        if left.is_zero() { Ok(()) } else { self.stop.wait(left) }
    }
}

impl Source for Paced {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.source.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        if self.stop.is_asked() {
            return Err(SourceError::Stopped);
        }
        let unit = self.source.next_unit()?;
        let Some(pace) = &mut self.pace else { return Ok(unit) };
        let due = match &unit {
            Some(unit) => {
                let seconds = unit.parameters.time_base.seconds(unit.dts.unwrap_or(unit.pts));
                Some(pace.due(seconds, now()))
            }
            None => pace.end().map(|end| end.checked_sub(pace.head_start()).unwrap_or(end)),
        };
        due.map_or(Ok(()), |due| self.wait_until(due))?;
        Ok(unit)
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.source.next_audio()
    }

    fn damage(&self) -> Option<&str> {
        self.source.damage()
    }

    fn decoder(&self) -> Option<Box<OpenDecoder>> {
        self.source.decoder()
    }

    fn zero(&self) -> i64 {
        self.source.zero()
    }

    fn anchor(&self) -> Option<WallAnchor> {
        self.source.anchor()
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        if let Some(pace) = &mut self.pace {
            pace.turn();
        }
        self.source.rewind()
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: a pace is kept by the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// When media times are due.
#[derive(Debug)]
pub(super) struct Metronome {
    /// An instant, and the media time in seconds that is due then.
    origin: Option<(Instant, f64)>,
    /// Highest media time so far.
    newest: f64,
    /// How long the newest picture is shown.
    picture: f64,
    /// Of the turn before.
    ended: Option<Instant>,
}

impl Metronome {
    pub(super) fn new(picture: f64) -> Self {
        Self { origin: None, newest: 0.0, picture, ended: None }
    }

    /// When a unit of this media time is due. What is much too late by now, is due now, and all later ones from there.
    pub(super) fn due(&mut self, seconds: f64, now: Instant) -> Instant {
        let step = seconds - self.newest;
        let goes_on = self.origin.filter(|_| (-MOST_REORDERING..=LONGEST_STEP).contains(&step));
        let (start, zero) = if let Some(origin) = goes_on {
            if step > 0.0 {
                (self.picture, self.newest) = (step, seconds);
            }
            origin
        } else {
            // Media time begins elsewhere: right after what was before.
            let start = self.end().or(self.ended.take()).unwrap_or(now);
            self.newest = seconds;
            (start, seconds)
        };
        let due = at(start, zero, self.newest);
        let late = now.saturating_duration_since(due) > MOST_DEBT;
        self.origin = Some(if late { (now, self.newest) } else { (start, zero) });
        if late { now } else { due }
    }

    /// When the newest picture is over; `None` before the first.
    fn end(&self) -> Option<Instant> {
        self.origin.map(|(start, zero)| at(start, zero, self.newest + self.picture))
    }

    fn head_start(&self) -> Duration {
        Duration::from_secs_f64(self.picture / 2.0).min(HEAD_START)
    }

    /// What comes next begins when the newest picture is over.
    fn turn(&mut self) {
        self.ended = self.end();
        self.origin = None;
    }
}

fn at(start: Instant, zero: f64, seconds: f64) -> Instant {
    start + Duration::try_from_secs_f64(seconds - zero).unwrap_or_default()
}
