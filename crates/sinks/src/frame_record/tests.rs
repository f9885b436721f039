//! Frames to write, for the tests of every writer.

use std::{io::ErrorKind, sync::Arc};

use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, TrackId, Verdict, VersionBuilder};

use crate::{ExportError, FrameRecord, Outcome, Timing, output::tests::Narrow};

pub(crate) fn version() -> AnalyzerVersion {
    VersionBuilder::default().build()
}

pub(crate) fn detection(label: &str, confidence: f32, x: f32) -> Detection {
    let bbox = BoundingBox { x, y: 0.5, width: 0.1, height: 0.333_333_34 };
    Detection { label: Arc::from(label), confidence, bbox }
}

/// A frame of `clip.mp4` at one tick of 1/25 s per slot, 641 by 360 pixels.
pub(crate) fn frame<'a>(
    version: &'a AnalyzerVersion,
    slot: i64,
    detections: &'a [Detection],
    tracks: &'a [Option<TrackId>],
) -> FrameRecord<'a> {
    let timing = Timing::default();
    FrameRecord {
        input: "clip.mp4",
        run: 0,
        pts: slot,
        time_base: TimeBase::new(1, 25).unwrap(),
        slot: Some(slot),
        model: "yolo",
        analyzer_version: version,
        outcome: Outcome::Analysed { width: 641, height: 360, detections, tracks, timing },
    }
}

pub(crate) fn failed(version: &AnalyzerVersion, slot: i64) -> FrameRecord<'_> {
    FrameRecord { outcome: Outcome::Failed { reason: "damaged" }, ..frame(version, slot, &[], &[]) }
}

/// What every export does alike: frames with odd numbers leave nothing, and a failure stays one.
pub(crate) fn check_export<T>(
    new: impl Fn(Narrow) -> T,
    write: impl Fn(&mut T, &FrameRecord<'_>) -> Result<Verdict, ExportError>,
    finish: impl Fn(T) -> Result<Narrow, ExportError>,
) {
    let version = version();
    let roomy = || new(Narrow::new(1 << 20, ErrorKind::StorageFull));
    let untouched = finish(roomy()).unwrap();
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for bad in [detection("car", odd, 0.1), detection("car", 0.5, odd)] {
            let mut export = roomy();
            let detections = [detection("car", 0.5, 0.1), bad];
            let verdict = write(&mut export, &frame(&version, 3, &detections, &[])).unwrap();
            assert_eq!(verdict, Verdict::Failed);
            assert_eq!(write(&mut export, &failed(&version, 4)).unwrap(), Verdict::Failed);
            let text = |narrow: &Narrow| String::from_utf8(narrow.taken.clone()).unwrap();
            assert_eq!(text(&finish(export).unwrap()), text(&untouched));
        }
    }
    let detections = [detection("car", 0.5, 0.1)];
    for (kind, first, later) in
        [(ErrorKind::StorageFull, "write", "broken"), (ErrorKind::BrokenPipe, "closed", "closed")]
    {
        let mut export = new(Narrow::new(700, kind));
        let words: Vec<_> = (0..40)
            .filter_map(|slot| write(&mut export, &frame(&version, slot, &detections, &[])).err())
            .map(|error| word(&error))
            .collect();
        assert_eq!(words[0], first);
        assert!(words.len() > 2 && words[1..].iter().all(|word| *word == later), "{words:?}");
        assert_eq!(word(&finish(export).unwrap_err()), later);
    }
}

fn word(error: &ExportError) -> &'static str {
    match error {
        ExportError::Closed => "closed",
        ExportError::Write(_) => "write",
        ExportError::Broken => "broken",
        _ => "other",
    }
}

/// Everything that is written into a `Vec` by frames that all are fine.
pub(crate) fn written<T>(
    export: T,
    frames: &[FrameRecord<'_>],
    write: impl Fn(&mut T, &FrameRecord<'_>) -> Result<Verdict, ExportError>,
    finish: impl Fn(T) -> Result<Vec<u8>, ExportError>,
) -> String {
    let mut export = export;
    for frame in frames {
        let expected =
            if matches!(frame.outcome, Outcome::Failed { .. }) { Verdict::Failed } else { Verdict::Analysed };
        assert_eq!(write(&mut export, frame).unwrap(), expected);
    }
    String::from_utf8(finish(export).unwrap()).unwrap()
}
