//! How often a client may ask: a token bucket each, in bounded memory.
//!
//! Not `governor`: its table of clients grows until somebody sweeps it, and whoever has many addresses decides how far.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Most clients of one generation: 24 bytes each, twice.
const GENERATION: usize = 32_768;

/// A bucket: `burst` requests at once, refilled at `per_second`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests per second that go on forever, 0.001 to 1,000,000.
    pub per_second: f64,
    /// Requests at once after a pause, 1 to 1,000,000.
    pub burst: u32,
}

impl Rate {
    pub(crate) fn is_sane(&self) -> bool {
        (0.001..=1e6).contains(&self.per_second) && (1..=1_000_000).contains(&self.burst)
    }
}

/// The buckets of all clients. Each is one number, the time at which it will be full again (the generic cell rate algorithm,
/// ITU-T I.371). Clients are kept in two generations; where the younger is full, the elder is forgotten: those who asked
/// last stay, and whoever is forgotten starts with a full bucket.
#[derive(Debug)]
pub(crate) struct Buckets {
    start: Instant,
    /// Nanoseconds that one request takes to be refilled.
    interval: u64,
    /// Nanoseconds that an empty bucket takes.
    whole: u64,
    /// Clients are known by a hash with a key of this process, so that nobody can choose whose bucket to empty.
    hasher: RandomState,
    clients: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<u64, u64>,
    elder: HashMap<u64, u64>,
}

impl Buckets {
    pub(crate) fn new(rate: Rate, start: Instant) -> Self {
        let interval = (1e9 / rate.per_second) as u64;
        let whole = interval.saturating_mul(rate.burst.into());
        Self { start, interval, whole, hasher: RandomState::new(), clients: Mutex::default() }
    }

    /// Takes one request from the client's bucket, or says how long until there is one.
    pub(crate) fn take(&self, client: &impl Hash, now: Instant) -> Result<(), Duration> {
        let now = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX);
        let key = self.hasher.hash_one(client);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let before = clients.full_at(key).max(now);
        let after = before + self.interval;
        match after.checked_sub(now + self.whole) {
            None | Some(0) => {
                clients.keep(key, after);
                Ok(())
            }
            Some(wait) => {
                // Nothing is taken, but whoever keeps asking is not forgotten.
                clients.keep(key, before);
                Err(Duration::from_nanos(wait))
            }
        }
    }
}

impl Generations {
    fn full_at(&self, key: u64) -> u64 {
        self.younger.get(&key).or_else(|| self.elder.get(&key)).copied().unwrap_or(0)
    }

    fn keep(&mut self, key: u64, full_at: u64) {
        if self.younger.len() >= GENERATION && !self.younger.contains_key(&key) {
            self.elder = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets() -> (Buckets, Instant) {
        let start = Instant::now();
        (Buckets::new(Rate { per_second: 2.0, burst: 3 }, start), start)
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_empties_and_fills() {
        let (buckets, start) = buckets();
        let check = |client: &str, ms, expected: Result<(), u64>| {
            let found = buckets.take(&client, start + Duration::from_millis(ms));
            assert_eq!(found, expected.map_err(Duration::from_millis), "{client} {ms}");
        };
        for _ in 0..3 {
            check("a", 0, Ok(()));
        }
        check("a", 0, Err(500));
        check("b", 0, Ok(()));
        check("a", 499, Err(1));
        check("a", 500, Ok(()));
        check("a", 500, Err(500));
        for _ in 0..3 {
            check("a", 60_000, Ok(()));
        }
        check("a", 60_000, Err(500));
    }

    #[tokio::test(start_paused = true)]
    async fn many_clients_do_not_take_more_memory() {
        let (buckets, start) = buckets();
        for _ in 0..3 {
            buckets.take(&"busy", start).unwrap();
        }
        for client in 0..3 * GENERATION {
            buckets.take(&client, start).unwrap();
            if client % 1000 == 0 {
                assert!(buckets.take(&"busy", start).is_err());
            }
        }
        let clients = buckets.clients.lock().unwrap();
        assert!(clients.younger.len() <= GENERATION && clients.elder.len() <= GENERATION);
    }
}
