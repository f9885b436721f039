//! Publishers by RTMP.

use std::{io, sync::Arc, thread};

use anyhow::{Context as _, Result};
use ocelli_engine::Supervisor;
use ocelli_ingest::push::{
    PublishHub, PublishOptions,
    rtmp::{RtmpBindError, RtmpConfig, RtmpServer},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

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

/// What takes publishers, on a thread of its own: woken for each picture of each of them, the threads that answer requests would wake one
/// another to look for work that there is not.
pub(super) struct Listening {
    runtime: Runtime,
    server: RtmpServer,
}

/// Listens for publishers. A port that is taken ends the start, unless nobody asked for it.
pub(super) fn listen(
    config: &Config,
    sources: &Sources,
    hub: Option<PublishHub>,
    supervisor: &Arc<Supervisor>,
) -> Result<Option<Listening>> {
    let (Some(listen), Some(hub)) = (&config.rtmp.listen, hub) else { return Ok(None) };
    let addresses: Vec<_> = listen.iter().map(|listen| listen.0).collect();
    let settings = RtmpConfig { connections: config.rtmp.connections as usize, ..RtmpConfig::default() };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the thread for publishers")?;
    let inside = runtime.enter();
    let bound = RtmpServer::bind(&addresses, settings, hub, Arc::<Supervisor>::clone(supervisor));
    drop(inside);
    let error = match bound {
        Ok(server) => return Ok(Some(Listening { runtime, server })),
        Err(error) => error,
    };
    // Where a runtime ends it may not wait; this one has nothing to wait for.
    runtime.shutdown_background();
    if !is_taken(&error) || !matches!(sources.get("rtmp.listen"), None | Some(Source::Default)) {
        return Err(error.into());
    }
    let error = chain(&error.into());
    tracing::warn!(%error, "nobody can publish by RTMP; set rtmp.listen to another port, or to none");
    Ok(None)
}

/// Publishers, taken until the end is asked for.
pub(super) struct Publishers {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Publishers {
    pub(super) fn take(Listening { runtime, server }: Listening) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (tell, ended) = oneshot::channel();
        let until = async move {
            stopped.await.ok();
        };
        let going = move || {
            runtime.block_on(server.run(until));
            tell.send(()).ok();
        };
        let thread = thread::Builder::new().name("rtmp".to_owned()).spawn(going);
        thread.context("cannot start the thread for publishers")?;
        Ok(Self { stop, ended })
    }

    /// They are told, and streams that they fed come to the end of a run.
    pub(super) async fn end(self) {
        self.stop.send(()).ok();
        if self.ended.await.is_err() {
            tracing::error!("what takes publishers ended badly");
        }
    }
}

fn is_taken(error: &RtmpBindError) -> bool {
    error.source.kind() == io::ErrorKind::AddrInUse
}
