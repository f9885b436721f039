//! Times that wrap.

/// Milliseconds in half of what 32 bits say.
const HALF: i64 = 1 << 31;
/// A step within a minute of that is none: encoders that count in 31 bits, as `ffmpeg` does, begin at 0 again.
const SLACK: i64 = 60_000;

/// Continues times of 32 bits past their end: each is the one nearest to the time before, so that pictures and sound may
/// come out of step around the wrap, and steps back stay steps back.
#[derive(Debug, Default)]
pub(super) struct Clock {
    newest: Option<i64>,
    /// The bit that an encoder of 31 bits does not say.
    high: u32,
}

impl Clock {
    pub(super) fn at(&mut self, timestamp: u32) -> i64 {
        let time = match self.newest {
            None => i64::from(timestamp),
            Some(newest) => newest + self.step(newest, timestamp),
        };
        self.newest = Some(time);
        time
    }

    fn step(&mut self, newest: i64, timestamp: u32) -> i64 {
        let step = i64::from((timestamp ^ self.high).wrapping_sub(newest as u32) as i32);
        if step.abs() <= HALF - SLACK {
            return step;
        }
        self.high ^= 1 << 31;
        step - step.signum() * HALF
    }
}
