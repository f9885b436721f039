//! What is configured of contract 3.

use std::time::Duration;

use ocelli_model::{Rate, SamplingPlan};

/// How streams of contract 3 are made and told of.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyzerSettings {
    /// Which of their pictures are looked at.
    pub fps: SamplingPlan,
    /// The local camera, as the URL of a source.
    pub webcam: String,
    /// Host of the RTMP address that publishers are told; `None`: the one that the client asked.
    pub rtmp_host: Option<String>,
    /// Its port.
    pub rtmp_port: u16,
    /// What stands before `/KEY.m3u8` in the URLs of playlists.
    pub playlists: String,
    /// How long the start of the local camera may take until it can be played.
    pub webcam_patience: Duration,
}

impl Default for AnalyzerSettings {
    /// 5 pictures a second, `/dev/video0`, port 1935, playlists below `/streaming`, 15 s.
    fn default() -> Self {
        Self {
            fps: SamplingPlan::Rate(Rate::new(5, 1).expect("5 is a rate")),
            webcam: "device:/dev/video0".to_owned(),
            rtmp_host: None,
            rtmp_port: 1935,
            playlists: "/streaming".to_owned(),
            webcam_patience: Duration::from_secs(15),
        }
    }
}
