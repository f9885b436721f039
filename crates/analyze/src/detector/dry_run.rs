//! A model tried before it is trusted.

use std::path::Path;

use ocelli_media::pixel::{
    Matrix, OwnedPicture, Range,
    tensor::{TensorError, TensorWriter},
};

use super::{contract::Contract, labels::Labels};
use crate::{
    catalogue::Family,
    cpu::{CpuFeatures, cpu_features},
    runtime::{LoadError, Precision, RunError, Runtime, RuntimeInfo, RuntimeName},
};

/// How a model was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// What it ran on.
    pub runtime: RuntimeInfo,
    /// And how.
    pub precision: Precision,
    /// The CPU's class.
    pub cpu_class: String,
    /// Width of its input in pixels.
    pub width: u32,
    /// Height of its input in pixels.
    pub height: u32,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// No runtime reads it, or its tensors are not those of its kind.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It has no room for a picture.
    #[error("a picture does not fit its input")]
    Tensor(#[from] TensorError),
    /// It fails.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It calculates nonsense.
    #[error("its outputs hold values that are no finite numbers")]
    NotFinite,
}

/// Loads the model, holds its tensors against its family and the labels, and runs it on a picture. Of the runtimes below
/// `home` it takes the first that reads it.
pub(crate) fn dry_run(
    home: &Path,
    model: &Path,
    family: Family,
    labels: &Labels,
) -> Result<DryRun, DryRunError> {
    let cpu = cpu_features();
    let mut first = None;
    for name in RuntimeName::ALL {
        let tried = name.open(home).map_err(DryRunError::from);
        let tried = tried.and_then(|runtime| try_on(&*runtime, model, family, labels, &cpu));
        match tried {
            Ok(done) => return Ok(done),
            // Another runtime may know an operator that this one does not.
            Err(error) if may_differ(&error) => first = prefer(first, error),
            Err(error) => return Err(error),
        }
    }
    Err(first.expect("there are runtimes, and each failed"))
}

fn may_differ(error: &DryRunError) -> bool {
    let DryRunError::Load(error) = error else { return false };
    matches!(
        error,
        LoadError::RuntimeMissing { .. } | LoadError::Refused { .. } | LoadError::Precision { .. }
    )
}

/// What a runtime says about the model tells more than that another is missing.
fn prefer(first: Option<DryRunError>, error: DryRunError) -> Option<DryRunError> {
    match first {
        None | Some(DryRunError::Load(LoadError::RuntimeMissing { .. })) => Some(error),
        first => first,
    }
}

fn try_on(
    runtime: &dyn Runtime,
    model: &Path,
    family: Family,
    labels: &Labels,
    cpu: &CpuFeatures,
) -> Result<DryRun, DryRunError> {
    let precision = runtime.info().name.favoured(cpu);
    let mut instance = runtime.load(model, precision)?.instance()?;
    let contract = Contract::new(family, labels.clone(), &*instance)?;
    TensorWriter::new(contract.spec).write(&picture().as_picture(), instance.input_mut()?)?;
    instance.run()?;
    if !contract.is_finite(&*instance)? {
        return Err(DryRunError::NotFinite);
    }
    let (width, height) = (contract.spec.width, contract.spec.height);
    Ok(DryRun { runtime: runtime.info().clone(), precision, cpu_class: cpu.class(), width, height })
}

/// Something everywhere, in all brightnesses.
fn picture() -> OwnedPicture {
    let mut picture = OwnedPicture::black(640, 480, Range::Limited, Matrix::Bt601);
    for (plane, samples) in picture.planes.iter_mut().enumerate() {
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample = (16 + (index * 7 + index / 320 + plane * 50) % 220) as u8;
        }
    }
    picture
}
