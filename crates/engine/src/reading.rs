//! The decoding thread: source, sampler, decoder, up to the queue of the workers.

use std::{
    ops::ControlFlow,
    sync::{atomic::Ordering, mpsc::SyncSender},
};

use ocelli_ingest::{Source, SourceError};
use ocelli_media::{
    AccessUnit,
    decode::{Decoding, Outcome},
    libav::{DemuxError, Frame, decoders},
    sampler::{Sampler, Step},
};
use ocelli_model::{TimeBase, Verdict};

use crate::{
    Failure, Notice, Place, Report, RunError, Settings, Watch,
    choosing::{Choosing, Whole},
    reason::reason,
    run::{Job, Picture, Told},
};

/// Source to decoded pictures, on one thread.
pub(crate) struct Reading<'a, T> {
    source: &'a mut dyn Source,
    watch: &'a Watch,
    outlet: Outlet<T>,
    choosing: Choosing,
    decoding: Decoding,
    base: TimeBase,
    run: u32,
    /// PTS of the first unit.
    first: i64,
    /// Of this run: pictures chosen and slots empty.
    due: u64,
    /// What ends, ends by itself.
    whole: bool,
    report: Report,
}

/// Where decoded pictures leave the decoding thread. Waits for room.
pub(crate) struct Outlet<T> {
    pub(crate) pictures: SyncSender<Picture>,
    /// What needs no worker.
    pub(crate) told: SyncSender<Option<Told<T>>>,
    pub(crate) tokens: SyncSender<()>,
    pub(crate) seq: u64,
}

impl<T> Outlet<T> {
    fn send(&mut self, place: Place, work: Result<Frame, Failure>) -> ControlFlow<()> {
        let job = Job { seq: self.next(), place, work };
        broken_unless(self.tokens.send(()).is_ok() && self.pictures.send(job).is_ok())
    }

    fn tell(&mut self, notice: Notice<T>) -> ControlFlow<()> {
        let told = Told { seq: self.next(), notice };
        broken_unless(self.tokens.send(()).is_ok() && self.told.send(Some(told)).is_ok())
    }

    fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }
}

/// How far the source is read.
fn note(Whole { unit, .. }: Whole<'_>, watch: &Watch, first: &mut i64, report: &mut Report) {
    let known = report.covered.map(|covered| (*first, covered));
    let (start, (least, most)) = known.unwrap_or((unit.pts, (unit.pts, unit.pts)));
    *first = start;
    watch.position.store(unit.pts.saturating_sub(start), Ordering::Relaxed);
    report.covered = Some((least.min(unit.pts), most.max(unit.pts)));
    report.pictures += 1;
}

fn broken_unless(sent: bool) -> ControlFlow<()> {
    if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

impl<'a, T> Reading<'a, T> {
    pub(crate) fn new(
        source: &'a mut dyn Source,
        settings: Settings,
        watch: &'a Watch,
        outlet: Outlet<T>,
    ) -> Self {
        let parameters = source.parameters();
        let base = parameters.time_base;
        let sampler =
            Sampler::new(settings.plan, base).with_window(settings.window).with_interest(settings.interest);
        Self {
            choosing: Choosing::new(parameters, sampler),
            decoding: Decoding::new(source.decoder().unwrap_or_else(|| decoders(settings.acceleration))),
            source,
            watch,
            outlet,
            base,
            run: 0,
            first: 0,
            due: 0,
            whole: true,
            report: Report::default(),
        }
    }

    /// The life of a frame, from source to worker.
    pub(crate) fn all(mut self) -> Result<Report, RunError> {
        // Where the end was asked for, open slots stay open: what they hold so far might not win them. So they do where
        // the rest could not be read, but may be another time.
        let mut to_be_continued = false;
        let mut ended = false;
        while !self.choosing.is_past_window() {
            if self.watch.is_stopped() {
                (self.report.stopped, to_be_continued) = (true, true);
                break;
            }
            let unit = match self.source.next_unit() {
                Ok(Some(unit)) => unit,
                Ok(None) => {
                    ended = true;
                    break;
                }
                Err(SourceError::Stopped) => {
                    (self.report.stopped, to_be_continued) = (true, true);
                    break;
                }
                Err(error) => {
                    to_be_continued = matches!(error, SourceError::Demux(DemuxError::Read(_)));
                    self.report.damage = Some(reason(&error));
                    break;
                }
            };
            self.read(unit);
            if self.take_steps()?.is_break() {
                break;
            }
        }
        if !(to_be_continued || self.report.stopped) {
            self.whole = ended && self.source.damage().is_none();
            let (watch, first, report) = (self.watch, &mut self.first, &mut self.report);
            self.choosing.finish(|whole| note(whole, watch, first, report));
        }
        // A decoder that is drained early gives pictures that stand behind some that were not read.
        if self.take_steps()?.is_continue() && !to_be_continued {
            self.decoding.drain();
            // What does not go out has nobody left to go to.
            let _gone = self.send_outcomes();
        }
        self.report.unreadable = self.choosing.unreadable;
        self.report.damage = self.report.damage.or_else(|| self.source.damage().map(str::to_owned));
        Ok(self.report)
    }

    fn read(&mut self, unit: AccessUnit) {
        let (watch, first, report) = (self.watch, &mut self.first, &mut self.report);
        self.choosing.push(unit, |whole| note(whole, watch, first, report));
    }

    fn take_steps(&mut self) -> Result<ControlFlow<()>, RunError> {
        while let Some(step) = self.choosing.next_step() {
            let run = self.run;
            let after = match step {
                Step::Run { run, t0 } => {
                    (self.run, self.due) = (run, 0);
                    self.report.runs += 1;
                    Some(Notice::Run { run, t0, time_base: self.base })
                }
                Step::Empty { first, last } => {
                    let slots = last.abs_diff(first) + 1;
                    self.due += slots;
                    self.report.tally.add(Verdict::Empty, slots);
                    Some(Notice::Empty { run, first, last })
                }
                Step::EndOfRun { last_pts } => {
                    self.decoding.drain();
                    Some(Notice::RunEnd { run, last_pts, due: self.due, whole: self.whole })
                }
                Step::Passed(passed) => {
                    self.due += 1;
                    self.decoding.pass(passed);
                    None
                }
                Step::Feed(feed) => {
                    self.due += u64::from(feed.chosen.is_some());
                    match self.decoding.feed(&feed) {
                        Ok(()) => {}
                        Err(error) if self.report.decoded == 0 => return Err(RunError::Decode(error)),
                        Err(error) => {
                            self.report.damage = Some(format!("no decoder for what follows: {error}"));
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    self.report.decoded += 1;
                    None
                }
            };
            if self.send_outcomes().is_break() || self.tell(after).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Waits for room where workers are slower than the decoder.
    fn send_outcomes(&mut self) -> ControlFlow<()> {
        for Outcome { pts, slot, picture } in self.decoding.take_outcomes() {
            let place = Place { run: self.run, pts, time_base: self.base, slot };
            let sent = if let Some(picture) = picture {
                let work = picture.map_err(|error| Failure { reason: error.to_string() });
                self.outlet.send(place, work)
            } else {
                self.report.passed += 1;
                self.outlet.tell(Notice::Passed(place))
            };
            if sent.is_break() {
                self.report.stopped = true;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn tell(&mut self, notice: Option<Notice<T>>) -> ControlFlow<()> {
        let Some(notice) = notice else { return ControlFlow::Continue(()) };
        let told = self.outlet.tell(notice);
        self.report.stopped |= told.is_break();
        told
    }
}
