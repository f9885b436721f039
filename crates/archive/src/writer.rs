//! A stream's writing thread: what waits for the disk waits here.

use std::{collections::VecDeque, io, sync::Arc};

use ocelli_media::cmaf;
use ocelli_store::{Fault, RecordingGap, SegmentClass, SegmentRecord, StoreError};

use crate::{
    Phase,
    archive::Shared,
    files::folder_of,
    lane::{Begin, Job, Lane, Missed, Part},
    object::{OpenName, key, location},
    syncing::Grown,
};

/// Rows and gaps that wait for an index that fails. Segments beyond have their open name still, and are entered at the next start.
const MOST_OWED: usize = 1024;
/// Segments that wait for a disk that failed.
const MOST_LATE: usize = 16;
/// Room that is made where a disk is full without notice, at least.
const ROOM: u64 = 64 << 20;

/// Does the jobs of a lane until the last.
pub(crate) fn run(shared: Arc<Shared>, lane: Arc<Lane>) {
    let mut writer =
        Writer { shared, lane, open: None, gap: None, owed: VecDeque::new(), late: VecDeque::new() };
    while let Some(job) = writer.lane.queue.take() {
        match job {
            Job::Begin(begin) => writer.begin(&begin),
            Job::Part(part) => {
                writer.part(&part);
                writer.lane.queue.done(part.bytes.len());
            }
            Job::End => writer.end(),
            Job::Missed(missed) => {
                writer.end();
                writer.miss(missed);
            }
        }
    }
    writer.end();
    writer.seal_late();
    writer.settle();
}

#[derive(Debug)]
struct Writer {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    open: Option<Open>,
    /// Media is left out from here on.
    gap: Option<RecordingGap>,
    /// What the index is yet to hear, in order.
    owed: VecDeque<Owed>,
    /// Segments that a failing disk kept from being sealed.
    late: VecDeque<Open>,
}

/// A segment that grows.
#[derive(Debug)]
struct Open {
    grown: Grown,
    /// As it would be sealed now.
    record: SegmentRecord,
    parts: u32,
}

#[derive(Debug)]
enum Owed {
    /// The segment of this open name is an object.
    Segment(String, SegmentRecord),
    Gap(RecordingGap),
}

impl Writer {
    fn begin(&mut self, begin: &Begin) {
        self.end();
        self.seal_late();
        self.settle();
        self.shared.clock.note(&self.lane.stream, begin.number, begin.set_ms);
        if let Err(error) = self.shared.clock.save(&*self.shared.files) {
            tracing::warn!(%error, "how far the machine's clock was set cannot be kept");
        }
        self.lane.events().begin(begin.run, begin.first_pts);
        let made = self.room().and_then(|()| self.create(begin).map_err(|error| said("written", &error)));
        match made {
            Ok(open) => {
                self.open = Some(open);
                if let Some(gap) = self.gap.take() {
                    tracing::info!(stream = %self.lane.stream, run = begin.run, pts = begin.first_pts, "recording goes on");
                    if gap.run == begin.run {
                        self.owe(Owed::Gap(RecordingGap { end_pts: Some(begin.first_pts), ..gap }));
                    }
                }
                self.lane.phase(Phase::Recording);
            }
            Err(reason) => {
                self.lane.window().missed(begin.number);
                let Begin { run, first_pts, began_ms, .. } = *begin;
                self.miss(Missed { run, first_pts, began_ms, reason, for_good: false });
            }
        }
    }

    /// The file, with what players need first.
    fn create(&self, begin: &Begin) -> io::Result<Open> {
        let name = OpenName { number: begin.number, run: begin.run, began_ms: begin.began_ms };
        let open_key = name.key(&self.lane.stream);
        let init = &begin.init;
        let file = self.with_room(|| self.shared.files.create(&open_key))?;
        let mut first = true;
        let written = self.with_room(|| {
            if !std::mem::take(&mut first) {
                self.shared.files.cut(&open_key, 0)?;
            }
            file.append(&init.bytes)
        });
        if let Err(error) = written {
            self.remove(&open_key);
            return Err(error);
        }
        let record = SegmentRecord {
            stream: self.lane.stream.clone(),
            number: begin.number,
            run: begin.run,
            time_base: begin.time_base,
            first_pts: begin.first_pts,
            end_pts: begin.first_pts,
            keyframe: begin.keyframe,
            began_ms: begin.began_ms,
            ended_ms: begin.began_ms,
            init: init.name.clone(),
            init_bytes: init.bytes.len() as u32,
            bytes: init.bytes.len() as u64,
            location: location(&self.lane.stream, begin.run, begin.number),
            class: SegmentClass::Other,
        };
        let grown = Grown { key: open_key, file, named: Arc::default() };
        Ok(Open { grown, record, parts: 0 })
    }

    fn part(&mut self, part: &Part) {
        let Some(open) = &self.open else { return };
        let mut first = true;
        let written = self.with_room(|| {
            if !std::mem::take(&mut first) {
                // What there was room for is half a part.
                self.shared.files.cut(&open.grown.key, open.record.bytes)?;
            }
            open.grown.file.append(&part.bytes)
        });
        match (written, &mut self.open) {
            (Ok(()), Some(open)) => {
                open.record.bytes += part.bytes.len() as u64;
                open.record.first_pts = open.record.first_pts.min(part.first_pts);
                open.record.end_pts = open.record.end_pts.max(part.end_pts);
                open.record.ended_ms = open.record.ended_ms.max(part.arrived_ms);
                open.parts += 1;
                self.shared.syncing.grew(&open.grown);
                let mut state = self.lane.state();
                state.parts += 1;
                state.bytes += part.bytes.len() as u64;
            }
            (Err(error), _) => self.fail(part, &error),
            (Ok(()), None) => {}
        }
    }

    /// A part could not be written: what was before it stays.
    fn fail(&mut self, part: &Part, error: &io::Error) {
        let Some(open) = self.open.take() else { return };
        let (run, number) = (open.record.run, open.record.number);
        self.lane.window().missed(number);
        if self.shared.files.cut(&open.grown.key, open.record.bytes).is_ok() {
            self.open = Some(open);
            self.end();
        } else {
            self.put_off(open);
        }
        let reason = said("written", error);
        let (first_pts, began_ms) = (part.first_pts, part.arrived_ms);
        self.miss(Missed { run, first_pts, began_ms, reason, for_good: false });
    }

    /// Seals the segment that is open.
    fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.parts == 0 {
            return self.remove(&open.grown.key);
        }
        let linked = open.grown.file.sync().and_then(|()| {
            // Else a power cut could leave an object that has neither a row nor an open name.
            open.grown.name(&*self.shared.files)?;
            let object = key(&open.record.location).ok_or(io::ErrorKind::InvalidFilename)?;
            self.shared.files.link(&open.grown.key, &object)?;
            self.shared.files.sync_folder(folder_of(&object))
        });
        match linked {
            Ok(()) => {
                self.owe(Owed::Segment(open.grown.key, open.record));
                self.settle();
            }
            Err(error) => {
                let SegmentRecord { number, run, first_pts, began_ms, .. } = open.record;
                self.put_off(open);
                self.lane.window().missed(number);
                let reason = said("sealed", &error);
                self.miss(Missed { run, first_pts, began_ms, reason, for_good: false });
            }
        }
    }

    /// To be sealed when the disk works again. Beyond a few they wait for the next start.
    fn put_off(&mut self, open: Open) {
        if open.parts == 0 {
            return self.remove(&open.grown.key);
        }
        self.late.push_back(open);
        if self.late.len() > MOST_LATE {
            self.late.pop_front();
        }
    }

    /// Writes anew what could not be sealed: after a failed sync nobody knows what of a file is durable, and another sync need not
    /// tell.
    fn seal_late(&mut self) {
        while let Some(open) = self.late.front() {
            let Some(object) = key(&open.record.location) else { break };
            let files = &self.shared.files;
            let Ok(bytes) = files.read(&open.grown.key, 0..open.record.bytes) else { break };
            if cmaf::scan(&bytes).whole as u64 != open.record.bytes {
                tracing::error!(file = open.grown.key, "is damaged, and left to the next start");
            } else if files.put(&object, &bytes).is_ok() {
                self.owed.push_back(Owed::Segment(open.grown.key.clone(), open.record.clone()));
            } else {
                break;
            }
            self.late.pop_front();
        }
    }

    /// From here on media is missing, up to the next segment that can be begun.
    fn miss(&mut self, missed: Missed) {
        let Missed { run, first_pts, began_ms, reason, for_good } = missed;
        let stream = self.lane.stream.clone();
        if self.gap.as_ref().is_none_or(|gap| gap.run != run) {
            tracing::error!(%stream, run, pts = first_pts, reason, "recording has a gap");
            self.lane.state().gaps += 1;
            let gap =
                RecordingGap { stream, run, first_pts, end_pts: None, began_ms, reason: reason.clone() };
            self.owe(Owed::Gap(gap.clone()));
            self.gap = Some(gap);
            self.settle();
        }
        self.lane.phase(if for_good { Phase::Failed(reason) } else { Phase::Paused(reason) });
    }

    fn owe(&mut self, owed: Owed) {
        self.owed.push_back(owed);
        if self.owed.len() > MOST_OWED {
            self.owed.pop_front();
        }
    }

    /// Tells the index what it is owed, as far as it takes it.
    fn settle(&mut self) {
        while let Some(owed) = self.owed.front() {
            if let Err(error) = self.tell(owed) {
                let stream = &self.lane.stream;
                tracing::error!(%stream, error = %reason(&error), "the index of the recording failed");
                if error.fault() != Fault::Caller {
                    return;
                }
            }
            self.owed.pop_front();
        }
    }

    fn tell(&self, owed: &Owed) -> Result<(), StoreError> {
        match owed {
            Owed::Gap(gap) => self.shared.runtime.block_on(self.shared.index.put_gap(gap)),
            Owed::Segment(open, record) => {
                self.shared.enter(&self.lane, record)?;
                self.remove(open);
                self.lane.window().sealed(record.number);
                self.lane.state().segments += 1;
                Ok(())
            }
        }
    }

    /// That there is more room than is to be left. Removes what may go.
    fn room(&self) -> Result<(), String> {
        let reserve = self.shared.config.reserve_bytes;
        let free = || self.shared.files.free().map_err(|error| said("looked at", &error));
        let missing = reserve.saturating_sub(free()?);
        if missing > 0 {
            self.make_room(missing);
            if free()? < reserve {
                return Err(format!(
                    "less than {reserve} bytes are free, and nothing is left that may be removed"
                ));
            }
        }
        Ok(())
    }

    /// Once more where the disk was full and something could be removed.
    fn with_room<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::StorageFull && self.make_room(ROOM) => attempt(),
            done => done,
        }
    }

    fn make_room(&self, bytes: u64) -> bool {
        match self.shared.runtime.block_on(self.shared.make_room(bytes)) {
            Ok(removed) => removed.segments > 0,
            Err(error) => {
                tracing::error!(error = %reason(&error), "no room could be made for recordings");
                false
            }
        }
    }

    fn remove(&self, open: &str) {
        if let Err(error) = self.shared.files.remove(open) {
            // It is seen again at the next start.
            tracing::warn!(file = open, %error, "could not be removed");
        }
    }
}

fn said(done: &str, error: &io::Error) -> String {
    format!("it cannot be {done}: {error}")
}

/// An error with its causes.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
