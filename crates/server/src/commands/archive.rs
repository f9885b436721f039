//! `ocelli archive`: are recordings whole?

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, Result};
use ocelli_store::{Access, SqliteStore};
use tokio::runtime::Builder;

use crate::{
    cli::{Archive as Options, ArchiveCommand, CheckArchive},
    config::Config,
    ending::Ending,
    serve,
};

pub(crate) fn archive(options: &Options) -> Result<Ending> {
    let ArchiveCommand::Check(options) = &options.command;
    check(options)
}

fn check(options: &CheckArchive) -> Result<Ending> {
    let config = match Config::load(&options.config) {
        Ok(loaded) => loaded.config,
        Err(error) => return Ok(Ending::Unusable(error.lines())),
    };
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("archive").enable_all().build();
    let runtime = runtime.context("cannot start a thread")?;
    let findings = runtime.block_on(async {
        let path = &config.store.path;
        let store = SqliteStore::open(path, Access::Write).await;
        let store = Arc::new(store.with_context(|| format!("the store in {}", path.display()))?);
        let checked = async { Ok(serve::archive::open(&config, &store).await?.check(options.mend).await?) };
        let findings: Result<Vec<_>> = checked.await;
        store.close().await.context("the store cannot be closed in order")?;
        findings
    })?;
    let shown = config.archive.path.display();
    if findings.is_empty() {
        writeln!(std::io::stdout(), "the recordings in {shown} are whole")?;
        return Ok(Ending::Whole);
    }
    let told = findings.iter().map(|finding| format!("{shown}: {finding}")).collect();
    Ok(Ending::Partial(told))
}
