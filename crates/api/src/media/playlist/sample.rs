//! Windows to test with: a stream at 90 kHz that began far from zero, parts of 200 ms.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_archive::{Init, LivePart, LiveSegment, LiveWindow};
use ocelli_model::TimeBase;

pub(in crate::media) const PART_TICKS: i64 = 18_000;
/// PTS of the first picture of each run.
pub(in crate::media) const FIRST_PTS: i64 = 90_126_000;

pub(in crate::media) fn init(name: char) -> Arc<Init> {
    Arc::new(Init {
        name: name.to_string().repeat(16),
        bytes: Bytes::from(format!("init {name}")),
        codecs: "avc1.64001f,mp4a.40.2".to_owned(),
        width: 1280,
        height: 720,
    })
}

/// A segment of `parts` parts, the first of which is a keyframe. Its media begins `at` parts after that of its run.
pub(in crate::media) fn segment(number: u64, run: u32, at: i64, parts: i64) -> LiveSegment {
    let first_pts = FIRST_PTS + at * PART_TICKS;
    let part = |place: i64| LivePart {
        bytes: Bytes::from(format!("<{number}.{place}>")),
        first_pts: first_pts + place * PART_TICKS,
        ticks: PART_TICKS,
        stated: PART_TICKS,
        keyframe: place == 0,
    };
    LiveSegment {
        number,
        run,
        discontinuity: run.into(),
        time_base: TimeBase::new(1, 90_000).unwrap(),
        first_pts,
        end_pts: first_pts + parts * PART_TICKS,
        stated: parts * PART_TICKS,
        began_ms: 1_795_965_053_000 + number as i64 * 2_000,
        keyframe: true,
        init: init('a'),
        parts: (0..parts).map(part).collect(),
        sealed: true,
    }
}

/// `count` sealed segments of 2 s from number 10 on, then one that has grown to `growing` parts.
pub(in crate::media) fn window(count: u64, growing: i64) -> LiveWindow {
    let mut segments: Vec<_> =
        (0..count).map(|place| segment(10 + place, 0, place as i64 * 10, 10)).collect();
    let open = segment(10 + count, 0, count as i64 * 10, growing);
    segments.push(LiveSegment { sealed: false, ..open });
    LiveWindow {
        segments: segments.into_iter().map(Arc::new).collect(),
        target_seconds: 2,
        part_target_ms: 200,
        ended: false,
        waiting: false,
        paused: None,
        encoded: Vec::new(),
    }
}

/// The window with one of its segments changed.
pub(in crate::media) fn with(
    mut window: LiveWindow,
    place: usize,
    change: impl FnOnce(&mut LiveSegment),
) -> LiveWindow {
    let mut segment = LiveSegment::clone(&window.segments[place]);
    change(&mut segment);
    window.segments[place] = Arc::new(segment);
    window
}
