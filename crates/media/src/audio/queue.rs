//! Sound that waits for whoever takes it.

use std::collections::VecDeque;

use super::AudioUnit;

/// What waits at most: more than any container puts between sound and its picture.
const MOST_SECONDS: f64 = 2.0;
const MOST_BYTES: usize = 1 << 20;

/// Sound in the order in which it came. At most 2 s and 1 MiB wait: beyond that the oldest goes, which is counted.
#[derive(Debug, Default)]
pub struct AudioQueue {
    units: VecDeque<AudioUnit>,
    bytes: usize,
    dropped: u64,
}

impl AudioQueue {
    /// Takes the next.
    pub fn push(&mut self, unit: AudioUnit) {
        self.bytes += unit.data.len();
        self.units.push_back(unit);
        while self.is_over() && self.pop().is_some() {
            self.dropped += 1;
        }
    }

    /// The oldest.
    pub fn pop(&mut self) -> Option<AudioUnit> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.data.len();
        Some(unit)
    }

    /// Units that nobody took in time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn is_over(&self) -> bool {
        let [Some(first), Some(last)] = [self.units.front(), self.units.back()] else { return false };
        let seconds = |unit: &AudioUnit| unit.parameters.time_base.seconds(unit.pts);
        self.bytes > MOST_BYTES || seconds(last) - seconds(first) > MOST_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use ocelli_model::TimeBase;

    use super::*;
    use crate::{AudioCodec, AudioParameters};

    fn units(step: i64, size: usize) -> impl Iterator<Item = AudioUnit> {
        let parameters = Arc::new(AudioParameters {
            codec: AudioCodec::Other("pcm_alaw".to_owned()),
            extradata: Bytes::new(),
            sample_rate: 8000,
            channels: 1,
            time_base: TimeBase::new(1, 8000).unwrap(),
        });
        (0..).map(move |n| AudioUnit {
            pts: n * step,
            data: Bytes::from(vec![0; size]),
            parameters: Arc::clone(&parameters),
        })
    }

    #[test]
    fn what_is_taken_in_time_comes_whole_and_in_order() {
        let mut queue = AudioQueue::default();
        for unit in units(160, 160).take(100) {
            queue.push(unit);
        }
        let taken: Vec<i64> = std::iter::from_fn(|| queue.pop()).map(|unit| unit.pts).collect();
        assert_eq!(taken, (0..100).map(|n| n * 160).collect::<Vec<_>>());
        assert_eq!((queue.dropped(), queue.bytes), (0, 0));
    }

    #[test]
    fn the_oldest_goes() {
        let mut queue = AudioQueue::default();
        for unit in units(160, 160).take(150) {
            queue.push(unit);
        }
        assert_eq!((queue.dropped(), queue.pop().unwrap().pts), (49, 49 * 160), "2 s are 100 steps");
        let mut queue = AudioQueue::default();
        for unit in units(1, 1 << 18).take(10) {
            queue.push(unit);
        }
        assert_eq!((queue.dropped(), queue.pop().unwrap().pts), (6, 6));
        let mut queue = AudioQueue::default();
        for unit in units(1, 2 << 20).take(1) {
            queue.push(unit);
        }
        assert!(queue.pop().is_none() && queue.dropped() == 1, "what is too large for it is gone at once");
    }
}
