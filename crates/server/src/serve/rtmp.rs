//! Publishers by RTMP.

use std::{io, sync::Arc};

use anyhow::Result;
use ocelli_engine::Supervisor;
use ocelli_ingest::push::{
    PublishHub, PublishOptions,
    rtmp::{RtmpBindError, RtmpConfig, RtmpServer},
};

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    config::{Config, Source, Sources},
    ending::chain,
};

/// Where publishers find their streams; `None` where none is listened for.
pub(super) fn hub(config: &Config) -> Option<PublishHub> {
    config.rtmp.listen.as_ref()?;
    let options = PublishOptions { stall_timeout: config.network.stall_timeout, ..PublishOptions::default() };
    Some(PublishHub::new(options))
}

/// Listens for publishers. A port that is taken ends the start, unless nobody asked for it.
pub(super) fn listen(
    config: &Config,
    sources: &Sources,
    hub: Option<PublishHub>,
    supervisor: &Arc<Supervisor>,
) -> Result<Option<RtmpServer>> {
    let (Some(listen), Some(hub)) = (&config.rtmp.listen, hub) else { return Ok(None) };
    let addresses: Vec<_> = listen.iter().map(|listen| listen.0).collect();
    let settings = RtmpConfig { connections: config.rtmp.connections as usize, ..RtmpConfig::default() };
    let bound = RtmpServer::bind(&addresses, settings, hub, Arc::<Supervisor>::clone(supervisor));
    match bound {
        Ok(server) => Ok(Some(server)),
        Err(error)
            if is_taken(&error) && matches!(sources.get("rtmp.listen"), None | Some(Source::Default)) =>
        {
            let error = chain(&error.into());
            tracing::warn!(%error, "nobody can publish by RTMP; set rtmp.listen to another port, or to none");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Publishers, taken until the end is asked for.
pub(super) struct Publishers {
    stop: oneshot::Sender<()>,
    going: JoinHandle<()>,
}

impl Publishers {
    pub(super) fn take(server: RtmpServer) -> Self {
        let (stop, stopped) = oneshot::channel();
        let going = tokio::spawn(server.run(async move {
            stopped.await.ok();
        }));
        Self { stop, going }
    }

    /// They are told, and streams that they fed come to the end of a run.
    pub(super) async fn end(self) {
        self.stop.send(()).ok();
        if let Err(error) = self.going.await {
            tracing::error!(%error, "what takes publishers ended badly");
        }
    }
}

fn is_taken(error: &RtmpBindError) -> bool {
    error.source.kind() == io::ErrorKind::AddrInUse
}
