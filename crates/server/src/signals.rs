//! Ctrl-C: the first ends the work in order, the second at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use ocelli_engine::Watch;

/// What a shell reports for a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Stops `watch` on the first SIGINT or SIGTERM.
#[expect(clippy::exit, reason = "the second signal must end the program even where a thread is stuck")]
pub(crate) fn stop_on_signal(watch: &Arc<Watch>) -> anyhow::Result<()> {
    let watch = Arc::clone(watch);
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        watch.stop();
    })
    .context("cannot listen for Ctrl-C")
}
