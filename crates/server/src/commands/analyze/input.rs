//! One input through the engine, to its ending.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result};
use ocelli_engine::{
    AnalyzeWork, Demand, FrameTold, Pass, RecordError, Recording, Report, Settings, Sums, Watch, run,
};
use ocelli_ingest::Source as _;
use ocelli_media::{
    CodecParameters,
    libav::Acceleration,
    sampler::{Interest, Window},
};
use ocelli_sinks::JsonLinesError;
use ocelli_store::RunId;

use super::{
    super::{verdict, window},
    outputs::{Handed, Outputs},
};
use crate::{
    cli::Analyze,
    ending::{Ending, chain},
    input::Opened,
    progress::{Bars, Progress},
    stores::OpenStore,
};

/// What all inputs of one call share.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) options: &'a Analyze,
    pub(super) watch: &'a Arc<Watch>,
    pub(super) pass: &'a Pass,
    pub(super) acceleration: Option<Acceleration>,
    pub(super) store: Option<&'a OpenStore>,
    pub(super) bars: Bars,
    pub(super) outputs: Mutex<Outputs>,
    /// Keys in the store of all that was begun.
    pub(super) runs: Mutex<Vec<RunId>>,
    /// Whoever reads what is printed has seen enough.
    pub(super) closed: AtomicBool,
}

/// Why an input was broken off.
enum Broken {
    Handed(Handed),
    Record(RecordError),
}

impl Job<'_> {
    fn outputs(&self) -> MutexGuard<'_, Outputs> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// How an input ends that the call did not come to.
    pub(super) fn not_begun(&self, index: usize) -> Ending {
        let line = || format!("{}: stopped before it was begun", self.options.inputs[index].name());
        Ending::Partial(if self.is_closed() { Vec::new() } else { vec![line()] })
    }

    pub(super) fn run(&self, index: usize, mut source: Opened, team: &mut [AnalyzeWork]) -> Result<Ending> {
        let input = &self.options.inputs[index];
        let (name, zero) = (input.name(), source.zero());
        let parameters = Arc::clone(source.parameters());
        let base = parameters.time_base;
        let kept = self.store.zip(input.path()).zip(source.file());
        let media =
            kept.map(|((store, path), file)| store.media(path, file, self.pass, self.watch)).transpose();
        // The turn lasts until all of it is kept.
        let (media, _turn) = match media.with_context(|| name.clone())? {
            Some(None) => return Ok(self.not_begun(index)),
            Some(Some((media, turn))) => (Some(media), Some(turn)),
            None => (None, None),
        };
        let mut recording = Recording::new(self.pass.clone(), media)?;
        let known = recording.known();
        for worker in &mut *team {
            worker.look_for(known.clone().map(|known| known as Arc<dyn Demand>));
        }
        if let Some(annotated) = self.outputs().annotated() {
            annotated.start(base)?;
        }
        // Every picture is drawn on, whoever looked at it.
        let interest =
            known.filter(|_| self.options.annotate.is_none()).map(|known| known as Arc<dyn Interest>);
        let window = window::window(self.options.span, base, zero);
        let settings =
            Settings { window, interest, acceleration: self.acceleration, ..Settings::new(self.options.fps) };
        let watch = Arc::new(self.watch.beside());
        let progress = Progress::new(&name, &self.bars, &watch, base, parameters.duration);
        let (mut failed, mut handed_on) = (None, 0_u64);
        let mut tell = |frame: FrameTold| {
            if let Err(error) = progress.around(|| self.outputs().hand_on((index, &name), frame)) {
                let closed = matches!(error, Handed::Lines(JsonLinesError::Closed));
                self.closed.fetch_or(closed, Ordering::Relaxed);
                failed.get_or_insert(Broken::Handed(error));
                return ControlFlow::Break(());
            }
            handed_on += 1;
            progress.frame();
            ControlFlow::Continue(())
        };
        let mut record_failed = None;
        let report = run(&mut source, settings, team, &watch, |notice| {
            recording.take(notice, &mut tell).unwrap_or_else(|error| {
                record_failed = Some(error);
                ControlFlow::Break(())
            })
        });
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(recording.runs());
        let sums = match record_failed.take() {
            None => recording.finish(&mut tell),
            Some(error) => Err(error),
        };
        let took = progress.finish();
        let mut report = report.with_context(|| name.clone())?;
        let sums = sums.map_err(|error| failed.get_or_insert(Broken::Record(error))).unwrap_or_default();
        add_up(&mut report, &sums);
        let seconds = analysed_seconds(&report, window, &parameters);
        self.outputs().input_ended(&report, seconds, took);
        let kept = if self.store.is_some() && report.damage.is_none() {
            "results so far are kept, and the same command goes on"
        } else {
            "results so far are valid"
        };
        Ok(match failed {
            None if report.stopped && self.is_closed() => Ending::Partial(Vec::new()),
            None => verdict::ending(input, zero, &report, base, kept),
            Some(failed) => cut_short(&name, failed, handed_on),
        })
    }
}

/// The report counts what was decoded in this pass; what earlier ones settled belongs to the verdict too.
fn add_up(report: &mut Report, sums: &[Sums]) {
    let Some((first, more)) = sums.split_first() else { return };
    (report.tally, report.reasons) = (first.tally, first.reasons.clone());
    for sums in more {
        report.tally.merge(sums.tally);
        for (reason, count) in &sums.reasons {
            *report.reasons.entry(reason.clone()).or_default() += count;
        }
    }
}

fn cut_short(name: &str, failed: Broken, before: u64) -> Ending {
    let line = match failed {
        // Whoever reads has seen enough, as `head` does.
        Broken::Handed(Handed::Lines(JsonLinesError::Closed)) => return Ending::Partial(Vec::new()),
        Broken::Handed(Handed::Lines(error)) => {
            let error = chain(&anyhow::Error::new(error));
            format!("{name}: {error}; {before} results before it are whole")
        }
        Broken::Handed(Handed::File(error)) => {
            format!("{name}: {}; results so far are valid", chain(&error))
        }
        Broken::Record(error) => {
            let error = chain(&anyhow::Error::new(error));
            format!("{name}: {error}; the {before} frames printed before it are kept")
        }
    };
    Ending::Partial(vec![line])
}

/// Media time that was looked at: what was read, within the window, with the last picture's own duration.
fn analysed_seconds(report: &Report, window: Window, parameters: &CodecParameters) -> f64 {
    let Some((first, last)) = report.covered else { return 0.0 };
    let (first, last) = (first.max(window.start), last.min(window.end));
    let picture = if parameters.frame_rate > 0.0 { 1.0 / parameters.frame_rate } else { 0.0 };
    parameters.time_base.seconds(last.saturating_sub(first).max(0)) + picture
}
