//! Streams under their supervisor, with the real store and real folders.

mod faults;
mod life;
mod races;
mod recorded;
mod resume;

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::failing::Failing;
use ocelli_analyze::{AnalyzeError, Analyzer};
use ocelli_archive::{Archive, ArchiveConfig};
use ocelli_engine::{
    AnalyzerFacts, Backoff, FramesSpec, Kept, LoadModels, Loaded, ModelSpec, Parts, SourceSpec, SourceUrl,
    StreamSpec, StreamState, StreamStatus, Supervisor, SupervisorConfig,
};
use ocelli_ingest::{OpenSource, Source, SourceError, Stop, WallAnchor, pull::FileSource};
use ocelli_media::{
    AccessUnit, CodecParameters,
    pixel::{Picture, jpeg},
};
use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, StreamId, Tally, VersionBuilder};
use ocelli_store::{Access, Appender, Results as _, RunFilter, RunRecord, SqliteStore};

/// What the source of an attempt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Reads the file to its end.
    Whole,
    /// Breaks after so many units, as a camera that goes.
    BreaksAfter(usize),
    /// Cannot be opened; trying again may help.
    Refuses,
    /// Gives so many units, then waits to be stopped.
    WaitsAfter(usize),
    /// A bug of ours, after so many units.
    Panics(usize),
}

/// Opens files, and breaks them as told, one instruction per attempt; then they are whole.
#[derive(Debug, Default)]
pub(super) struct Opener(Mutex<VecDeque<Does>>, Arc<Opened>);

/// How many sources are open, and most that ever were at once.
#[derive(Debug, Default)]
struct Opened(AtomicU32, AtomicU32);

impl OpenSource for Opener {
    fn open(&self, spec: &SourceSpec, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        let does = self.0.lock().unwrap().pop_front().unwrap_or(Does::Whole);
        if does == Does::Refuses {
            return Err(SourceError::Open(std::io::ErrorKind::ConnectionRefused.into()));
        }
        let file = FileSource::open(spec.url.file().expect("tests read files"))?;
        let opened = Arc::clone(&self.1);
        let now = opened.0.fetch_add(1, Ordering::Relaxed) + 1;
        opened.1.fetch_max(now, Ordering::Relaxed);
        Ok(Box::new(Scripted { file, does, units: 0, stop: stop.clone(), opened }))
    }
}

#[derive(Debug)]
struct Scripted {
    file: FileSource,
    does: Does,
    units: usize,
    stop: Stop,
    opened: Arc<Opened>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.opened.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Source for Scripted {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.file.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        if self.stop.is_asked() {
            return Err(SourceError::Stopped);
        }
        match self.does {
            Does::BreaksAfter(units) if self.units >= units => {
                return Err(SourceError::Open(std::io::ErrorKind::ConnectionReset.into()));
            }
            Does::Panics(units) if self.units >= units => panic!("as the test asked"),
            Does::WaitsAfter(units) if self.units >= units => {
                self.stop.wait(Duration::from_hours(1))?;
            }
            _ => {}
        }
        self.units += 1;
        self.file.next_unit()
    }

    fn damage(&self) -> Option<&str> {
        self.file.damage()
    }

    fn anchor(&self) -> Option<WallAnchor> {
        let pts = i64::try_from(self.units).unwrap();
        let seconds = self.file.parameters().time_base.seconds(pts);
        Some(WallAnchor { pts, unix_ns: (seconds * 1e9) as i64 })
    }
}

/// A model that sees one box that never moves, after it panicked so many times.
#[derive(Debug)]
struct OneBox(AnalyzerVersion, Arc<AtomicU32>);

impl Analyzer for OneBox {
    fn version(&self) -> &AnalyzerVersion {
        &self.0
    }

    fn analyze(&mut self, picture: &Picture<'_>) -> Result<Vec<Detection>, AnalyzeError> {
        assert!(picture.width > 0, "a picture has a size");
        let panics = |left: u32| left.checked_sub(1);
        let panics = self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, panics);
        assert!(panics.is_err(), "as the test asked");
        let bbox = BoundingBox { x: 0.1, y: 0.1, width: 0.2, height: 0.2 };
        Ok(vec![Detection { label: "still".into(), confidence: 0.8, bbox }])
    }
}

#[derive(Debug)]
struct Models;

impl LoadModels for Models {
    fn load(&self, spec: &ModelSpec, decoder: &str, instances: usize) -> Result<Loaded, String> {
        let name = spec.model.clone().unwrap_or_else(|| "one-box".to_owned());
        if name == "missing" {
            return Err("there is no model missing".to_owned());
        }
        let builder = VersionBuilder::default().with("model", &name).with("decoder", decoder);
        let (version, ingredients) = (builder.build(), builder.ingredients().clone());
        let facts = AnalyzerFacts { version: version.clone(), model: name, ingredients };
        let panics = Arc::new(AtomicU32::new(if facts.model == "jumpy" { 5 } else { 0 }));
        let instance = |_| Box::new(OneBox(version.clone(), Arc::clone(&panics))) as Box<dyn Analyzer>;
        Ok(Loaded { facts, instances: (0..instances).map(instance).collect() })
    }
}

/// A supervisor with a store and a place for frames.
pub(super) struct Yard {
    pub(super) supervisor: Supervisor,
    pub(super) store: Arc<SqliteStore>,
    pub(super) archive: Archive,
    pub(super) log: Arc<Failing>,
    pub(super) opener: Arc<Opener>,
    pub(super) frames: PathBuf,
    appender: Appender,
}

impl Yard {
    pub(super) async fn open(folder: &Path) -> Self {
        let store = Arc::new(SqliteStore::open(&folder.join("store"), Access::Write).await.unwrap());
        let runtime = tokio::runtime::Handle::current();
        let log = Arc::new(Failing::new(Arc::clone(&store)));
        let appender = Appender::start(Arc::<Failing>::clone(&log), &runtime);
        let kept = Kept { log: log.clone(), results: store.clone(), appender: appender.clone(), runtime };
        let opener = Arc::new(Opener::default());
        let frames = folder.join("frames");
        let config = SupervisorConfig {
            frames: frames.clone(),
            threads: 2,
            most_streams: 200,
            backoff: Backoff { least: Duration::from_millis(5), most: Duration::from_millis(20) },
            retention: ocelli_sinks::Retention::default(),
            cache_bytes: 1 << 20,
            now_ms: || 1_700_000_000_000,
        };
        let settings = ArchiveConfig {
            reserve_bytes: 0,
            ..ArchiveConfig::new(folder.join("archive"), || 1_700_000_000_000)
        };
        let archive = Archive::open(settings, store.clone(), kept.runtime.clone()).await.unwrap();
        let parts = Parts {
            opener: opener.clone(),
            models: Arc::new(Models),
            kept,
            archive: Some(archive.clone()),
            streams: store.clone(),
        };
        let supervisor = Supervisor::open(config, parts).await.unwrap();
        Self { supervisor, store, archive, log, opener, frames, appender }
    }

    pub(super) async fn close(self) {
        self.supervisor.drain().await;
        self.archive.settled().await;
        // Failures that nobody was told of are those that a test asked for.
        self.appender.close().await.ok();
        self.store.close().await.unwrap();
    }

    pub(super) fn script(&self, does: &[Does]) {
        self.opener.0.lock().unwrap().extend(does);
    }

    /// Most sources that were ever open at once.
    pub(super) fn most_open(&self) -> u32 {
        self.opener.1.1.load(Ordering::Relaxed)
    }

    /// Waits for the stream to come into one of these states.
    pub(super) async fn until(&self, id: &StreamId, states: &[StreamState]) -> StreamStatus {
        let mut updates = self.supervisor.follow(id).unwrap();
        loop {
            let status = self.supervisor.status(id).unwrap();
            if states.contains(&status.state) {
                return status;
            }
            // What was missed shows in the next status.
            let _told = updates.next().await.expect("the stream is there");
        }
    }

    /// Waits for so many frames.
    pub(super) async fn until_frames(&self, id: &StreamId, frames: u64) {
        let mut updates = self.supervisor.follow(id).unwrap();
        while self.supervisor.status(id).unwrap().frame_count < frames {
            let _told = updates.next().await.expect("the stream is there");
        }
    }

    pub(super) fn frame_names(&self, id: &StreamId) -> Vec<String> {
        let listed = std::fs::read_dir(self.frames.join(id.as_str()));
        let mut names: Vec<_> = listed
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    /// Where the frames of its folder stand in the media.
    pub(super) fn media_times(&self, id: &StreamId) -> BTreeSet<String> {
        let time = |name: String| {
            let jpeg = std::fs::read(self.frames.join(id.as_str()).join(name)).unwrap();
            String::from_utf8(jpeg::comment(&jpeg).unwrap().to_vec()).unwrap()
        };
        self.frame_names(id).into_iter().map(time).collect()
    }

    pub(super) async fn runs(&self, id: &StreamId) -> Vec<RunRecord> {
        let filter = RunFilter { source_key: Some(id.to_string()), ..RunFilter::default() };
        self.store.runs(&filter).await.unwrap()
    }

    /// Due and verdicts of every ledger of a stream; they balance.
    pub(super) async fn ledger(&self, id: &StreamId) -> Vec<(u32, u64, Tally)> {
        let mut found = Vec::new();
        for run in self.runs(id).await {
            for ledger in self.store.ledgers(Some(run.id)).await.unwrap() {
                assert_eq!(ledger.due, ledger.tally.due(), "run {} balances", run.run.ordinal);
                found.push((run.run.ordinal, ledger.due, ledger.tally));
            }
        }
        found
    }
}

pub(super) fn id(word: &str) -> StreamId {
    word.parse().unwrap()
}

pub(super) fn frames_of(path: &Path, fps: &str) -> StreamSpec {
    StreamSpec {
        source: SourceSpec::new(SourceUrl::from_path(path).unwrap()),
        fps: fps.parse().unwrap(),
        frames: Some(FramesSpec::default()),
        models: Vec::new(),
        tracks: true,
        gate: None,
        hardware: None,
        record: None,
        publish: None,
        analyzer: None,
    }
}
