//! One thread that makes durable what grew.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    ArchiveError,
    files::{Files, Growing, folder_of},
};

/// Files that grew since they were last synced.
#[derive(Debug)]
pub(crate) struct Syncing {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    grown: Vec<Grown>,
    ended: bool,
}

/// A file that grew.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    pub(crate) key: String,
    pub(crate) file: Arc<dyn Growing>,
    /// Its name is durable.
    pub(crate) named: Arc<AtomicBool>,
}

impl Grown {
    /// Makes its name durable, once.
    pub(crate) fn name(&self, files: &dyn Files) -> io::Result<()> {
        if !self.named.load(Ordering::Acquire) {
            files.sync_folder(folder_of(&self.key))?;
            self.named.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl Syncing {
    pub(crate) fn start(files: Arc<dyn Files>, every: Duration) -> Result<Self, ArchiveError> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("archive-sync".to_owned());
        let thread = thread
            .spawn(move || run(&theirs, &*files, every))
            .map_err(|source| ArchiveError::Folder { path: "archive-sync".into(), source })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// To be synced soon. A file that waits for that already is not entered twice.
    pub(crate) fn grew(&self, grown: &Grown) {
        let mut state = self.shared.lock();
        if state.grown.iter().any(|known| Arc::ptr_eq(&known.file, &grown.file)) {
            return;
        }
        state.grown.push(grown.clone());
        if state.grown.len() == 1 {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic in it has been told by the hook.
        thread.map(JoinHandle::join);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What grew since the last time, `every` after the first of it did; nothing at the end.
    fn take(&self, every: Duration) -> Option<Vec<Grown>> {
        let waits = |state: &mut State| state.grown.is_empty() && !state.ended;
        let state = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        let more = self.changed.wait_timeout_while(state, every, |state| !state.ended);
        let (mut state, _timeout) = more.unwrap_or_else(PoisonError::into_inner);
        let grown = std::mem::take(&mut state.grown);
        (!state.ended || !grown.is_empty()).then_some(grown)
    }
}

fn run(shared: &Shared, files: &dyn Files, every: Duration) {
    while let Some(grown) = shared.take(every) {
        for grown in grown {
            // Of a segment that was sealed since and has no open name any more this does no harm.
            if let Err(error) = grown.file.sync().and_then(|()| grown.name(files)) {
                // Whoever seals it meets the failure again, and acts on it.
                tracing::error!(file = grown.key, %error, "recorded media could not be made durable");
            }
        }
    }
}
