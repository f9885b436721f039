//! The store as commands use it: opened, with a runtime of its own, and closed in order.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail};
use ocelli_engine::{Kept, Media, Pass, Watch};
use ocelli_ingest::pull::FileSource;
use ocelli_store::{
    Access, Appender, Blob, BlobKind, Entry, NewSource, Results, RunId, SourceKind, SqliteStore, StoreError,
};
use tokio::runtime::{Builder, Runtime};

use crate::{clock::now_ms, home::home};

/// Folder below the data directory that reading commands look into unless told.
const FOLDER: &str = "store";

/// File in a store's folder.
pub(crate) const DATABASE: &str = "ocelli.db";

/// A store that this process writes.
#[derive(Debug)]
pub(crate) struct OpenStore {
    kept: Kept,
    store: Arc<SqliteStore>,
    runtime: Runtime,
    /// Contents that a job works on.
    in_hand: Mutex<BTreeSet<String>>,
    given_back: Condvar,
}

/// A content in the hand of one job: one that has the same under another name waits, and then finds all of it done.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    store: &'a OpenStore,
    key: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.store.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.store.given_back.notify_all();
    }
}

/// A store that is read, by whoever else it is written.
#[derive(Debug)]
pub(crate) struct ReadStore {
    pub(crate) results: Arc<dyn Results>,
    runtime: Runtime,
}

/// The folder to read: as given, else `$OCELLI_STORE`, else below the data directory.
pub(crate) fn folder(given: Option<&Path>) -> PathBuf {
    let set = std::env::var_os("OCELLI_STORE").filter(|value| !value.is_empty()).map(PathBuf::from);
    given.map(Path::to_owned).or(set).unwrap_or_else(|| home().join(FOLDER))
}

/// Refuses a path on which there can be no folder.
fn check(folder: &Path) -> Result<()> {
    let Some(file) = folder.ancestors().find(|path| path.is_file()) else { return Ok(()) };
    let shown = file.display();
    match file.parent().filter(|_| file.file_name().is_some_and(|name| name == DATABASE)) {
        Some(parent) => bail!("{shown} is the database of a store; name its folder, {}", parent.display()),
        None => bail!("{shown} is a file, and a store is a folder; name another place"),
    }
}

fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("store").enable_time();
    builder.build().context("cannot start the store's thread")
}

impl OpenStore {
    /// Makes the store where there is none.
    pub(crate) fn for_writing(folder: &Path) -> Result<Self> {
        check(folder)?;
        let runtime = runtime()?;
        let store = runtime.block_on(SqliteStore::open(folder, Access::Write)).map_err(|error| {
            // The others name the store themselves.
            let unnamed = matches!(error, StoreError::Backend(_));
            let error = anyhow::Error::new(error);
            if unnamed { error.context(format!("{} cannot be a store", folder.display())) } else { error }
        });
        let store = Arc::new(store?);
        let appender = Appender::start(Arc::<SqliteStore>::clone(&store), runtime.handle());
        let handle = runtime.handle().clone();
        let kept = Kept {
            log: Arc::<SqliteStore>::clone(&store),
            results: Arc::<SqliteStore>::clone(&store),
            appender,
            runtime: handle,
        };
        let (in_hand, given_back) = (Mutex::default(), Condvar::new());
        Ok(Self { kept, store, runtime, in_hand, given_back })
    }

    fn turn(&self, key: &str) -> Turn<'_> {
        let in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given_back.wait_while(in_hand, |in_hand| in_hand.contains(key));
        free.unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        Turn { store: self, key: key.to_owned() }
    }

    /// The input as the store knows it: by its content, which is read for that; `None` where the end was asked for
    /// meanwhile.
    pub(crate) fn media(
        &self,
        input: &Path,
        file: &FileSource,
        pass: &Pass,
        watch: &Watch,
    ) -> Result<Option<(Media, Turn<'_>)>> {
        let identity = file.identify(|| watch.is_stopped()).context("cannot read the input")?;
        let Some(identity) = identity else { return Ok(None) };
        let turn = self.turn(&identity.sha256);
        let location = input.canonicalize().unwrap_or_else(|_gone| input.to_owned()).display().to_string();
        let source = NewSource {
            kind: SourceKind::File,
            key: identity.sha256,
            name: input.display().to_string(),
            bytes: identity.bytes,
            seen_ms: now_ms(),
        };
        let blob = Blob { kind: BlobKind::Media, location, bytes: identity.bytes, seen_ms: source.seen_ms };
        Ok(Some((Media::open(self.kept.clone(), pass, &source, blob)?, turn)))
    }

    /// Notes where a video of these runs is, if one of them was written.
    pub(crate) fn annotated(&self, runs: &[RunId], path: &Path) -> Result<()> {
        let Ok(found) = path.metadata() else { return Ok(()) };
        let location = path.canonicalize().unwrap_or_else(|_gone| path.to_owned()).display().to_string();
        let (kind, bytes) = (BlobKind::Annotated, found.len());
        let blob = Blob { kind, location, bytes, seen_ms: now_ms() };
        let entries = runs.iter().map(|run| Entry::Blob { run: *run, blob: blob.clone() }).collect();
        Ok(self.kept.appender.append_blocking(entries).wait_blocking()?)
    }

    /// Waits for what is under way, and moves all of it from the log into the database file.
    pub(crate) fn close(self) -> Result<()> {
        let written = self.runtime.block_on(self.kept.appender.close());
        let closed = self.runtime.block_on(self.store.close());
        Ok(written.and(closed)?)
    }
}

impl ReadStore {
    pub(crate) fn open(given: Option<&Path>) -> Result<Self> {
        let folder = folder(given);
        check(&folder)?;
        let runtime = runtime()?;
        let store = runtime.block_on(SqliteStore::open(&folder, Access::Read));
        let store = store.map_err(|error| {
            let unnamed = given.is_none() && matches!(error, StoreError::Missing { .. });
            let error = anyhow::Error::new(error);
            if unnamed { error.context("no --store is named, so the default is meant") } else { error }
        })?;
        Ok(Self { results: Arc::new(store), runtime })
    }

    /// Waits for an answer.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}
