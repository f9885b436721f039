//! Pictures on their way to the recorder.

use ocelli_archive::Recorder;
use ocelli_media::{
    AccessUnit,
    bitstream::{Access, PictureInfo},
    libav::{EncodeError, VideoTranscodeError, VideoTranscoder},
};

use super::tell_once;

/// What can be recorded as it came, everything else as H.264.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    transcoder: VideoTranscoder,
    told: bool,
}

impl Pictures {
    /// `at`: ordinal of the run, and wall time.
    pub(super) fn take(
        &mut self,
        unit: &AccessUnit,
        info: &PictureInfo,
        at: (u32, i64),
        recorder: &mut Recorder,
    ) {
        let codec = &unit.parameters.codec;
        if !VideoTranscoder::is_for(codec) {
            return record(unit, info, at, recorder);
        }
        match self.transcoder.push(unit) {
            Ok(()) => recorder.encoded(codec.name()),
            // As it came: the recorder says what it cannot hold.
            Err(VideoTranscodeError::Encode(EncodeError::NoEncoder)) => record(unit, info, at, recorder),
            Err(why) => {
                recorder.leave_out();
                tell_once(&mut self.told, "pictures are", &why);
            }
        }
        self.hand_on(at, recorder);
    }

    pub(super) fn end(&mut self, at: (u32, i64), recorder: &mut Recorder) {
        if let Err(why) = self.transcoder.end() {
            recorder.leave_out();
            tell_once(&mut self.told, "pictures are", &why);
        }
        self.hand_on(at, recorder);
    }

    fn hand_on(&mut self, (run, arrived_ms): (u32, i64), recorder: &mut Recorder) {
        while let Some(unit) = self.transcoder.next_unit() {
            // In the order in which they are shown.
            recorder.unit(run, &unit, unit.container_keyframe, 0, arrived_ms);
        }
    }
}

fn record(unit: &AccessUnit, info: &PictureInfo, (run, arrived_ms): (u32, i64), recorder: &mut Recorder) {
    recorder.unit(run, unit, info.access != Access::None, info.reorder_depth, arrived_ms);
}
