//! Rates as clients write them.

use ocelli_model::{Rate, RateError, SamplingPlan};
use serde::{
    Deserializer,
    de::{self, Visitor},
};

/// Finest step of a rate that was given as a decimal fraction.
const STEPS: f64 = 1e6;

/// Frames per second: an exact fraction, or a decimal number however many digits it was printed with (`0.3333333333333333`,
/// `1e-1`), to the nearest millionth.
pub(crate) fn rate(text: &str) -> Result<Rate, RateError> {
    let text = text.trim();
    text.parse().or_else(|error: RateError| match text.parse::<f64>() {
        Ok(number) if matches!(error, RateError::NotARate(_)) => decimal(number),
        _ => Err(error),
    })
}

fn decimal(number: f64) -> Result<Rate, RateError> {
    let out_of_range = || RateError::OutOfRange(number.to_string());
    if !number.is_finite() {
        return Err(RateError::NotARate(number.to_string()));
    }
    // Casts saturate: what is absurd stays absurd, and what is negative becomes 0, which is no rate.
    Rate::new((number * STEPS).round() as u64, STEPS as u64).map_err(|_parts| out_of_range())
}

/// For JSON: a number, or text that may also be `all`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SamplingPlan, D::Error> {
    deserializer.deserialize_any(Plan)
}

struct Plan;

/// With the name of the field, which the format does not tell.
fn told<E: de::Error>(error: &RateError) -> E {
    E::custom(format!("fps: {error}"))
}

impl Visitor<'_> for Plan {
    type Value = SamplingPlan;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("frames per second such as 1, \"0.5\", \"30000/1001\" or \"all\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SamplingPlan, E> {
        if text == "all" {
            return Ok(SamplingPlan::All);
        }
        rate(text).map(SamplingPlan::Rate).map_err(|error| told(&error))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<SamplingPlan, E> {
        decimal(number).map(SamplingPlan::Rate).map_err(|error| told(&error))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SamplingPlan, E> {
        Rate::new(number, 1).map(SamplingPlan::Rate).map_err(|error| told(&error))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SamplingPlan, E> {
        Err(told(&RateError::OutOfRange(number.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_programs_print_them() {
        let check = |text: &str, expected: Result<(u32, u32), &str>| {
            let found = rate(text).map(|rate| (rate.num(), rate.den()));
            let found = found.map_err(|error| error.to_string());
            match expected {
                Ok(parts) => assert_eq!(found, Ok(parts), "{text}"),
                Err(words) => assert!(found.clone().unwrap_err().contains(words), "{text}: {found:?}"),
            }
        };
        check("1", Ok((1, 1)));
        check(" 2.50 ", Ok((5, 2)));
        check("30000/1001", Ok((30_000, 1001)));
        check("0.3333333333333333", Ok((333_333, 1_000_000)));
        check("1e-1", Ok((1, 10)));
        check("1e3", Ok((1000, 1)));
        for absurd in
            ["0", "0.0", "-1", "-0.5", "1e9", "1000000", "-1e3", "0.00000001", "1e300", "-inf", "0/5", "5/0"]
        {
            check(absurd, Err("out of range"));
        }
        for nonsense in ["", "nan", "inf", "fast", "1,5", "1 fps", "0x10", "all", "1/2/3"] {
            check(nonsense, Err("is not a rate"));
        }
    }
}
