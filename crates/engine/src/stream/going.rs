//! The thread of a stream that is going: one attempt after the other.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ocelli_ingest::Stop;
use ocelli_media::pixel::jpeg;
use ocelli_sinks::{Existing, FolderError, FrameFolder};
use ocelli_store::{EndState, StreamEnd, StreamRecord};

use super::{
    LatestFrame, StreamSpec, StreamState,
    attempt::{Attempt, Ended},
    keeper::FrameOutput,
    supervisor::{Entry, Shared},
};
use crate::jpeg::read_comment;

/// What the thread knows.
#[derive(Debug)]
pub(super) struct Going {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    spec: StreamSpec,
    stop: Stop,
}

impl Going {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<Entry>, spec: StreamSpec, stop: Stop) -> Self {
        Self { shared, entry, spec, stop }
    }

    /// Until the source is at its end, or the end was asked for, or nothing will help.
    pub(super) fn go(self) {
        let seat = &self.entry.seat;
        tracing::info!(source = %self.spec.source.url, fps = %self.spec.fps, "stream starts");
        let mut output = self.output();
        let (mut failures, mut software) = (0, false);
        loop {
            seat.state(StreamState::Starting);
            let attempt =
                Attempt { shared: &self.shared, seat, spec: &self.spec, stop: &self.stop, software };
            let ended = attempt.run(&mut output);
            self.keep(|record| {
                if output.as_ref().is_some_and(|output| !output.is_to_clear()) {
                    record.decode_cleared = record.decode;
                }
            });
            let (reason, lasting, progress) = match ended {
                Ended::Stopped => return self.end(StreamState::Stopped, None),
                Ended::Whole(damage) if !self.spec.is_endless() => {
                    return self.end(StreamState::Completed, damage);
                }
                Ended::Whole(damage) => {
                    (damage.unwrap_or_else(|| "the source ended".to_owned()), false, true)
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
            tracing::warn!(error = %reason, pause_s = pause.as_secs_f64(), "the attempt failed; another follows");
            seat.update(|status| {
                status.state = if lasting { StreamState::Error } else { StreamState::Restarting };
                status.last_error = Some(reason);
                status.restart_count += 1;
            });
            if self.stop.wait(pause).is_err() {
                return self.end(StreamState::Stopped, None);
            }
        }
    }

    fn pause(&self, failures: u32, lasting: bool) -> Duration {
        let backoff = self.shared.config.backoff;
        if lasting { backoff.most } else { backoff.pause(self.entry.seat.id.as_str(), failures) }
    }

    fn output(&self) -> Option<FrameOutput> {
        self.spec.frames.as_ref()?;
        let record = self.entry.record.blocking_lock();
        let path = self.shared.config.frames.join(self.entry.seat.id.as_str());
        let clear = record.decode_cleared < record.decode;
        Some(FrameOutput::new(path, clear, record.frames, self.shared.config.retention))
    }

    fn end(&self, state: StreamState, error: Option<String>) {
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
