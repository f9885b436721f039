//! Times that wrap.

/// Continues times of 32 bits past their end: each is the one nearest to the time before, so that pictures and sound may
/// come out of step around the wrap, and steps back stay steps back.
#[derive(Debug, Default)]
pub(super) struct Clock {
    newest: Option<i64>,
}

impl Clock {
    pub(super) fn at(&mut self, timestamp: u32) -> i64 {
        let time = match self.newest {
            None => i64::from(timestamp),
            Some(newest) => newest + i64::from(timestamp.wrapping_sub(newest as u32) as i32),
        };
        self.newest = Some(time);
        time
    }
}
