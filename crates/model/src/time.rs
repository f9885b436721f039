//! Media time: a PTS counts ticks of its stream's time base, exactly, and is never rounded to make a key.

use serde::{Serialize, Serializer};

/// Seconds per tick as a fraction, e.g. 1/90000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBase {
    num: u32,
    den: u32,
}

/// A time base whose numerator or denominator is zero.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("time base {num}/{den} is not a positive fraction")]
pub struct TimeBaseError {
    /// As given.
    pub num: u32,
    /// As given.
    pub den: u32,
}

impl TimeBase {
    /// One tick a second.
    pub const SECOND: Self = Self { num: 1, den: 1 };

    /// Seconds per tick; both parts must be positive.
    pub fn new(num: u32, den: u32) -> Result<Self, TimeBaseError> {
        if num == 0 || den == 0 { Err(TimeBaseError { num, den }) } else { Ok(Self { num, den }) }
    }

    /// Numerator of the seconds per tick.
    pub fn num(self) -> u32 {
        self.num
    }

    /// Denominator of the seconds per tick.
    pub fn den(self) -> u32 {
        self.den
    }

    /// For people and progress bars; never a key.
    pub fn seconds(self, ticks: i64) -> f64 {
        ticks as f64 * f64::from(self.num) / f64::from(self.den)
    }

    /// The first tick at or after `seconds`.
    pub fn ticks_from_seconds(self, seconds: f64) -> i64 {
        (seconds * f64::from(self.den) / f64::from(self.num)).ceil() as i64
    }
}

impl Serialize for TimeBase {
    /// `[num, den]`, as containers and players write it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.num, self.den).serialize(serializer)
    }
}
