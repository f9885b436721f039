//! The thread of a stream that is going: one attempt after the other.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ocelli_archive::{LiveHold, Phase};
use ocelli_ingest::{SourceKind, Stop};
use ocelli_media::pixel::jpeg;
use ocelli_sinks::{Existing, FolderError, FrameFolder};
use ocelli_store::{EndState, Entry, Fault, RunState, StoreError, StreamEnd, StreamRecord};

use super::{
    LatestFrame, StreamSpec, StreamState,
    attempt::{Attempt, Carried, Ended},
    begun::{self, Begun, FileMark},
    catch_up::{newest_run, unsettled},
    entry,
    fleet::Shared,
    keeper::FrameOutput,
};
use crate::jpeg::read_comment;

/// What the thread knows.
#[derive(Debug)]
pub(super) struct Going {
    shared: Arc<Shared>,
    entry: Arc<entry::Entry>,
    spec: StreamSpec,
    stop: Stop,
    carried: Carried,
    /// Live playlists go on from attempt to attempt.
    live: Option<LiveHold>,
}

impl Going {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<entry::Entry>, spec: StreamSpec, stop: Stop) -> Self {
        let archive = shared.archive.as_ref().filter(|_| spec.record.is_some());
        let live = archive.map(|archive| archive.hold(&entry.seat.id));
        Self { shared, entry, spec, stop, carried: Carried::default(), live }
    }

    /// Until the source is at its end, or the end was asked for, or nothing will help.
    pub(super) fn go(mut self) {
        tracing::info!(source = %self.spec.source.url, fps = %self.spec.fps, "stream starts");
        self.catch_up();
        let (mut failures, mut software) = (0, false);
        loop {
            self.entry.seat.state(StreamState::Starting);
            let ended = self.attempt(software);
            self.keep(|_record| {});
            let (reason, lasting, progress) = match ended {
                Ended::Stopped => return self.end(StreamState::Stopped, None),
                Ended::Whole { damage, .. } if !self.spec.is_endless() => {
                    let (missing, unfit) = self.written();
                    return match self.entry.seat.all_failed().or(missing) {
                        Some(failed) => self.end(StreamState::Error, Some(failed)),
                        None => self.end(StreamState::Completed, damage.or(unfit)),
                    };
                }
                // The next publisher is waited for; nothing went wrong.
                Ended::Whole { .. } if self.spec.source.url.kind() == SourceKind::Publish => {
                    failures = 0;
                    continue;
                }
                Ended::Whole { damage, progress } => {
                    (damage.unwrap_or_else(|| "the source ended".to_owned()), false, progress)
                }
                Ended::Failed { reason, lasting, progress } => (reason, lasting, progress),
            };
            if lasting && !self.spec.is_endless() {
                return self.end(StreamState::Error, Some(reason));
            }
            failures = if progress { 1 } else { failures + 1 };
            // What decodes in software need not on a device.
            software |= self.spec.hardware.is_some() && !lasting;
            let pause = self.pause(failures, lasting);
            tracing::warn!(error = %reason, pause_s = (pause.as_secs_f64() * 10.0).round() / 10.0, "the attempt failed; another follows");
            self.entry.seat.update(|status| {
                status.state = if lasting { StreamState::Error } else { StreamState::Restarting };
                status.last_error = Some(reason);
                status.restart_count += 1;
            });
            if self.stop.wait(pause).is_err() {
                return self.end(StreamState::Stopped, None);
            }
        }
    }

    /// What a process that died had received and not settled: before anything new comes, so that frames keep their order. Where it
    /// fails, the stream goes on without it, and the ledger says so.
    fn catch_up(&mut self) {
        let Some(archive) = self.shared.archive.clone().filter(|_| self.spec.looks_back()) else { return };
        // The file itself is read again, and its last slot is decided with all that follows.
        if self.begun().is_some() {
            return;
        }
        let unsettled = match unsettled(&self.shared, &archive, &self.entry.seat.id) {
            Ok(unsettled) => unsettled,
            Err(error) => return tracing::error!(%error, "what was not settled before cannot be found"),
        };
        for again in unsettled {
            if self.stop.is_asked() {
                return;
            }
            self.open_folder();
            let Self { shared, entry, spec, stop, carried, .. } = self;
            let attempt = Attempt {
                shared,
                seat: &entry.seat,
                spec,
                stop,
                software: true,
                first_run: again.run,
                resumes: true,
                again: Some(again),
            };
            match attempt.run(carried) {
                Ended::Whole { .. } => {
                    tracing::info!(run = again.run, "caught up with what was recorded before");
                }
                Ended::Failed { reason, .. } => {
                    tracing::warn!(run = again.run, error = %reason, "what was recorded before is not caught up with");
                }
                Ended::Stopped => {}
            }
        }
    }

    fn attempt(&mut self, software: bool) -> Ended {
        self.open_folder();
        let is_unclean = self.carried.unclean.is_some();
        if let Err(error) = self.close_unclean() {
            return Ended::store_failed(&error);
        }
        if is_unclean {
            self.catch_up();
        }
        let (first_run, resumes) = match self.first_run() {
            Ok(first) => first,
            Err(error) => return Ended::store_failed(&error),
        };
        let Self { shared, entry, spec, stop, carried, .. } = self;
        Attempt { shared, seat: &entry.seat, spec, stop, software, first_run, resumes, again: None }
            .run(carried)
    }

    /// A folder of an earlier decode is emptied before anything else: its readers must not mistake those frames. That it was done
    /// is durable at once: otherwise this decode's frames would go after a kill.
    fn open_folder(&mut self) {
        if self.spec.frames.is_none() {
            return;
        }
        if self.carried.output.is_none() {
            self.carried.output = Some(self.output());
        }
        let Some(output) = &mut self.carried.output else { return };
        if let Err(error) = output.open() {
            let error = format!("frames cannot be written: {error}");
            self.entry.seat.update(|status| status.last_error = Some(error));
        } else {
            // After a kill, more were written than the record says.
            let count = output.count();
            self.entry.seat.update(|status| status.frame_count = status.frame_count.max(count.unwrap_or(0)));
        }
        self.keep(|_record| {});
    }

    /// A run of which something could not be written says so, before anything else of this stream is.
    fn close_unclean(&mut self) -> Result<(), StoreError> {
        let Some(run) = self.carried.unclean else { return Ok(()) };
        let entry = Entry::Run { run, state: RunState::Unclean, last_pts: None };
        let written = self.shared.kept.appender.lane().append_blocking(vec![entry]).wait_blocking();
        match written {
            // It is gone by now.
            Err(error) if error.fault() == Fault::Caller => {}
            written => written?,
        }
        self.carried.unclean = None;
        Ok(())
    }

    /// A file that is read once, and was begun.
    fn begun(&self) -> Option<Begun> {
        let file = FileMark::of(&self.spec)?;
        begun::read(&self.entry.record.blocking_lock().spec).filter(|begun| begun.file == file)
    }

    /// Ordinal of the attempt's first run, and whether that is gone on with: a file that is read once.
    fn first_run(&self) -> Result<(u32, bool), StoreError> {
        let runtime = &self.shared.kept.runtime;
        let id = &self.entry.seat.id;
        // A run that was killed before the store heard of it may be recorded.
        let recorded = || match &self.shared.archive {
            Some(archive) => newest_run(&self.shared, archive, id),
            None => Ok(None),
        };
        let next = || {
            let next = runtime.block_on(self.shared.streams.next_ordinal(id.as_str()))?;
            Ok::<_, StoreError>(recorded()?.map_or(next, |run| next.max(run.saturating_add(1))))
        };
        if let Some(begun) = self.begun() {
            return Ok((begun.first_run, true));
        }
        let Some(file) = FileMark::of(&self.spec) else { return Ok((next()?, false)) };
        let mut record = self.entry.record.blocking_lock();
        let first_run = next()?;
        let mut changed = record.clone();
        let marked = begun::write(&record.spec, Some(&Begun { first_run, file }));
        changed.spec = marked.map_err(|error| StoreError::Invalid(error.to_string()))?;
        runtime.block_on(self.shared.streams.put_stream(&changed))?;
        *record = changed;
        Ok((first_run, true))
    }

    /// Waits until the recording has all of it: whoever hears that a stream is completed finds it there. Why its end is missing, or why it
    /// is of a kind that cannot be recorded.
    fn written(&self) -> (Option<String>, Option<String>) {
        let archive = self.shared.archive.as_ref().filter(|_| self.spec.record.is_some());
        let Some(archive) = archive else { return (None, None) };
        match self.shared.kept.runtime.block_on(archive.written(&self.entry.seat.id)) {
            Phase::Recording => (None, None),
            Phase::Paused(reason) => (Some(format!("its end is not recorded: {reason}")), None),
            Phase::Failed(reason) => (None, Some(format!("it is not recorded: {reason}"))),
        }
    }

    fn pause(&self, failures: u32, lasting: bool) -> Duration {
        let backoff = self.shared.config.backoff;
        // Publishers come back when they like, and are refused where nobody waits for them.
        if self.spec.source.url.kind() == SourceKind::Publish && !lasting {
            return backoff.least;
        }
        if lasting { backoff.most } else { backoff.pause(self.entry.seat.id.as_str(), failures) }
    }

    fn output(&self) -> FrameOutput {
        let record = self.entry.record.blocking_lock();
        let path = self.shared.config.frames.join(self.entry.seat.id.as_str());
        let clear = record.decode_cleared < record.decode;
        FrameOutput::new(path, clear, record.frames, self.shared.config.retention)
    }

    fn end(mut self, state: StreamState, error: Option<String>) {
        self.live = None;
        // Where that fails the next start of the store does it.
        self.close_unclean().ok();
        let word = match state {
            StreamState::Completed => EndState::Completed,
            StreamState::Error => EndState::Error,
            _ => EndState::Stopped,
        };
        if let Some(error) = &error {
            tracing::warn!(?state, %error, "stream ends");
        } else {
            tracing::info!(?state, "stream ends");
        }
        // Whoever stopped it decides whether it is wanted: a drain does not change that.
        self.keep(|record| {
            if word != EndState::Stopped {
                record.wanted = false;
            }
            record.ended = Some(StreamEnd { state: word, error: error.clone() });
        });
        self.entry.over.store(true, Ordering::Release);
        self.entry.seat.update(|status| {
            status.state = state;
            status.last_error = error.or_else(|| status.last_error.take());
        });
    }

    /// Makes a change of the record durable. What cannot be is told; the stream itself does not depend on it.
    fn keep(&self, change: impl FnOnce(&mut StreamRecord)) {
        let mut record = self.entry.record.blocking_lock();
        let before = record.clone();
        change(&mut record);
        let status = self.entry.seat.status();
        (record.frames, record.restarts) = (status.frame_count, status.restart_count);
        if self.carried.output.as_ref().is_some_and(|output| !output.is_to_clear()) {
            record.decode_cleared = record.decode;
        }
        if *record != before
            && let Err(error) = self.shared.kept.runtime.block_on(self.shared.streams.put_stream(&record))
        {
            tracing::error!(%error, "how the stream stands cannot be kept");
        }
    }
}

/// The newest frame of a folder, from the disk.
pub(super) fn read_newest(folder: &Path) -> Result<Option<LatestFrame>, FolderError> {
    let found = FrameFolder::newest(folder)?;
    Ok(found.map(|(number, jpeg)| {
        let place = jpeg::comment(&jpeg).and_then(read_comment);
        LatestFrame {
            jpeg: jpeg.into(),
            number: Some(number),
            run: place.map(|place| place.run),
            media_time: place.map(|place| (place.pts, place.time_base)),
            size: None,
        }
    }))
}

/// Removes the frames of a folder, and the folder where nothing else is in it.
pub(super) fn remove_frames(folder: &Path) -> Result<(), FolderError> {
    if !folder.is_dir() {
        return Ok(());
    }
    drop(FrameFolder::create(folder, Existing::Overwrite)?);
    // Other people's files stay, and with them the folder.
    std::fs::remove_dir(folder).ok();
    Ok(())
}
