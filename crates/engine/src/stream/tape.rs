//! What a stream's source gives goes into the archive, as it comes.

use ocelli_archive::Recorder;
use ocelli_media::{AudioUnit, bitstream::Access};

use crate::choosing::Whole;

/// The recorder of one attempt.
#[derive(Debug)]
pub(super) struct Tape {
    recorder: Recorder,
    /// Ordinal of the attempt's first run.
    first_run: u32,
    audio: bool,
    /// The source waits for a slow disk.
    waits: bool,
    now_ms: fn() -> i64,
}

impl Tape {
    pub(super) fn new(recorder: Recorder, first_run: u32, audio: bool, now_ms: fn() -> i64) -> Self {
        Self { recorder, first_run, audio, waits: false, now_ms }
    }

    /// Of a source that is read as fast as it can be worked on.
    #[must_use]
    pub(super) fn waiting(self, waits: bool) -> Self {
        Self { waits, ..self }
    }

    /// Before anything can be decoded there is no run, and nothing that anybody could play.
    pub(super) fn unit(&mut self, whole: &Whole<'_>) {
        let Some((info, run)) = whole.picture else { return };
        if self.waits {
            self.recorder.wait_for_room();
        }
        let run = self.first_run.saturating_add(run);
        let keyframe = info.access != Access::None;
        self.recorder.unit(run, whole.unit, keyframe, info.reorder_depth, (self.now_ms)());
    }

    pub(super) fn sound(&mut self, unit: AudioUnit) {
        if self.audio {
            self.recorder.audio(unit);
        }
    }

    /// See [`Recorder::rest`].
    pub(super) fn rest(&self) -> i64 {
        self.recorder.rest()
    }

    pub(super) fn end_run(&mut self) {
        self.recorder.end_run();
    }
}
