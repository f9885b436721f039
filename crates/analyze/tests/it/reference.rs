//! Same tensor in, same detections out as the Python reference in `tests/reference`.

use std::sync::Arc;

use ocelli_analyze::{
    Detector,
    runtime::{Precision, RuntimeName},
};
use ocelli_media::pixel::tensor::Placement;
use ocelli_model::{BoundingBox, Detection};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::inputs::{
    SSD, YOLOX, detector, footage, model_file, raw_pictures, runtime_folder, skips, unmatched,
};

/// The reference's own threshold.
const CONFIDENCE: f32 = 0.4;
/// A score may differ by this much, so near the threshold one side may report what the other does not.
const DIFFERENCE: f32 = 0.01;

/// Label, confidence, left, top, width, height.
type Row = (String, f32, f32, f32, f32, f32);

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) model: String,
    pub(crate) input: String,
    /// `ffmpeg` where the tensor is made from the same bytes, `opencv` where it is made by our own kernel.
    pub(crate) scaler: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Of the raw pictures.
    pub(crate) sha256: String,
    pub(crate) frames: Vec<Vec<Row>>,
}

pub(crate) fn cases(model: &str, scaler: &str) -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../reference/reference.json")).unwrap();
    cases.into_iter().filter(|case| case.model == model && case.scaler == scaler).collect()
}

impl Case {
    pub(crate) fn skips(&self) -> bool {
        let runtimes = RuntimeName::ALL.map(runtime_folder).into_iter();
        skips(&runtimes.chain([model_file(&self.model), footage(&self.input)]).collect::<Vec<_>>())
    }

    pub(crate) fn detections(&self, frame: usize) -> Vec<Detection> {
        let detection = |(label, confidence, x, y, width, height): &Row| {
            let bbox = BoundingBox { x: *x, y: *y, width: *width, height: *height };
            Detection { label: Arc::from(label.as_str()), confidence: *confidence, bbox }
        };
        self.frames[frame].iter().map(detection).collect()
    }

    /// The reference's pictures, scaled by the ffmpeg command.
    pub(crate) fn pictures(&self) -> Vec<Vec<u8>> {
        let (width, height) = (self.width, self.height);
        let filters =
            format!("select=not(mod(n\\,20)),scale={width}:{height}:flags=area+accurate_rnd+bitexact");
        let pictures = raw_pictures(&footage(&self.input), &filters, "rgb24", (width * height * 3) as usize);
        let digest = Sha256::digest(pictures.concat());
        let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let advice =
            "ffmpeg decodes or scales in another way here: make the reference anew (make_reference.py)";
        assert_eq!(digest.concat(), self.sha256, "{}: {advice}", self.input);
        assert_eq!(pictures.len(), self.frames.len());
        pictures
    }

    /// Where the picture is in the model's tensor.
    pub(crate) fn placement(&self) -> Placement {
        let (width, height) = (self.width, self.height);
        Placement { scale_x: 1.0, scale_y: 1.0, left: 0, top: 0, width, height }
    }

    /// Writes the tensor with the plainest rule there is, from the model's contract.
    pub(crate) fn fill(&self, rgb: &[u8], tensor: &mut [f32]) {
        let side = if self.model == SSD { 300 } else { 416 };
        tensor.fill(114.0);
        for (index, pixel) in rgb.chunks_exact(3).enumerate() {
            let place = index / self.width as usize * side + index % self.width as usize;
            for (channel, value) in pixel.iter().enumerate() {
                let value = f32::from(*value);
                if self.model == SSD {
                    tensor[channel * side * side + place] = value / 127.5 - 1.0;
                } else {
                    tensor[(2 - channel) * side * side + place] = value;
                }
            }
        }
    }
}

fn check(model: &str, runtime: RuntimeName) {
    let mut instance: Option<Detector> = None;
    let mut compared = 0;
    for case in cases(model, "ffmpeg") {
        if case.skips() {
            continue;
        }
        // Ours looks a little below the threshold, so that a score of 0.3999 is not taken for a missed 0.4001.
        let detector =
            instance.get_or_insert_with(|| detector(model, CONFIDENCE - DIFFERENCE, runtime, Precision::F32));
        for (frame, rgb) in case.pictures().iter().enumerate() {
            case.fill(rgb, detector.input_mut().unwrap());
            let found = detector.detect(&case.placement()).unwrap();
            let expected = case.detections(frame);
            let missed = unmatched(&expected, &found, 0.99, DIFFERENCE);
            assert!(missed.is_empty(), "{} {frame}: missed {missed:?}, found {found:?}", case.input);
            let sure = found.into_iter().filter(|one| one.confidence >= CONFIDENCE + DIFFERENCE);
            let sure: Vec<Detection> = sure.collect();
            let invented = unmatched(&sure, &expected, 0.99, DIFFERENCE);
            assert!(invented.is_empty(), "{} {frame}: invented {invented:?}", case.input);
            compared += expected.len();
        }
    }
    assert!(instance.is_none() || compared >= 5, "compared {compared} detections");
}

#[test]
fn ssd_detects_what_the_reference_detects() {
    for runtime in RuntimeName::ALL {
        check(SSD, runtime);
    }
}

#[test]
fn yolox_detects_what_the_reference_detects() {
    for runtime in RuntimeName::ALL {
        check(YOLOX, runtime);
    }
}

/// Both runtimes in f32 on the same tensors: scores within 0.001, boxes that overlap by 0.999.
fn check_agreement(model: &str) {
    let mut compared = 0;
    for case in cases(model, "ffmpeg") {
        if case.skips() {
            return;
        }
        let [mut one, mut other] =
            RuntimeName::ALL.map(|name| detector(model, CONFIDENCE, name, Precision::F32));
        for rgb in case.pictures() {
            let found = [&mut one, &mut other].map(|detector| {
                case.fill(&rgb, detector.input_mut().unwrap());
                detector.detect(&case.placement()).unwrap()
            });
            let near = |one: &&Detection| (one.confidence - CONFIDENCE).abs() > 0.001;
            for (expected, found) in [(&found[0], &found[1]), (&found[1], &found[0])] {
                let missed = unmatched(expected, found, 0.999, 0.001);
                assert_eq!(
                    missed.into_iter().filter(near).count(),
                    0,
                    "{}: {expected:?} {found:?}",
                    case.input
                );
            }
            compared += found[0].len();
        }
    }
    assert!(compared >= 200, "compared {compared}");
}

#[test]
fn both_runtimes_find_the_same_in_f32() {
    check_agreement(SSD);
    check_agreement(YOLOX);
}
