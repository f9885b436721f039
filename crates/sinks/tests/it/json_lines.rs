//! JSON Lines into a real full disk and a real closed pipe.

use std::{
    error::Error as _,
    fs::File,
    io::{self, ErrorKind, Write},
};

use ocelli_model::{TimeBase, Verdict, VersionBuilder};
use ocelli_sinks::{FrameRecord, JsonLines, JsonLinesError, Outcome};

fn write<W: Write>(output: W) -> Result<Verdict, JsonLinesError> {
    let analyzer_version = &VersionBuilder::default().build();
    JsonLines::new(output).write(&FrameRecord {
        input: "clip.mp4",
        run: 0,
        pts: 0,
        time_base: TimeBase::SECOND,
        slot: None,
        model: "yolo",
        analyzer_version,
        outcome: Outcome::Failed { reason: "damaged" },
    })
}

#[test]
fn a_full_disk_is_an_error_with_its_cause() {
    let error = write(File::options().write(true).open("/dev/full").unwrap()).unwrap_err();
    assert!(matches!(&error, JsonLinesError::Write(cause) if cause.kind() == ErrorKind::StorageFull));
    assert!(error.source().is_some());
}

#[test]
fn a_reader_that_has_gone_is_told_apart() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    assert!(matches!(write(writer).unwrap_err(), JsonLinesError::Closed));
}
