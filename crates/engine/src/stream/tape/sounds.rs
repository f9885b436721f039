//! Sound on its way to the recorder.

use std::sync::Arc;

use ocelli_archive::Recorder;
use ocelli_media::{AudioCodec, AudioUnit, libav::AudioTranscoder};

use super::tell_once;

/// AAC and Opus as they came, everything else as AAC.
#[derive(Debug, Default)]
pub(super) struct Sounds {
    transcoder: AudioTranscoder,
    told: bool,
}

impl Sounds {
    pub(super) fn take(&mut self, unit: AudioUnit, recorder: &mut Recorder) {
        let parameters = Arc::clone(&unit.parameters);
        match (self.transcoder.push(unit), &parameters.codec) {
            (Ok(()), AudioCodec::Other(codec)) => recorder.encoded(codec),
            (Ok(()), _) => {}
            (Err(why), _) => {
                recorder.leave_out_audio();
                tell_once(&mut self.told, "blocks of sound are", &why);
            }
        }
        if let Some(parameters) = self.transcoder.parameters() {
            recorder.expect_audio(parameters);
        }
        self.hand_on(recorder);
    }

    pub(super) fn end(&mut self, recorder: &mut Recorder) {
        self.transcoder.end();
        self.hand_on(recorder);
    }

    fn hand_on(&mut self, recorder: &mut Recorder) {
        while let Some(unit) = self.transcoder.next_unit() {
            recorder.audio(unit);
        }
    }
}
