//! The end of a stream's way: frames are written, the ledger and the results kept, followers told.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Instant,
};

use ocelli_model::{TimeBase, Verdict};
use ocelli_sinks::{Existing, FrameFolder, Retention};
use ocelli_store::RunId;

use super::{
    FrameNews, LatestFrame, LookNews, News, StreamState,
    counters::{Counters, Part, thread_cpu},
    flow::{Flow, Pictured, Trouble},
    now,
    seat::Seat,
};
use crate::{
    Analysis, Failure, FrameTold, Look, Looked, Notice, Place, RecordError, Recording, Seen, Told,
    reason::reason,
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
}

impl FrameOutput {
    /// Opened with the first frame.
    pub(super) fn new(path: PathBuf, clear: bool, before: u64, retention: Retention) -> Self {
        Self { path, folder: None, clear, before, retention }
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

    /// Writes one frame, and removes those that are not to stay.
    fn write(&mut self, jpeg: &[u8]) -> Result<u64, String> {
        let folder = self.open()?;
        let written = folder.write(jpeg).map_err(|error| reason(&error));
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
    current: Arc<Mutex<Current>>,
    /// The frame folder did not take the last frame.
    troubled: bool,
}

impl Keeper {
    /// `names` are the models, in the order of the pass; the frame folder, where there is one, follows them.
    pub(super) fn new(
        flow: Arc<Flow>,
        recording: Recording,
        output: Option<FrameOutput>,
        names: Vec<String>,
    ) -> Self {
        let current = Arc::new(Mutex::new(Current { number: None, arrived: now() }));
        let (seat, shared) = (Arc::clone(&flow.seat), Arc::clone(&current));
        let early = move |frame: &FrameTold, run: Option<RunId>| {
            let current = shared.lock().unwrap_or_else(PoisonError::into_inner);
            tell(&seat, &names, frame, run, &current);
        };
        let recording = recording.with_early(Box::new(early));
        Self { flow, recording, output, current, troubled: false }
    }

    /// Until the end of the attempt. An error of the store ends the attempt too.
    pub(super) fn keep(mut self) -> (Result<(), RecordError>, Option<FrameOutput>) {
        let mut tell = |_durable: FrameTold| ControlFlow::Continue(());
        let mut kept = Ok(());
        while let Some((notice, arrived)) = self.flow.next_kept() {
            // What comes after a failure has nowhere to go.
            if kept.is_err() {
                continue;
            }
            let before = thread_cpu();
            let notice = self.written(notice, arrived);
            kept = self.recording.take(notice, &mut tell).map(|_| ());
            if let Err(error) = &kept {
                self.flow.fail(Trouble::passing(format!("results cannot be kept: {}", reason(error))));
            }
            self.flow.seat.counters.spent(Part::Keep, thread_cpu().saturating_sub(before));
        }
        let finished = self.recording.finish(&mut tell).map(|_| ());
        (kept.and(finished), self.output)
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
            Notice::Empty { run, first, last } => Notice::Empty { run, first, last },
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
                Some(Ok(jpeg)) => match self.write(jpeg) {
                    Ok(written) => {
                        number = Some(written);
                        Look::Seen(Analysis { detections: Vec::new(), took: std::time::Duration::ZERO })
                    }
                    Err(reason) => Look::Failed(Failure { reason }),
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
                status.frame_count = number.unwrap_or(status.frame_count);
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

    fn write(&mut self, jpeg: &[u8]) -> Result<u64, String> {
        let Some(output) = &mut self.output else { return Err(String::new()) };
        let written = output.write(jpeg);
        let seat = &self.flow.seat;
        match &written {
            Ok(_) => {
                Counters::add(&seat.counters.frames, 1);
                seat.counters.frame_bytes.store(output.bytes(), Ordering::Relaxed);
                if std::mem::take(&mut self.troubled) {
                    tracing::info!(stream = %seat.id, "frames can be written again");
                    seat.update(|status| status.last_error = None);
                }
            }
            Err(error) => {
                Counters::add(&seat.counters.frame_errors, 1);
                if !std::mem::replace(&mut self.troubled, true) {
                    tracing::warn!(stream = %seat.id, %error, "a frame cannot be written; the stream goes on");
                }
                seat.update(|status| status.last_error = Some(format!("frames cannot be written: {error}")));
            }
        }
        written
    }
}

/// Counts what became of a frame, and tells followers.
fn tell(seat: &Seat, names: &[String], frame: &FrameTold, run: Option<RunId>, current: &Current) {
    let counters = &seat.counters;
    let latency = now().saturating_duration_since(current.arrived);
    let (mut verdict, mut reason) = (Verdict::Analysed, String::new());
    for told in frame.told.iter().rev() {
        verdict = match told {
            Told::Seen { .. } => Verdict::Analysed,
            Told::Failed { reason: why } => {
                reason.clone_from(why);
                Verdict::Failed
            }
            Told::Settled(verdict) => *verdict,
        };
    }
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
    let looks = names.iter().zip(&frame.told).map(|(name, told)| (name.clone(), look_news(told)));
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
