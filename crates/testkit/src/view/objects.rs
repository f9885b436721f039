//! Objects of a [`Scene`], one after the other with quiet between them, and how they are painted.

use std::collections::BTreeMap;

use ocelli_model::BoundingBox;

use super::View;
use crate::{
    mot::Sighting,
    scene::{Faults, Scene},
};

/// A picture to be painted, and its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Media time.
    pub seconds: f64,
    /// What is there.
    pub object: Option<Sighting>,
    /// Whether it has moved since the picture before, or just came.
    pub moves: bool,
}

/// Nothing happens for so many seconds.
pub fn quiet(seconds: f64, fps: f64) -> Vec<Moment> {
    let moment = |index| Moment { seconds: f64::from(index) / fps, object: None, moves: false };
    (0..(seconds * fps) as u32).map(moment).collect()
}

/// At most `count` objects of a street pass one after the other, each alone, with `gap` seconds of quiet before each and after the last. Each is seen for at
/// most 8 s.
pub fn appearances(seed: u64, fps: f64, count: usize, gap: f64) -> Vec<Moment> {
    let scene = Scene { seed, fps, seconds: 60.0, crowd: 4, faults: Faults::none() };
    let frames = scene.frames();
    let present: Vec<u64> = frames[0].truth.iter().map(|sighting| sighting.id).collect();
    let mut ways: BTreeMap<u64, Vec<Sighting>> = BTreeMap::new();
    for sighting in frames.iter().flat_map(|frame| &frame.truth) {
        // Those of the first moment would fall from the sky.
        if !present.contains(&sighting.id) {
            ways.entry(sighting.id).or_default().push(*sighting);
        }
    }
    let pause = (gap * fps) as usize;
    let mut objects: Vec<Option<Sighting>> = vec![None; pause];
    for way in ways.values().take(count) {
        objects.extend(way.iter().take((8.0 * fps) as usize).copied().map(Some));
        objects.extend(vec![None; pause]);
    }
    let moves = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| objects[before]);
        objects[index].is_some_and(|now| before.is_none_or(|before| before.bbox != now.bbox))
    };
    let moment =
        |index: usize| Moment { seconds: index as f64 / fps, object: objects[index], moves: moves(index) };
    (0..objects.len()).map(moment).collect()
}

/// A body with a head and stripes, darker or brighter than what is behind it.
pub(super) fn paint(view: &View, moment: &Moment, levels: &mut [f32]) {
    let Some(Sighting { id, bbox }) = moment.object else { return };
    let BoundingBox { x, y, width, height } = bbox;
    let pixel = |share: f32, side: usize| ((share * side as f32).round() as usize).min(side);
    let (left, right) = (pixel(x, view.width), pixel(x + width, view.width));
    let (top, bottom) = (pixel(y, view.height), pixel(y + height, view.height));
    let sign = if id % 2 == 0 { 1.0 } else { -1.0 };
    for row in top..bottom {
        let down = (row - top) as f32 / (bottom - top) as f32;
        // The head is half as wide as the body.
        let inset = if down < 0.2 { (right - left) / 4 } else { 0 };
        let stripe = if ((down * 6.0) as u32).is_multiple_of(2) { 1.0 } else { 0.6 };
        for level in &mut levels[row * view.width + left + inset..row * view.width + right - inset] {
            *level += sign * stripe * view.contrast as f32;
        }
    }
}
