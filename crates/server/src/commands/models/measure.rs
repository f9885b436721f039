//! CPU time of a model, and what it finds.

use std::{path::Path, time::Duration};

use anyhow::Result;
use ocelli_analyze::{
    Analyzer as _, Detector, DetectorConfig, DetectorError, DetectorModel, Upstream, load,
    runtime::{Precision, RuntimeName},
};
use ocelli_media::pixel::OwnedPicture;
use ocelli_model::Detection;
use rustix::time::{ClockId, clock_gettime};

use super::choice::{Agreement, FOUND_CONFIDENCE, Measured, REFERENCE_CONFIDENCE, found_again};

/// Runs before the clock starts: the first ones fill caches and allocate.
const WARM_UP: usize = 10;
/// Fewer runs say nothing about a median.
const LEAST_RUNS: usize = 20;

/// What is measured.
pub(super) struct Subject<'a> {
    pub(super) home: &'a Path,
    /// As the user named it.
    pub(super) model: &'a str,
    /// As the catalogue does.
    pub(super) id: &'a str,
    /// Real pictures, for what is found on them; perhaps none.
    pub(super) real: &'a [OwnedPicture],
    /// The picture that the times are of.
    pub(super) timed: &'a OwnedPicture,
    /// How long each way is measured.
    pub(super) time: Duration,
}

impl Subject<'_> {
    /// The model on one runtime and in one precision, with what it finds on each picture. `reference` is what f32 found.
    pub(super) fn measure(
        &self,
        runtime: RuntimeName,
        precision: Precision,
        reference: Option<&[Vec<Detection>]>,
    ) -> Result<(Measured, Vec<Vec<Detection>>)> {
        let mut model = self.load(runtime, precision)?;
        let mut detector = model.detector()?;
        let look = |picture: &OwnedPicture| Ok(detector.analyze(&picture.as_picture())?);
        let found: Vec<Vec<Detection>> = self.real.iter().map(look).collect::<Result<_>>()?;
        let (cpu_ms, wall_ms) = self.time(&mut detector)?;
        let runtime_version = model.ingredients().ingredients()["runtime version"].clone();
        let agreement = match (precision, reference) {
            (Precision::F32, _) => Agreement::Reference,
            (_, Some(reference)) => compare(reference, &found),
            (_, None) => Agreement::Found(0, 0),
        };
        Ok((Measured { runtime, runtime_version, precision, cpu_ms, wall_ms, agreement }, found))
    }

    fn load(&self, runtime: RuntimeName, precision: Precision) -> Result<DetectorModel, DetectorError> {
        let config = DetectorConfig {
            model: Some(self.model.to_owned()),
            confidence: Some(FOUND_CONFIDENCE),
            classes: None,
            runtime: Some(runtime),
            precision: Some(precision),
        };
        load(&config, self.home, Upstream { sampler: "-", decoder: "-" })
    }

    /// CPU milliseconds of each run, rising, and wall milliseconds of all. The tensor is made once.
    fn time(&self, detector: &mut Detector) -> Result<(Vec<f64>, f64)> {
        let picture = self.timed.as_picture();
        detector.analyze(&picture)?;
        let placement = detector.placement(&picture);
        for _ in 0..WARM_UP {
            detector.detect(&placement)?;
        }
        let mut cpu_ms = Vec::new();
        let start = clock_ms(ClockId::Monotonic);
        let end = start + self.time.as_secs_f64() * 1e3;
        while cpu_ms.len() < LEAST_RUNS || clock_ms(ClockId::Monotonic) < end {
            // Of the process: a runtime that computed on threads of its own would look free otherwise.
            let before = clock_ms(ClockId::ProcessCPUTime);
            detector.detect(&placement)?;
            cpu_ms.push(clock_ms(ClockId::ProcessCPUTime) - before);
        }
        let wall_ms = clock_ms(ClockId::Monotonic) - start;
        cpu_ms.sort_by(f64::total_cmp);
        Ok((cpu_ms, wall_ms))
    }
}

fn compare(reference: &[Vec<Detection>], found: &[Vec<Detection>]) -> Agreement {
    let (mut again, mut of) = (0, 0);
    for (reference, found) in reference.iter().zip(found) {
        let sure = reference.iter().filter(|one| one.confidence >= REFERENCE_CONFIDENCE).cloned();
        let sure: Vec<Detection> = sure.collect();
        again += found_again(&sure, found);
        of += sure.len();
    }
    Agreement::Found(again, of)
}

fn clock_ms(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
