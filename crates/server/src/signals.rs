//! Ctrl-C: the first ends the work in order, the second at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use ocelli_engine::Watch;
use ocelli_ingest::pull::Stop;

/// What a shell reports for a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Stops `watch` on the first SIGINT or SIGTERM, and whoever waits for the network meanwhile.
#[expect(clippy::exit, reason = "the second signal must end the program even where a thread is stuck")]
pub(crate) fn stop_on_signal(watch: &Arc<Watch>, waiting: &Stop) -> anyhow::Result<()> {
    let (watch, waiting) = (Arc::clone(watch), waiting.clone());
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        watch.stop();
        waiting.stop();
    })
    .context("cannot listen for Ctrl-C")
}
