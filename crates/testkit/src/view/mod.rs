//! What a fixed camera shows: a textured view, objects of known place before it, and everything that changes a picture without anything having moved.
//! Luma only; colour is grey.

mod objects;

use std::path::Path;

use crate::{cli, random::Random};
pub use objects::{Moment, appearances, quiet};

/// Samples of noise that are drawn once and shown from another place in each picture.
const NOISE: usize = 1 << 20;

/// A camera and its weather. All at zero: the same picture again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Another seed is another view.
    pub seed: u64,
    /// Standard deviation of the sensor's noise, levels.
    pub noise: f64,
    /// Mean level of the view; its texture scales along.
    pub brightness: f64,
    /// How far the camera shakes to all sides, pixels.
    pub shake: usize,
    /// Drops in a picture: streaks of a pixel by twelve, brighter by 0.4 of the view's brightness.
    pub rain: usize,
    /// What the light does.
    pub light: Light,
    /// How much objects differ from what is behind them, levels.
    pub contrast: f64,
}

/// Light over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Light {
    /// Steady.
    Steady,
    /// Brightness swings by this share within a minute: clouds.
    Slow(f64),
    /// Every 15 s, gain and offset jump and come back: auto exposure.
    Exposure,
    /// Every 15 s a lamp on the left goes on or off: three times as bright at its side as at the other.
    Lamp,
    /// Brightness flickers by this share from picture to picture.
    Flicker(f64),
}

/// Draws pictures of one view.
#[derive(Debug)]
pub struct Camera {
    view: View,
    /// With a margin for shaking.
    scenery: Vec<f32>,
    noise: Vec<f32>,
    random: Random,
}

impl View {
    /// A quiet street by day at 640x360.
    pub fn day(seed: u64) -> Self {
        Self {
            width: 640,
            height: 360,
            seed,
            noise: 2.5,
            brightness: 110.0,
            shake: 0,
            rain: 0,
            light: Light::Steady,
            contrast: 40.0,
        }
    }

    /// The same by night: dark, with the sensor's gain turned up.
    pub fn night(seed: u64) -> Self {
        Self { noise: 7.0, brightness: 45.0, contrast: 22.0, ..Self::day(seed) }
    }
}

impl Camera {
    /// At the first picture.
    pub fn new(view: View) -> Self {
        let mut random = Random(view.seed);
        let noise = (0..NOISE).map(|_| random.normal() as f32).collect();
        Self { scenery: scenery(&view, &mut random), noise, random, view }
    }

    /// The next luma plane, `width * height`.
    pub fn picture(&mut self, moment: &Moment) -> Vec<u8> {
        let View { width, height, shake, noise, .. } = self.view;
        let (dx, dy) = (self.random.below(2 * shake + 1), self.random.below(2 * shake + 1));
        let row = width + 2 * shake;
        let mut levels: Vec<f32> =
            (0..height).flat_map(|y| &self.scenery[(y + dy) * row + dx..][..width]).copied().collect();
        objects::paint(&self.view, moment, &mut levels);
        self.rain(&mut levels);
        self.light(moment.seconds, &mut levels);
        let from = self.random.below(NOISE);
        let wander = self.noise[from..].iter().chain(self.noise.iter().cycle());
        levels.iter().zip(wander).map(|(level, by)| (level + noise as f32 * by).round() as u8).collect()
    }

    fn light(&mut self, seconds: f64, levels: &mut [f32]) {
        let on = (seconds / 15.0) as u32 % 2 == 1;
        let (gain, offset, slope) = match self.view.light {
            Light::Slow(share) => (1.0 + share * (seconds / 60.0 * std::f64::consts::TAU).sin(), 0.0, 0.0),
            Light::Flicker(share) => (1.0 + share * (2.0 * self.random.fraction() - 1.0), 0.0, 0.0),
            Light::Exposure if on => (1.35, -8.0, 0.0),
            Light::Lamp if on => (1.15, 0.0, 0.3),
            Light::Steady | Light::Exposure | Light::Lamp => return,
        };
        let width = self.view.width;
        for row in levels.chunks_exact_mut(width) {
            for (x, level) in row.iter_mut().enumerate() {
                let near = 1.0 - x as f32 / width as f32;
                *level = *level * (gain as f32 + slope as f32 * near) + offset as f32;
            }
        }
    }

    fn rain(&mut self, levels: &mut [f32]) {
        let View { width, height, brightness, .. } = self.view;
        for _ in 0..self.view.rain {
            let (x, y) = (self.random.below(width), self.random.below(height));
            for level in levels[y * width + x..].iter_mut().step_by(width).take(12) {
                *level += 0.4 * brightness as f32;
            }
        }
    }
}

/// Broad shapes with hard edges, under fine texture.
fn scenery(view: &View, random: &mut Random) -> Vec<f32> {
    let (width, height) = (view.width + 2 * view.shake, view.height + 2 * view.shake);
    let mut levels = vec![view.brightness as f32; width * height];
    for _ in 0..60 {
        let (x, y) = (random.below(width), random.below(height));
        let (w, h) = (10 + random.below(width / 3), 10 + random.below(height / 3));
        let level = (view.brightness * (0.35 + 1.3 * random.fraction())) as f32;
        for row in levels.chunks_exact_mut(width).skip(y).take(h) {
            row[x..width.min(x + w)].fill(level);
        }
    }
    for level in &mut levels {
        *level *= 1.0 + 0.06 * random.normal() as f32;
    }
    levels
}

/// Codes pictures as H.264 in MP4 at `path`, `bits` a second, a keyframe every `group` pictures: pumping at each of them.
pub fn code(view: View, moments: &[Moment], (fps, bits, group): (u32, &str, u32), path: &Path) {
    let mut command = cli::command("ffmpeg");
    let (size, rate, group) = (format!("{}x{}", view.width, view.height), fps.to_string(), group.to_string());
    command.args(["-f", "rawvideo", "-pix_fmt", "gray", "-color_range", "tv", "-s", &size, "-r", &rate]);
    command.args(["-i", "pipe:0", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
    command.args(["-b:v", bits, "-g", &group, "-threads", "1"]).arg(path);
    let mut camera = Camera::new(view);
    cli::run(&mut command, moments.iter().map(|moment| camera.picture(moment)));
}
