//! Detections as a table, for spreadsheets and data frames.

#[cfg(test)]
mod tests;

use std::io::Write;

use ::csv::{Terminator, Writer, WriterBuilder};
use ocelli_model::Verdict;

use crate::{
    ExportError, FrameRecord,
    frame_record::Analysed,
    output::Output,
    seen::{Rectangle, Seen, rounded},
};

/// What spreadsheets take for the beginning of a formula, in the full-width forms of East Asian keyboards too; and the
/// apostrophe itself, so that what stands for what can be told.
const FORMULA: &[char] =
    &['=', '+', '-', '@', '\t', '\r', '\n', '\'', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

const COLUMNS: [&str; 23] = [
    "input",
    "run",
    "pts",
    "time_base_num",
    "time_base_den",
    "seconds",
    "slot",
    "model",
    "analyzer_version",
    "width",
    "height",
    "label",
    "confidence",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "box_px_x",
    "box_px_y",
    "box_px_width",
    "box_px_height",
    "track",
    "detection",
];

/// Writes a header and one row per detection: RFC 4180 with CRLF, UTF-8 without a byte order mark.
///
/// Columns: `input`, `run`, `pts`, `time_base_num`, `time_base_den` (seconds per tick; two columns, for spreadsheets
/// read `1/25` as a date), `seconds`, `slot` (empty where every picture is due), `model`, `analyzer_version`, `width`,
/// `height` (of the displayed picture in pixels), `label`, `confidence`, `box_x` to `box_height` (fractions of the
/// picture), `box_px_x` to `box_px_height` (pixels), `track` (empty for a detection of none), `detection` (its place
/// within the frame, from 1). Numbers are those of JSON Lines, never in exponential form. Frames without detections,
/// and failed ones, have no row.
///
/// The cells `input`, `model` and `label` are others' text, and a spreadsheet would run `=…` as a formula. Where one
/// begins with `=`, `+`, `-`, `@` (or the full-width form of these), a tab, a line break or an apostrophe, an
/// apostrophe stands before it. So a program takes off one leading apostrophe and has the text as it was.
#[derive(Debug)]
pub struct CsvWriter<W> {
    output: Output<W>,
    header_written: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes to `output` as it is; buffering is not needed.
    pub fn new(output: W) -> Self {
        Self { output: Output::new(output), header_written: false }
    }

    /// Writes one frame and gives its verdict: one with a number that is not finite is *failed*, and nothing of it is
    /// written.
    pub fn write(&mut self, frame: &FrameRecord<'_>) -> Result<Verdict, ExportError> {
        self.output.check()?;
        let Ok(analysed) = frame.analysed() else { return Ok(Verdict::Failed) };
        let mut rows = self.rows();
        for (index, seen) in analysed.seen.iter().enumerate() {
            let row = row(frame, &analysed, index + 1, seen);
            rows.write_record(row).expect("rows of one length, into memory");
        }
        self.output.write(&rows.into_inner().expect("into memory"))?;
        self.header_written = true;
        Ok(Verdict::Analysed)
    }

    /// Ends the file and gives the output back, flushed. A file without rows has its header.
    pub fn finish(mut self) -> Result<W, ExportError> {
        let rows = self.rows();
        self.output.write(&rows.into_inner().expect("into memory"))?;
        self.output.flush()?;
        Ok(self.output.into_inner())
    }

    /// The next rows, after the header where it is still missing.
    fn rows(&self) -> Writer<Vec<u8>> {
        let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        if !self.header_written {
            rows.write_record(COLUMNS).expect("into memory");
        }
        rows
    }
}

fn row(
    frame: &FrameRecord<'_>,
    analysed: &Analysed<'_>,
    index: usize,
    seen: &Seen<'_>,
) -> [String; COLUMNS.len()] {
    let [x, y, width, height] = figures(seen.fractions);
    let [x_px, y_px, width_px, height_px] = figures(seen.pixels);
    [
        text(frame.input),
        frame.run.to_string(),
        frame.pts.to_string(),
        frame.time_base.num().to_string(),
        frame.time_base.den().to_string(),
        rounded(frame.time_base.seconds(frame.pts), 6).to_string(),
        frame.slot.map(|slot| slot.to_string()).unwrap_or_default(),
        text(frame.model),
        frame.analyzer_version.to_string(),
        analysed.width.to_string(),
        analysed.height.to_string(),
        text(seen.label),
        seen.confidence.to_string(),
        x,
        y,
        width,
        height,
        x_px,
        y_px,
        width_px,
        height_px,
        seen.track.map(|track| track.to_string()).unwrap_or_default(),
        index.to_string(),
    ]
}

fn figures(rectangle: Rectangle) -> [String; 4] {
    let Rectangle { x, y, width, height } = rectangle;
    [x, y, width, height].map(|figure| figure.to_string())
}

fn text(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}
