//! Tracks as text of the MOT challenge, what `motmetrics` and the challenge's own tools read.

#[cfg(test)]
mod tests;

use std::io::Write;

use ocelli_model::{AnalyzerVersion, Verdict};

use crate::{ExportError, FrameRecord, output::Output};

/// Writes one line per detection, ten fields, comma-separated:
/// `frame,id,left,top,width,height,confidence,-1,-1,-1`.
///
/// `frame` counts from 1: slot + 1 where frames fill slots, so that a slot without a picture leaves a hole; where every
/// picture is due, the frames written to this file are counted, failed ones included. `id` is the track, -1 for a
/// detection of none. Pixels of the displayed picture, whose top left one is (1, 1) as the challenge defines it: `left`
/// and `top` are one more than `box_px` of JSON Lines says (`motmetrics.io.loadtxt` takes it off again). One decimal of
/// pixels, four of confidences. The format has no place for classes. Frames without detections have no line, and a
/// sequence without any is an empty file.
///
/// One sequence per file: frames of another input, run, model, analyzer version or of none where there were slots are
/// refused with [`ExportError::OtherSequence`].
#[derive(Debug)]
pub struct MotWriter<W> {
    output: Output<W>,
    lines: Vec<u8>,
    sequence: Option<Sequence>,
    /// Frames so far.
    frames: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sequence {
    input: String,
    run: u64,
    model: String,
    version: AnalyzerVersion,
    slots: bool,
}

impl Sequence {
    fn of(frame: &FrameRecord<'_>) -> Self {
        Self {
            input: frame.input.to_owned(),
            run: frame.run,
            model: frame.model.to_owned(),
            version: frame.analyzer_version.clone(),
            slots: frame.slot.is_some(),
        }
    }

    fn holds(&self, frame: &FrameRecord<'_>) -> bool {
        (&*self.input, self.run, &*self.model, &self.version, self.slots)
            == (frame.input, frame.run, frame.model, frame.analyzer_version, frame.slot.is_some())
    }

    fn name(&self) -> String {
        let Self { input, run, model, version, slots } = self;
        let counted = if *slots { "slots" } else { "every picture" };
        format!("{input}, run {run}, {model} {version}, {counted}")
    }
}

impl<W: Write> MotWriter<W> {
    /// Writes to `output` as it is; buffering is not needed.
    pub fn new(output: W) -> Self {
        Self { output: Output::new(output), lines: Vec::new(), sequence: None, frames: 0 }
    }

    /// Writes one frame and gives its verdict: one with a number that is not finite is *failed*, and nothing of it is
    /// written.
    pub fn write(&mut self, frame: &FrameRecord<'_>) -> Result<Verdict, ExportError> {
        self.output.check()?;
        let sequence = self.sequence.get_or_insert_with(|| Sequence::of(frame));
        if !sequence.holds(frame) {
            let (first, second) = (sequence.name(), Sequence::of(frame).name());
            return Err(ExportError::OtherSequence { first, second });
        }
        let number = match frame.slot {
            Some(slot) => {
                let number = u64::try_from(slot).ok().and_then(|slot| slot.checked_add(1));
                number.ok_or(ExportError::NoFrameNumber { slot })?
            }
            None => self.frames + 1,
        };
        self.frames += 1;
        let Ok(analysed) = frame.analysed() else { return Ok(Verdict::Failed) };
        self.lines.clear();
        for seen in &analysed.seen {
            let (at, confidence) = (seen.pixels, seen.confidence);
            let id = seen.track.map_or_else(|| "-1".to_owned(), |track| track.to_string());
            let (left, top) = (at.x + 1.0, at.y + 1.0);
            let (width, height) = (at.width, at.height);
            writeln!(
                self.lines,
                "{number},{id},{left:.1},{top:.1},{width:.1},{height:.1},{confidence:.4},-1,-1,-1"
            )
            .expect("into memory");
        }
        self.output.write(&self.lines)?;
        Ok(Verdict::Analysed)
    }

    /// Ends the file and gives the output back, flushed.
    pub fn finish(mut self) -> Result<W, ExportError> {
        self.output.flush()?;
        Ok(self.output.into_inner())
    }
}
