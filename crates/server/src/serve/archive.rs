//! Recordings: opened before streams go, looked after while they do.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use ocelli_archive::{Archive, ArchiveConfig, Retention};
use ocelli_store::SqliteStore;
use tokio::{runtime::Handle, task::JoinHandle, time::MissedTickBehavior};

use crate::{
    clock::{now_ms, steady_ms},
    config::Config,
    ending::chain,
};

/// How often recordings that need not be kept are looked for.
const RETAIN_EVERY: Duration = Duration::from_mins(1);

/// Opens the archive and says what an earlier process left half written in it.
pub(crate) async fn open(config: &Config, store: &Arc<SqliteStore>) -> Result<Archive> {
    let ours = &config.archive;
    let keep = Retention {
        age: ours.keep_age,
        event_age: ours.keep_event_age,
        bytes: ours.keep_bytes.map(|bytes| bytes.0),
    };
    let settings = ArchiveConfig {
        keep,
        steady_ms,
        reserve_bytes: ours.reserve_bytes.0,
        ..ArchiveConfig::new(ours.path.clone(), now_ms)
    };
    super::make_folder(&ours.path).context("archive.path")?;
    let archive = Archive::open(settings, Arc::<SqliteStore>::clone(store), Handle::current()).await?;
    for recovered in archive.recovered() {
        tracing::info!(?recovered, "a segment that was open when the server died is whole again");
    }
    Ok(archive)
}

/// Removes what need not be kept, as long as the server runs.
pub(super) fn retain(archive: &Archive) -> JoinHandle<()> {
    let archive = archive.clone();
    tokio::spawn(async move {
        let mut often = tokio::time::interval(RETAIN_EVERY);
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            often.tick().await;
            match archive.retain().await {
                Ok(removed) => tracing::debug!(?removed, "recordings that need not be kept are gone"),
                Err(error) => {
                    tracing::error!(error = %chain(&error.into()), "old recordings cannot be removed");
                }
            }
        }
    })
}
