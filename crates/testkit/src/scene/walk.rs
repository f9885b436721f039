//! How the objects of a scene move. Lengths are in picture heights, speeds in the object's own heights a second.

use std::sync::Arc;

use ocelli_model::BoundingBox;

use super::{ASPECT, STEP, observe};
use crate::{mot::Sighting, random::Random};

/// A kind of object.
struct Kind {
    label: &'static str,
    /// Width over height.
    slim: f64,
    /// Height of one that stands at the lower edge of the picture.
    near_height: f64,
    /// Usual speed.
    speed: f64,
    /// How much speed and direction change within a second.
    whim: f64,
}

/// A person walks at 0.8 of its heights a second, a car of 1.5 m drives at 5 to 10 m/s.
const KINDS: [Kind; 3] = [
    Kind { label: "person", slim: 0.4, near_height: 0.45, speed: 0.8, whim: 0.35 },
    Kind { label: "person", slim: 0.38, near_height: 0.4, speed: 0.6, whim: 0.5 },
    Kind { label: "car", slim: 1.7, near_height: 0.35, speed: 3.0, whim: 0.6 },
];
/// Feet stand between this and the lower edge of the picture.
const HORIZON: f64 = 0.35;

/// Where an object stands at a step.
#[derive(Clone, Copy)]
struct Place {
    x: f64,
    feet: f64,
}

struct Walker {
    id: u64,
    kind: usize,
    label: Arc<str>,
    /// Own height as a multiple of its kind's.
    stature: f64,
    first_step: usize,
    /// One per step, from the first on.
    places: Vec<Place>,
}

/// All objects with all their ways.
pub(super) struct World {
    walkers: Vec<Walker>,
}

impl World {
    pub(super) fn new(seed: u64, crowd: usize, seconds: f64) -> Self {
        let mut random = Random(seed);
        let steps = (seconds / STEP) as usize + 2;
        let mut walkers: Vec<Walker> = Vec::new();
        for step in 0..steps {
            let present =
                walkers.iter().filter(|walker| walker.first_step + walker.places.len() > step).count();
            // Missing ones come one after the other, not all at once; a scene begins with its crowd.
            let chances = (0..crowd.div_ceil(12)).filter(|_| present < crowd && random.below(5) == 0);
            let arrivals = if step == 0 { crowd } else { chances.count() };
            for _ in 0..arrivals {
                let id = walkers.len() as u64 + 1;
                walkers.push(Walker::new(id, step, steps, &mut random));
            }
        }
        Self { walkers }
    }

    /// Who is in the picture at this time, nearest first, and how much of each can be seen.
    pub(super) fn at(&mut self, seconds: f64) -> Vec<observe::Shown> {
        let mut present: Vec<(f64, &Walker, BoundingBox)> =
            self.walkers.iter().filter_map(|walker| walker.at(seconds)).collect();
        present.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
        let sightings =
            present.iter().map(|(_, walker, bbox)| (Sighting { id: walker.id, bbox: *bbox }, &walker.label));
        let mut shown = observe::with_visibility(sightings);
        // What is hidden altogether is no truth that a picture could tell.
        shown.retain(|shown| shown.visible > 0.1);
        shown
    }
}

impl Walker {
    fn new(id: u64, first_step: usize, steps: usize, random: &mut Random) -> Self {
        // Two persons to a car and a half.
        let kind = [0, 0, 1, 1, 2][random.below(5)];
        let stature = 0.85 + 0.3 * random.fraction();
        let mut walker =
            Self { id, kind, label: KINDS[kind].label.into(), stature, first_step, places: Vec::new() };
        let leftwards = random.below(2) == 0;
        let feet = HORIZON + (0.98 - HORIZON) * random.fraction();
        // Those of the first moment are anywhere, later ones come in from a side.
        let x = if first_step == 0 {
            ASPECT * random.fraction()
        } else if leftwards {
            ASPECT
        } else {
            0.0
        };
        walker.walk(Place { x, feet }, if leftwards { -1.0 } else { 1.0 }, steps - first_step, random);
        walker
    }

    /// Goes on until it has left the picture or the scene is over.
    fn walk(&mut self, start: Place, direction: f64, steps: usize, random: &mut Random) {
        let kind = &KINDS[self.kind];
        let usual = direction * kind.speed * (0.7 + 0.6 * random.fraction());
        let (mut along, mut away, mut standing) = (usual, 0.0, 0_usize);
        let mut place = start;
        for _ in 0..steps {
            self.places.push(place);
            let height = self.height(place.feet);
            // Speed comes back to the usual and is pushed about; now and then somebody stands for up to 4 s.
            along += 0.1 * (usual - along) + kind.whim * STEP.sqrt() * random.normal();
            away += 0.1 * (0.0 - away) + 0.3 * kind.whim * STEP.sqrt() * random.normal();
            standing = standing.saturating_sub(1);
            if standing == 0 && random.below(150) == 0 {
                standing = random.below(40);
            }
            let moving = if standing > 0 { 0.0 } else { STEP * height };
            place.x += along * moving;
            place.feet = (place.feet + 0.3 * away * moving).clamp(HORIZON, 1.05);
            let half = 0.5 * kind.slim * height;
            if place.x < -half || place.x > ASPECT + half {
                break;
            }
        }
    }

    /// What is farther away is higher in the picture and smaller.
    fn height(&self, feet: f64) -> f64 {
        let near = (feet - 0.2) / 0.8;
        KINDS[self.kind].near_height * self.stature * near
    }

    /// Where its feet are and its box within the picture; `None` while it is not in it.
    fn at(&self, seconds: f64) -> Option<(f64, &Self, BoundingBox)> {
        let step = seconds / STEP - self.first_step as f64;
        if step < 0.0 {
            return None;
        }
        let (before, part) = (step as usize, step.fract());
        let (from, to) = (self.places.get(before)?, self.places.get(before + 1)?);
        let between = |from: f64, to: f64| from + part * (to - from);
        let (x, feet) = (between(from.x, to.x), between(from.feet, to.feet));
        let height = self.height(feet);
        let width = height * KINDS[self.kind].slim;
        let edge = |value: f64, most: f64| value.clamp(0.0, most);
        let (left, right) = (edge(x - 0.5 * width, ASPECT), edge(x + 0.5 * width, ASPECT));
        let (top, bottom) = (edge(feet - height, 1.0), edge(feet, 1.0));
        let inside = right - left > 0.25 * width && bottom > top;
        let bbox = BoundingBox {
            x: (left / ASPECT) as f32,
            y: top as f32,
            width: ((right - left) / ASPECT) as f32,
            height: (bottom - top) as f32,
        };
        inside.then_some((feet, self, bbox))
    }
}
