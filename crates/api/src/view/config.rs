//! What a stream is to do, as JSON: the spec of the engine with names and limits of the interface.

use ocelli_engine::{
    FramesSpec, ModelSpec, Pace, PublishSpec, SecondPublisher, SourceSpec, SourceUrl, SourceUrlError,
    StreamSpec, Transport,
};
use ocelli_model::{SamplingPlan, StreamId};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{rate, record::RecordConfig};

const MOST_MODELS: usize = 16;
const MOST_CLASSES: usize = 1000;
const LONGEST_NAME: usize = 128;

/// What a stream is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamConfig {
    /// What it reads.
    source: SourceConfig,
    /// Which pictures are chosen: frames per second of media time as `1`, `0.5` or `30000/1001`, or `all`. Numbers are
    /// accepted too.
    #[serde(default = "one_a_second", deserialize_with = "rate::deserialize")]
    #[schema(value_type = String, example = "1", default = "1")]
    fps: SamplingPlan,
    /// Chosen pictures as numbered JPEGs in the stream's frame folder; not written if null.
    #[serde(default)]
    frames: Option<FramesConfig>,
    /// Models that look at the chosen pictures, at most 16.
    #[serde(default)]
    models: Vec<ModelConfig>,
    /// Whether objects are followed from frame to frame.
    #[serde(default = "yes")]
    tracks: bool,
    /// Whether models look only where something moves; null: at live sources.
    #[serde(default)]
    gate: Option<bool>,
    /// Hardware that decodes; software if null.
    #[serde(default)]
    hardware: Option<Hardware>,
    /// Everything that comes is kept as it comes, for playback, clips and later analysis; not recorded if null.
    #[serde(default)]
    record: Option<RecordConfig>,
    /// Who may publish to it, where its source is `publish:` and its own id; nobody if null.
    #[serde(default)]
    publish: Option<PublishConfig>,
}

/// Who may publish to a stream: whoever knows the secret, and whoever calls from one of the networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "who may publish, such as {\"secret\": \"at least 8 characters\"}")]
struct PublishConfig {
    /// Given by the publisher as `<stream id>?secret=…`; 8 to 128 characters. Never shown: `***` stands for one that is set, and keeps it
    /// where it is sent back.
    #[serde(default)]
    #[schema(max_length = 128)]
    secret: Option<String>,
    /// Ranges of addresses separated by commas, such as `192.168.1.0/24`.
    #[serde(default)]
    networks: Option<String>,
    /// What becomes of a second publisher while there is one.
    #[serde(default)]
    second: SecondWord,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SecondPublisher)]
enum SecondWord {
    #[default]
    Refuse,
    TakeOver,
}

/// Shown in place of a publish secret.
const HIDDEN: &str = "***";

/// What a stream reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a source such as {\"url\": \"rtsp://camera.local/stream1\"}")]
struct SourceConfig {
    /// Where: `rtsp://…`, `rtsps://…`, `http://…`, `https://…`, `file:///…` in a folder that the configuration lists, or
    /// `synthetic:`, a camera of the server's own. Shown without user, password and query. Given as it was
    /// shown, it keeps them.
    #[schema(example = "rtsp://camera.local/stream1", max_length = 2048)]
    url: String,
    /// A file: begins anew at its end, each turn a run of its own.
    #[serde(default)]
    repeat: bool,
    /// How fast a file is read: as fast as it can be worked on, or as a camera would send it.
    #[serde(default)]
    pace: PaceWord,
    /// Handed over by somebody who is not trusted: read and decoded in a process without rights.
    #[serde(default)]
    untrusted: bool,
    /// How an RTSP server sends media: over the connection of RTSP itself, or in datagrams.
    #[serde(default)]
    transport: TransportWord,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Transport)]
enum TransportWord {
    #[default]
    Tcp,
    Udp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Pace)]
enum PaceWord {
    #[default]
    Fast,
    RealTime,
}

/// How frames are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "how frames are written, such as {\"quality\": 90} or {}")]
struct FramesConfig {
    /// Quality of the JPEGs; left out, what the server is configured with, 90 unless told.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    quality: Option<i64>,
}

/// One model of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a model such as {\"model\": \"ssdlite-mobilenet-v2\"}, or {} for the default one"
)]
struct ModelConfig {
    /// Id in the catalogue; the default model if null.
    #[serde(default)]
    model: Option<String>,
    /// Lowest confidence, above 0 and at most 1; the model's default if null.
    #[serde(default)]
    confidence: Option<f32>,
    /// Classes to report; all if null.
    #[serde(default)]
    classes: Option<Vec<String>>,
}

/// Hardware that decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hardware {
    Auto,
    Cuda,
    Qsv,
    Vaapi,
    None,
}

impl Hardware {
    /// As the engine is told.
    pub(crate) fn spec(self) -> Option<String> {
        let word = match self {
            Self::Auto => "auto",
            Self::Cuda => "cuda",
            Self::Qsv => "qsv",
            Self::Vaapi => "vaapi",
            Self::None => return None,
        };
        Some(word.to_owned())
    }

    fn of(word: &str) -> Option<Self> {
        Self::deserialize(de::value::StrDeserializer::<de::value::Error>::new(word)).ok()
    }
}

/// A stream to be created.
#[derive(Clone, Debug, ToSchema)]
#[schema(example = json!({"id": "lobby", "source": {"url": "synthetic:?fps=10"}, "fps": "2", "frames": {}, "models": [{}]}))]
pub(crate) struct NewStream {
    /// Its name: 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with `.` or `-`.
    #[schema(value_type = String, example = "front-door", pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$")]
    pub(crate) id: StreamId,
    /// Whether it is set going at once.
    #[schema(value_type = bool, default = true, required = false)]
    start: Value,
    #[serde(flatten)]
    #[schema(value_type = StreamConfig)]
    config: Map<String, Value>,
}

impl<'de> Deserialize<'de> for NewStream {
    /// Only the name is read: whoever may not create it learns nothing about the rest.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(mut config) = Value::deserialize(deserializer)? else {
            return Err(de::Error::custom("a stream is a JSON object, such as {\"id\": …, \"source\": …}"));
        };
        let id = config.remove("id").ok_or_else(|| de::Error::missing_field("id"))?;
        let id = StreamId::deserialize(id).map_err(|error| de::Error::custom(format!("id: {error}")))?;
        Ok(Self { id, start: config.remove("start").unwrap_or(Value::Bool(true)), config })
    }
}

impl NewStream {
    /// Whether it is set going, and what it is to do.
    pub(crate) fn read(self) -> Result<(bool, StreamConfig), String> {
        let start = self.start.as_bool().ok_or("`start` must be true or false")?;
        let config = StreamConfig::deserialize(Value::Object(self.config));
        Ok((start, config.map_err(|error| error.to_string())?))
    }
}

fn one_a_second() -> SamplingPlan {
    SamplingPlan::Rate(ocelli_model::Rate::new(1, 1).expect("1 is a rate"))
}

fn yes() -> bool {
    true
}

impl StreamConfig {
    /// As it is shown: without secrets.
    pub(crate) fn of(spec: &StreamSpec) -> Self {
        let models = spec.models.iter().map(|model| {
            let ModelSpec { model, confidence, classes } = model.clone();
            ModelConfig { model, confidence, classes }
        });
        Self {
            source: SourceConfig::of(&spec.source),
            fps: spec.fps,
            frames: spec.frames.as_ref().map(|frames| FramesConfig { quality: Some(frames.quality.into()) }),
            models: models.collect(),
            tracks: spec.tracks,
            gate: spec.gate,
            hardware: spec.hardware.as_deref().and_then(Hardware::of),
            record: spec.record.as_ref().map(RecordConfig::of),
            publish: spec.publish.as_ref().map(PublishConfig::of),
        }
    }

    /// What the engine is told, or what is wrong with it. A URL that stands as `present` is shown is that of `present`,
    /// secrets and all.
    pub(crate) fn spec(self, present: Option<&StreamSpec>, quality: u8) -> Result<StreamSpec, String> {
        if self.models.len() > MOST_MODELS {
            return Err(format!("models: at most {MOST_MODELS} look at one stream"));
        }
        Ok(StreamSpec {
            source: self.source.spec(present.map(|present| &present.source))?,
            fps: self.fps,
            frames: self.frames.map(|frames| frames.spec(quality)).transpose()?,
            models: self.models.into_iter().map(ModelConfig::spec).collect::<Result<_, _>>()?,
            tracks: self.tracks,
            gate: self.gate,
            hardware: self.hardware.and_then(Hardware::spec),
            record: self.record.map(RecordConfig::spec).transpose()?,
            publish: self.publish.map(|publish| publish.spec(present)).transpose()?,
            analyzer: present.and_then(|present| present.analyzer.clone()),
        })
    }
}

impl SourceConfig {
    fn of(spec: &SourceSpec) -> Self {
        let SourceSpec { url, repeat, pace, untrusted, transport } = spec;
        Self {
            url: url.to_string(),
            repeat: *repeat,
            pace: match pace {
                Pace::Fast => PaceWord::Fast,
                Pace::RealTime => PaceWord::RealTime,
            },
            untrusted: *untrusted,
            transport: match transport {
                Transport::Tcp => TransportWord::Tcp,
                Transport::Udp => TransportWord::Udp,
            },
        }
    }

    fn spec(self, present: Option<&SourceSpec>) -> Result<SourceSpec, String> {
        let shown = present.filter(|present| present.url.to_string() == self.url);
        let url: SourceUrl = match shown {
            Some(present) => present.url.clone(),
            None => self.url.parse().map_err(|error: SourceUrlError| format!("source.url: {error}"))?,
        };
        Ok(SourceSpec {
            url,
            repeat: self.repeat,
            pace: match self.pace {
                PaceWord::Fast => Pace::Fast,
                PaceWord::RealTime => Pace::RealTime,
            },
            untrusted: self.untrusted,
            transport: match self.transport {
                TransportWord::Tcp => Transport::Tcp,
                TransportWord::Udp => Transport::Udp,
            },
        })
    }
}

impl PublishConfig {
    fn of(spec: &PublishSpec) -> Self {
        Self {
            secret: spec.secret.as_ref().map(|_secret| HIDDEN.to_owned()),
            networks: spec.networks.clone(),
            second: match spec.second {
                SecondPublisher::Refuse => SecondWord::Refuse,
                SecondPublisher::TakeOver => SecondWord::TakeOver,
            },
        }
    }

    /// The engine says what else is wrong with it.
    fn spec(self, present: Option<&StreamSpec>) -> Result<PublishSpec, String> {
        let kept = || present.and_then(|present| present.publish.as_ref()?.secret.clone());
        let secret = match self.secret {
            Some(secret) if secret == HIDDEN => Some(kept().ok_or_else(|| {
                format!("publish.secret: {HIDDEN} keeps the secret that is set, and none is")
            })?),
            given => given,
        };
        let second = match self.second {
            SecondWord::Refuse => SecondPublisher::Refuse,
            SecondWord::TakeOver => SecondPublisher::TakeOver,
        };
        Ok(PublishSpec { secret, networks: self.networks, second })
    }
}

impl FramesConfig {
    fn spec(self, default: u8) -> Result<FramesSpec, String> {
        match self.quality.map(u8::try_from) {
            None => Ok(FramesSpec { quality: default }),
            Some(Ok(quality @ 1..=100)) => Ok(FramesSpec { quality }),
            Some(_) => Err("frames.quality: give 1 to 100".to_owned()),
        }
    }
}

impl ModelConfig {
    fn spec(self) -> Result<ModelSpec, String> {
        let Self { model, confidence, classes } = self;
        let names = model.iter().chain(classes.iter().flatten());
        if names.clone().any(|name| name.is_empty() || name.len() > LONGEST_NAME) {
            return Err(format!("models: names of models and classes have 1 to {LONGEST_NAME} bytes"));
        }
        if confidence.is_some_and(|confidence| !(confidence > 0.0 && confidence <= 1.0)) {
            return Err("models.confidence: give a number above 0 and at most 1".to_owned());
        }
        if classes.as_ref().is_some_and(|classes| classes.is_empty() || classes.len() > MOST_CLASSES) {
            return Err(format!("models.classes: name 1 to {MOST_CLASSES} classes, or leave it out for all"));
        }
        Ok(ModelSpec { model, confidence, classes })
    }
}
