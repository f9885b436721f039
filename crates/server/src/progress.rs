//! A bar with speed and time left on a terminal; silence elsewhere.

use std::{
    io::{IsTerminal as _, stderr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use ocelli_engine::Watch;
use ocelli_model::TimeBase;

const TEMPLATE: &str = "{prefix} [{bar:30}] {msg}";
const REDRAW: Duration = Duration::from_millis(100);

/// The bars of one call, one below the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bars(MultiProgress);

/// Progress through the media time of one input, drawn by a thread of its own: at low rates results are far apart.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    frames: Arc<AtomicU64>,
    drawing: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// `duration` in ticks of `base` is unknown where the container does not say.
    pub(crate) fn new(
        name: &str,
        bars: &Bars,
        watch: &Arc<Watch>,
        base: TimeBase,
        duration: Option<i64>,
    ) -> Self {
        let total = duration.map_or(0.0, |ticks| base.seconds(ticks));
        let (started, frames) = (now(), Arc::new(AtomicU64::new(0)));
        if !stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), started, frames, drawing: None };
        }
        let bar = bars.0.add(ProgressBar::new((total * 1000.0) as u64));
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
        bar.set_prefix(name.to_owned());
        let (stop, stopped) = sync_channel(0);
        let (drawn, watch, counted) = (bar.clone(), Arc::clone(watch), Arc::clone(&frames));
        let draw = move || {
            while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                let (seconds, frames) = (base.seconds(watch.position()), counted.load(Ordering::Relaxed));
                drawn.set_message(message(seconds, total, started.elapsed().as_secs_f64(), frames));
                drawn.set_position((seconds * 1000.0) as u64);
            }
        };
        // Without the thread there is no bar, and nothing else is missing.
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(draw).ok();
        Self { bar, started, frames, drawing: thread.map(|thread| (stop, thread)) }
    }

    /// One more result.
    pub(crate) fn frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs `print` without the bar in its way.
    pub(crate) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.bar.is_hidden() { print() } else { self.bar.suspend(print) }
    }

    /// Removes the bar; the wall time since the start.
    pub(crate) fn finish(mut self) -> Duration {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            // It only draws: how it ended changes nothing.
            thread.join().ok();
        }
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}

/// What stands behind the bar.
fn message(seconds: f64, total: f64, took: f64, frames: u64) -> String {
    let speed = seconds / took.max(1e-3);
    let left = match (total > seconds, speed > 0.0) {
        (true, true) => format!(", {} left", minutes((total - seconds) / speed)),
        _ => String::new(),
    };
    format!("{}, {frames} frames, {speed:.1}x real time{left}", minutes(seconds))
}

fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

#[expect(clippy::disallowed_methods, reason = "speed and time left are wall time, shown and never stored")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_speed_and_time_left() {
        assert_eq!(message(60.0, 180.0, 10.0, 300), "1:00, 300 frames, 6.0x real time, 0:20 left");
        assert_eq!(message(60.0, 0.0, 10.0, 300), "1:00, 300 frames, 6.0x real time");
        assert_eq!(message(0.0, 180.0, 0.0, 0), "0:00, 0 frames, 0.0x real time");
    }
}
