//! Probe, policy and process, as a test wants them.

use std::{path::Path, sync::Mutex, time::Duration};

use async_trait::async_trait;
use ocelli_api::{
    EngineMetrics, FolderMetrics, MediaProbe, Operation, ProbeError, ProcessMetrics, SourcePolicy,
    StreamMetrics, VideoInfo,
};
use ocelli_engine::{SourceKind, StreamSpec, StreamState};

use super::engine::id;

/// Files that begin so are videos here.
pub(crate) const VIDEO: &[u8] = b"\0\0\0\x20ftypisom\x01\x02\x03";

#[derive(Debug, Default)]
pub(crate) struct Outside {
    pub(crate) obstacles: Mutex<Vec<String>>,
}

#[async_trait]
impl MediaProbe for Outside {
    async fn video_info(&self, path: &Path) -> Result<VideoInfo, ProbeError> {
        let bytes =
            tokio::fs::read(path).await.map_err(|error| ProbeError::Unavailable(error.to_string()))?;
        match bytes.as_slice() {
            bytes if bytes.starts_with(VIDEO) => Ok(VideoInfo {
                format: "mov,mp4".to_owned(),
                codec: "h264".to_owned(),
                width: 640,
                height: 360,
                fps: Some(25.0),
                duration: None,
            }),
            bytes if bytes.starts_with(b"\x01damaged") => Err(ProbeError::Damaged("no index".to_owned())),
            bytes if bytes.starts_with(b"\x01bomb") => Err(ProbeError::Killed("too much memory".to_owned())),
            bytes if bytes.starts_with(b"\x01later") => Err(ProbeError::Unavailable("no child".to_owned())),
            _ => Err(ProbeError::NotAVideo("nothing known".to_owned())),
        }
    }

    async fn hardware(&self) -> Vec<String> {
        vec!["vaapi".to_owned()]
    }
}

impl SourcePolicy for Outside {
    fn check(&self, spec: &StreamSpec) -> Result<(), String> {
        let url = &spec.source.url;
        match url.kind() {
            SourceKind::File if !url.file().unwrap().starts_with("/media") => {
                Err("this file is outside the configured folders".to_owned())
            }
            _ if url.expose().contains("169.254.") => Err("the address is link-local".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Operation for Outside {
    fn metrics(&self) -> EngineMetrics {
        let mut stream = StreamMetrics::new(id("cam1"), StreamState::Running);
        stream.cpu = vec![("decode", Duration::from_millis(1500)), ("jpeg", Duration::from_millis(250))];
        stream.verdicts.analysed = 9;
        stream.drops = vec![("queue full", 3)];
        stream.queues = vec![("coded", 2)];
        stream.frames_written = 12;
        stream.received_bytes = 4096;
        stream.restarts = 1;
        for bucket in [0, 4, 8, 12] {
            stream.latency.counts[bucket] = 1;
        }
        stream.latency.sum_seconds = 40.444;
        let quiet = StreamMetrics::new(id("cam2"), StreamState::Error);
        EngineMetrics {
            streams: vec![stream, quiet],
            process: ProcessMetrics { resident_bytes: 1024, cpu_seconds: 2.5, open_fds: 9 },
            frame_folders: FolderMetrics { used_bytes: 100, free_bytes: 900 },
        }
    }

    fn obstacles(&self) -> Vec<String> {
        self.obstacles.lock().unwrap().clone()
    }
}
