//! How the process stands: what is counted, and what keeps streams from starting.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ocelli_api::{EngineMetrics, FolderMetrics, Latency, Operation, ProcessMetrics, StreamMetrics};
use ocelli_engine::{Part, StreamCounts, StreamStatus, Supervisor};

/// Of this process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) supervisor: Arc<Supervisor>,
    pub(super) frames: PathBuf,
}

impl Operation for Process {
    fn metrics(&self) -> EngineMetrics {
        let counts = self.supervisor.counts();
        let used = counts.iter().map(|(_, counts)| counts.frame_bytes).sum();
        let status = self.supervisor.list();
        let streams = counts.into_iter().filter_map(|(id, counts)| {
            let status = status.iter().find(|status| status.id == id)?;
            Some(stream(status, &counts))
        });
        let streams: Vec<_> = streams.collect();
        let process = ProcessMetrics::read();
        let frame_folders = self.folders(used);
        EngineMetrics { streams, process, frame_folders }
    }

    fn obstacles(&self) -> Vec<String> {
        let mut obstacles = Vec::new();
        if self.supervisor.is_closing() {
            obstacles.push("the server is shutting down".to_owned());
        }
        obstacles
    }
}

impl Process {
    fn folders(&self, used_bytes: u64) -> FolderMetrics {
        let free = rustix::fs::statvfs(&self.frames).map_or(0, |found| found.f_bavail * found.f_frsize);
        FolderMetrics { used_bytes, free_bytes: free }
    }
}

fn stream(status: &StreamStatus, counts: &StreamCounts) -> StreamMetrics {
    let cpu = Part::ALL.iter().zip(counts.cpu_seconds);
    StreamMetrics {
        cpu: cpu.map(|(part, seconds)| (part.word(), Duration::from_secs_f64(seconds))).collect(),
        verdicts: counts.verdicts(),
        drops: vec![("decoding_behind", counts.dropped_coded), ("overtaken", counts.dropped_picture)],
        queues: vec![
            ("coded", counts.waiting_coded),
            ("pictures", counts.waiting_pictures),
            ("kept", counts.waiting_kept),
        ],
        latency: Latency { counts: counts.latency, sum_seconds: counts.latency_seconds },
        frames_written: counts.frames,
        received_bytes: counts.bytes,
        restarts: status.restart_count,
        ..StreamMetrics::new(status.id.clone(), status.state)
    }
}
