//! What a stream of contract 3 is to do.

use ocelli_engine::{
    AnalyzerStream, ModelSpec, Pace, PublishSpec, RecordSpec, SecondPublisher, SourceSpec, SourceUrl,
    SourceUrlError, StreamSpec,
};
use ocelli_model::StreamId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::key;
use crate::{failure::Failure, state::Shared};

const LONGEST_NAME: usize = 200;
/// A `file` stream whose file has not come yet reads this one, which is never there.
const AWAITED: &str = "awaited";

/// A stream that is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAnalyzerStream)]
#[serde(
    expecting = "a stream such as {\"name\": \"Studio\", \"source_type\": \"rtmp\", \"processing_mode\": \"live\"}"
)]
pub(super) struct NewStream {
    /// For people; 1 to 200 bytes.
    pub(super) name: String,
    /// `rtmp` waits for a publisher, `webcam` reads the local camera, `file` waits for an upload (or reads `url`), `frames` for posted
    /// pictures; `rtsp`, `http`, `hls` and `synthetic` read `url`.
    #[schema(example = "rtmp")]
    pub(super) source_type: String,
    /// `live`, or `batch`: every picture that is due is looked at, whether anything moves or not, and files are not paced.
    #[serde(default)]
    processing_mode: Mode,
    /// What it reads, where its type alone does not tell.
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Its key; made of its name where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) stream_key: Option<StreamId>,
    /// `rtmp`: networks whose publishers need no secret, such as `192.168.1.0/24`, separated by commas.
    #[serde(default)]
    publish_networks: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProcessingMode)]
pub(super) enum Mode {
    #[default]
    Live,
    Batch,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Batch => "batch",
        }
    }
}

/// The local camera, as it is created by starting it.
pub(super) fn webcam() -> NewStream {
    NewStream {
        name: "Webcam".to_owned(),
        source_type: "webcam".to_owned(),
        processing_mode: Mode::Live,
        url: None,
        stream_key: None,
        publish_networks: None,
    }
}

impl NewStream {
    /// What it is to do, with what it needs to be told apart.
    pub(super) fn spec(&self, shared: &Shared, id: &StreamId, number: u64) -> Result<StreamSpec, Failure> {
        let name = self.name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Failure::invalid(format!("name: give 1 to {LONGEST_NAME} bytes of text")));
        }
        let is_rtmp = self.source_type == "rtmp";
        if self.publish_networks.is_some() && !is_rtmp {
            return Err(Failure::invalid("publish_networks: only streams of type rtmp are published to"));
        }
        let publish = || -> Result<_, Failure> {
            let networks = self.publish_networks.clone();
            Ok(PublishSpec { secret: Some(key::secret()?), networks, second: SecondPublisher::default() })
        };
        let spec = StreamSpec {
            source: self.source(shared, id)?,
            fps: shared.state.settings.analyzer.fps,
            frames: None,
            models: vec![ModelSpec::default()],
            tracks: true,
            gate: (self.processing_mode == Mode::Batch).then_some(false),
            hardware: shared.state.settings.hardware.clone(),
            record: Some(RecordSpec::default()),
            publish: is_rtmp.then(publish).transpose()?,
            analyzer: Some(AnalyzerStream {
                number,
                name: name.to_owned(),
                source_type: self.source_type.clone(),
                processing_mode: self.processing_mode.as_str().to_owned(),
            }),
        };
        // What is uploaded lies where it is read.
        if !is_awaited(&spec) {
            shared.state.policy.check(&spec).map_err(|why| Failure::invalid(format!("url: {why}")))?;
        }
        Ok(spec)
    }

    fn source(&self, shared: &Shared, id: &StreamId) -> Result<SourceSpec, Failure> {
        let needs = |url: &Option<String>| {
            url.clone().ok_or_else(|| {
                Failure::invalid(format!("url: a stream of type {} needs one", self.source_type))
            })
        };
        let beginnings: &[&str] = match self.source_type.as_str() {
            "rtmp" if self.url.is_some() => {
                return Err(Failure::invalid("url: a stream of type rtmp is published to, and reads none"));
            }
            "rtmp" => return Ok(SourceSpec::new(parsed(&format!("publish:{id}"))?)),
            "webcam" if self.url.is_none() => return camera(shared),
            "webcam" => &["device:"],
            "file" if self.url.is_none() => return Ok(self.file(awaited(shared, id)?, true)),
            "file" => &["file:", "/"],
            "rtsp" => &["rtsp://", "rtsps://"],
            "frames" if self.url.is_none() => return Ok(SourceSpec::new(parsed(&format!("frames:{id}"))?)),
            "frames" => {
                return Err(Failure::invalid(
                    "url: pictures are posted to a stream of type frames; it reads none",
                ));
            }
            "http" => &["http://", "https://"],
            // What is no playlist by its name is one by its type.
            "hls" => {
                let url = needs(&self.url)?;
                let begins =
                    |start: &str| url.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start));
                let bare = begins("http://") || begins("https://");
                if !bare && !begins("hls+http://") && !begins("hls+https://") {
                    return Err(Failure::invalid(
                        "url: for a stream of type hls it begins with http:// or https://",
                    ));
                }
                let url = if bare { format!("hls+{url}") } else { url };
                return Ok(SourceSpec::new(parsed(&url)?));
            }
            "synthetic" => &["synthetic:"],
            other => {
                let known = "rtmp, webcam, file, frames, rtsp, http, hls or synthetic";
                return Err(Failure::invalid(format!("source_type: {other:?} is none; give {known}")));
            }
        };
        let url = needs(&self.url)?;
        let fits = beginnings
            .iter()
            .any(|start| url.get(..start.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(start)));
        if !fits {
            let known = beginnings.join(" or ");
            return Err(Failure::invalid(format!(
                "url: for a stream of type {} it begins with {known}",
                self.source_type
            )));
        }
        let url = parsed(&url)?;
        Ok(if self.source_type == "file" { self.file(url, false) } else { SourceSpec::new(url) })
    }

    fn file(&self, url: SourceUrl, untrusted: bool) -> SourceSpec {
        let pace = if self.processing_mode == Mode::Live { Pace::RealTime } else { Pace::Fast };
        SourceSpec { pace, untrusted, ..SourceSpec::new(url) }
    }
}

fn parsed(url: &str) -> Result<SourceUrl, Failure> {
    url.parse().map_err(|error: SourceUrlError| Failure::invalid(format!("url: {error}")))
}

/// The local camera.
pub(super) fn camera(shared: &Shared) -> Result<SourceSpec, Failure> {
    let url = shared.state.settings.analyzer.webcam.parse().map_err(|error: SourceUrlError| {
        Failure::unavailable(format!("there is no local camera here: analyzer.webcam: {error}"))
    })?;
    Ok(SourceSpec::new(url))
}

/// What a stream reads whose file has not come yet.
fn awaited(shared: &Shared, id: &StreamId) -> Result<SourceUrl, Failure> {
    let path = shared.state.settings.uploads.join(id.as_str()).join(AWAITED);
    SourceUrl::from_path(&path).map_err(Failure::invalid)
}

/// Whether the file of a stream has yet to come.
pub(super) fn is_awaited(spec: &StreamSpec) -> bool {
    spec.source.untrusted && spec.source.url.file().is_some_and(|path| path.ends_with(AWAITED))
}
