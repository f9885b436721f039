//! `ocelli serve`: streams for weeks.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use ocelli_store::{Access, SqliteStore};
use tokio::runtime::Builder;

use crate::{cli::Serve, config::Config, ending::Ending, logs, serve};

/// Threads for sockets and the store; streams have their own.
const THREADS: usize = 2;

pub(crate) fn serve(options: &Serve) -> Result<Ending> {
    let loaded = match Config::load(&options.config) {
        Ok(loaded) => loaded,
        Err(error) => {
            return Ok(Ending::Unusable(error.lines()));
        }
    };
    let config = loaded.config;
    logs::start(config.log.format, &config.log.filter.0);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime =
        Builder::new_multi_thread().worker_threads(THREADS).thread_name("serve").enable_all().build();
    let runtime = runtime.context("cannot start the server's threads")?;
    runtime.block_on(async {
        let path = &config.store.path;
        let store = SqliteStore::open(path, Access::Write).await;
        let store = Arc::new(store.with_context(|| format!("the store in {}", path.display()))?);
        let served = serve::serve(&config, Arc::clone(&store)).await;
        let closed = store.close().await;
        served.and(closed.context("the store cannot be closed in order"))
    })?;
    Ok(Ending::Whole)
}
