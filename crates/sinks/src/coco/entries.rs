//! The JSON objects of a COCO file.

use ocelli_model::{AnalyzerVersion, TimeBase, TrackId};
use serde::Serialize;

use crate::{
    FrameRecord,
    frame_record::Analysed,
    seen::{Seen, rounded},
};

#[derive(Debug, Serialize)]
pub(super) struct Image<'a> {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
    input: &'a str,
    run: u64,
    pts: i64,
    time_base: TimeBase,
    seconds: f64,
    slot: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Annotation<'a> {
    id: u64,
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    /// Boxes have no outline; readers want the key.
    segmentation: [f64; 0],
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<TrackId>,
    model: &'a str,
    analyzer_version: &'a AnalyzerVersion,
}

#[derive(Debug, Serialize)]
pub(super) struct Category<'a> {
    pub(super) id: u64,
    pub(super) name: &'a str,
}

impl<'a> Image<'a> {
    pub(super) fn of(id: u64, frame: &FrameRecord<'a>, analysed: &Analysed<'_>) -> Self {
        let FrameRecord { input, run, pts, time_base, slot, .. } = *frame;
        Self {
            id,
            file_name: format!("{input}#run={run},pts={pts}"),
            width: analysed.width,
            height: analysed.height,
            input,
            run,
            pts,
            time_base,
            seconds: rounded(time_base.seconds(pts), 6),
            slot,
        }
    }
}

impl<'a> Annotation<'a> {
    pub(super) fn of(
        id: u64,
        image_id: u64,
        category_id: u64,
        frame: &FrameRecord<'a>,
        seen: &Seen<'_>,
    ) -> Self {
        let at = seen.pixels;
        Self {
            id,
            image_id,
            category_id,
            bbox: [at.x, at.y, at.width, at.height],
            area: rounded(at.width * at.height, 2),
            iscrowd: 0,
            segmentation: [],
            score: seen.confidence,
            track_id: seen.track,
            model: frame.model,
            analyzer_version: frame.analyzer_version,
        }
    }
}
