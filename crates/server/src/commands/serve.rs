//! `ocelli serve`: streams for weeks.

use std::{os::unix::process::CommandExt as _, process::Command, sync::Arc};

use anyhow::{Context as _, Result};
use ocelli_store::{Access, SqliteStore};
use tokio::runtime::Builder;

use crate::{
    cli::Serve,
    config::{Config, Loaded},
    ending::Ending,
    logs, serve,
};

/// Threads for sockets and the store; streams have their own.
const THREADS: usize = 2;

/// Says how many arenas glibc's allocator may use; it is read when a process begins.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Begins anew, as the same process, with few arenas. Each attempt at a stream has threads of its own, and with an arena for each
/// memory rises by some percent over 70 starts and stops; with two it does not. Where that fails, it goes on as it is.
fn with_few_arenas() {
    // By its path: named after `/proc/self/exe`, no list of processes would show it as what it is.
    if let (None, Ok(program)) = (std::env::var_os(ARENAS), std::env::current_exe()) {
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| "ocelli".into());
        let failed = Command::new(program).arg0(name).args(arguments).env(ARENAS, "2").exec();
        drop(failed);
    }
}

pub(crate) fn serve(options: &Serve) -> Result<Ending> {
    with_few_arenas();
    let loaded = match Config::load(&options.config) {
        Ok(loaded) => loaded,
        Err(error) => {
            return Ok(Ending::Unusable(error.lines()));
        }
    };
    let Loaded { config, sources, warnings } = loaded;
    logs::start(config.log.format, &config.log.filter.0);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let runtime =
        Builder::new_multi_thread().worker_threads(THREADS).thread_name("serve").enable_all().build();
    let runtime = runtime.context("cannot start the server's threads")?;
    runtime.block_on(async {
        let path = &config.store.path;
        let store = SqliteStore::open(path, Access::Write).await;
        let store = Arc::new(store.with_context(|| format!("the store in {}", path.display()))?);
        let served = serve::serve(&config, &sources, Arc::clone(&store)).await;
        let closed = store.close().await;
        served.and(closed.context("the store cannot be closed in order"))
    })?;
    Ok(Ending::Whole)
}
