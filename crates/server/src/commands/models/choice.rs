//! Which of several measured ways to run a model is taken.

use ocelli_analyze::runtime::{Precision, RuntimeName};
use ocelli_model::Detection;

/// Lowest confidence at which detections are counted: the reference's, and that of what is held against it. The gap
/// keeps a score near the threshold from counting as a loss.
pub(super) const REFERENCE_CONFIDENCE: f32 = 0.45;
pub(super) const FOUND_CONFIDENCE: f32 = 0.3;
/// The same thing is found where boxes overlap by this much and scores differ by no more than that.
const OVERLAP: f32 = 0.9;
const DIFFERENCE: f32 = 0.1;
/// Fewer detections prove nothing.
const ENOUGH: usize = 20;
/// A wall time above this many CPU times is somebody else's work, or a sleeping machine.
const DISTURBED: f64 = 1.15;
/// A choice stays unless another is faster by more than noise.
const NOISE: f64 = 1.05;

/// How far a precision finds what f32 finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// This is f32.
    Reference,
    /// Detections found again, of those there are.
    Found(usize, usize),
}

/// One way to run a model, measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) runtime: RuntimeName,
    pub(super) runtime_version: String,
    pub(super) precision: Precision,
    /// CPU milliseconds of each run, rising.
    pub(super) cpu_ms: Vec<f64>,
    /// Wall milliseconds of all runs.
    pub(super) wall_ms: f64,
    pub(super) agreement: Agreement,
}

impl Measured {
    /// The time below which this share of the runs stayed.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let last = self.cpu_ms.len().saturating_sub(1);
        self.cpu_ms.get((share * last as f64).round() as usize).copied().unwrap_or(f64::INFINITY)
    }

    pub(super) fn median(&self) -> f64 {
        self.percentile(0.5)
    }

    /// Wall time over CPU time: 1 on a machine that does nothing else.
    pub(super) fn load(&self) -> f64 {
        self.wall_ms / self.cpu_ms.iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }

    pub(super) fn is_disturbed(&self) -> bool {
        self.load() > DISTURBED
    }

    /// f32, or enough of what f32 finds: 98 of 100.
    pub(super) fn is_acceptable(&self) -> bool {
        match self.agreement {
            Agreement::Reference => true,
            Agreement::Found(found, of) => of >= ENOUGH && found * 100 >= of * 98,
        }
    }

    fn is(&self, choice: (RuntimeName, Precision)) -> bool {
        (self.runtime, self.precision) == choice
    }
}

/// The fastest acceptable way; the one chosen before where that is as fast but for noise.
pub(super) fn choose(measured: &[Measured], before: Option<(RuntimeName, Precision)>) -> Option<&Measured> {
    let acceptable = || measured.iter().filter(|one| one.is_acceptable());
    let fastest = acceptable().min_by(|one, other| one.median().total_cmp(&other.median()))?;
    let before = before.and_then(|before| acceptable().find(|one| one.is(before)));
    before.filter(|before| before.median() <= fastest.median() * NOISE).or(Some(fastest))
}

/// How many of `expected` are in `found`, each counted once.
pub(super) fn found_again(expected: &[Detection], found: &[Detection]) -> usize {
    let mut free: Vec<&Detection> = found.iter().collect();
    let mut again = 0;
    for one in expected {
        let fits = |other: &&Detection| {
            other.label == one.label
                && other.bbox.iou(&one.bbox) >= OVERLAP
                && (other.confidence - one.confidence).abs() <= DIFFERENCE
        };
        if let Some(at) = free.iter().position(fits) {
            free.swap_remove(at);
            again += 1;
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(runtime: RuntimeName, precision: Precision, ms: f64, agreement: Agreement) -> Measured {
        let (runtime_version, cpu_ms) = (String::new(), vec![ms; 9]);
        Measured { runtime, runtime_version, precision, cpu_ms, wall_ms: ms * 9.0, agreement }
    }

    #[test]
    fn the_fastest_acceptable_way_is_taken() {
        use Precision::{Bf16, F32};
        use RuntimeName::{OnnxRuntime, OpenVino};
        let all = |bf16_ms, agreement| {
            [
                measured(OpenVino, F32, 8.0, Agreement::Reference),
                measured(OpenVino, Bf16, bf16_ms, agreement),
                measured(OnnxRuntime, F32, 7.0, Agreement::Reference),
            ]
        };
        let check = |bf16_ms, agreement, before, expected| {
            let measured = all(bf16_ms, agreement);
            let chosen = choose(&measured, before).map(|one| (one.runtime, one.precision));
            assert_eq!(chosen, Some(expected), "{bf16_ms} {agreement:?} {before:?}");
        };
        check(4.0, Agreement::Found(98, 100), None, (OpenVino, Bf16));
        check(4.0, Agreement::Found(97, 100), None, (OnnxRuntime, F32));
        check(4.0, Agreement::Found(19, 19), None, (OnnxRuntime, F32));
        check(4.0, Agreement::Found(0, 0), Some((OpenVino, Bf16)), (OnnxRuntime, F32));
        check(9.0, Agreement::Found(100, 100), Some((OpenVino, F32)), (OnnxRuntime, F32));
        check(7.3, Agreement::Found(100, 100), Some((OpenVino, Bf16)), (OpenVino, Bf16));
        check(7.4, Agreement::Found(100, 100), Some((OpenVino, Bf16)), (OnnxRuntime, F32));
        check(4.0, Agreement::Found(100, 100), Some((OnnxRuntime, Bf16)), (OpenVino, Bf16));
        assert!(choose(&[], None).is_none());
    }

    #[test]
    fn load_and_percentiles_are_read_off_the_times() {
        let mut one = measured(RuntimeName::OpenVino, Precision::F32, 1.0, Agreement::Reference);
        one.cpu_ms = (1..=101).map(f64::from).collect();
        assert_eq!((one.median(), one.percentile(0.95)), (51.0, 96.0));
        one.wall_ms = one.cpu_ms.iter().sum::<f64>() * 1.1;
        assert!(!one.is_disturbed());
        one.wall_ms *= 1.1;
        assert!(one.is_disturbed());
        one.cpu_ms.clear();
        assert!(one.is_disturbed() && one.median().is_infinite());
    }
}
