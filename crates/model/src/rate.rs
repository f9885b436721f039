//! How often a stream is looked at, and the slots that follow from it (docs/design/sampling.md).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::TimeBase;

/// The highest rate accepted: beyond any camera, well inside the exact arithmetic of [`SlotClock`].
const MAX_RATE: u64 = 100_000;
const MAX_DENOMINATOR: u64 = 1_000_000;

/// Frames per second as an exact positive fraction: `1`, `0.1`, `29.97`, `30000/1001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    num: u32,
    den: u32,
}

/// What a rate must look like.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RateError {
    /// Not a number, not a fraction.
    #[error("'{0}' is not a rate: give frames per second such as 1, 0.5 or 30000/1001, or 'all'")]
    NotARate(String),
    /// Zero, negative or absurd.
    #[error("a rate of '{0}' is out of range: it must be above 0 (at least 0.000001) and at most 100000")]
    OutOfRange(String),
}

/// The fps a stream is analysed at; not part of the analyzer version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamplingPlan {
    /// Every picture.
    All,
    /// At most one picture in each slot of `1/rate` seconds.
    Rate(Rate),
}

impl Rate {
    /// `num/den` frames per second.
    pub fn new(num: u64, den: u64) -> Result<Self, RateError> {
        let shown = || format!("{num}/{den}");
        if num == 0 || den == 0 || num / den > MAX_RATE {
            return Err(RateError::OutOfRange(shown()));
        }
        let divisor = gcd(num, den);
        let (num, den) = (num / divisor, den / divisor);
        if den > MAX_DENOMINATOR {
            return Err(RateError::OutOfRange(shown()));
        }
        let num = u32::try_from(num).map_err(|_overflow| RateError::OutOfRange(shown()))?;
        Ok(Self { num, den: den as u32 })
    }

    /// Numerator of the frames per second, in lowest terms.
    pub fn num(self) -> u32 {
        self.num
    }

    /// Denominator of the frames per second.
    pub fn den(self) -> u32 {
        self.den
    }

    /// Frames per second, for people.
    pub fn per_second(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let bad = || RateError::NotARate(text.to_owned());
        let digits = |part: &str| -> Result<u64, RateError> {
            let plain = !part.is_empty() && part.len() <= 18 && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().map_err(|_overflow| bad()) } else { Err(bad()) }
        };
        if text.trim().starts_with('-') && text.trim()[1..].parse::<f64>().is_ok() {
            return Err(RateError::OutOfRange(text.to_owned()));
        }
        let rate = if let Some((num, den)) = text.split_once('/') {
            Self::new(digits(num)?, digits(den)?)
        } else if let Some((whole, fraction)) = text.split_once('.') {
            if fraction.len() > 6 {
                return Err(bad());
            }
            let scale = 10_u64.pow(fraction.len() as u32);
            let whole = if whole.is_empty() { 0 } else { digits(whole)? };
            let num = whole.checked_mul(scale).ok_or_else(bad)?;
            Self::new(num + if fraction.is_empty() { 0 } else { digits(fraction)? }, scale)
        } else {
            Self::new(digits(text)?, 1)
        };
        rate.map_err(|_parts| RateError::OutOfRange(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}

impl FromStr for SamplingPlan {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::Rate) }
    }
}

impl fmt::Display for SamplingPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

impl Serialize for SamplingPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SamplingPlan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Exact arithmetic between PTS and slots: slot `k` is `[t0 + (k-1/2)/N, t0 + (k+1/2)/N)`.
#[derive(Clone, Copy, Debug)]
pub struct SlotClock {
    t0: i64,
    /// Slots per tick, as a fraction: `rate.num * base.num / (rate.den * base.den)`.
    num: i128,
    den: i128,
}

impl SlotClock {
    /// Slots of `rate` counted from `t0`, a PTS in `base`.
    pub fn new(t0: i64, base: TimeBase, rate: Rate) -> Self {
        Self {
            t0,
            num: i128::from(rate.num) * i128::from(base.num()),
            den: i128::from(rate.den) * i128::from(base.den()),
        }
    }

    /// Media time that slots count from: the run's first decodable picture.
    pub fn t0(&self) -> i64 {
        self.t0
    }

    /// The slot that `pts` lies in.
    pub fn slot(&self, pts: i64) -> i64 {
        let ticks = i128::from(pts) - i128::from(self.t0);
        saturated((2 * ticks * self.num + self.den).div_euclid(2 * self.den))
    }

    /// Whether `pts` is at or after the centre of `slot`.
    pub fn reaches_centre(&self, pts: i64, slot: i64) -> bool {
        (i128::from(pts) - i128::from(self.t0)) * self.num >= i128::from(slot) * self.den
    }

    /// The first PTS that lies in `slot`.
    pub fn first_pts(&self, slot: i64) -> i64 {
        // ceil((2 slot - 1) * den / (2 num))
        let wanted = (2 * i128::from(slot) - 1) * self.den;
        saturated(-((-wanted).div_euclid(2 * self.num)) + i128::from(self.t0))
    }

    /// The last slot whose centre is not after `pts`.
    pub fn last_centre(&self, pts: i64) -> i64 {
        saturated(((i128::from(pts) - i128::from(self.t0)) * self.num).div_euclid(self.den))
    }
}

/// The nearest there is: a slot or PTS beyond the range stays beyond every real one, on its own side.
fn saturated(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
#[path = "rate/tests.rs"]
mod tests;
