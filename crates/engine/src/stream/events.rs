//! Where something was seen: pieces of the recording that hold it stay longer.

use ocelli_archive::Archive;
use ocelli_model::{Detection, StreamId};
use ocelli_store::{
    AnalyzerRecord, DetectionQuery, RunFilter, RunId, SegmentClass, SegmentQuery, SegmentRecord, SourceKind,
};

use super::{EventSpec, StreamError, fleet::Shared};
use crate::{FrameTold, Told, reason::reason};

/// Tells the archive of what is durable.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) archive: Archive,
    pub(super) stream: StreamId,
    pub(super) spec: EventSpec,
    /// Ids, in the order of the pass.
    pub(super) models: Vec<String>,
    /// The archive could not be told of the last one.
    pub(super) troubled: bool,
}

impl Events {
    /// A frame. Results do not depend on it: what cannot be marked is told once, and the stream goes on.
    pub(super) fn take(&mut self, frame: &FrameTold) {
        let seen = self.models.iter().zip(&frame.told).any(|(model, told)| match told {
            Told::Seen { result, .. } => self.spec.is_event(model, &result.detections),
            Told::Failed { .. } | Told::Settled(_) => false,
        });
        if !seen {
            return;
        }
        let told = self.archive.saw(&self.stream, frame.place.run, frame.place.pts);
        if let (Err(error), false) = (&told, self.troubled) {
            tracing::warn!(error = %reason(error), "what was seen cannot be marked in the recording");
        }
        self.troubled = told.is_err();
    }
}

impl EventSpec {
    fn counts_model(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|counted| counted == model))
    }

    /// Whether a result makes an event of its moment.
    fn is_event(&self, model: &str, detections: &[Detection]) -> bool {
        let counts = |detection: &Detection| {
            self.labels.as_ref().is_none_or(|labels| labels.iter().any(|label| **label == *detection.label))
        };
        self.counts_model(model) && detections.iter().any(counts)
    }
}

/// Segments that an earlier process left open have lost what was seen in them; results have not.
pub(super) async fn recall(shared: &Shared, stream: &StreamId, spec: &EventSpec) -> Result<(), StreamError> {
    let Some(archive) = &shared.archive else { return Ok(()) };
    for recovered in archive.recovered().iter().filter(|found| found.stream == *stream && found.parts > 0) {
        let numbers = recovered.number..recovered.number + 1;
        let of_stream = Some(stream.clone());
        let query = SegmentQuery {
            stream: of_stream,
            numbers: Some(numbers.clone()),
            limit: 1,
            ..SegmentQuery::default()
        };
        let found = archive.index().segments(&query).await?.pop();
        if let Some(segment) = found
            && was_seen(shared, spec, &segment).await?
        {
            archive.index().classify(stream, numbers, SegmentClass::Event, false).await?;
        }
    }
    Ok(())
}

async fn was_seen(shared: &Shared, spec: &EventSpec, segment: &SegmentRecord) -> Result<bool, StreamError> {
    let results = &shared.kept.results;
    let filter = RunFilter { source_key: Some(segment.stream.to_string()), ..RunFilter::default() };
    let runs = results.runs(&filter).await?;
    let run = runs
        .iter()
        .find(|run| run.source.source.kind == SourceKind::Stream && run.run.ordinal == segment.run);
    let Some(run) = run.map(|run| run.id) else { return Ok(false) };
    let labels = match &spec.labels {
        None => vec![None],
        Some(labels) => labels.iter().cloned().map(Some).collect(),
    };
    for analyzer in results.analyzers().await?.iter().filter(|one| spec.counts_model(&one.analyzer.model)) {
        for label in &labels {
            let query = detections(run, analyzer, label.clone(), segment);
            if !results.detections(&query).await?.rows.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// One is enough.
fn detections(
    run: RunId,
    analyzer: &AnalyzerRecord,
    label: Option<String>,
    segment: &SegmentRecord,
) -> DetectionQuery {
    let (from, to) = (segment.first_pts, segment.end_pts);
    DetectionQuery { run, analyzer: analyzer.id, label, confidence: 0.0, from, to, after: None, limit: 1 }
}
