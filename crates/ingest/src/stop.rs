//! The end that somebody else asks for.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::SourceError;

/// Ends what waits for the network or for its time, now and later. Clones end together.
#[derive(Clone, Default)]
pub struct Stop(Arc<Asked>);

#[derive(Default)]
struct Asked {
    said: watch::Sender<bool>,
    /// What blocking waits sleep on: a stop is said before it is locked.
    lock: Mutex<()>,
    woken: Condvar,
}

impl Stop {
    /// From any thread.
    pub fn stop(&self) {
        self.0.said.send_replace(true);
        // Whoever looked before holds the lock until it sleeps.
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.woken.notify_all();
    }

    /// Whether the end was asked for.
    pub fn is_asked(&self) -> bool {
        *self.0.said.borrow()
    }

    /// Blocks for that long, or until the end is asked for; then it says so.
    pub fn wait(&self, duration: Duration) -> Result<(), SourceError> {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.woken.wait_timeout_while(guard, duration, |()| !self.is_asked());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        if self.is_asked() { Err(SourceError::Stopped) } else { Ok(()) }
    }

    /// Waits for whoever asks.
    pub(crate) async fn asked(&self) {
        // Fails only without a sender, which `self` is.
        self.0.said.subscribe().wait_for(|asked| *asked).await.ok();
    }

    /// Waits for `work`, or for whoever stops it.
    pub(crate) async fn unless<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, SourceError>
    where
        SourceError: From<E>,
    {
        tokio::select! {
            biased;
            () = self.asked() => Err(SourceError::Stopped),
            done = work => Ok(done?),
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_asked()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_in_time_or_when_it_is_told_to() {
        let stop = Stop::default();
        assert!(stop.wait(Duration::from_millis(1)).is_ok());
        let other = stop.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || other.stop());
            // An hour, if nobody is heard.
            assert!(matches!(stop.wait(Duration::from_hours(1)), Err(SourceError::Stopped)));
        });
        assert!(stop.is_asked());
        assert!(matches!(stop.wait(Duration::ZERO), Err(SourceError::Stopped)), "later waits too");
    }
}
