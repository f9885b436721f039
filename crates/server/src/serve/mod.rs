//! The server put together: store, engine, interface.

mod access;
pub(crate) mod archive;
mod models;
mod operation;
mod policy;
mod probe;
mod rtmp;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use ocelli_api::{
    AnalyzerSettings, ApiSettings, ApiState, LiveSettings,
    access::{Access, WallClock},
    remove_stale_uploads, router,
    serving::Server,
};
use ocelli_archive::Archive;
use ocelli_engine::{Backoff, Kept, Parts, Supervisor, SupervisorConfig};
use ocelli_ingest::{
    child::{ChildCommand, ChildLimits},
    pull::{Opener, OpenerOptions},
    push::{FrameHub, PublishHub},
};
use ocelli_net::AddressPolicy;
use ocelli_sinks::Retention;
use ocelli_store::{Appender, SqliteStore, Streams as _};
use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
    time::MissedTickBehavior,
};

use self::{models::HomeModels, operation::Process, policy::Early, probe::Probe, rtmp::Publishers};
use crate::{
    clock::now_ms,
    config::{Config, Sources},
    ending::chain,
};

/// How often results that are too old are looked for.
const PRUNE_EVERY: Duration = Duration::from_mins(10);
/// Uploads received at once.
const MOST_UPLOADS: usize = 16;

/// Serves until it is told to stop. `store` is open for writing.
pub(crate) async fn serve(config: &Config, sources: &Sources, store: Arc<SqliteStore>) -> Result<()> {
    // Before anything takes long: a signal during the start ends it in order too.
    let signals = Signals::listen()?;
    let listeners = access::listeners(config);
    let rules = access::access(config)?;
    for line in rules.check(&listeners, now_ms())? {
        tracing::warn!("{line}");
    }
    // Bound first: a port that is taken should not have streams started for nothing.
    let server = Server::bind(&access::serving(config))?;
    let access = Access::open(rules, &server.addresses(), WallClock::new(now_ms))?;
    let runtime = Handle::current();
    let appender = Appender::start(Arc::<SqliteStore>::clone(&store), &runtime);
    let hub = rtmp::hub(config);
    let frames = Arc::<FrameHub>::default();
    let opener = Arc::new(opener(config, &runtime, (hub.clone(), &frames))?);
    let archive = archive::open(config, &store).await?;
    let supervisor = supervisor(config, &store, &appender, (&opener, &archive)).await?;
    let publishers = rtmp::listen(config, sources, hub, &supervisor)?.map(Publishers::take).transpose()?;
    let state = state(config, access, &store, (&opener, &archive, &frames), &supervisor);
    tidy_uploads(config, &supervisor);
    let pruning = prune(config, &store, &archive);
    let retaining = archive::retain(&archive);
    let urls = server.urls().join(", ");
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %urls, streams = supervisor.list().len(), "serving");
    announce(&server.urls());
    let drained = server.run(router(state), signals.stop()).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "connections were cut");
    }
    tracing::info!("requests are answered; streams end");
    if let Some(publishers) = publishers {
        publishers.end().await;
    }
    retaining.abort();
    if let Some(pruning) = pruning {
        pruning.abort();
    }
    let ended = tokio::time::timeout(config.server.drain_timeout, supervisor.drain()).await;
    if ended.is_err() {
        tracing::error!(
            "streams did not end in time; what was not durable is done again after the next start"
        );
    }
    if tokio::time::timeout(config.server.drain_timeout, archive.settled()).await.is_err() {
        tracing::error!(
            "recordings were not written in time; what lies open is made whole at the next start"
        );
    }
    appender.close().await.context("results cannot be kept")?;
    tracing::info!("stopped");
    Ok(())
}

/// One line for whoever started it in a terminal, whatever is logged.
fn announce(urls: &[String]) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for url in urls {
        // Nobody may be reading.
        drop(writeln!(out, "ocelli: listening on {url}  (documentation: {url}/api/docs)"));
    }
    drop(out.flush());
}

/// SIGINT and SIGTERM: the first ends the server in order, the second at once.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Ready at the first; from then on the second ends the program.
    async fn stop(mut self) {
        self.next().await;
        tracing::info!("told to stop; once more ends at once");
        tokio::spawn(async move {
            self.next().await;
            end_at_once();
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[expect(clippy::exit, reason = "the second signal must end the program even where a thread is stuck")]
fn end_at_once() {
    std::process::exit(130);
}

fn opener(
    config: &Config,
    runtime: &Handle,
    (publish, frames): (Option<PublishHub>, &Arc<FrameHub>),
) -> Result<Opener> {
    let mut folders = config.media.folders.clone();
    folders.push(config.media.uploads.clone());
    make_folder(&config.media.uploads).context("media.uploads")?;
    make_folder(&config.media.frames).context("media.frames")?;
    let policy = AddressPolicy::operator().with(config.network.allow.iter().map(|range| range.0));
    let options = OpenerOptions {
        folders,
        runtime: Some(runtime.clone()),
        connect_timeout: config.network.connect_timeout,
        stall_timeout: config.network.stall_timeout,
        untrusted: Some(Arc::new(child(config))),
        publish,
        frames: Some(Arc::clone(frames)),
        ..OpenerOptions::new(policy)
    };
    Ok(Opener::new(options)?)
}

fn child(config: &Config) -> ChildCommand {
    let engine = &config.engine;
    let limits = ChildLimits {
        memory_bytes: engine.child_memory.0,
        cpu: engine.child_cpu,
        wall: engine.child_timeout,
        ..ChildLimits::default()
    };
    ChildCommand::this_program().with_limits(limits)
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

async fn supervisor(
    config: &Config,
    store: &Arc<SqliteStore>,
    appender: &Appender,
    (opener, archive): (&Arc<Opener>, &Archive),
) -> Result<Arc<Supervisor>> {
    let frames = &config.frames;
    let settings = SupervisorConfig {
        frames: config.media.frames.clone(),
        threads: config.engine.threads.count().get(),
        most_streams: config.server.max_streams as usize,
        backoff: Backoff { least: config.engine.backoff_min, most: config.engine.backoff_max },
        retention: Retention {
            count: frames.keep_count.map(u64::from),
            age: frames.keep_age,
            bytes: frames.keep_bytes.map(|bytes| bytes.0),
        },
        cache_bytes: frames.cache_bytes.0 as usize,
        now_ms,
    };
    let kept = Kept {
        log: Arc::<SqliteStore>::clone(store),
        results: Arc::<SqliteStore>::clone(store),
        appender: appender.clone(),
        runtime: Handle::current(),
    };
    let parts = Parts {
        opener: Arc::<Opener>::clone(opener),
        models: Arc::new(HomeModels(config.server.home.clone())),
        kept,
        archive: Some(archive.clone()),
        streams: Arc::<SqliteStore>::clone(store),
    };
    Ok(Arc::new(Supervisor::open(settings, parts).await?))
}

fn state(
    config: &Config,
    access: Access,
    store: &Arc<SqliteStore>,
    (opener, archive, frames): (&Arc<Opener>, &Archive, &Arc<FrameHub>),
    supervisor: &Arc<Supervisor>,
) -> ApiState {
    let allowed = config.hardware.options.iter().map(|hardware| hardware.0).collect();
    ApiState {
        access,
        engine: Arc::<Supervisor>::clone(supervisor),
        results: Arc::<SqliteStore>::clone(store),
        streams: Arc::<SqliteStore>::clone(store),
        probe: Arc::new(Probe { child: child(config), allowed }),
        policy: Arc::new(Early { opener: Arc::clone(opener) }),
        operation: Arc::new(Process {
            supervisor: Arc::clone(supervisor),
            frames: config.media.frames.clone(),
        }),
        media: Some(Arc::new(archive.clone())),
        frames: Arc::clone(frames),
        models: models::listed(&config.server.home),
        settings: ApiSettings {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uploads: config.media.uploads.clone(),
            most_upload_bytes: config.limits.upload_bytes.0,
            most_uploads: MOST_UPLOADS,
            upload_idle: config.limits.request_timeout,
            most_body_bytes: usize::try_from(config.limits.body_bytes.0).unwrap_or(usize::MAX),
            quality: config.frames.quality,
            limits: access::serving(config).limits,
            hardware: None,
            live: LiveSettings::default(),
            analyzer: analyzer(config),
        },
    }
}

fn analyzer(config: &Config) -> AnalyzerSettings {
    let analyzer = &config.analyzer;
    let base = analyzer.hls_base_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let path = analyzer.hls_path.trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    let listened = config.rtmp.listen.iter().flatten().map(|listen| listen.0.port()).find(|port| *port != 0);
    AnalyzerSettings {
        fps: analyzer.fps.0,
        webcam: analyzer.webcam.clone(),
        rtmp_host: analyzer.rtmp_host.clone(),
        rtmp_port: analyzer.rtmp_port.or(listened).unwrap_or(1935),
        playlists: format!("{base}{path}"),
        webcam_patience: analyzer.webcam_timeout,
    }
}

/// Uploads that no stream reads any more, left by a process that was killed.
fn tidy_uploads(config: &Config, supervisor: &Supervisor) {
    let specs = supervisor.list().into_iter().filter_map(|status| supervisor.spec(&status.id).ok());
    let read: Vec<PathBuf> = specs.filter_map(|spec| spec.source.url.file().map(Path::to_owned)).collect();
    if let Err(error) = remove_stale_uploads(&config.media.uploads, &read) {
        tracing::warn!(%error, "old uploads cannot be removed");
    }
}

/// Removes what is too old, now and then, as long as the server runs.
fn prune(config: &Config, store: &Arc<SqliteStore>, archive: &Archive) -> Option<JoinHandle<()>> {
    let age = i64::try_from(config.store.keep_age?.as_millis()).unwrap_or(i64::MAX);
    let (store, archive) = (Arc::clone(store), archive.clone());
    Some(tokio::spawn(async move {
        let mut often = tokio::time::interval(PRUNE_EVERY);
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            often.tick().await;
            // A clock that was set forwards makes nothing older.
            let now = now_ms().saturating_sub(archive.clock_set_ms().max(0));
            match store.prune(now.saturating_sub(age)).await {
                Ok(pruned) => tracing::debug!(?pruned, "results that were too old are gone"),
                Err(error) => tracing::error!(error = %chain(&error.into()), "old results cannot be removed"),
            }
        }
    }))
}
