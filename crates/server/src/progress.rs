//! A bar with speed and time left on a terminal; silence elsewhere.

use std::{
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{prefix} [{bar:30}] {msg}";
const REDRAW: Duration = Duration::from_millis(100);

/// Progress through the media time of one input.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    redrawn: Instant,
    total_seconds: f64,
}

impl Progress {
    /// `total_seconds` is 0 where the container does not say.
    pub(crate) fn new(name: &str, total_seconds: f64) -> Self {
        let bar = if stderr().is_terminal() {
            let style = ProgressStyle::with_template(TEMPLATE);
            let bar = ProgressBar::new((total_seconds * 1000.0) as u64);
            bar.set_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
            bar.set_prefix(name.to_owned());
            bar
        } else {
            ProgressBar::hidden()
        };
        let started = now();
        Self { bar, started, redrawn: started, total_seconds }
    }

    /// `seconds` of media time are done, with `frames` results.
    pub(crate) fn at(&mut self, seconds: f64, frames: u64) {
        if self.bar.is_hidden() || self.redrawn.elapsed() < REDRAW {
            return;
        }
        self.redrawn = now();
        let speed = seconds / self.started.elapsed().as_secs_f64().max(1e-3);
        let left = match (self.total_seconds > seconds, speed > 0.0) {
            (true, true) => format!(", {} left", minutes((self.total_seconds - seconds) / speed)),
            _ => String::new(),
        };
        self.bar.set_message(format!("{}, {frames} frames, {speed:.1}x real time{left}", minutes(seconds)));
        self.bar.set_position((seconds * 1000.0) as u64);
    }

    /// Runs `print` without the bar in its way.
    pub(crate) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.bar.is_hidden() { print() } else { self.bar.suspend(print) }
    }

    /// Removes the bar; the wall time since the start.
    pub(crate) fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}

fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

#[expect(clippy::disallowed_methods, reason = "speed and time left are wall time, shown and never stored")]
fn now() -> Instant {
    Instant::now()
}
