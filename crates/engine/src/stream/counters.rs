//! What a stream costs and loses, counted where it happens and read at any time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use ocelli_model::Tally;
use rustix::time::{ClockId, clock_gettime};

/// Upper ends of the latency histogram, in milliseconds; one more bucket holds what took longer.
pub const LATENCY_BUCKETS_MS: [u64; 12] = [5, 10, 20, 30, 50, 75, 100, 200, 500, 1000, 2000, 5000];

/// Parts of a stream's work whose CPU time is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Receiving, reading the bitstream, choosing.
    Receive,
    /// Decoding.
    Decode,
    /// The motion gate.
    Gate,
    /// JPEG.
    Jpeg,
    /// Models.
    Analyze,
    /// Ledger, results, frame folder, news.
    Keep,
}

impl Part {
    /// All of them, as they follow each other.
    pub const ALL: [Self; 6] =
        [Self::Receive, Self::Decode, Self::Gate, Self::Jpeg, Self::Analyze, Self::Keep];

    /// As metrics name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Decode => "decode",
            Self::Gate => "gate",
            Self::Jpeg => "jpeg",
            Self::Analyze => "analyze",
            Self::Keep => "keep",
        }
    }
}

/// Counts rise, but for those of what waits now, over all attempts of a stream in this process.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) units: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) decoded: AtomicU64,
    pub(super) frames: AtomicU64,
    pub(super) dropped_coded: AtomicU64,
    pub(super) dropped_picture: AtomicU64,
    pub(super) gated: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) analysed: AtomicU64,
    pub(super) frame_errors: AtomicU64,
    pub(super) waiting_coded: AtomicU64,
    pub(super) waiting_pictures: AtomicU64,
    pub(super) waiting_kept: AtomicU64,
    pub(super) frame_bytes: AtomicU64,
    cpu_ns: [AtomicU64; 6],
    latency: [AtomicU64; LATENCY_BUCKETS_MS.len() + 1],
    latency_us: AtomicU64,
}

/// The counters of one stream at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamCounts {
    /// Access units received.
    pub units: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Units that went through the decoder.
    pub decoded: u64,
    /// JPEGs written to the frame folder.
    pub frames: u64,
    /// Chosen pictures that went because decoding was behind.
    pub dropped_coded: u64,
    /// Decoded pictures that went because a newer one came before anybody looked.
    pub dropped_picture: u64,
    /// Pictures on which nothing moved.
    pub gated: u64,
    /// Pictures that could not be decoded or looked at.
    pub failed: u64,
    /// Pictures with a result.
    pub analysed: u64,
    /// Frames that could not be written.
    pub frame_errors: u64,
    /// CPU seconds by [`Part`].
    pub cpu_seconds: [f64; 6],
    /// Pictures by the time from arrival of their access unit to their result; see [`LATENCY_BUCKETS_MS`].
    pub latency: [u64; LATENCY_BUCKETS_MS.len() + 1],
    /// Sum of those times.
    pub latency_seconds: f64,
    /// Units that wait to be decoded now.
    pub waiting_coded: u64,
    /// Pictures, and verdicts without one, that wait to be looked at now.
    pub waiting_pictures: u64,
    /// Results that wait to be kept now.
    pub waiting_kept: u64,
    /// Bytes of the frames in the folder, as far as its writer knows.
    pub frame_bytes: u64,
}

impl StreamCounts {
    /// What became of due pictures; those dropped include what was never decoded.
    pub fn verdicts(&self) -> Tally {
        let dropped = self.dropped_coded + self.dropped_picture;
        let (analysed, gated, failed) = (self.analysed, self.gated, self.failed);
        Tally { analysed, gated, failed, dropped, ..Tally::default() }
    }
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// Does a piece of work and counts the CPU time of this thread.
    pub(super) fn spend<T>(&self, part: Part, work: impl FnOnce() -> T) -> T {
        let before = thread_cpu();
        let done = work();
        self.spent(part, thread_cpu().saturating_sub(before));
        done
    }

    pub(super) fn spent(&self, part: Part, cpu: Duration) {
        Self::add(&self.cpu_ns[part as usize], cpu.as_nanos() as u64);
    }

    pub(super) fn latency(&self, took: Duration) {
        let bucket = LATENCY_BUCKETS_MS.partition_point(|&most| Duration::from_millis(most) < took);
        Self::add(&self.latency[bucket], 1);
        Self::add(&self.latency_us, took.as_micros() as u64);
    }

    /// Nothing waits any more.
    pub(super) fn rest(&self) {
        for waiting in [&self.waiting_coded, &self.waiting_pictures, &self.waiting_kept] {
            waiting.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> StreamCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StreamCounts {
            units: get(&self.units),
            bytes: get(&self.bytes),
            decoded: get(&self.decoded),
            frames: get(&self.frames),
            dropped_coded: get(&self.dropped_coded),
            dropped_picture: get(&self.dropped_picture),
            gated: get(&self.gated),
            failed: get(&self.failed),
            analysed: get(&self.analysed),
            frame_errors: get(&self.frame_errors),
            cpu_seconds: self.cpu_ns.each_ref().map(|ns| get(ns) as f64 / 1e9),
            latency: self.latency.each_ref().map(get),
            latency_seconds: get(&self.latency_us) as f64 / 1e6,
            waiting_coded: get(&self.waiting_coded),
            waiting_pictures: get(&self.waiting_pictures),
            waiting_kept: get(&self.waiting_kept),
            frame_bytes: get(&self.frame_bytes),
        }
    }
}

/// CPU time of the calling thread.
pub(super) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
