//! Rows to the letter.

use ocelli_model::TrackId;

use super::{COLUMNS, CsvWriter, text as cell};
use crate::{
    FrameRecord,
    frame_record::tests::{check_export, detection, failed, frame, version, written},
};

fn text(frames: &[FrameRecord<'_>]) -> String {
    written(CsvWriter::new(Vec::new()), frames, CsvWriter::write, CsvWriter::finish)
}

#[test]
fn rows_are_exact() {
    let version = version();
    let two = [detection("traffic \"light\",\n", 0.913_72, -1e-9), detection("car", 1.0, 1e-6)];
    let tracks = [None, Some(TrackId(12))];
    let header = format!("{}\r\n", COLUMNS.join(","));
    assert_eq!(text(&[]), header);
    assert_eq!(text(&[failed(&version, 1), frame(&version, 2, &[], &[])]), header);
    let frames = [
        frame(&version, 30, &two, &tracks),
        FrameRecord { input: "a,b.mp4", slot: None, ..frame(&version, -3, &two[1..], &[]) },
    ];
    let rows = [
        format!(
            "clip.mp4,0,30,1,25,1.2,30,yolo,{version},641,360,\"traffic \"\"light\"\",\n\",0.9137,0,0.5,0.1,0.333333,0,180,64.1,120,,1"
        ),
        format!(
            "clip.mp4,0,30,1,25,1.2,30,yolo,{version},641,360,car,1,0.000001,0.5,0.1,0.333333,0,180,64.1,120,12,2"
        ),
        format!(
            "\"a,b.mp4\",0,-3,1,25,-0.12,,yolo,{version},641,360,car,1,0.000001,0.5,0.1,0.333333,0,180,64.1,120,,1"
        ),
    ];
    assert_eq!(text(&frames), header + &rows.map(|row| row + "\r\n").concat());
}

#[test]
fn no_text_cell_is_a_formula_and_each_can_be_read_back() {
    let formulas =
        ["=1+1", "+1", "-a.mp4", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1", "'", "'=1", "''"];
    for formula in formulas {
        assert_eq!(cell(formula), format!("'{formula}"));
    }
    for plain in ["", "a=1", "clip-1.mp4", " =1", "1", "élan"] {
        assert_eq!(cell(plain), plain);
    }
    let version = version();
    let seen = [detection("=HYPERLINK(1)", 0.5, 0.1)];
    let row = text(&[FrameRecord { input: "-x", model: "@y", ..frame(&version, 0, &seen, &[]) }]);
    for cell in ["\r\n'-x,", ",'@y,", ",'=HYPERLINK(1),"] {
        assert!(row.contains(cell), "{row}");
    }
}

#[test]
fn failures_stay_failures() {
    check_export(CsvWriter::new, CsvWriter::write, CsvWriter::finish);
}
