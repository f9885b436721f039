//! The end of a stream's way: frames are written, the ledger and the results kept, followers told.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Instant,
};

use ocelli_media::pixel::jpeg;
use ocelli_model::{AnalyzerVersion, TimeBase, Verdict};
use ocelli_sinks::{Existing, FolderError, FrameFolder, Retention};
use ocelli_store::RunId;

use super::{
    FrameNews, LatestFrame, LookNews, ModelLook, News, StreamState,
    anchors::AnchorLog,
    counters::{Counters, Part, thread_cpu},
    events::Events,
    flow::{Flow, Kept, Pictured, Trouble},
    now,
    seat::Seat,
};
use crate::{
    Analysis, Demand, Failure, FrameTold, Known, Look, Looked, Notice, Place, RecordError, Recording, Seen,
    Told, jpeg::read_comment, reason::reason,
};

/// Where the frames of a stream go. A folder that cannot be written stops nobody: the error shows, and each frame tries again.
#[derive(Debug)]
pub(super) struct FrameOutput {
    path: PathBuf,
    folder: Option<FrameFolder>,
    /// Its frames are those of an earlier decode.
    clear: bool,
    /// Frames of this decode that were written before, as far as is known.
    before: u64,
    retention: Retention,
    /// Numbers of frames that a killed process wrote before the ledger knew of them, by run and PTS.
    adopted: BTreeMap<(u32, i64), u64>,
}

impl FrameOutput {
    /// Opened with the first frame.
    pub(super) fn new(path: PathBuf, clear: bool, before: u64, retention: Retention) -> Self {
        Self { path, folder: None, clear, before, retention, adopted: BTreeMap::new() }
    }

    /// Makes the folder, and empties it where it is an earlier decode's: consumers must not take those frames for new ones.
    pub(super) fn open(&mut self) -> Result<&mut FrameFolder, String> {
        if self.folder.is_none() {
            let opened = if self.clear {
                FrameFolder::create(&self.path, Existing::Overwrite)
            } else {
                FrameFolder::resume_after(&self.path, self.before)
            };
            let mut folder = opened.map_err(|error| reason(&error))?;
            folder.retain(self.retention);
            self.folder = Some(folder);
            self.clear = false;
        }
        self.folder.as_mut().ok_or_else(String::new)
    }

    /// The highest number so far; `None` where the folder could not be opened yet.
    pub(super) fn count(&self) -> Option<u64> {
        self.folder.as_ref().map(FrameFolder::count)
    }

    /// Takes the frames at the folder's end that are of a run from `first_run` on, and in no ledger, for those they are: they are
    /// not written twice.
    pub(super) fn adopt(&mut self, first_run: u32, known: &Known, analyzer: usize) {
        self.adopted.clear();
        let Some(folder) = &self.folder else { return };
        for number in (1..=folder.count()).rev().take(MOST_ADOPTED) {
            let jpeg = fs::read(folder.path_of(number)).unwrap_or_default();
            let place = jpeg::comment(&jpeg).and_then(read_comment).filter(|place| place.run >= first_run);
            let settled = |place: &Place| {
                known.ledger(place.run, analyzer).is_some_and(|ledger| ledger.has_result(place.pts))
            };
            let Some(place) = place.filter(|place| !settled(place)) else { break };
            self.adopted.insert((place.run, place.pts), number);
        }
    }

    /// Writes one frame, and removes those that are not to stay.
    fn write(&mut self, place: Place, jpeg: &[u8]) -> Result<u64, String> {
        if let Some(number) = self.adopted.remove(&(place.run, place.pts)) {
            return Ok(number);
        }
        let folder = self.open()?;
        // Without the path: whoever may look need not know where it is, and the same cause is the same reason.
        let written = folder.write(jpeg).map_err(|error| match error {
            FolderError::Write { cause, .. } => cause.to_string(),
            error => reason(&error),
        });
        if let Err(error) = folder.clean_up() {
            tracing::warn!(error = %reason(&error), "an old frame cannot be removed");
        }
        written
    }

    fn bytes(&self) -> u64 {
        self.folder.as_ref().map_or(0, FrameFolder::bytes)
    }

    /// Whether an earlier decode's frames are still there.
    pub(super) fn is_to_clear(&self) -> bool {
        self.clear
    }
}

/// More than wait for their commit at once.
const MOST_ADOPTED: usize = 1024;

/// What the news of a frame needs besides what is recorded of it.
#[derive(Debug)]
struct Current {
    number: Option<u64>,
    arrived: Instant,
}

/// Runs on a thread of its own, for it waits for disks and the store.
#[derive(Debug)]
pub(super) struct Keeper {
    flow: Arc<Flow>,
    recording: Recording,
    output: Option<FrameOutput>,
    anchors: AnchorLog,
    /// `None`: it is not recorded.
    events: Option<Events>,
    /// What was settled before, and how many models there are.
    known: Option<(Arc<Known>, usize)>,
    current: Arc<Mutex<Current>>,
    /// The frame folder did not take the last frame.
    troubled: bool,
}

/// What is left when an attempt is over.
#[derive(Debug)]
pub(super) struct KeptAll {
    pub(super) result: Result<(), RecordError>,
    pub(super) output: Option<FrameOutput>,
    /// A run of which something could not be written.
    pub(super) unclean: Option<RunId>,
}

impl Keeper {
    /// `models` are ids and versions, in the order of the pass; the frame folder, where there is one, follows them.
    pub(super) fn new(
        flow: Arc<Flow>,
        recording: Recording,
        output: Option<FrameOutput>,
        anchors: AnchorLog,
        models: Vec<(String, AnalyzerVersion)>,
    ) -> Self {
        let current = Arc::new(Mutex::new(Current { number: None, arrived: now() }));
        let known = recording.known().map(|known| (known, models.len()));
        let (seat, shared) = (Arc::clone(&flow.seat), Arc::clone(&current));
        let early = move |frame: &FrameTold, run: Option<RunId>| {
            let current = shared.lock().unwrap_or_else(PoisonError::into_inner);
            tell(&seat, &models, frame, run, &current);
        };
        let recording = recording.with_early(Box::new(early));
        Self { flow, recording, output, anchors, events: None, known, current, troubled: false }
    }

    /// Of a stream that is recorded.
    pub(super) fn with_events(self, events: Option<Events>) -> Self {
        Self { events, ..self }
    }

    /// Until the end of the attempt. An error of the store ends the attempt too.
    pub(super) fn keep(mut self) -> KeptAll {
        let mut events = self.events.take();
        let mut tell = |durable: FrameTold| {
            if let Some(events) = &mut events {
                events.take(&durable);
            }
            ControlFlow::Continue(())
        };
        let mut kept = Ok(());
        while let Some(item) = self.flow.next_kept() {
            // What comes after a failure has nowhere to go.
            if kept.is_err() {
                continue;
            }
            let before = thread_cpu();
            kept = match item {
                Kept::Notice(notice, arrived) => self.take(notice, arrived, &mut tell),
                Kept::Anchor(anchor) => {
                    self.anchors.reported(self.recording.runs().last(), anchor);
                    Ok(())
                }
                Kept::End => Ok(()),
            };
            if let Err(error) = &kept {
                self.flow.fail(Trouble::passing(format!("results cannot be kept: {}", reason(error))));
            }
            self.flow.seat.counters.spent(Part::Keep, thread_cpu().saturating_sub(before));
        }
        let last = self.recording.runs().last().copied();
        let finished = self.recording.finish(&mut tell).map(|_| ());
        let result = kept.and(finished);
        KeptAll { unclean: last.filter(|_| result.is_err()), result, output: self.output }
    }

    fn take(
        &mut self,
        notice: Notice<Pictured>,
        arrived: Instant,
        tell: &mut impl FnMut(FrameTold) -> ControlFlow<()>,
    ) -> Result<(), RecordError> {
        let t0 = if let Notice::Run { t0, .. } = notice { Some(t0) } else { None };
        let notice = self.written(notice, arrived);
        let _goes_on = self.recording.take(notice, tell)?;
        if let Some(t0) = t0 {
            self.anchors.arrived(self.recording.runs().last(), t0, arrived);
        }
        Ok(())
    }

    /// Writes the frame, and makes of the notice what is recorded.
    fn written(&mut self, notice: Notice<Pictured>, arrived: Instant) -> Notice<Looked> {
        self.current().arrived = arrived;
        match notice {
            Notice::Frame(Seen { place, result }) => {
                self.current().number = None;
                let result = result.map(|pictured| self.frame(place, pictured));
                Notice::Frame(Seen { place, result })
            }
            Notice::Passed(place) => Notice::Passed(place),
            Notice::Run { run, t0, time_base } => Notice::Run { run, t0, time_base },
            Notice::Empty { run, first, last } => {
                let slots = last.abs_diff(first) + 1;
                self.flow.seat.update(|status| status.tally.add(Verdict::Empty, slots));
                Notice::Empty { run, first, last }
            }
            Notice::RunEnd { run, last_pts, due, whole } => Notice::RunEnd { run, last_pts, due, whole },
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn frame(&mut self, place: Place, pictured: Pictured) -> Looked {
        let Pictured { size: (width, height), jpeg, mut looks } = pictured;
        let mut number = None;
        if self.output.is_some() {
            looks.push(match &jpeg {
                _ if !self.wants_frame(place) => Look::Passed,
                Some(Ok(jpeg)) => match self.write(place, jpeg) {
                    Ok(written) => {
                        number = Some(written);
                        Look::Seen(Analysis { detections: Vec::new(), took: std::time::Duration::ZERO })
                    }
                    // A gap that may be filled another time: nothing is wrong with the picture.
                    Err(reason) => Look::Kept(Verdict::Dropped, reason),
                },
                // Dropped: its reason is that of the others.
                Some(Err(reason)) if (width, height) == (0, 0) => {
                    Look::Kept(Verdict::Dropped, reason.clone())
                }
                Some(Err(reason)) => Look::Failed(Failure { reason: reason.clone() }),
                None => Look::Failed(Failure { reason: "no picture was made".to_owned() }),
            });
        }
        let seat = &self.flow.seat;
        if (width, height) != (0, 0) {
            seat.update(|status| {
                (status.width, status.height) = (Some(width), Some(height));
                status.frame_count =
                    number.map_or(status.frame_count, |number| number.max(status.frame_count));
            });
        }
        if let Some(Ok(jpeg)) = jpeg {
            let media_time = Some((place.pts, place.time_base));
            let (run, size) = (Some(place.run), Some((width, height)));
            seat.set_latest(LatestFrame { jpeg, number, run, media_time, size });
        }
        self.current().number = number;
        Looked { width, height, looks, picture: None }
    }

    fn wants_frame(&self, place: Place) -> bool {
        self.known.as_ref().is_none_or(|(known, models)| Demand::wants(&**known, *models, place))
    }

    fn write(&mut self, place: Place, jpeg: &[u8]) -> Result<u64, String> {
        let Some(output) = &mut self.output else { return Err(String::new()) };
        let written = output.write(place, jpeg);
        let seat = &self.flow.seat;
        match &written {
            Ok(_) => {
                Counters::add(&seat.counters.frames, 1);
                seat.counters.frame_bytes.store(output.bytes(), Ordering::Relaxed);
                if std::mem::take(&mut self.troubled) {
                    tracing::info!("frames can be written again");
                    seat.update(|status| status.last_error = None);
                }
            }
            Err(error) => {
                Counters::add(&seat.counters.frame_errors, 1);
                if !std::mem::replace(&mut self.troubled, true) {
                    tracing::warn!(%error, "a frame cannot be written; the stream goes on");
                }
                seat.update(|status| status.last_error = Some(format!("frames cannot be written: {error}")));
            }
        }
        written
    }
}

/// Counts what became of a frame, and tells followers.
fn tell(
    seat: &Seat,
    models: &[(String, AnalyzerVersion)],
    frame: &FrameTold,
    run: Option<RunId>,
    current: &Current,
) {
    let counters = &seat.counters;
    let latency = now().saturating_duration_since(current.arrived);
    let verdict = frame.told.first().map_or(Verdict::Analysed, |told| match told {
        Told::Seen { .. } => Verdict::Analysed,
        Told::Failed { reason } => {
            seat.failed(reason);
            Verdict::Failed
        }
        Told::Settled(verdict) => *verdict,
    });
    match verdict {
        Verdict::Analysed => {
            Counters::add(&counters.analysed, 1);
            counters.latency(latency);
        }
        Verdict::Gated => Counters::add(&counters.gated, 1),
        Verdict::Failed => Counters::add(&counters.failed, 1),
        Verdict::Dropped | Verdict::Empty | Verdict::Lost => {}
    }
    seat.update(|status| {
        status.tally.count(verdict);
        status.run = run.map(|run| run.0).or(status.run);
    });
    if !seat.is_followed() {
        return;
    }
    let looks = models.iter().zip(&frame.told).map(|((model, version), told)| ModelLook {
        model: model.clone(),
        version: version.clone(),
        news: look_news(told),
    });
    let place = frame.place;
    let time_base: TimeBase = place.time_base;
    seat.tell(News::Frame(Arc::new(FrameNews {
        run: place.run,
        run_id: run,
        pts: place.pts,
        time_base,
        frame: current.number,
        looks: looks.collect(),
        latency_us: latency.as_micros() as u64,
    })));
}

fn look_news(told: &Told) -> LookNews {
    match told {
        Told::Seen { result, tracks } => LookNews::Seen(result.clone(), tracks.clone()),
        Told::Failed { reason } => LookNews::Unseen(Verdict::Failed, reason.clone()),
        Told::Settled(verdict) => LookNews::Unseen(*verdict, String::new()),
    }
}

/// Media comes in.
pub(super) fn running(seat: &Seat) {
    seat.state(StreamState::Running);
    seat.wants_picture.store(true, Ordering::Relaxed);
}
