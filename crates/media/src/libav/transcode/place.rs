//! Where decoded sound belongs after what was heard before it. Pure.

use ocelli_model::TimeBase;

/// Closer than this, in ms, a source's times agree with its samples: less than any block of AAC at these rates, less than is noticed
/// (ITU-R BT.1359-1), and more than times of coarse ticks are rounded.
const AGREED_MS: i64 = 20;
/// Up to here, in ms, a gap is silence and what comes twice is cut away. Beyond it time itself has stepped.
const MENDED_MS: i64 = 1000;

/// What is done with the next sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It follows.
    Next,
    /// There is a gap before it.
    Gap,
    /// It begins before what was heard last has ended.
    Overlap,
    /// It belongs somewhere else.
    Elsewhere,
}

impl Place {
    /// Both in samples at `rate` a second: where its time puts it, and where what was heard before has its end. `mending`: what came
    /// before was cut away whole, so that the rest is cut to the sample.
    pub(super) fn of(at: i64, end: i64, rate: u32, mending: bool) -> Self {
        let samples = |ms: i64| ms * i64::from(rate) / 1000;
        let Some(late) = at.checked_sub(end).filter(|late| *late != i64::MIN) else { return Self::Elsewhere };
        match late.abs() {
            off if off <= if mending { 1 } else { samples(AGREED_MS) } => Self::Next,
            off if off > samples(MENDED_MS) => Self::Elsewhere,
            _ if late > 0 => Self::Gap,
            _ => Self::Overlap,
        }
    }
}

/// A time as the nearest sample; `None` beyond what can be counted.
pub(super) fn sample_at(pts: i64, base: TimeBase, rate: u32) -> Option<i64> {
    // Sounds of a century at the highest rate, with room for all that is added to it.
    const FARTHEST: i64 = 1 << 50;
    let (num, den) = (i128::from(base.num()), i128::from(base.den()));
    let twice = i128::from(pts) * num * i128::from(rate) * 2 + den;
    let at = i64::try_from(twice.div_euclid(2 * den)).ok()?;
    (at.abs() <= FARTHEST).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_are_none() {
        let cases = [
            (0, Place::Next),
            (320, Place::Next),
            (-320, Place::Next),
            (321, Place::Gap),
            (16_000, Place::Gap),
            (16_001, Place::Elsewhere),
            (-321, Place::Overlap),
            (-16_000, Place::Overlap),
            (-16_001, Place::Elsewhere),
        ];
        for (late, expected) in cases {
            for end in [0, -5, 1 << 49] {
                assert_eq!(Place::of(end + late, end, 16_000, false), expected, "{late}");
            }
        }
        assert_eq!(Place::of(-2, 0, 16_000, true), Place::Overlap);
        assert_eq!(Place::of(-1, 0, 16_000, true), Place::Next);
        assert_eq!(Place::of(i64::MAX, i64::MIN, 48_000, false), Place::Elsewhere);
        assert_eq!(Place::of(i64::MIN, 0, 48_000, false), Place::Elsewhere);
    }

    #[test]
    fn times_become_the_nearest_sample() {
        let base = |num, den| TimeBase::new(num, den).unwrap();
        let cases = [
            (8000, base(1, 8000), 16_000, Some(16_000)),
            (-160, base(1, 8000), 16_000, Some(-320)),
            // 1/90000 s is 0.5333 samples, twice that 1.0667.
            (1, base(1, 90_000), 48_000, Some(1)),
            (2, base(1, 90_000), 48_000, Some(1)),
            (-1, base(1, 90_000), 48_000, Some(-1)),
            (23, base(1, 1000), 44_100, Some(1014)),
            (i64::MAX, base(1, 1), 48_000, None),
            (i64::MIN, base(1000, 1), 48_000, None),
            (30 * 86_400 * 90_000, base(1, 90_000), 48_000, Some(30 * 86_400 * 48_000)),
        ];
        for (pts, base, rate, expected) in cases {
            assert_eq!(sample_at(pts, base, rate), expected, "{pts}");
        }
    }
}
