//! MOT lines to the letter.

use ocelli_model::{TrackId, VersionBuilder};

use super::MotWriter;
use crate::{
    ExportError, FrameRecord,
    frame_record::tests::{check_export, detection, failed, frame, version, written},
};

fn text(frames: &[FrameRecord<'_>]) -> String {
    written(MotWriter::new(Vec::new()), frames, MotWriter::write, MotWriter::finish)
}

#[test]
fn lines_are_exact_and_count_from_one() {
    let version = version();
    let two = [detection("car", 0.913_72, -1e-9), detection("person", 1.0, 0.25)];
    let tracks = [None, Some(TrackId(12))];
    let frames = [
        frame(&version, 0, &two, &tracks),
        failed(&version, 1),
        frame(&version, 2, &[], &[]),
        frame(&version, 7, &two[..1], &[Some(TrackId(1))]),
    ];
    let first = "-1,1.0,181.0,64.1,120.0,0.9137,-1,-1,-1\n";
    let second = "12,161.3,181.0,64.1,120.0,1.0000,-1,-1,-1\n";
    let last = "1,1.0,181.0,64.1,120.0,0.9137,-1,-1,-1\n";
    assert_eq!(text(&frames), format!("1,{first}1,{second}8,{last}"));
    let every = frames.map(|frame| FrameRecord { slot: None, ..frame });
    assert_eq!(text(&every), format!("1,{first}1,{second}4,{last}"));
    assert_eq!(text(&[]), "");
}

#[test]
fn one_sequence_a_file() {
    let (version, other) = (version(), VersionBuilder::default().with("model", "b").build());
    let seen = [detection("car", 0.5, 0.1)];
    let first = frame(&version, 0, &seen, &[]);
    let next = frame(&version, 1, &seen, &[]);
    let strangers = [
        FrameRecord { input: "other.mp4", ..next },
        FrameRecord { run: 1, ..next },
        FrameRecord { model: "ssd", ..next },
        FrameRecord { analyzer_version: &other, ..next },
        FrameRecord { slot: None, ..next },
    ];
    let mut mot = MotWriter::new(Vec::new());
    mot.write(&first).unwrap();
    for stranger in &strangers {
        let error = mot.write(stranger).unwrap_err();
        assert!(matches!(&error, ExportError::OtherSequence { first, second } if first != second), "{error}");
        assert!(error.to_string().contains("clip.mp4, run 0, yolo"), "{error}");
    }
    mot.write(&next).unwrap();
    let whole = String::from_utf8(mot.finish().unwrap()).unwrap();
    assert_eq!(whole, text(&[first, next]), "the refused left nothing");
}

#[test]
fn slots_without_a_number_are_refused() {
    let version = version();
    for slot in [-1, i64::MIN] {
        let error = MotWriter::new(Vec::new()).write(&frame(&version, slot, &[], &[])).unwrap_err();
        assert!(matches!(error, ExportError::NoFrameNumber { slot: named } if named == slot), "{error}");
    }
    let seen = [detection("car", 0.5, 0.1)];
    assert!(text(&[frame(&version, i64::MAX, &seen, &[])]).starts_with("9223372036854775808,-1,"));
}

#[test]
fn failures_stay_failures() {
    check_export(MotWriter::new, MotWriter::write, MotWriter::finish);
}
