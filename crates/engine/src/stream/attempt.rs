//! One attempt at a stream: from opening its source to the last of its results.

use std::{
    error::Error,
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ocelli_analyze::GateConfig;
use ocelli_ingest::{Source, SourceError, Stop};
use ocelli_media::{
    libav::{Acceleration, Hardware, decoder_identity, decoders},
    pixel::jpeg::JpegEncoder,
    sampler::{Interest, Resume, SAMPLER_VERSION, Sampler},
};
use ocelli_model::VersionBuilder;
use ocelli_store::{NewSource, RunId, SourceKind};

use super::{
    StreamSpec,
    anchors::AnchorLog,
    catch_up::{Unsettled, reading_from, taken_up},
    counters::{Counters, Part, thread_cpu},
    decoding::DecodeStage,
    events::Events,
    fleet::Shared,
    flow::{Flow, Trouble},
    keeper::{FrameOutput, Keeper, KeptAll, running},
    looking::LookStage,
    now,
    planning::Planning,
    replay::Replay,
    seat::Seat,
    shelf::SharedModel,
    tape::Tape,
};
use crate::{
    AnalyzerFacts, Kept, Pass, RecordError, Recording,
    choosing::Choosing,
    reason::reason,
    record::{CountedFrom, Media},
};

/// Media for this long is progress: attempts before it no longer count as failures.
const PROGRESS: Duration = Duration::from_secs(10);

/// How an attempt ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The source came to its end.
    Whole {
        /// What was wrong with it on the way.
        damage: Option<String>,
        /// It gave media for a while, or another turn of it.
        progress: bool,
    },
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
    /// Ordinal of its first run.
    pub(super) first_run: u32,
    /// The source is read from its start again and again until it is whole: runs from `first_run` on are gone on with.
    pub(super) resumes: bool,
    /// Not the source is read but this run of its recording, from where a process that died left it.
    pub(super) again: Option<Unsettled>,
}

/// What one attempt leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// `None` where no frames are written, or its last owner panicked.
    pub(super) output: Option<FrameOutput>,
    /// A run of which something could not be written.
    pub(super) unclean: Option<RunId>,
}

/// What is looked at and how it is recorded.
struct Prepared {
    pass: Pass,
    models: Vec<Arc<SharedModel>>,
    acceleration: Option<Acceleration>,
    encoder: JpegEncoder,
}

impl Attempt<'_> {
    /// Blocks until everything of it is kept.
    pub(super) fn run(&self, carried: &mut Carried) -> Ended {
        if let Some(unsettled) = self.again {
            return self.run_again(unsettled, carried);
        }
        let source = match self.shared.opener.open(&self.spec.source, self.stop) {
            Ok(source) => source,
            Err(error) => return self.source_failed(&error, false),
        };
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(reason) => return Ended::Failed { reason, lasting: true, progress: false },
        };
        let recording = match self.open_records(&prepared) {
            Ok(recording) => recording,
            Err(error) => return Ended::store_failed(&error),
        };
        if let (Some(output), Some(known)) = (&mut carried.output, recording.known().filter(|_| self.resumes))
        {
            output.adopt(self.first_run, &known, prepared.models.len());
        }
        let tape = match self.tape() {
            Ok(tape) => tape,
            Err(reason) => return Ended::Failed { reason, lasting: false, progress: false },
        };
        self.go(source, prepared, recording, (tape, None), carried)
    }

    /// Where its recording goes, if it is recorded.
    fn tape(&self) -> Result<Option<Tape>, String> {
        let Some(record) = &self.spec.record else { return Ok(None) };
        let archive = self.shared.archive.as_ref().ok_or("this server keeps no recordings")?;
        let mut recorder = archive.recorder(&self.seat.id).map_err(|error| reason(&error))?;
        if self.resumes {
            recorder.go_on(self.first_run).map_err(|error| reason(&error))?;
        }
        let tape = Tape::new(recorder, self.first_run, record.audio, self.shared.config.now_ms);
        Ok(Some(tape.waiting(!self.spec.source.is_live())))
    }

    /// Closes the ledger of a run from its recording. What is not recorded any more stays as it is.
    fn run_again(&self, unsettled: Unsettled, carried: &mut Carried) -> Ended {
        let Some(archive) = &self.shared.archive else { return Ended::Stopped };
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(reason) => return Ended::Failed { reason, lasting: true, progress: false },
        };
        let recording = match self.open_records(&prepared) {
            Ok(recording) => recording,
            Err(error) => return Ended::store_failed(&error),
        };
        let known = recording.known().unwrap_or_default();
        let Some(start) = taken_up(self.spec.fps, unsettled, &known) else { return Ended::Stopped };
        let place = (&self.seat.id, unsettled.run);
        let from = match reading_from(self.shared, archive, place, start.from) {
            Ok(Some(from)) => from,
            Ok(None) => return Ended::Stopped,
            Err(error) => return Ended::store_failed(&error),
        };
        let source = match Replay::open(archive, place, from, self.stop) {
            Ok(source) => source,
            Err(error) => return Ended::Failed { reason: reason(&error), lasting: true, progress: false },
        };
        if let Some(output) = &mut carried.output {
            output.adopt(self.first_run, &known, prepared.models.len());
        }
        self.go(Box::new(source), prepared, recording, (None, start.resume), carried)
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
        // The child that reads what nobody vouches for has no device.
        let none = self.software || self.spec.source.untrusted;
        let asked: Acceleration = match self.spec.hardware.as_deref().filter(|_| !none) {
            None | Some("none") => return Ok(None),
            Some("auto") => {
                return Ok(Acceleration::ALL.into_iter().find(|kind| Hardware::open(*kind, None).is_ok()));
            }
            Some(word) => word.parse().map_err(|error| format!("{error}"))?,
        };
        if let Err(fallback) = Hardware::open(asked, None) {
            tracing::warn!("decoding in software: {fallback}");
            return Ok(None);
        }
        Ok(Some(asked))
    }

    fn open_records(&self, prepared: &Prepared) -> Result<Recording, RecordError> {
        // A commit that failed ended the lane of an earlier attempt.
        let kept = Kept { appender: self.shared.kept.appender.lane(), ..self.shared.kept.clone() };
        let key = self.seat.id.to_string();
        let seen_ms = prepared.pass.now_ms;
        let source = NewSource { kind: SourceKind::Stream, name: key.clone(), key, bytes: 0, seen_ms };
        let media = if self.resumes {
            let media = Media::again(kept, &prepared.pass, &source, self.first_run)?;
            if self.again.is_some() { media.cut() } else { media }
        } else {
            Media::live(kept, &prepared.pass, &source)?
        };
        Recording::new(prepared.pass.clone(), Some(media.with_clock(self.shared.config.now_ms)))
    }

    fn go(
        &self,
        source: Box<dyn Source>,
        prepared: Prepared,
        recording: Recording,
        (tape, resume): (Option<Tape>, Option<Resume>),
        carried: &mut Carried,
    ) -> Ended {
        let Prepared { models, acceleration, encoder, .. } = prepared;
        let base = source.parameters().time_base;
        let open = source.decoder().unwrap_or_else(|| decoders(acceleration));
        let facts = models.iter().map(|model| &model.facts);
        let ids = facts.clone().map(|facts| facts.model.clone()).collect();
        let named = facts.map(|facts| (facts.model.clone(), facts.version.clone())).collect();
        let gate = self.spec.is_gated().then(GateConfig::default);
        let known = recording.known().filter(|_| self.resumes);
        let stages = (
            DecodeStage::new(open, base, self.first_run),
            LookStage::new(self.spec.frames.is_some(), encoder, gate, models, known.clone()),
        );
        let live = self.again.is_none() && self.spec.source.is_live();
        let flow = Flow::new(Arc::clone(self.seat), self.shared.pool.line().clone(), stages, live);
        let anchors = AnchorLog {
            streams: Arc::clone(&self.shared.streams),
            runtime: self.shared.kept.runtime.clone(),
            now_ms: self.shared.config.now_ms,
            live,
        };
        let keeper = Keeper::new(Arc::clone(&flow), recording, carried.output.take(), anchors, named)
            .with_events(self.events(ids));
        let keeping = match self.keep(keeper, &flow) {
            Ok(keeping) => keeping,
            Err(error) => {
                let reason = format!("no thread can be started: {error}");
                return Ended::Failed { reason, lasting: false, progress: false };
            }
        };
        let interest = known.map(|known| Arc::new(CountedFrom { known, first: self.first_run }) as _);
        let interest = if self.spec.looks() { interest } else { Some(Arc::new(Nobody) as _) };
        let sampler = Sampler::new(self.spec.fps, base).with_interest(interest);
        let sampler = if self.again.is_some() { sampler.unbroken() } else { sampler };
        let sampler = match resume {
            Some(resume) => sampler.resume(resume),
            None => sampler,
        };
        let plan = Planning::new(Choosing::new(source.parameters(), sampler), &flow, tape);
        let read = panic::catch_unwind(AssertUnwindSafe(|| self.read(source, &flow, plan)));
        let (ended, progress) = read.unwrap_or_else(|_panicked| {
            tracing::error!("internal error: reading this stream panicked");
            flow.abort();
            (Ended::Stopped, false)
        });
        let kept = keeping.join().ok();
        let kept = kept.unwrap_or_else(|| KeptAll { result: Ok(()), output: None, unclean: None });
        (carried.output, carried.unclean) = (kept.output, kept.unclean);
        self.seat.counters.rest();
        let failed = kept.result.err().map(|error| Trouble::passing(reason(&error)));
        match (flow.failure().or(failed), ended) {
            (Some(_), _) if self.stop.is_asked() => Ended::Stopped,
            (Some(Trouble { reason, lasting }), _) => Ended::Failed { reason, lasting, progress },
            (None, ended) => ended,
        }
    }

    /// Where what is seen is marked, if it is recorded.
    fn events(&self, models: Vec<String>) -> Option<Events> {
        let record = self.spec.record.as_ref()?;
        let archive = self.shared.archive.clone()?;
        let (stream, spec) = (self.seat.id.clone(), record.events.clone());
        Some(Events { archive, stream, spec, models, troubled: false })
    }

    /// Whatever becomes of its thread, nobody waits for it in vain.
    fn keep(&self, keeper: Keeper, flow: &Arc<Flow>) -> io::Result<JoinHandle<KeptAll>> {
        let (span, flow) = (tracing::Span::current(), Arc::clone(flow));
        thread::Builder::new().name(format!("keep:{}", self.seat.id)).spawn(move || {
            let _within = span.entered();
            panic::catch_unwind(AssertUnwindSafe(|| keeper.keep())).unwrap_or_else(|panicked| {
                tracing::error!("internal error: what keeps the results of this stream panicked");
                flow.abort();
                panic::resume_unwind(panicked)
            })
        })
    }

    /// The run loop: every unit of the source goes to the sampler, and what it plans to the decoder.
    fn read(&self, mut source: Box<dyn Source>, flow: &Arc<Flow>, mut plan: Planning<'_>) -> (Ended, bool) {
        let mut began: Option<Instant> = None;
        let base = source.parameters().time_base;
        let counters = &self.seat.counters;
        self.seat.update(|status| status.codec = Some(source.parameters().codec.name().to_owned()));
        let progress = |began: Option<Instant>| began.is_some_and(|began| now() - began >= PROGRESS);
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
                    while let Some(sound) = source.next_audio() {
                        plan.sound(sound);
                    }
                    plan.anchor(source.anchor(), base);
                    // Whoever looks at pictures wants each as soon as it is there.
                    if !self.spec.looks() {
                        source.rest(plan.rest());
                    }
                }
                Ok(None) if self.repeats() && plan.has_run() && !flow.has_failed() => {
                    plan.end_run(source.damage().is_none());
                    match self.again(source) {
                        Ok(again) if again.parameters().time_base == base => source = again,
                        // Another file by now.
                        Ok(_) => break Ended::Whole { damage: None, progress: true },
                        Err(error) => break self.source_failed(&error, true),
                    }
                }
                Ok(None) => {
                    let damage = source.damage().map(str::to_owned);
                    break Ended::Whole { damage, progress: progress(began) };
                }
                Err(error) => break self.source_failed(&error, progress(began)),
            }
            let spent = thread_cpu();
            counters.spent(Part::Receive, spent.saturating_sub(std::mem::replace(&mut cpu, spent)));
        };
        let whole = matches!(ended, Ended::Whole { damage: None, .. });
        let to_be_continued = matches!(ended, Ended::Stopped | Ended::Failed { lasting: false, .. });
        // What was received is decided: nothing of this run can follow. Where it is gone on with, open slots stay open: what they
        // hold so far might not win them.
        if self.resumes && to_be_continued {
            plan.end_tape();
        } else {
            plan.end_run(whole);
        }
        plan.end();
        (ended, progress(began))
    }

    /// Whether another turn of the source follows its end.
    fn repeats(&self) -> bool {
        self.again.is_none() && self.spec.source.repeat
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

impl Ended {
    /// It may work another time.
    pub(super) fn store_failed(error: &dyn Error) -> Self {
        Self::Failed {
            reason: format!("the store failed: {}", reason(error)),
            lasting: false,
            progress: false,
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

/// Nobody wants any picture.
#[derive(Debug)]
struct Nobody;

impl Interest for Nobody {
    fn wants(&self, _run: u32, _slot: Option<i64>, _pts: i64) -> bool {
        false
    }
}
