//! Values as `OpenMetrics` text, the successor of Prometheus's own format, which its servers ask for.

use std::fmt;

use ocelli_engine::{LATENCY_BUCKETS_MS, StreamState};
use ocelli_model::Tally;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

use super::values::{EngineMetrics, StreamMetrics};

/// What [`text`] is, as `OpenMetrics` 1.0 names it.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const STATES: [(StreamState, &str); 6] = [
    (StreamState::Starting, "starting"),
    (StreamState::Running, "running"),
    (StreamState::Restarting, "restarting"),
    (StreamState::Completed, "completed"),
    (StreamState::Stopped, "stopped"),
    (StreamState::Error, "error"),
];

/// The whole answer to a scrape.
pub(crate) fn text(metrics: EngineMetrics) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics));
    let mut answer = String::new();
    text::encode(&mut answer, &registry)?;
    Ok(answer)
}

impl Collector for EngineMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.encode_process(&mut encoder)?;
        self.encode_states(&mut encoder)?;
        let streams = &self.streams;
        counters(
            &mut encoder,
            streams,
            "ocelli_stream_cpu",
            ("stage", Some(Unit::Seconds)),
            CPU,
            |stream| stream.cpu.iter().map(|(stage, time)| (*stage, time.as_secs_f64())).collect(),
        )?;
        counters(&mut encoder, streams, "ocelli_stream_slots", ("verdict", None), SLOTS, |stream| {
            verdicts(stream.verdicts).to_vec()
        })?;
        counters(&mut encoder, streams, "ocelli_stream_drops", ("reason", None), DROPS, |stream| {
            stream.drops.iter().map(|(reason, count)| (*reason, *count as f64)).collect()
        })?;
        counters(&mut encoder, streams, "ocelli_stream_frames_written", ("", None), FRAMES, |stream| {
            vec![("", stream.frames_written as f64)]
        })?;
        counters(
            &mut encoder,
            streams,
            "ocelli_stream_received",
            ("", Some(Unit::Bytes)),
            RECEIVED,
            |stream| vec![("", stream.received_bytes as f64)],
        )?;
        counters(&mut encoder, streams, "ocelli_stream_restarts", ("", None), RESTARTS, |stream| {
            vec![("", stream.restarts as f64)]
        })?;
        self.encode_queues(&mut encoder)?;
        self.encode_latency(&mut encoder)
    }
}

const CPU: &str = "CPU time by stage";
const SLOTS: &str = "Due slots by what became of them";
const DROPS: &str = "Chosen pictures dropped by reason";
const FRAMES: &str = "Pictures written to the frame folder";
const RECEIVED: &str = "Media received";
const RESTARTS: &str = "Attempts after the first";

/// The names that dashboards know from Prometheus's own client libraries for `process_…`.
impl EngineMetrics {
    fn encode_process(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let process = &self.process;
        let cpu = ConstCounter::new(process.cpu_seconds);
        let help = "CPU time of the process";
        let unit = Some(&Unit::Seconds);
        cpu.encode(encoder.encode_descriptor("process_cpu", help, unit, MetricType::Counter)?)?;
        let gauges = [
            ("process_resident_memory", "Memory in use", Some(&Unit::Bytes), process.resident_bytes),
            ("process_open_fds", "Open file descriptors", None, process.open_fds),
            ("ocelli_frames_disk", "Disk used by frames", Some(&Unit::Bytes), self.frame_folders.used_bytes),
            (
                "ocelli_frames_disk_free",
                "Disk left for frames",
                Some(&Unit::Bytes),
                self.frame_folders.free_bytes,
            ),
        ];
        for (name, help, unit, value) in gauges {
            let gauge = ConstGauge::new(value as f64);
            gauge.encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)?;
        }
        Ok(())
    }

    /// One line per stream and state, 1 for the one it is in: sums over streams then count them by state.
    fn encode_states(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "1 for the state that the stream is in";
        let mut family = encoder.encode_descriptor("ocelli_stream_state", help, None, MetricType::Gauge)?;
        for stream in &self.streams {
            for (state, word) in STATES {
                let labels = [("stream", stream.id.as_str()), ("state", word)];
                let gauge = ConstGauge::new(i64::from(stream.state == state));
                gauge.encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn encode_queues(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Entries that wait, by queue";
        let mut family =
            encoder.encode_descriptor("ocelli_stream_queue_depth", help, None, MetricType::Gauge)?;
        for stream in &self.streams {
            for (queue, depth) in &stream.queues {
                let labels = [("stream", stream.id.as_str()), ("queue", queue)];
                ConstGauge::new(*depth as f64).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn encode_latency(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Arrival of an access unit to its result";
        let unit = Some(&Unit::Seconds);
        let name = "ocelli_stream_latency";
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for stream in &self.streams {
            let ends = LATENCY_BUCKETS_MS.map(|most| most as f64 / 1e3).into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = ends.zip(stream.latency.counts).collect();
            let count = stream.latency.counts.iter().sum();
            let labels = [("stream", stream.id.as_str())];
            let mut metric = family.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(stream.latency.sum_seconds, count, &buckets, None)?;
        }
        Ok(())
    }
}

fn verdicts(tally: Tally) -> [(&'static str, f64); 6] {
    [
        ("analysed", tally.analysed as f64),
        ("gated", tally.gated as f64),
        ("dropped", tally.dropped as f64),
        ("failed", tally.failed as f64),
        ("empty", tally.empty as f64),
        ("lost", tally.lost as f64),
    ]
}

/// A counter for each stream and each value of a second label; without one where its name is empty.
fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    streams: &[StreamMetrics],
    name: &str,
    (label, unit): (&'static str, Option<Unit>),
    help: &str,
    of: impl Fn(&StreamMetrics) -> Vec<(&'static str, f64)>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
    for stream in streams {
        for (value, count) in of(stream) {
            let labels = [("stream", stream.id.as_str()), (label, value)];
            let labels = if label.is_empty() { &labels[..1] } else { &labels[..] };
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
