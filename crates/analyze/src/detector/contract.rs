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
    /// Fails where the model's tensors are not those of its family, or have another number of classes than `labels`.
    pub(crate) fn new(
        family: Family,
        labels: Labels,
        instance: &dyn ModelInstance,
    ) -> Result<Self, LoadError> {
        let &[1, 3, height, width] = instance.input_shape() else {
            let shape = instance.input_shape();
            return Err(LoadError::Contract(format!("its input is {shape:?}, not 1 x 3 x height x width")));
        };
        match family {
            Family::Ssd => Self::ssd(width, height, labels, instance),
            Family::Yolox => Self::yolox(width, height, labels, instance),
        }
    }

    fn ssd(
        width: usize,
        height: usize,
        labels: Labels,
        instance: &dyn ModelInstance,
    ) -> Result<Self, LoadError> {
        let (scores, shape) = output(instance, "scores")?;
        let &[1, anchors, classes] = shape else {
            return Err(shape_error("scores", shape, "1 x anchors x classes"));
        };
        check_classes(classes, &labels)?;
        let (boxes, shape) = output(instance, "boxes")?;
        if shape != [1, anchors, 1, 4] && shape != [1, anchors, 4] {
            return Err(shape_error("boxes", shape, &format!("1 x {anchors} x 1 x 4")));
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

    fn yolox(
        width: usize,
        height: usize,
        labels: Labels,
        instance: &dyn ModelInstance,
    ) -> Result<Self, LoadError> {
        if [width, height].iter().any(|side| !side.is_multiple_of(yolox::LARGEST_STRIDE)) {
            return Err(LoadError::Contract(format!("its input is {width} x {height}, no multiples of 32")));
        }
        // Exporters call it what they like.
        let [info] = instance.outputs() else {
            return Err(LoadError::Contract(format!(
                "it has {} outputs instead of one",
                instance.outputs().len()
            )));
        };
        let rows = yolox::rows(width, height);
        let wanted = || format!("1 x {rows} x (5 + classes)");
        let &[1, found, columns] = &info.shape[..] else {
            return Err(shape_error(&info.name, &info.shape, &wanted()));
        };
        let classes = columns.checked_sub(yolox::columns(0)).filter(|classes| found == rows && *classes > 0);
        check_classes(classes.ok_or_else(|| shape_error(&info.name, &info.shape, &wanted()))?, &labels)?;
        let spec = TensorSpec {
            width: width as u32,
            height: height as u32,
            fit: Fit::LetterboxTopLeft { pad: YOLOX_PAD },
            order: ChannelOrder::Bgr,
            scale: [1.0; 3],
            offset: [0.0; 3],
        };
        Ok(Self { spec, labels, overlap: YOLOX_OVERLAP, outputs: Outputs::Yolox { output: 0 } })
    }

    /// Whether everything that the instance's last run yielded is a number.
    pub(crate) fn is_finite(&self, instance: &dyn ModelInstance) -> Result<bool, RunError> {
        let outputs = match self.outputs {
            Outputs::Ssd { scores, boxes } => vec![scores, boxes],
            Outputs::Yolox { output } => vec![output],
        };
        let finite = |output: usize| Ok(instance.output(output)?.iter().all(|value| value.is_finite()));
        outputs.into_iter().try_fold(true, |all, output| Ok(all && finite(output)?))
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

fn check_classes(classes: usize, labels: &Labels) -> Result<(), LoadError> {
    if classes == labels.len() {
        return Ok(());
    }
    Err(LoadError::Contract(format!(
        "it tells {classes} classes apart, and there are {} labels",
        labels.len()
    )))
}

fn shape_error(name: &str, shape: &[usize], wanted: &str) -> LoadError {
    LoadError::Contract(format!("output {name:?} has the shape {shape:?}, not {wanted}"))
}
