//! What a stream is to do.

use ocelli_ingest::{SourceKind, SourceSpec};
use ocelli_media::libav::Acceleration;
use ocelli_model::{SamplingPlan, StreamId};
use serde::{Deserialize, Serialize};

use super::{PublishSpec, StreamError};

/// More would look at a picture for seconds.
const MOST_MODELS: usize = 16;

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
    /// Everything that comes is kept as it comes: for playback, clips, and analyzers to come.
    #[serde(default)]
    pub record: Option<RecordSpec>,
    /// Who may publish to it, where it reads `publish:`.
    #[serde(default)]
    pub publish: Option<PublishSpec>,
    /// What clients of contract 3 call it.
    #[serde(default)]
    pub analyzer: Option<AnalyzerStream>,
}

/// How a stream is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSpec {
    /// With its sound, where it has any.
    #[serde(default = "yes")]
    pub audio: bool,
    /// What makes a piece of the recording one in which something happened, which stays longer.
    #[serde(default)]
    pub events: EventSpec,
}

impl Default for RecordSpec {
    fn default() -> Self {
        Self { audio: true, events: EventSpec::default() }
    }
}

/// Which detections make an event. Tracks need no word of their own: where one begins and where it ends something was detected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSpec {
    /// Classes; any if `None`, nothing if empty.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Ids of models in the catalogue whose detections count; all if `None`, none if empty.
    #[serde(default)]
    pub models: Option<Vec<String>>,
}

/// A stream as contract 3 knows it. Its key is the id of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalyzerStream {
    /// Its `id` there, a number.
    pub number: u64,
    /// For people.
    pub name: String,
    /// `rtmp`, `webcam`, `file` or another word of that contract.
    pub source_type: String,
    /// `live` or `batch`.
    pub processing_mode: String,
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
    /// What can be told without opening anything.
    pub(super) fn check(&self, id: &StreamId) -> Result<(), StreamError> {
        let invalid = |why: &str| Err(StreamError::Invalid(why.to_owned()));
        // Media of others is theirs: who may publish is said by the stream that the publisher names.
        if self.source.url.key().is_some_and(|key| key != id) {
            return invalid(&format!("the source must name this stream itself: publish:{id} or frames:{id}"));
        }
        if !self.looks() && self.record.is_none() {
            return invalid(
                "a stream needs something to do: give `frames` to write, `models` to look, or `record`",
            );
        }
        if let Some(Err(why)) = self.publish.as_ref().map(PublishSpec::check) {
            return invalid(&format!("publish: {why}"));
        }
        if self.frames.as_ref().is_some_and(|frames| !(1..=100).contains(&frames.quality)) {
            return invalid("the quality of frames is 1 to 100");
        }
        if self.models.len() > MOST_MODELS {
            return invalid("a stream has at most 16 models");
        }
        let confidence = self.models.iter().filter_map(|model| model.confidence);
        if confidence.into_iter().any(|confidence| !(confidence > 0.0 && confidence <= 1.0)) {
            return invalid("a confidence is above 0 and at most 1");
        }
        match self.hardware.as_deref() {
            None | Some("none" | "auto") => Ok(()),
            Some(word) if word.parse::<Acceleration>().is_ok() => Ok(()),
            Some(_) => invalid("hardware is cuda, qsv, vaapi, auto or none"),
        }
    }

    /// Whether models look only where something moves.
    pub fn is_gated(&self) -> bool {
        !self.models.is_empty() && self.gate.unwrap_or_else(|| self.source.is_live())
    }
}

impl StreamSpec {
    /// Whether anything is made of its pictures. Otherwise they are recorded only, and none is decoded.
    pub(super) fn looks(&self) -> bool {
        self.frames.is_some() || !self.models.is_empty()
    }

    /// Whether what is recorded and has no verdict yet is gone through again after a crash.
    pub(super) fn looks_back(&self) -> bool {
        self.record.is_some() && self.looks()
    }

    /// Whether its source has no end of its own: where it ends all the same, another attempt follows.
    pub(super) fn is_endless(&self) -> bool {
        let source = &self.source;
        source.repeat || (source.is_live() && source.url.kind() != SourceKind::File)
    }
}

fn yes() -> bool {
    true
}

/// What cameras themselves use: small, and no artefact that a model or an eye would mind.
fn quality() -> u8 {
    90
}
