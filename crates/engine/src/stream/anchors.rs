//! Wall time of the media: which words on it are kept.

use std::{sync::Arc, time::Instant};

use ocelli_ingest::WallAnchor;
use ocelli_model::TimeBase;
use ocelli_store::{AnchorOrigin, RunId, Streams, WallAnchor as KeptAnchor};
use tokio::runtime::Handle;

use super::now;

/// Sender reports come every few seconds; one a minute is enough for a clock that runs evenly.
const APART_S: f64 = 60.0;
/// A clock that is off by more than this, seen from the last word that was kept, was set.
const JUMP_S: f64 = 0.5;

/// Keeps one a minute, and each after a jump of the sender's clock.
#[derive(Debug, Default)]
pub(super) struct Thinned {
    last: Option<WallAnchor>,
}

impl Thinned {
    /// Whether this one is to be kept.
    pub(super) fn keeps(&mut self, anchor: WallAnchor, base: TimeBase) -> bool {
        let keeps = self.last.is_none_or(|last| {
            let media = base.seconds(anchor.pts) - base.seconds(last.pts);
            let wall = anchor.unix_ns.saturating_sub(last.unix_ns) as f64 / 1e9;
            media.abs() >= APART_S || (wall - media).abs() > JUMP_S
        });
        if keeps {
            self.last = Some(anchor);
        }
        keeps
    }
}

/// Writes them, from the keeper's thread.
#[derive(Debug)]
pub(super) struct AnchorLog {
    pub(super) streams: Arc<dyn Streams>,
    pub(super) runtime: Handle,
    /// Wall time in ms since 1970.
    pub(super) now_ms: fn() -> i64,
    /// Media comes when it is made: its arrival says something.
    pub(super) live: bool,
}

impl AnchorLog {
    /// The first picture of a run came at that time.
    pub(super) fn arrived(&self, run: Option<&RunId>, pts: i64, at: Instant) {
        if self.live {
            let since = i64::try_from(now().saturating_duration_since(at).as_nanos()).unwrap_or(i64::MAX);
            let unix_ns = (self.now_ms)().saturating_mul(1_000_000).saturating_sub(since);
            self.keep(run, KeptAnchor { pts, unix_ns, origin: AnchorOrigin::Arrival });
        }
    }

    /// The sender said so.
    pub(super) fn reported(&self, run: Option<&RunId>, WallAnchor { pts, unix_ns }: WallAnchor) {
        self.keep(run, KeptAnchor { pts, unix_ns, origin: AnchorOrigin::SenderReport });
    }

    /// Results do not depend on it: what cannot be written is told, and the stream goes on.
    fn keep(&self, run: Option<&RunId>, anchor: KeptAnchor) {
        let Some(run) = run else { return };
        if let Err(error) = self.runtime.block_on(self.streams.anchor(*run, &[anchor])) {
            tracing::warn!(%error, "the wall time of a run cannot be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_minute_and_every_jump() {
        let base = TimeBase::new(1, 90_000).unwrap();
        let (mut thinned, mut kept) = (Thinned::default(), Vec::new());
        for second in 0..300_i64 {
            // Set back an hour at 100 s; wrong by 0.4 s at 170 s, which may be the network.
            let clock = if second >= 100 { second - 3600 } else { second };
            let unix_ns = clock * 1_000_000_000 + if second == 170 { 400_000_000 } else { 0 };
            let anchor = WallAnchor { pts: second * 90_000, unix_ns };
            for _ in 0..25 {
                kept.extend(thinned.keeps(anchor, base).then_some(second));
            }
        }
        assert_eq!(kept, [0, 60, 100, 160, 220, 280]);
    }
}
