//! The edge that reads clocks.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, for people: nothing is keyed by it.
#[expect(clippy::disallowed_methods, reason = "wall time enters here, as an argument for everything below")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds since the machine was started, suspended or not: nobody sets this clock, so that ages are counted on it.
pub(crate) fn steady_ms() -> i64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    since.tv_sec.saturating_mul(1000).saturating_add(since.tv_nsec / 1_000_000)
}
