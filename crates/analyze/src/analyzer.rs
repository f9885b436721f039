//! The seam between the engine and whatever looks at frames.

use ocelli_media::pixel::{Picture, tensor::TensorError};
use ocelli_model::{AnalyzerVersion, Detection};

use crate::runtime::RunError;

/// Looks at one frame at a time. One per core: an analyzer keeps its buffers and computes on the calling thread.
pub trait Analyzer: Send {
    /// Hash of everything that can change a result.
    fn version(&self) -> &AnalyzerVersion;

    /// What is seen in `picture`: by falling confidence, then label, then place. Blocks while it computes.
    fn analyze(&mut self, picture: &Picture<'_>) -> Result<Vec<Detection>, AnalyzeError>;
}

/// Why one frame has no result.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The picture cannot be brought into the model's form.
    #[error("cannot turn the picture into the model's input")]
    Tensor(#[from] TensorError),
    /// The model failed.
    #[error("the model gave no result")]
    Run(#[from] RunError),
}
