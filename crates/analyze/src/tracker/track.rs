//! One object that is followed.

use std::sync::Arc;

use ocelli_model::TrackId;

use super::{
    config::TrackerConfig,
    motion::{Axis, Extent, Place},
};

#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) label: Arc<str>,
    /// `None` while tentative.
    pub(super) id: Option<TrackId>,
    /// In how many frames it was seen.
    hits: u32,
    /// Media time of the last of them.
    pub(super) seen: f64,
    x: Axis,
    y: Axis,
    width: Extent,
    height: Extent,
}

/// Where a track should be seen now, and how sure that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    place: Place,
    /// Variances of the centre of a detection, each times the square of the gate.
    reach: (f64, f64),
    /// 1 for a track seen in the frame before, less for a lost one.
    trust: f64,
}

impl Track {
    pub(super) fn begin(label: Arc<str>, seconds: f64, place: &Place, config: &TrackerConfig) -> Self {
        let (x, y) = (config.measured * place.width, config.measured * place.height);
        Self {
            label,
            id: None,
            hits: 1,
            seen: seconds,
            x: Axis::begin(place.x, x, config.speed.x * place.width),
            y: Axis::begin(place.y, y, config.speed.y * place.height),
            width: Extent::begin(place.width, x),
            height: Extent::begin(place.height, y),
        }
    }

    /// To where it should be `dt` seconds later.
    pub(super) fn advance(&mut self, dt: f64, config: &TrackerConfig) {
        let (width, height) = (self.width.length, self.height.length);
        let density = |push: f64| push * push;
        self.x.advance(dt, density(config.push.x * width));
        self.y.advance(dt, density(config.push.y * height));
        self.width.advance(dt, config.growth * width);
        self.height.advance(dt, config.growth * height);
    }

    /// It was seen here.
    pub(super) fn correct(&mut self, seconds: f64, place: &Place, config: &TrackerConfig) {
        let (x, y) = (config.measured * self.width.length, config.measured * self.height.length);
        self.x.correct(place.x, x);
        self.y.correct(place.y, y);
        self.width.correct(place.width, x);
        self.height.correct(place.height, y);
        self.seen = seconds;
        self.hits = self.hits.saturating_add(1);
    }

    /// Whether it has been seen often enough to get its id.
    pub(super) fn is_due(&self, config: &TrackerConfig) -> bool {
        self.id.is_none() && self.hits >= config.confirm_hits
    }

    /// Whether it goes on after the frame at this time.
    pub(super) fn lives(&self, seconds: f64, config: &TrackerConfig) -> bool {
        let keep = if self.id.is_some() { config.keep_seconds } else { config.tentative_seconds };
        seconds - self.seen <= keep
    }

    /// `before`: media time of the frame before this one.
    pub(super) fn expected(&self, before: f64, config: &TrackerConfig) -> Expected {
        let place = Place {
            x: self.x.position,
            y: self.y.position,
            width: self.width.length,
            height: self.height.length,
        };
        let measured = |length: f64| config.measured * length;
        let reach = |axis: &Axis, length| config.gate * config.gate * axis.spread(measured(length));
        let lost = (before - self.seen) / config.keep_seconds;
        let reach = (reach(&self.x, place.width), reach(&self.y, place.height));
        Expected { place, reach, trust: 1.0 - config.doubt * lost }
    }
}

impl Expected {
    /// How well this detection fits, 0 to 1; see [`TrackerConfig`].
    pub(super) fn likeness(&self, seen: &Place) -> f64 {
        let (x, y) = (seen.x - self.place.x, seen.y - self.place.y);
        let near = 1.0 - x * x / self.reach.0 - y * y / self.reach.1;
        if near <= 0.0 {
            return 0.0;
        }
        let alike = |one: f64, other: f64| one.min(other) / one.max(other);
        let size = alike(seen.width, self.place.width) * alike(seen.height, self.place.height);
        near * size * self.trust
    }
}
