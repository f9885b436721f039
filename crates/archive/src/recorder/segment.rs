//! The segment that grows, and how others are told of it.

use std::sync::Arc;

use ocelli_media::{AudioParameters, CodecParameters};

use crate::{
    lane::Begin,
    live::{Init, LiveSegment},
    run::Pictures,
};

/// The segment that grows.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) began_ms: i64,
    /// How far the wall clock was set then. Within a segment wall time goes on as it began, whatever is set.
    pub(super) set_ms: i64,
    pub(super) keyframe: bool,
    /// Since its first part.
    pub(super) shown: Option<Shown>,
}

#[derive(Debug)]
pub(super) struct Shown {
    pub(super) sound: Option<Arc<AudioParameters>>,
    pub(super) first_pts: i64,
    pub(super) end_pts: i64,
    pub(super) ticks: i64,
    /// It goes to the disk.
    pub(super) kept: bool,
}

/// As players see it, before its first part.
pub(super) fn live_segment(
    number: u64,
    run: u32,
    segment: &Segment,
    pictures: &Pictures,
    video: &CodecParameters,
    init: &Arc<Init>,
) -> LiveSegment {
    LiveSegment {
        number,
        run,
        discontinuity: 0,
        time_base: video.time_base,
        first_pts: pictures.first_pts,
        end_pts: pictures.end_pts,
        stated: 0,
        began_ms: segment.began_ms,
        keyframe: segment.keyframe,
        init: Arc::clone(init),
        parts: Vec::new(),
        sealed: false,
    }
}

/// As the disk is told of it.
pub(super) fn begin(
    run: u32,
    segment: &Segment,
    pictures: &Pictures,
    video: &CodecParameters,
    init: Arc<Init>,
) -> Begin {
    Begin {
        number: segment.number,
        run,
        time_base: video.time_base,
        began_ms: segment.began_ms,
        set_ms: segment.set_ms,
        first_pts: pictures.first_pts,
        keyframe: segment.keyframe,
        init,
    }
}
