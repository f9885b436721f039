//! Where the frames of all inputs go: lines, the annotated video, the table.

use std::{io::Stdout, time::Duration};

use anyhow::Result;
use ocelli_engine::{FrameTold, Report, Told, draw_detections};
use ocelli_model::AnalyzerVersion;
use ocelli_sinks::{FrameRecord, JsonLines, JsonLinesError, Outcome, Timing};

use super::{super::exports::Exports, annotate::Annotated, summary::Summary};

/// Who looked.
#[derive(Clone, Debug)]
pub(crate) struct ModelName {
    /// Id in the catalogue.
    pub(crate) id: String,
    /// Hash of everything that can change a result.
    pub(crate) version: AnalyzerVersion,
}

/// Shared by all inputs of one call.
#[derive(Debug)]
pub(super) struct Outputs {
    models: Vec<ModelName>,
    lines: JsonLines<Stdout>,
    annotated: Option<Annotated>,
    exports: Exports,
    summary: Summary,
}

/// Why results could not be handed on.
#[derive(Debug)]
pub(super) enum Handed {
    Lines(JsonLinesError),
    /// The annotated video, or an export.
    File(anyhow::Error),
}

impl Outputs {
    pub(super) fn new(models: Vec<ModelName>, annotated: Option<Annotated>, exports: Exports) -> Self {
        let lines = JsonLines::new(std::io::stdout());
        Self { models, lines, annotated, exports, summary: Summary::default() }
    }

    pub(super) fn annotated(&mut self) -> Option<&mut Annotated> {
        self.annotated.as_mut()
    }

    /// One frame: a line per model, its place in the summary, its picture in the annotated video.
    pub(super) fn hand_on(&mut self, (index, input): (usize, &str), frame: FrameTold) -> Result<(), Handed> {
        let FrameTold { place, told, mut picture } = frame;
        for (model, told) in self.models.iter().zip(&told) {
            let outcome = match told {
                Told::Seen { result, tracks } => {
                    let sequence = (index as u64, place.run);
                    self.summary.frame(&model.id, sequence, &result.detections, tracks);
                    if let Some(picture) = &mut picture {
                        draw_detections(picture, &result.detections, tracks);
                    }
                    Outcome::Analysed {
                        width: result.width,
                        height: result.height,
                        detections: &result.detections,
                        tracks,
                        timing: Timing { analyze: result.took },
                    }
                }
                Told::Failed { reason } => Outcome::Failed { reason },
                Told::Settled(_) => continue,
            };
            let record = FrameRecord {
                input,
                run: u64::from(place.run),
                pts: place.pts,
                time_base: place.time_base,
                slot: place.slot,
                model: &model.id,
                analyzer_version: &model.version,
                outcome,
            };
            self.lines.write(&record).map_err(Handed::Lines)?;
            self.exports.write(&record).map_err(Handed::File)?;
        }
        if let (Some(video), Some(picture)) = (&mut self.annotated, &picture) {
            video.write(place, picture).map_err(Handed::File)?;
        }
        Ok(())
    }

    pub(super) fn input_ended(&mut self, report: &Report, media_seconds: f64, took: Duration) {
        self.summary.input(report, media_seconds, took);
    }

    /// Ends what is open. Errors say what is missing of the outputs.
    pub(super) fn finish(mut self, summary: bool) -> Result<Vec<anyhow::Error>> {
        let failed = self.annotated.take().and_then(|annotated| annotated.finish().err());
        let failed = failed.into_iter().chain(self.exports.finish()).collect();
        if summary {
            self.summary.print(&mut std::io::stderr().lock())?;
        }
        Ok(failed)
    }
}
