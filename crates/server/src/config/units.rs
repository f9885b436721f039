//! Durations and sizes as people write them.

use std::{fmt, path::Path, time::Duration};

use toml::Value;

use super::setting::{Faults, Setting, unexpected, wrong};

/// A unit: its names, the first of which is shown, and how many of the smallest it is.
type Unit = (&'static [&'static str], u64);

/// In milliseconds.
const TIMES: [Unit; 5] = [
    (&["d", "day", "days"], 86_400_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["min", "m", "minute", "minutes"], 60_000),
    (&["s", "sec", "second", "seconds"], 1_000),
    (&["ms"], 1),
];

/// In bytes. Names are compared without case.
const SIZES: [Unit; 9] = [
    (&["TiB"], 1 << 40),
    (&["TB"], 1_000_000_000_000),
    (&["GiB"], 1 << 30),
    (&["GB"], 1_000_000_000),
    (&["MiB"], 1 << 20),
    (&["MB"], 1_000_000),
    (&["KiB"], 1 << 10),
    (&["kB"], 1_000),
    (&["B", "byte", "bytes"], 1),
];

/// Longer words are no amounts.
const MOST_CHARACTERS: usize = 64;

/// A count of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

impl Setting for Duration {
    fn expects() -> String {
        "a duration such as \"10 s\", \"500 ms\", \"5 min\", \"12 h\" or \"7 d\"".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        if let Value::Integer(number) = value {
            return Err(wrong(format!("{number} has no unit; write \"{number} s\" for seconds")));
        }
        let amount = value.as_str().and_then(|text| amount(text, &TIMES));
        amount.map(Self::from_millis).ok_or_else(|| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        Some(Value::String(in_units(ms, &TIMES)))
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        (low..=high).contains(&self)
    }
}

impl Setting for ByteSize {
    fn expects() -> String {
        "a size such as \"2 GB\", \"512 MiB\" or 65536 (bytes)".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let bytes = match value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => text.parse().ok().or_else(|| amount(text, &SIZES)),
            _ => None,
        };
        // A file holds whole numbers of at most 63 bits.
        bytes.filter(|bytes| i64::try_from(*bytes).is_ok()).map(Self).ok_or_else(|| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        (low..=high).contains(&self)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_units(self.0, &SIZES))
    }
}

/// `1.5 GB`, `90s`, `1 h 30 min`: numbers with units, added up. `None` for anything else, and for what exceeds 64 bits.
fn amount(text: &str, units: &[Unit]) -> Option<u64> {
    let mut rest = Some(text.trim()).filter(|text| text.len() <= MOST_CHARACTERS && !text.is_empty())?;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (number, after) = split(rest, |byte| byte.is_ascii_digit() || byte == b'.');
        let (unit, after) = split(after.trim_start(), |byte| byte.is_ascii_alphabetic());
        rest = after.trim_start();
        let known = |(names, _): &&Unit| names.iter().any(|name| name.eq_ignore_ascii_case(unit));
        let (_, size) = units.iter().find(known)?;
        sum = sum.checked_add(times(number, *size)?)?;
    }
    Some(sum)
}

/// The part at the start all of whose bytes are `wanted`, and the rest.
fn split(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len()))
}

/// A decimal number times a whole one, exactly; `None` where that is no whole number.
fn times(number: &str, size: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(size.into())?;
    u64::try_from(product / scale).ok().filter(|_| product % scale == 0)
}

/// In the largest unit that gives a whole number.
fn in_units(amount: u64, units: &[Unit]) -> String {
    let whole = |(_, size): &&Unit| amount != 0 && amount.is_multiple_of(*size);
    let (names, size) = units.iter().find(whole).unwrap_or(&units[units.len() - 1]);
    format!("{} {}", amount / size, names[0])
}

#[cfg(test)]
mod tests;
