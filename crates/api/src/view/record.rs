//! How a stream is recorded, as JSON.

use ocelli_engine::{EventSpec, RecordSpec};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MOST_NAMES: usize = 1000;
const LONGEST_NAME: usize = 128;

/// How a stream is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "how a stream is recorded, such as {\"audio\": false} or {}")]
pub(super) struct RecordConfig {
    /// With its sound, where it has any.
    #[serde(default = "yes")]
    audio: bool,
    /// Which detections make a piece of the recording one of class `event`, which `archive.keep_event_age` keeps longer. Unless told: any of
    /// any model.
    #[serde(default)]
    events: EventConfig,
}

/// Detections that make an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "what makes an event, such as {\"labels\": [\"person\"]} or {}"
)]
struct EventConfig {
    /// Classes, such as `person`; any if null, nothing is an event if empty.
    labels: Option<Vec<String>>,
    /// Ids of models in the catalogue whose detections count; all if null, none if empty.
    models: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

impl RecordConfig {
    pub(super) fn of(spec: &RecordSpec) -> Self {
        let EventSpec { labels, models } = spec.events.clone();
        Self { audio: spec.audio, events: EventConfig { labels, models } }
    }

    pub(super) fn spec(self) -> Result<RecordSpec, String> {
        let EventConfig { labels, models } = self.events;
        for (key, names) in [("labels", &labels), ("models", &models)] {
            let names = names.as_deref().unwrap_or_default();
            if names.len() > MOST_NAMES
                || names.iter().any(|name| name.is_empty() || name.len() > LONGEST_NAME)
            {
                return Err(format!(
                    "record.events.{key}: name at most {MOST_NAMES}, each of 1 to {LONGEST_NAME} bytes"
                ));
            }
        }
        Ok(RecordSpec { audio: self.audio, events: EventSpec { labels, models } })
    }
}
