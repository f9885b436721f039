//! All streams, and what is done with them.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use ocelli_archive::Archive;
use ocelli_ingest::{OpenSource, Stop};
use ocelli_model::StreamId;
use ocelli_sinks::{Existing, FrameCache, FrameFolder};
use ocelli_store::{EndState, StreamEnd, StreamRecord, Streams};
use tokio::sync::{broadcast, watch};

use super::{
    LatestFrame, StreamError, StreamSpec, StreamState, StreamStatus, SupervisorConfig, begun,
    entry::{Entry, Thread, Turn, end},
    events,
    going::{Going, read_newest, remove_frames},
    pool::Pool,
    shelf::Shelf,
};
use crate::Kept;

/// How long a request for a picture waits for the next one, where no frames are written.
const PICTURE_PATIENCE: Duration = Duration::from_secs(3);

/// What all streams share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: SupervisorConfig,
    pub(super) opener: Arc<dyn OpenSource>,
    pub(super) kept: Kept,
    /// Where what comes is recorded; nowhere if `None`.
    pub(super) archive: Option<Archive>,
    pub(super) streams: Arc<dyn Streams>,
    pub(super) shelf: Shelf,
    pub(super) pool: Pool,
    pub(super) newest: Arc<FrameCache<LatestFrame>>,
}

/// The streams. What changes one is run to its end once it was begun: see [`super::Supervisor`].
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) shared: Arc<Shared>,
    streams: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    streams: BTreeMap<StreamId, Arc<Entry>>,
    closing: bool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Those that there are in the store, of which those are set going that were before.
    pub(super) async fn open(shared: Shared) -> Result<Self, StreamError> {
        let fleet = Self { shared: Arc::new(shared), streams: Mutex::default() };
        for record in fleet.shared.streams.streams().await? {
            let spec = match serde_json::from_str::<StreamSpec>(&record.spec) {
                Ok(spec) => spec,
                Err(error) => {
                    tracing::error!(stream = %record.id, %error, "what this stream is to do cannot be read; it is left alone");
                    continue;
                }
            };
            let wanted = record.wanted;
            if let Some(of_recording) = &spec.record {
                events::recall(&fleet.shared, &record.id, &of_recording.events).await?;
            }
            let entry = Arc::new(Entry::new(record, spec, &fleet.shared.newest));
            lock(&fleet.streams).streams.insert(entry.seat.id.clone(), Arc::clone(&entry));
            if wanted {
                let mut turn = entry.turn.lock().await;
                entry.seat.state(StreamState::Starting);
                *turn = Some(fleet.spawn(&entry)?);
            }
        }
        Ok(fleet)
    }

    pub(super) async fn create(
        &self,
        id: StreamId,
        spec: StreamSpec,
        start: bool,
    ) -> Result<StreamStatus, StreamError> {
        let entry = Arc::new(Entry::new(self.new_record(&id, &spec)?, spec, &self.shared.newest));
        // Held before others can find it.
        let mut turn = Arc::clone(&entry.turn).lock_owned().await;
        {
            let mut known = lock(&self.streams);
            if known.closing {
                return Err(StreamError::Closing);
            }
            if known.streams.contains_key(&id) {
                return Err(StreamError::Exists(id));
            }
            if known.streams.len() >= self.shared.config.most_streams {
                return Err(StreamError::TooMany(known.streams.len()));
            }
            known.streams.insert(id.clone(), Arc::clone(&entry));
        }
        let begun = self.begin(&entry, &mut turn, start, |_record| {}).await;
        if begun.is_err() {
            // What could not be set going is not to be found after a restart. Where this fails too, the first error says why.
            self.shared.streams.remove_stream(&id).await.ok();
            lock(&self.streams).streams.remove(&id);
        }
        begun
    }

    pub(super) async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        spec.check(&id)?;
        let Ok((entry, mut turn)) = self.hold(&id).await else { return self.create(id, spec, true).await };
        // One that cannot go on as configured may be told to do something else.
        let troubled = entry.seat.status().state == StreamState::Error;
        if !troubled && entry.is_going(&mut turn).await {
            return Err(StreamError::Running(id));
        }
        end(&mut turn).await;
        let json = encode(&spec)?;
        let now = (self.shared.config.now_ms)();
        // What it does now is known to those who ask once it is durable.
        let anew = |record: &mut StreamRecord| {
            (record.spec, record.changed_ms) = (json, now);
            record.decode += 1;
            (record.frames, record.restarts) = (0, 0);
        };
        self.begin(&entry, &mut turn, true, anew).await
    }

    pub(super) async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        spec.check(id)?;
        let (entry, mut turn) = self.hold(id).await?;
        let going = entry.is_going(&mut turn).await;
        end(&mut turn).await;
        let json = encode(&spec)?;
        let now = (self.shared.config.now_ms)();
        let change = |record: &mut StreamRecord| (record.spec, record.changed_ms) = (json, now);
        let changed = self.begin(&entry, &mut turn, going, change).await;
        if changed.is_err() && going && turn.is_none() && !self.is_closing() {
            // It goes on with what it did.
            *turn = Some(self.spawn(&entry)?);
        }
        changed
    }

    pub(super) async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        if entry.is_going(&mut turn).await {
            return Ok(entry.seat.status());
        }
        let again = |record: &mut StreamRecord| {
            record.restarts = 0;
            let completed = record.ended.as_ref().is_some_and(|end| end.state == EndState::Completed);
            if let (true, Ok(spec)) = (completed, begun::write(&record.spec, None)) {
                record.spec = spec;
            }
        };
        self.begin(&entry, &mut turn, true, again).await
    }

    pub(super) async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        end(&mut turn).await;
        let mut record = entry.record.lock().await;
        if record.wanted {
            let mut changed = record.clone();
            changed.wanted = false;
            self.shared.streams.put_stream(&changed).await?;
            *record = changed;
        }
        Ok(entry.seat.status())
    }

    pub(super) async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError> {
        let (entry, mut turn) = self.hold(id).await?;
        end(&mut turn).await;
        if frames_too {
            let folder = self.frame_folder(id);
            blocking(move || remove_frames(&folder)).await?.map_err(StreamError::Frame)?;
        }
        self.shared.streams.remove_stream(id).await?;
        entry.seat.forget_latest();
        lock(&self.streams).streams.remove(id);
        Ok(())
    }

    pub(super) async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        let entry = self.entry(id)?;
        let writes = lock(&entry.spec).frames.is_some();
        if writes {
            if let Some(latest) = entry.seat.latest() {
                return Ok(Some(latest));
            }
            let folder = self.frame_folder(id);
            let read = blocking(move || read_newest(&folder)).await?;
            return Ok(read.map_err(StreamError::Frame)?.map(Arc::new));
        }
        // In this order: a picture that is made from here on differs from the one before, and its news is heard.
        let before = entry.seat.latest();
        let mut updates = entry.seat.follow();
        entry.seat.wants_picture.store(true, Ordering::Relaxed);
        let newer = async {
            loop {
                let latest = entry.seat.latest();
                let is_new = match (&latest, &before) {
                    (Some(latest), Some(before)) => !Arc::ptr_eq(latest, before),
                    (latest, _) => latest.is_some(),
                };
                let comes = match entry.seat.status().state {
                    StreamState::Running => true,
                    StreamState::Starting => latest.is_none(),
                    _ => false,
                };
                if is_new
                    || !comes
                    || matches!(updates.recv().await, Err(broadcast::error::RecvError::Closed))
                {
                    return latest;
                }
            }
        };
        Ok(tokio::time::timeout(PICTURE_PATIENCE, newer).await.unwrap_or(before))
    }

    pub(super) async fn drain(&self) {
        // All at once: one after the other would take as long as all together.
        self.stop_all();
        for entry in self.entries() {
            end(&mut *entry.turn.lock().await).await;
        }
    }

    /// As a drain begins, though nobody waits for the streams to end.
    pub(super) fn stop_all(&self) {
        lock(&self.streams).closing = true;
        for entry in self.entries() {
            // Where it is held, whoever holds it sees that all is closing.
            if let Ok(turn) = entry.turn.try_lock()
                && let Some(thread) = &*turn
            {
                thread.stop.stop();
            }
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        lock(&self.streams).closing
    }

    pub(super) fn frame_folder(&self, id: &StreamId) -> PathBuf {
        self.shared.config.frames.join(id.as_str())
    }

    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.streams).streams.values().cloned().collect()
    }

    pub(super) fn entry(&self, id: &StreamId) -> Result<Arc<Entry>, StreamError> {
        let known = lock(&self.streams);
        known.streams.get(id).cloned().ok_or_else(|| StreamError::Unknown(id.clone()))
    }

    /// Waits for whoever starts, stops or changes it; then nobody else does.
    async fn hold(&self, id: &StreamId) -> Result<(Arc<Entry>, Turn), StreamError> {
        let entry = self.entry(id)?;
        let turn = Arc::clone(&entry.turn).lock_owned().await;
        // It may have been deleted meanwhile, and perhaps made again: that is another one.
        if self.entry(id).is_ok_and(|known| Arc::ptr_eq(&known, &entry)) {
            Ok((entry, turn))
        } else {
            Err(StreamError::Unknown(id.clone()))
        }
    }

    fn new_record(&self, id: &StreamId, spec: &StreamSpec) -> Result<StreamRecord, StreamError> {
        let now = (self.shared.config.now_ms)();
        Ok(StreamRecord {
            id: id.clone(),
            spec: encode(spec)?,
            wanted: false,
            ended: Some(StreamEnd { state: EndState::Stopped, error: None }),
            decode: 1,
            decode_cleared: 0,
            frames: 0,
            restarts: 0,
            created_ms: now,
            changed_ms: now,
            started_ms: None,
        })
    }

    /// Makes a change durable, then sets the stream going if `start` says so.
    async fn begin(
        &self,
        entry: &Arc<Entry>,
        turn: &mut Option<Thread>,
        start: bool,
        change: impl FnOnce(&mut StreamRecord),
    ) -> Result<StreamStatus, StreamError> {
        if self.is_closing() {
            return Err(StreamError::Closing);
        }
        let mut record = entry.record.lock().await;
        let mut changed = record.clone();
        change(&mut changed);
        if start {
            (changed.wanted, changed.ended) = (true, None);
            changed.started_ms = Some((self.shared.config.now_ms)());
        }
        let spec = serde_json::from_str(&changed.spec);
        let spec: StreamSpec = spec.map_err(|error| StreamError::Invalid(error.to_string()))?;
        self.shared.streams.put_stream(&changed).await?;
        *record = changed;
        let writes = spec.frames.is_some();
        *lock(&entry.spec) = spec;
        entry.refresh(&record, start);
        if start && writes && record.decode_cleared < record.decode {
            self.clear_frames(&mut record).await?;
        }
        drop(record);
        if start {
            let thread = self.spawn(entry)?;
            if self.is_closing() {
                // Whoever ends all streams may have been here already.
                thread.stop.stop();
            }
            *turn = Some(thread);
        }
        Ok(entry.seat.status())
    }

    /// Before anybody is told that a decode began: who reads the folder then must not find frames of an earlier one. A folder that
    /// cannot be emptied is the business of the stream's thread, which shows the error and tries again.
    async fn clear_frames(&self, record: &mut StreamRecord) -> Result<(), StreamError> {
        let folder = self.frame_folder(&record.id);
        if blocking(move || FrameFolder::create(folder, Existing::Overwrite)).await?.is_err() {
            return Ok(());
        }
        let mut changed = record.clone();
        changed.decode_cleared = changed.decode;
        self.shared.streams.put_stream(&changed).await?;
        *record = changed;
        Ok(())
    }

    fn spawn(&self, entry: &Arc<Entry>) -> Result<Thread, StreamError> {
        let (stop, (ending, ended)) = (Stop::default(), watch::channel(false));
        let spec = lock(&entry.spec).clone();
        let going = Going::new(Arc::clone(&self.shared), Arc::clone(entry), spec, stop.clone());
        entry.over.store(false, Ordering::Release);
        let span = tracing::info_span!("stream", stream = %entry.seat.id);
        let ours = Arc::clone(entry);
        let thread = thread::Builder::new().name(format!("stream:{}", entry.seat.id)).spawn(move || {
            let _within = span.entered();
            if panic::catch_unwind(AssertUnwindSafe(|| going.go())).is_err() {
                tracing::error!("internal error: the thread of this stream panicked");
                ours.seat.update(|status| {
                    status.state = StreamState::Error;
                    status.last_error = Some("internal error, which the log tells more about".to_owned());
                });
                ours.over.store(true, Ordering::Release);
            }
            ending.send_replace(true);
        });
        // Whoever waits for it waits for `ended`, which its end, even by panic, settles.
        thread.map(|_joined_by_ended| Thread { stop, ended }).map_err(StreamError::Thread)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StreamError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StreamError::Thread(error.into()))
}

fn encode(spec: &StreamSpec) -> Result<String, StreamError> {
    serde_json::to_string(spec).map_err(|error| StreamError::Invalid(error.to_string()))
}
