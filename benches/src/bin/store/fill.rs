//! Facts to store: like those of a camera, and the same every time.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use ocelli_model::{BoundingBox, Detection, Rate, SamplingPlan, TimeBase, VersionBuilder};
use ocelli_store::{
    AnalyzerId, Entry, FrameResult, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog, RunId,
    SourceKind, Span,
};

/// Frames per second of media time, in a time base of 1/90000.
pub(crate) const FPS: i64 = 5;
pub(crate) const TICKS: i64 = 90_000;
pub(crate) const DETECTIONS: usize = 5;
/// As many as the default model has; the first of them are seen most.
pub(crate) const CLASSES: u64 = 80;

pub(crate) fn pts(slot: i64) -> i64 {
    slot * TICKS / FPS
}

pub(crate) async fn analyzer(log: &dyn ResultLog) -> Result<AnalyzerId> {
    let version = VersionBuilder::default().with("model", "bench").build();
    let analyzer = NewAnalyzer { version, model: "bench".into(), ingredients: BTreeMap::new(), seen_ms: 0 };
    Ok(log.analyzer(&analyzer).await?)
}

/// A run of its own source, and its ledger.
pub(crate) async fn ledger(
    log: &dyn ResultLog,
    analyzer: AnalyzerId,
    number: i64,
) -> Result<(RunId, OpenLedger)> {
    let key = format!("camera-{number}");
    let source = NewSource { kind: SourceKind::Stream, name: key.clone(), key, bytes: 0, seen_ms: 0 };
    let source = log.source(&source).await?;
    let time_base = TimeBase::new(1, TICKS as u32)?;
    let run = log.run(&NewRun { source, ordinal: 0, time_base, t0: 0, began_ms: number }).await?;
    let plan = SamplingPlan::Rate(Rate::new(FPS as u64, 1)?);
    Ok((run, log.ledger(&NewLedger { run, analyzer, plan, tracker: None }).await?))
}

/// Names of classes, shared as a model shares them.
pub(crate) struct Classes(Vec<Arc<str>>);

impl Classes {
    pub(crate) fn new() -> Self {
        Self((0..CLASSES).map(|class| format!("class-{class}").into()).collect())
    }

    /// What was seen at `slot` of `ledger`: boxes with all their digits.
    pub(crate) fn result(&self, ledger: i64, slot: i64) -> FrameResult {
        let mut seed = (ledger as u64) << 32 | slot as u64;
        let mut next = || {
            // splitmix64
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let detections = (0..DETECTIONS).map(|_| {
            // Class c about twice as often as class 2c.
            let class = (next() % CLASSES).min(next() % CLASSES).min(next() % CLASSES);
            let mut part = || (next() >> 40) as f32 / (1_u64 << 24) as f32;
            let bbox = BoundingBox { x: part(), y: part(), width: part(), height: part() };
            Detection { label: Arc::clone(&self.0[class as usize]), confidence: part(), bbox }
        });
        let detections = detections.collect();
        FrameResult { width: 1920, height: 1080, detections, took: Duration::from_micros(8_765) }
    }

    /// One slot: due and analysed.
    pub(crate) fn entries(&self, open: OpenLedger, slot: i64) -> Vec<Entry> {
        let (ledger, span) = (open.ledger, Span::one(slot));
        let result = Some(self.result(ledger.0, slot));
        vec![Entry::Due { ledger, span }, Entry::Analysed { ledger, span, pts: pts(slot), result }]
    }
}

/// CPU seconds of this process so far: user and system, all threads.
pub(crate) fn cpu_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold anything; 100 ticks a second on every Linux.
    let fields = text.rsplit_once(')').context("/proc/self/stat has no name")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

/// The `of`-th part of sorted values, such as 0.99.
pub(crate) fn quantile(sorted: &[f64], of: f64) -> f64 {
    let at = (sorted.len() as f64 * of).ceil() as usize;
    sorted.get(at.saturating_sub(1)).or(sorted.last()).copied().unwrap_or(f64::NAN)
}
