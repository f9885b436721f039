//! The text format of the MOT Challenge: `frame,id,left,top,width,height,confidence,x,y,z`, frames from 1 on, boxes in pixels.

use std::fmt::Write as _;

use ocelli_model::BoundingBox;

use super::Sighting;

/// The boxes of a file by frame, in fractions of a picture of this size; index 0 is frame 1, and frames without a line are empty. Panics on
/// anything else than this format.
pub fn read(text: &str, width: f32, height: f32) -> Vec<Vec<Sighting>> {
    let mut frames: Vec<Vec<Sighting>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<f32> = line.split(',').map(|field| number(field, line)).collect();
        let &[frame, id, left, top, wide, high, ..] = fields.as_slice() else { panic!("too short: {line}") };
        assert!(frame >= 1.0, "frames count from 1: {line}");
        let index = frame as usize - 1;
        if frames.len() <= index {
            frames.resize(index + 1, Vec::new());
        }
        let bbox =
            BoundingBox { x: left / width, y: top / height, width: wide / width, height: high / height };
        frames[index].push(Sighting { id: id as u64, bbox });
    }
    frames
}

fn number(field: &str, line: &str) -> f32 {
    field.trim().parse().unwrap_or_else(|error| panic!("{error} in {line}"))
}

/// One line: a box in fractions of a picture, as pixels of one of this size.
pub fn line(frame: usize, id: i64, bbox: &BoundingBox, confidence: f32, width: f32, height: f32) -> String {
    let mut line = format!("{},{id}", frame + 1);
    for edge in [bbox.x * width, bbox.y * height, bbox.width * width, bbox.height * height, confidence] {
        write!(line, ",{edge:.4}").expect("a string takes all that is written");
    }
    line + ",-1,-1,-1\n"
}
