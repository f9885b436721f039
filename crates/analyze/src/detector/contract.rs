//! What each family of detectors expects and yields, checked against the model when it is loaded.

use std::fmt;

use ocelli_media::pixel::tensor::{ChannelOrder, Fit, TensorSpec};

use super::{Filter, labels::Labels, nms::Candidate, ssd, yolox};
use crate::{
    catalogue::Family,
    runtime::{LoadError, ModelInstance, RunError},
};

/// Suppression as in the models' own reference implementations.
const SSD_OVERLAP: f32 = 0.5;
const YOLOX_OVERLAP: f32 = 0.45;
/// Grey of YOLOX's padding.
const YOLOX_PAD: u8 = 114;

/// Preprocessing, outputs and labels of one model.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) spec: TensorSpec,
    pub(crate) labels: Labels,
    /// Largest overlap (intersection over union) at which two boxes of one class are both kept.
    pub(crate) overlap: f32,
    outputs: Outputs,
}

/// Indices of the outputs.
#[derive(Clone, Copy, Debug)]
enum Outputs {
    Ssd { scores: usize, boxes: usize },
    Yolox { output: usize },
}

impl Contract {
    /// Fails where the model's tensors are not those of its family.
    pub(crate) fn new(family: Family, instance: &dyn ModelInstance) -> Result<Self, LoadError> {
        let &[1, 3, height, width] = instance.input_shape() else {
            return Err(LoadError::Contract(format!(
                "its input is {:?}, not 1x3xHxW",
                instance.input_shape()
            )));
        };
        match family {
            Family::Ssd => Self::ssd(width, height, instance),
            Family::Yolox => Self::yolox(width, height, instance),
        }
    }

    fn ssd(width: usize, height: usize, instance: &dyn ModelInstance) -> Result<Self, LoadError> {
        let labels = Labels::coco90();
        let (scores, shape) = output(instance, "scores")?;
        let &[1, anchors, classes] = shape else { return Err(shape_error("scores", shape)) };
        if classes != labels.len() {
            return Err(shape_error("scores", shape));
        }
        let (boxes, shape) = output(instance, "boxes")?;
        if shape != [1, anchors, 1, 4] {
            return Err(shape_error("boxes", shape));
        }
        let spec = TensorSpec {
            width: width as u32,
            height: height as u32,
            fit: Fit::Stretch,
            order: ChannelOrder::Rgb,
            scale: [1.0 / 127.5; 3],
            offset: [-1.0; 3],
        };
        Ok(Self { spec, labels, overlap: SSD_OVERLAP, outputs: Outputs::Ssd { scores, boxes } })
    }

    fn yolox(width: usize, height: usize, instance: &dyn ModelInstance) -> Result<Self, LoadError> {
        let labels = Labels::coco80();
        let (index, shape) = output(instance, "output")?;
        if shape != [1, yolox::rows(width, height), yolox::columns(labels.len())] {
            return Err(shape_error("output", shape));
        }
        let spec = TensorSpec {
            width: width as u32,
            height: height as u32,
            fit: Fit::LetterboxTopLeft { pad: YOLOX_PAD },
            order: ChannelOrder::Bgr,
            scale: [1.0; 3],
            offset: [0.0; 3],
        };
        Ok(Self { spec, labels, overlap: YOLOX_OVERLAP, outputs: Outputs::Yolox { output: index } })
    }

    /// Adds what the instance's last run yields above the filter.
    pub(crate) fn decode(
        &self,
        instance: &dyn ModelInstance,
        filter: &Filter,
        found: &mut Vec<Candidate>,
    ) -> Result<(), RunError> {
        let (width, height) = (self.spec.width, self.spec.height);
        match self.outputs {
            Outputs::Ssd { scores, boxes } => {
                let (scores, boxes) = (instance.output(scores)?, instance.output(boxes)?);
                ssd::decode(scores, boxes, (width as f32, height as f32), filter, found);
            }
            Outputs::Yolox { output } => {
                yolox::decode(instance.output(output)?, (width as usize, height as usize), filter, found);
            }
        }
        Ok(())
    }

    /// Everything about preprocessing that can change a result, in words that stay the same from build to build.
    pub(crate) fn preprocessing(&self) -> impl fmt::Display {
        let TensorSpec { width, height, fit, order, scale, offset } = &self.spec;
        format!("{width}x{height} {fit:?} {order:?} scale {scale:?} offset {offset:?}")
    }
}

fn output<'a>(instance: &'a dyn ModelInstance, name: &str) -> Result<(usize, &'a [usize]), LoadError> {
    let found = instance.outputs().iter().enumerate().find(|(_, info)| info.name == name);
    let (index, info) = found.ok_or_else(|| LoadError::Contract(format!("it has no output {name:?}")))?;
    Ok((index, &info.shape))
}

fn shape_error(name: &str, shape: &[usize]) -> LoadError {
    LoadError::Contract(format!("output {name:?} has the unexpected shape {shape:?}"))
}
