//! Sound on its way into parts.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use ocelli_media::{AudioParameters, AudioUnit, cmaf::SoundSample};

/// Most blocks that wait for pictures: about 10 s.
const MOST: usize = 512;
/// Most bytes of them.
const MOST_BYTES: usize = 1 << 20;

/// Blocks of sound that wait for the next part. How long one lasts is known when the next is there.
#[derive(Debug, Default)]
pub(crate) struct Sound {
    parameters: Option<Arc<AudioParameters>>,
    /// PTS and bytes of the newest block.
    last: Option<(i64, Bytes)>,
    /// How long the block before it lasted, as a guess for one that nothing follows.
    ticks: u32,
    ready: VecDeque<SoundSample>,
    bytes: usize,
    left_out: u64,
}

impl Sound {
    /// What the newest blocks need.
    pub(crate) fn parameters(&self) -> Option<&Arc<AudioParameters>> {
        self.parameters.as_ref()
    }

    /// Blocks that went nowhere.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What the first block will need.
    pub(crate) fn expect(&mut self, parameters: &Arc<AudioParameters>) {
        self.parameters.get_or_insert_with(|| Arc::clone(parameters));
    }

    pub(crate) fn leave_out(&mut self) {
        self.left_out += 1;
    }

    pub(crate) fn push(&mut self, unit: AudioUnit) {
        let same = |known: &Arc<AudioParameters>| {
            Arc::ptr_eq(known, &unit.parameters) || **known == *unit.parameters
        };
        if !self.parameters.as_ref().is_some_and(same) {
            self.clear();
            self.parameters = Some(unit.parameters);
            self.last = Some((unit.pts, unit.data));
            return;
        }
        let Some((pts, data)) = self.last.take() else {
            self.last = Some((unit.pts, unit.data));
            return;
        };
        let ticks = unit.pts.checked_sub(pts).and_then(|ticks| u32::try_from(ticks).ok());
        if let Some(ticks) = ticks.filter(|ticks| *ticks > 0) {
            self.ticks = ticks;
            self.ready(SoundSample { pts, ticks, data });
            self.last = Some((unit.pts, unit.data));
        } else {
            // A clock that went back: what is heard already is not heard again.
            self.left_out += 1;
            self.last = Some((pts, data));
        }
    }

    fn ready(&mut self, sample: SoundSample) {
        if sample.pts.saturating_add(i64::from(sample.ticks)) <= 0 {
            // An encoder's priming: nobody hears it, and FFmpeg's reader takes all of a file for later that holds sound from before 0.
            self.left_out += 1;
            return;
        }
        self.bytes += sample.data.len();
        self.ready.push_back(sample);
        while self.ready.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.ready.pop_front() else { break };
            self.bytes -= oldest.data.len();
            self.left_out += 1;
        }
    }

    /// Nothing follows the newest block.
    pub(crate) fn end(&mut self) {
        if let Some((pts, data)) = self.last.take()
            && self.ticks > 0
        {
            self.ready(SoundSample { pts, ticks: self.ticks, data });
        }
    }

    /// Nothing is heard before this time.
    pub(crate) fn from(&mut self, seconds: f64) {
        let Some(base) = self.parameters.as_ref().map(|parameters| parameters.time_base) else { return };
        while let Some(oldest) = self.ready.front().filter(|oldest| base.seconds(oldest.pts) < seconds) {
            self.bytes -= oldest.data.len();
            self.ready.pop_front();
        }
    }

    /// All that is ready, where it is sound that `wanted` describes; else it goes.
    pub(crate) fn take(&mut self, wanted: Option<&Arc<AudioParameters>>) -> Vec<SoundSample> {
        let fits =
            matches!((wanted, &self.parameters), (Some(wanted), Some(ours)) if Arc::ptr_eq(wanted, ours));
        if !fits {
            self.left_out += self.ready.len() as u64;
            self.ready.clear();
        }
        self.bytes = 0;
        self.ready.drain(..).collect()
    }

    /// Another run, or other sound.
    pub(crate) fn clear(&mut self) {
        self.left_out += self.ready.len() as u64 + u64::from(self.last.is_some());
        let left_out = self.left_out;
        *self = Self { left_out, ..Self::default() };
    }
}

#[cfg(test)]
mod tests;
