//! What is counted, as plain values that the composition root fills in.

use std::time::Duration;

use ocelli_engine::{LATENCY_BUCKETS_MS, StreamState};
use ocelli_model::{StreamId, Tally};

/// Everything at one moment. Counters count since the process began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineMetrics {
    /// One per stream.
    pub streams: Vec<StreamMetrics>,
    /// The process itself.
    pub process: ProcessMetrics,
    /// The frame folders together.
    pub frame_folders: FolderMetrics,
}

/// One stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamMetrics {
    /// Its name: the label `stream`.
    pub id: StreamId,
    /// What it is doing.
    pub state: StreamState,
    /// CPU time by stage, such as `decode`.
    pub cpu: Vec<(&'static str, Duration)>,
    /// What became of due slots.
    pub verdicts: Tally,
    /// Chosen pictures that were dropped, by reason.
    pub drops: Vec<(&'static str, u64)>,
    /// Entries waiting now, by queue.
    pub queues: Vec<(&'static str, u64)>,
    /// Arrival of an access unit to its result.
    pub latency: Latency,
    /// Pictures written to the frame folder.
    pub frames_written: u64,
    /// Bytes of media that came in.
    pub received_bytes: u64,
    /// Attempts after the first.
    pub restarts: u64,
}

impl StreamMetrics {
    /// Of a stream that has done nothing yet.
    pub fn new(id: StreamId, state: StreamState) -> Self {
        Self {
            id,
            state,
            cpu: Vec::new(),
            verdicts: Tally::default(),
            drops: Vec::new(),
            queues: Vec::new(),
            latency: Latency::default(),
            frames_written: 0,
            received_bytes: 0,
            restarts: 0,
        }
    }
}

/// Counts by duration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// How many fell into each bucket of [`LATENCY_BUCKETS_MS`], not summed up; the last has no upper end.
    pub counts: [u64; LATENCY_BUCKETS_MS.len() + 1],
    /// Sum of all in seconds.
    pub sum_seconds: f64,
}

/// The process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessMetrics {
    /// Memory in use.
    pub resident_bytes: u64,
    /// CPU time, in user and kernel mode.
    pub cpu_seconds: f64,
    /// Open file descriptors.
    pub open_fds: u64,
}

/// Disk use of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderMetrics {
    /// Bytes that frames occupy.
    pub used_bytes: u64,
    /// Bytes left on their disk.
    pub free_bytes: u64,
}
