//! Exports into a real full disk and a real closed pipe.

use std::{
    error::Error as _,
    fs::File,
    io::{self, ErrorKind, Write},
    path::Path,
    sync::Arc,
};

use ocelli_model::{BoundingBox, Detection, TimeBase, VersionBuilder};
use ocelli_sinks::{CocoWriter, CsvWriter, ExportError, FrameRecord, MotWriter, Outcome, Timing};

/// One frame through each writer.
fn errors<W: Write>(output: impl Fn() -> W) -> Vec<ExportError> {
    let analyzer_version = &VersionBuilder::default().build();
    let bbox = BoundingBox { x: 0.1, y: 0.1, width: 0.5, height: 0.5 };
    let detections = &[Detection { label: Arc::from("car"), confidence: 0.5, bbox }];
    let timing = Timing::default();
    let frame = FrameRecord {
        input: "clip.mp4",
        run: 0,
        pts: 0,
        time_base: TimeBase::SECOND,
        slot: None,
        model: "yolo",
        analyzer_version,
        outcome: Outcome::Analysed { width: 64, height: 64, detections, tracks: &[], timing },
    };
    let home = tempfile::tempdir().unwrap();
    let mut coco = CocoWriter::new(output(), home.path()).unwrap();
    vec![
        coco.write(&frame).unwrap_err(),
        MotWriter::new(output()).write(&frame).unwrap_err(),
        CsvWriter::new(output()).write(&frame).unwrap_err(),
    ]
}

#[test]
fn a_full_disk_is_an_error_with_its_cause() {
    for error in errors(|| File::options().write(true).open("/dev/full").unwrap()) {
        assert!(matches!(&error, ExportError::Write(cause) if cause.kind() == ErrorKind::StorageFull));
        assert!(error.source().is_some());
    }
}

#[test]
fn a_reader_that_has_gone_is_told_apart() {
    for error in errors(|| io::pipe().unwrap().1) {
        assert!(matches!(error, ExportError::Closed), "{error}");
    }
}

#[test]
fn images_without_a_folder_are_an_error_at_once() {
    let error = CocoWriter::new(Vec::new(), Path::new("/nowhere")).unwrap_err();
    assert!(matches!(&error, ExportError::Images(cause) if cause.kind() == ErrorKind::NotFound), "{error}");
}

#[test]
fn the_list_of_images_leaves_no_name_behind() {
    let home = tempfile::tempdir().unwrap();
    let coco = CocoWriter::new(Vec::new(), home.path()).unwrap();
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    coco.finish().unwrap();
}
