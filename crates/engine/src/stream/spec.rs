//! What a stream is to do.

use ocelli_ingest::SourceSpec;
use ocelli_model::SamplingPlan;
use serde::{Deserialize, Serialize};

/// A stream as its user configured it: runtime data, kept in the store as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamSpec {
    /// What it reads.
    pub source: SourceSpec,
    /// Which pictures are due: for the frame folder and for every model.
    pub fps: SamplingPlan,
    /// Chosen pictures as numbered JPEGs on the shared volume.
    #[serde(default)]
    pub frames: Option<FramesSpec>,
    /// Models that look at the chosen pictures.
    #[serde(default)]
    pub models: Vec<ModelSpec>,
    /// Whether objects are followed from frame to frame.
    #[serde(default = "yes")]
    pub tracks: bool,
    /// Whether models look only where something moves; `None`: at live sources.
    #[serde(default)]
    pub gate: Option<bool>,
    /// Hardware that decodes, by its name on the command line (`cuda`, `qsv`, `vaapi`, `auto`); software if `None`.
    #[serde(default)]
    pub hardware: Option<String>,
}

/// How frames are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramesSpec {
    /// 1 to 100.
    #[serde(default = "quality")]
    pub quality: u8,
}

/// One model of a stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Id in the catalogue; the default model if `None`.
    #[serde(default)]
    pub model: Option<String>,
    /// Lowest confidence, above 0 and at most 1; the model's default if `None`.
    #[serde(default)]
    pub confidence: Option<f32>,
    /// Classes to report; all if `None`.
    #[serde(default)]
    pub classes: Option<Vec<String>>,
}

impl Default for FramesSpec {
    fn default() -> Self {
        Self { quality: quality() }
    }
}

impl StreamSpec {
    /// Whether models look only where something moves.
    pub fn is_gated(&self) -> bool {
        !self.models.is_empty() && self.gate.unwrap_or_else(|| self.source.is_live())
    }
}

fn yes() -> bool {
    true
}

/// What cameras themselves use: small, and no artefact that a model or an eye would mind.
fn quality() -> u8 {
    90
}
