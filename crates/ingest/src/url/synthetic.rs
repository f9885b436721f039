//! What a synthetic camera shows.

use std::str::FromStr;

use ocelli_model::Rate;

use super::SourceUrlError;

/// Pixels across and down.
const SIZES: std::ops::RangeInclusive<u32> = 64..=3840;
/// Pictures a second; above it a loop would take long to make.
const MOST_RATE: f64 = 60.0;
const LEAST_RATE: f64 = 0.1;

/// A camera of our own making: `synthetic:`, or `synthetic:?` and options, joined by `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntheticOptions {
    /// `size=640x360`: even numbers from 64 to 3840 each.
    pub size: (u32, u32),
    /// `fps=5`: pictures a second, 0.1 to 60.
    pub rate: Rate,
    /// `motion=object`: what moves.
    pub motion: Motion,
    /// `frames=100`: how many pictures before it ends; endless if `None`.
    pub frames: Option<u64>,
}

/// What moves in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// `still`: nothing, not even a clock.
    Still,
    /// `object`: a bright object goes round all the time, beneath the running number and clock of the loop.
    Object,
    /// `visits`: the object comes and goes; in between nothing moves, not even a clock.
    Visits,
}

impl Default for SyntheticOptions {
    fn default() -> Self {
        let rate = Rate::new(5, 1).expect("5 is a rate");
        Self { size: (640, 360), rate, motion: Motion::Object, frames: None }
    }
}

impl FromStr for SyntheticOptions {
    type Err = SourceUrlError;

    /// What follows `synthetic:`.
    fn from_str(rest: &str) -> Result<Self, SourceUrlError> {
        let mut options = Self::default();
        let words = match rest.strip_prefix('?') {
            Some(words) => words,
            None if rest.is_empty() => return Ok(options),
            None => return Err(usage()),
        };
        let mut seen = Vec::new();
        for word in words.split('&') {
            let (key, value) = word.split_once('=').ok_or_else(usage)?;
            if seen.contains(&key) {
                return Err(SourceUrlError("an option of the synthetic camera is given twice".to_owned()));
            }
            seen.push(key);
            match key {
                "size" => options.size = size(value)?,
                "fps" => options.rate = rate(value)?,
                "motion" => options.motion = motion(value)?,
                "frames" => options.frames = Some(frames(value)?),
                _ => return Err(usage()),
            }
        }
        Ok(options)
    }
}

fn usage() -> SourceUrlError {
    SourceUrlError("write synthetic:?size=640x360&fps=5&motion=object|visits|still&frames=100".to_owned())
}

fn size(value: &str) -> Result<(u32, u32), SourceUrlError> {
    let side = |word: &str| word.parse().ok().filter(|side| SIZES.contains(side) && side % 2 == 0);
    let sides = value.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    let range =
        || format!("size is two even numbers from {} to {}, as in 640x360", SIZES.start(), SIZES.end());
    sides.ok_or_else(|| SourceUrlError(range()))
}

fn rate(value: &str) -> Result<Rate, SourceUrlError> {
    let rate = value.parse().ok().filter(|rate: &Rate| (LEAST_RATE..=MOST_RATE).contains(&rate.per_second()));
    let range =
        || format!("fps is a number from {LEAST_RATE} to {MOST_RATE}, or a fraction such as 30000/1001");
    rate.ok_or_else(|| SourceUrlError(range()))
}

fn motion(value: &str) -> Result<Motion, SourceUrlError> {
    match value {
        "still" => Ok(Motion::Still),
        "object" => Ok(Motion::Object),
        "visits" => Ok(Motion::Visits),
        _ => Err(usage()),
    }
}

fn frames(value: &str) -> Result<u64, SourceUrlError> {
    let frames = value.parse().ok().filter(|frames| (1..=1_000_000_000).contains(frames));
    frames.ok_or_else(|| SourceUrlError("frames is a number from 1 to 1000000000".to_owned()))
}
