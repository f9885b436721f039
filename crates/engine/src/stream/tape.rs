//! What a stream's source gives goes into the archive: as it comes, or, where browsers would not play it, as H.264 and AAC.

mod pictures;
mod sounds;

use std::error::Error;

use ocelli_archive::Recorder;
use ocelli_media::AudioUnit;

use self::{pictures::Pictures, sounds::Sounds};
use crate::{choosing::Whole, reason::reason};

/// The recorder of one attempt.
#[derive(Debug)]
pub(super) struct Tape {
    recorder: Recorder,
    /// Ordinal of the attempt's first run.
    first_run: u32,
    /// Of the run that goes on, once it has begun.
    run: Option<u32>,
    pictures: Pictures,
    /// `None` where sound is not recorded.
    sounds: Option<Sounds>,
    /// The source waits for a slow disk.
    waits: bool,
    now_ms: fn() -> i64,
}

impl Tape {
    pub(super) fn new(recorder: Recorder, first_run: u32, audio: bool, now_ms: fn() -> i64) -> Self {
        let (pictures, sounds) = (Pictures::default(), audio.then(Sounds::default));
        Self { recorder, first_run, run: None, pictures, sounds, waits: false, now_ms }
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
        if self.run != Some(run) {
            self.finish();
        }
        self.run = Some(run);
        self.pictures.take(whole.unit, &info, (run, (self.now_ms)()), &mut self.recorder);
    }

    pub(super) fn sound(&mut self, unit: AudioUnit) {
        if let Some(sounds) = &mut self.sounds {
            sounds.take(unit, &mut self.recorder);
        }
    }

    /// See [`Recorder::rest`].
    pub(super) fn rest(&self) -> i64 {
        self.recorder.rest()
    }

    pub(super) fn end_run(&mut self) {
        self.finish();
        self.recorder.end_run();
    }

    /// What was heard and seen of a run belongs to it, however late it is encoded.
    fn finish(&mut self) {
        if let Some(run) = self.run.take() {
            self.pictures.end((run, (self.now_ms)()), &mut self.recorder);
        }
        if let Some(sounds) = &mut self.sounds {
            sounds.end(&mut self.recorder);
        }
    }
}

/// Says once in an attempt that something is left out: it may be all that comes. The recorder counts.
fn tell_once(told: &mut bool, what: &str, why: &dyn Error) {
    if !std::mem::replace(told, true) {
        tracing::warn!(reason = reason(why), "{what} left out of the recording where they cannot be used");
    }
}
