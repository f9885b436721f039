//! Where a tracked object is and will be: Kalman filters, noise in the object's own size per second of media time (see
//! [`TrackerConfig`](super::TrackerConfig)). Noise in x is independent of noise in y, so the usual filter over eight numbers falls apart, exactly, into
//! one over position and velocity for each axis, and one for each length.

/// Centre and size of a box, in fractions of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Position and velocity along one axis, with their covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) position: f64,
    velocity: f64,
    /// Variance of the position.
    position_variance: f64,
    covariance: f64,
    velocity_variance: f64,
}

impl Axis {
    /// First seen here, with a velocity of about 0; `measured` and `speed` are standard deviations.
    pub(super) fn begin(position: f64, measured: f64, speed: f64) -> Self {
        Self {
            position,
            velocity: 0.0,
            position_variance: measured * measured,
            covariance: 0.0,
            velocity_variance: speed * speed,
        }
    }

    /// `dt` seconds later; velocity has been pushed about by white noise of this spectral density.
    pub(super) fn advance(&mut self, dt: f64, density: f64) {
        self.position += self.velocity * dt;
        let carried = dt * (2.0 * self.covariance + dt * self.velocity_variance);
        self.position_variance += carried + density * dt * dt * dt / 3.0;
        self.covariance += dt * self.velocity_variance + density * dt * dt / 2.0;
        self.velocity_variance += density * dt;
    }

    /// Seen here, with this standard deviation.
    pub(super) fn correct(&mut self, position: f64, measured: f64) {
        let noise = measured * measured;
        let total = self.position_variance + noise;
        let off = position - self.position;
        self.position += self.position_variance / total * off;
        self.velocity += self.covariance / total * off;
        // Never below 0 but for rounding.
        let left = self.velocity_variance - self.covariance * self.covariance / total;
        self.velocity_variance = left.max(0.0);
        self.covariance *= noise / total;
        self.position_variance *= noise / total;
    }

    /// Variance of where it will be seen.
    pub(super) fn spread(&self, measured: f64) -> f64 {
        self.position_variance + measured * measured
    }
}

/// Width or height: a random walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) length: f64,
    variance: f64,
}

impl Extent {
    pub(super) fn begin(length: f64, measured: f64) -> Self {
        Self { length, variance: measured * measured }
    }

    /// `growth`: standard deviation gained in a second.
    pub(super) fn advance(&mut self, dt: f64, growth: f64) {
        self.variance += growth * growth * dt;
    }

    pub(super) fn correct(&mut self, length: f64, measured: f64) {
        let gain = self.variance / (self.variance + measured * measured);
        self.length += gain * (length - self.length);
        self.variance *= 1.0 - gain;
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Extent};

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * a.abs().max(1.0)
    }

    /// What makes uneven frames harmless.
    #[test]
    fn two_steps_are_one_of_their_length() {
        let mut one = Axis::begin(0.3, 0.1, 2.0);
        one.advance(0.1, 0.0);
        one.correct(0.5, 0.1);
        let mut other = one;
        one.advance(0.7, 1.2);
        other.advance(0.25, 1.2);
        other.advance(0.45, 1.2);
        assert!(close(one.position, other.position));
        assert!(close(one.spread(0.0), other.spread(0.0)));
        assert!(close(one.covariance, other.covariance));
    }

    #[test]
    fn it_learns_position_and_velocity() {
        let mut axis = Axis::begin(0.0, 0.05, 1.0);
        for step in 1..=50_i32 {
            let wobble = if step % 2 == 0 { 0.02 } else { -0.02 };
            axis.advance(0.1, 0.01);
            axis.correct(0.3 * 0.1 * f64::from(step) + wobble, 0.05);
        }
        assert!((axis.velocity - 0.3).abs() < 0.03, "{}", axis.velocity);
        axis.advance(1.0, 0.01);
        assert!((axis.position - 1.8).abs() < 0.05, "{}", axis.position);
    }

    #[test]
    fn a_length_is_a_mean_of_what_was_seen() {
        let mut extent = Extent::begin(0.2, 0.02);
        extent.correct(0.4, 0.02);
        assert!(close(extent.length, 0.3));
        extent.advance(100.0, 1.0);
        extent.correct(0.7, 0.02);
        assert!(extent.length > 0.69 && extent.length < 0.7);
    }
}
