//! What the routes stand on.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ocelli_engine::FrameHub;
use ocelli_model::StreamId;
use ocelli_store::{Results, Streams};
use tokio::sync::Semaphore;

use crate::{
    AnalyzerSettings, Engine, MediaLog, MediaProbe, ModelView, Operation, SourcePolicy, access::Access,
    analyzer::Desks,
};
use crate::{media::PlaylistShelf, serving::LimitsConfig};

/// Everything that the composition root hands to [`crate::router`].
#[derive(Clone, Debug)]
pub struct ApiState {
    /// Who may come in.
    pub access: Access,
    /// Keeps streams going.
    pub engine: Arc<dyn Engine>,
    /// What is known of runs, results and ledgers.
    pub results: Arc<dyn Results>,
    /// Where pictures are posted that streams read.
    pub frames: Arc<FrameHub>,
    /// What is known of the wall time of runs.
    pub streams: Arc<dyn Streams>,
    /// Examines uploads and the machine.
    pub probe: Arc<dyn MediaProbe>,
    /// Says early which sources are refused.
    pub policy: Arc<dyn SourcePolicy>,
    /// How the process stands.
    pub operation: Arc<dyn Operation>,
    /// Recorded media; `None` where nothing is recorded.
    pub media: Option<Arc<dyn MediaLog>>,
    /// Models that streams can name.
    pub models: Vec<ModelView>,
    /// Everything that is configured.
    pub settings: ApiSettings,
}

/// What is configured.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The release, as `ocelli --version` prints it.
    pub version: String,
    /// Folder of uploads: one folder per camera, and files that are being received. Must exist and be writable.
    pub uploads: PathBuf,
    /// Most bytes of one upload.
    pub most_upload_bytes: u64,
    /// Most uploads at once; more are answered with 429.
    pub most_uploads: usize,
    /// Longest pause between two pieces of an upload.
    pub upload_idle: Duration,
    /// Most bytes of the body of any other request.
    pub most_body_bytes: usize,
    /// JPEG quality where a stream names none, 1 to 100.
    pub quality: u8,
    /// Hardware that decodes where a client of contract 1 names none (`cuda`, `qsv`, `vaapi`, `auto`); software if `None`.
    pub hardware: Option<String>,
    /// What one request may take.
    pub limits: LimitsConfig,
    /// Live followers.
    pub live: LiveSettings,
    /// Streams of contract 3.
    pub analyzer: AnalyzerSettings,
}

/// What is configured of live followers.
#[derive(Clone, Copy, Debug)]
pub struct LiveSettings {
    /// Most sockets at once; more are answered with 503.
    pub most_sockets: usize,
    /// Most streams that one socket follows; those beyond are left out, last names first.
    pub most_streams: usize,
    /// How often a client is pinged, and how often `/api/v1/live` looks for streams that came or went.
    pub ping: Duration,
    /// How long a client may leave messages unread, or be silent: it is closed then.
    pub patience: Duration,
}

impl Default for LiveSettings {
    /// 10,000 sockets of at most 1,000 streams; a ping each 10 s; 30 s of patience.
    fn default() -> Self {
        Self {
            most_sockets: 10_000,
            most_streams: 1_000,
            ping: Duration::from_secs(10),
            patience: Duration::from_secs(30),
        }
    }
}

/// The state with what the routes keep in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: ApiState,
    pub(crate) uploads: Semaphore,
    pub(crate) sockets: Arc<Semaphore>,
    /// Questions that take memory in proportion to what is stored.
    pub(crate) long_reads: Semaphore,
    /// Clips and pictures that are made of recorded media.
    pub(crate) making: Semaphore,
    pub(crate) playlists: PlaylistShelf,
    /// What is kept of streams for viewers of contract 3.
    pub(crate) desks: Desks,
    decoding: Mutex<HashSet<StreamId>>,
}

/// Long reads at once.
const LONG_READS: usize = 4;
/// Pictures of recorded media that are decoded at once.
const MADE_AT_ONCE: usize = 4;

impl Shared {
    pub(crate) fn new(state: ApiState) -> Arc<Self> {
        Arc::new(Self {
            uploads: Semaphore::new(state.settings.most_uploads),
            sockets: Arc::new(Semaphore::new(state.settings.live.most_sockets)),
            long_reads: Semaphore::new(LONG_READS),
            making: Semaphore::new(MADE_AT_ONCE),
            playlists: PlaylistShelf::default(),
            desks: Desks::default(),
            decoding: Mutex::default(),
            state,
        })
    }

    /// Keeps other decodes away from a camera while one is begun; `None` where another has it.
    pub(crate) fn begin_decode(self: &Arc<Self>, id: &StreamId) -> Option<Beginning> {
        let mut decoding = self.decoding.lock().unwrap_or_else(PoisonError::into_inner);
        let free = decoding.insert(id.clone());
        free.then(|| Beginning { shared: Arc::clone(self), id: id.clone() })
    }
}

/// The right to begin a decode of one camera, until dropped.
#[derive(Debug)]
pub(crate) struct Beginning {
    shared: Arc<Shared>,
    id: StreamId,
}

impl Drop for Beginning {
    fn drop(&mut self) {
        self.shared.decoding.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
