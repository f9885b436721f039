//! Whose sound can be asked for.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

/// Servers that are remembered; then all are asked again.
const MOST: usize = 1024;

/// Which servers broke off a session with sound: the next attempt does without, as they would break off again.
#[derive(Debug, Default)]
pub(super) struct Sounds(Mutex<HashMap<u64, Arc<AtomicBool>>>);

impl Sounds {
    /// Whether that server may be asked, to be cleared where it should not have been.
    pub(super) fn of(&self, url: &str) -> Arc<AtomicBool> {
        let mut hash = DefaultHasher::new();
        url.hash(&mut hash);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        Arc::clone(known.entry(hash.finish()).or_insert_with(|| Arc::new(AtomicBool::new(true))))
    }
}
