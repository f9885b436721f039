//! One attempt at a stream: from opening its source to the last of its results.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ocelli_analyze::GateConfig;
use ocelli_ingest::{Source, SourceError, Stop};
use ocelli_media::{
    libav::{Acceleration, Hardware, decoder_identity, decoders},
    pixel::jpeg::JpegEncoder,
    sampler::{SAMPLER_VERSION, Sampler, Step},
};
use ocelli_model::VersionBuilder;
use ocelli_store::{NewSource, SourceKind};

use super::{
    StreamSpec,
    coded::Coded,
    counters::{Counters, Part, thread_cpu},
    decoding::DecodeStage,
    flow::{Flow, Trouble},
    keeper::{FrameOutput, Keeper, running},
    looking::LookStage,
    now,
    seat::Seat,
    shelf::SharedModel,
    supervisor::Shared,
};
use crate::{
    AnalyzerFacts, Kept, Pass, RecordError, Recording, choosing::Choosing, reason::reason, record::Media,
};

/// Media for this long is progress: attempts before it no longer count as failures.
const PROGRESS: Duration = Duration::from_secs(10);
/// Arrivals remembered of units that wait in the sampler.
const MOST_ARRIVALS: usize = 4096;

/// How an attempt ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The source came to its end; what was wrong with it on the way.
    Whole(Option<String>),
    /// As asked.
    Stopped,
    /// Something went wrong.
    Failed {
        /// One line for people.
        reason: String,
        /// Trying again soon will not help.
        lasting: bool,
        /// It worked for a while.
        progress: bool,
    },
}

/// What an attempt has to work with.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) shared: &'a Shared,
    pub(super) seat: &'a Arc<Seat>,
    pub(super) spec: &'a StreamSpec,
    pub(super) stop: &'a Stop,
    /// Software from now on: the hardware did not do.
    pub(super) software: bool,
}

/// What is looked at and how it is recorded.
struct Prepared {
    pass: Pass,
    models: Vec<Arc<SharedModel>>,
    acceleration: Option<Acceleration>,
    encoder: JpegEncoder,
}

impl Attempt<'_> {
    /// Blocks until everything of it is kept. `output` is handed back for the next attempt.
    pub(super) fn run(&self, output: &mut Option<FrameOutput>) -> Ended {
        let failed = |reason| Ended::Failed { reason, lasting: true, progress: false };
        // A folder of an earlier decode is emptied before anything else: its readers must not mistake those frames.
        if let Some(Err(error)) = output.as_mut().map(|output| output.open().map(|_| ())) {
            let error = format!("frames cannot be written: {error}");
            self.seat.update(|status| status.last_error = Some(error));
        }
        let source = match self.shared.opener.open(&self.spec.source, self.stop) {
            Ok(source) => source,
            Err(error) => return self.source_failed(&error, false),
        };
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(reason) => return failed(reason),
        };
        match self.open_records(&prepared) {
            Ok((recording, first_run)) => self.go(source, prepared, recording, first_run, output),
            Err(error) => Ended::Failed {
                reason: format!("the store failed: {}", reason(&error)),
                lasting: false,
                progress: false,
            },
        }
    }

    fn prepare(&self) -> Result<Prepared, String> {
        let acceleration = self.acceleration()?;
        let decoder = decoder_identity(acceleration);
        let shelf = &self.shared.shelf;
        let models = self.spec.models.iter().map(|model| shelf.get(model, &decoder));
        let models = models.collect::<Result<Vec<_>, _>>()?;
        let mut analyzers: Vec<_> = models.iter().map(|model| model.facts.clone()).collect();
        let quality = self.spec.frames.clone().unwrap_or_default().quality;
        analyzers.extend(self.spec.frames.as_ref().map(|_| frames_facts(quality, &decoder)));
        let tracker = (self.spec.tracks && !models.is_empty()).then(ocelli_analyze::TrackerConfig::default);
        let pass = Pass { plan: self.spec.fps, analyzers, tracker, now_ms: (self.shared.config.now_ms)() };
        let encoder = JpegEncoder::new(quality).map_err(|error| error.to_string())?;
        Ok(Prepared { pass, models, acceleration, encoder })
    }

    /// Software where the hardware cannot be opened: a stream that is decoded somewhere else is better than none.
    fn acceleration(&self) -> Result<Option<Acceleration>, String> {
        let Some(word) = self.spec.hardware.as_deref().filter(|word| *word != "none" && !self.software)
        else {
            return Ok(None);
        };
        let asked: Acceleration = word.parse().map_err(|error| format!("{error}"))?;
        if let Err(fallback) = Hardware::open(asked, None) {
            tracing::warn!(stream = %self.seat.id, "decoding in software: {fallback}");
            return Ok(None);
        }
        Ok(Some(asked))
    }

    fn open_records(&self, prepared: &Prepared) -> Result<(Recording, u32), RecordError> {
        // A commit that failed ended the lane of an earlier attempt.
        let kept = Kept { appender: self.shared.kept.appender.lane(), ..self.shared.kept.clone() };
        let key = self.seat.id.to_string();
        let first_run = kept.runtime.block_on(self.shared.streams.next_ordinal(&key))?;
        let source = NewSource {
            kind: SourceKind::Stream,
            name: key.clone(),
            key,
            bytes: 0,
            seen_ms: prepared.pass.now_ms,
        };
        let media = Media::live(kept, &prepared.pass, &source)?;
        Ok((Recording::new(prepared.pass.clone(), Some(media))?, first_run))
    }

    fn go(
        &self,
        source: Box<dyn Source>,
        prepared: Prepared,
        recording: Recording,
        first_run: u32,
        output: &mut Option<FrameOutput>,
    ) -> Ended {
        let Prepared { models, acceleration, encoder, .. } = prepared;
        let base = source.parameters().time_base;
        let open = source.decoder().unwrap_or_else(|| decoders(acceleration));
        let names = models.iter().map(|model| model.facts.model.clone()).collect();
        let gate = self.spec.is_gated().then(GateConfig::default);
        let stages = (
            DecodeStage::new(open, base, first_run),
            LookStage::new(self.spec.frames.is_some(), encoder, gate, models),
        );
        let live = self.spec.source.is_live();
        let flow = Flow::new(Arc::clone(self.seat), self.shared.pool.line().clone(), stages, live);
        let keeper = Keeper::new(Arc::clone(&flow), recording, output.take(), names);
        let span = tracing::Span::current();
        let keeping = thread::Builder::new()
            .name(format!("keep:{}", self.seat.id))
            .spawn(move || span.in_scope(|| keeper.keep()));
        let keeping = match keeping {
            Ok(keeping) => keeping,
            Err(error) => {
                let reason = format!("no thread can be started: {error}");
                return Ended::Failed { reason, lasting: false, progress: false };
            }
        };
        let (ended, progress) = self.read(source, &flow);
        let (kept, written) = keeping.join().unwrap_or_else(|_panicked| (Ok(()), None));
        *output = written;
        let ours = flow.failure().or_else(|| kept.err().map(|error| Trouble::passing(reason(&error))));
        match (ours, ended) {
            (Some(_), _) if self.stop.is_asked() => Ended::Stopped,
            (Some(Trouble { reason, lasting }), _) => Ended::Failed { reason, lasting, progress },
            (None, ended) => ended,
        }
    }

    /// The run loop: every unit of the source goes to the sampler, and what it plans to the decoder.
    fn read(&self, mut source: Box<dyn Source>, flow: &Arc<Flow>) -> (Ended, bool) {
        let mut began: Option<Instant> = None;
        let sampler = Sampler::new(self.spec.fps, source.parameters().time_base);
        let mut plan = Planning::new(Choosing::new(source.parameters(), sampler), flow);
        let counters = &self.seat.counters;
        self.seat.update(|status| status.codec = Some(source.parameters().codec.name().to_owned()));
        let mut cpu = thread_cpu();
        let ended = loop {
            let next = source.next_unit();
            let arrived = now();
            match next {
                Ok(Some(_)) if flow.has_failed() => break Ended::Stopped,
                Ok(Some(unit)) => {
                    if began.is_none() {
                        running(self.seat);
                    }
                    began.get_or_insert(arrived);
                    Counters::add(&counters.units, 1);
                    Counters::add(&counters.bytes, unit.data.len() as u64);
                    plan.push(unit, arrived);
                }
                Ok(None) if self.spec.source.repeat && plan.has_run() && !flow.has_failed() => {
                    plan.end_run(source.damage().is_none());
                    match self.again(source) {
                        Ok(again) => source = again,
                        Err(error) => break self.source_failed(&error, true),
                    }
                }
                Ok(None) => break Ended::Whole(source.damage().map(str::to_owned)),
                Err(error) => {
                    let progress = began.is_some_and(|began| arrived - began >= PROGRESS);
                    break self.source_failed(&error, progress);
                }
            }
            let spent = thread_cpu();
            counters.spent(Part::Receive, spent.saturating_sub(std::mem::replace(&mut cpu, spent)));
        };
        // What was received is decided: nothing of this run can follow.
        plan.end_run(matches!(ended, Ended::Whole(None)));
        plan.end();
        let progress = began.is_some_and(|began| now() - began >= PROGRESS);
        (ended, progress)
    }

    /// The next turn of a file.
    fn again(&self, mut source: Box<dyn Source>) -> Result<Box<dyn Source>, SourceError> {
        if source.rewind()? { Ok(source) } else { self.shared.opener.open(&self.spec.source, self.stop) }
    }

    fn source_failed(&self, error: &SourceError, progress: bool) -> Ended {
        if matches!(error, SourceError::Stopped) || self.stop.is_asked() {
            return Ended::Stopped;
        }
        Ended::Failed { reason: reason(error), lasting: error.fault().is_lasting(), progress }
    }
}

/// The sampler's steps on their way to the decoder, with the arrival of each unit.
struct Planning<'a> {
    choosing: Choosing,
    flow: &'a Arc<Flow>,
    arrivals: BTreeMap<i64, Instant>,
    /// Chosen pictures and empty slots of the run so far.
    due: u64,
    runs: u64,
    whole: bool,
}

impl<'a> Planning<'a> {
    fn new(choosing: Choosing, flow: &'a Arc<Flow>) -> Self {
        Self { choosing, flow, arrivals: BTreeMap::new(), due: 0, runs: 0, whole: true }
    }

    fn push(&mut self, unit: ocelli_media::AccessUnit, arrived: Instant) {
        let arrivals = &mut self.arrivals;
        self.choosing.push(unit, |unit| {
            if arrivals.len() >= MOST_ARRIVALS {
                arrivals.pop_first();
            }
            arrivals.insert(unit.pts, arrived);
        });
        self.plan(arrived);
    }

    /// Whether anything was chosen of the source since the last end.
    fn has_run(&self) -> bool {
        self.runs > 0
    }

    /// Nothing more of this run comes; `whole` where that is its own end.
    fn end_run(&mut self, whole: bool) {
        self.whole = whole;
        self.choosing.finish(|_unit| {});
        self.plan(now());
        self.runs = 0;
        self.whole = true;
        self.arrivals.clear();
    }

    fn end(&self) {
        let at = now();
        self.flow.plan(Coded::End, at, at);
    }

    fn plan(&mut self, at: Instant) {
        while let Some(step) = self.choosing.next_step() {
            let mut arrived = at;
            let coded = match step {
                Step::EndOfRun { last_pts } => {
                    Coded::RunEnd { last_pts, due: std::mem::take(&mut self.due), whole: self.whole }
                }
                step => {
                    match &step {
                        Step::Run { .. } => self.runs += 1,
                        Step::Empty { first, last } => self.due += last.abs_diff(*first) + 1,
                        Step::Passed(_) => self.due += 1,
                        Step::Feed(feed) => {
                            self.due += u64::from(feed.chosen.is_some());
                            arrived = self.arrivals.remove(&feed.unit.pts).unwrap_or(at);
                        }
                        Step::EndOfRun { .. } => {}
                    }
                    Coded::Step(step)
                }
            };
            self.flow.plan(coded, at, arrived);
        }
    }
}

/// The frame folder in the ledger: each due picture has a verdict there too.
fn frames_facts(quality: u8, decoder: &str) -> AnalyzerFacts {
    let builder = VersionBuilder::default()
        .with("frames", "jpeg-1")
        .with("quality", quality)
        .with("sampler", SAMPLER_VERSION)
        .with("decoder", decoder);
    AnalyzerFacts {
        version: builder.build(),
        model: "frames".to_owned(),
        ingredients: builder.ingredients().clone(),
    }
}
