//! Passes over clips with the real store: what is kept, what is looked at again, what breaks.

mod broken;
mod gaps;
mod models;
mod runs;

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ocelli_analyze::{AnalyzeError, Analyzer, TrackerConfig};
use ocelli_engine::{
    AnalyzeWork, AnalyzerFacts, Demand, FrameTold, Kept, Media, Pass, RecordError, Recording, Report,
    Settings, Told, Watch, run,
};
use ocelli_ingest::pull::FileSource;
use ocelli_media::{
    pixel::{Picture, tensor::TensorError},
    sampler::{Interest, Window},
};
use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, VersionBuilder};
use ocelli_store::{
    Access, Appender, Blob, BlobKind, FrameQuery, LedgerRow, NewSource, ResultLog, Results as _, RunFilter,
    RunState, SourceKind, SqliteStore,
};
use ocelli_testkit::{find_marker, read_number};
use tokio::runtime::Runtime;

/// Sees the marker of a testkit picture and one box that never moves.
struct Script {
    version: AnalyzerVersion,
    looked: Arc<AtomicU64>,
    /// Fails where the picture's number divided by seven leaves 3, and gives NaN where it leaves 5.
    fickle: bool,
}

impl Analyzer for Script {
    fn version(&self) -> &AnalyzerVersion {
        &self.version
    }

    fn analyze(&mut self, picture: &Picture<'_>) -> Result<Vec<Detection>, AnalyzeError> {
        self.looked.fetch_add(1, Ordering::Relaxed);
        let (width, height) = (picture.width as usize, picture.height as usize);
        let luma = picture.planes[0];
        let number = read_number(luma.data, luma.stride, width, height).expect("a number is painted");
        let rect = find_marker(luma.data, luma.stride, width, height).expect("a marker is painted");
        if self.fickle && number % 7 == 3 {
            return Err(AnalyzeError::Tensor(TensorError::Empty { width: 0, height: 0 }));
        }
        let part = |pixels: usize, side: usize| pixels as f32 / side as f32;
        let (x, y) = (part(rect.x, width), part(rect.y, height));
        let marker = BoundingBox { x, y, width: part(rect.width, width), height: part(rect.height, height) };
        let still = BoundingBox { x: 0.1, y: 0.1, width: 0.2, height: 0.2 };
        let nan = self.fickle && number % 7 == 5;
        Ok(vec![
            Detection { label: "marker".into(), confidence: 0.9, bbox: marker },
            Detection { label: "still".into(), confidence: if nan { f32::NAN } else { 0.8 }, bbox: still },
        ])
    }
}

/// How one pass goes.
#[derive(Clone, Debug)]
pub(super) struct How {
    pub(super) plan: &'static str,
    /// Names of analyzers; those that begin with `fickle` fail now and then.
    pub(super) analyzers: &'static [&'static str],
    pub(super) tracker: Option<TrackerConfig>,
    /// In ticks.
    pub(super) window: Window,
    /// The end is asked for after so many frames.
    pub(super) stop_after: Option<usize>,
    /// Every picture is asked for, to be drawn on.
    pub(super) annotate: bool,
}

impl How {
    pub(super) fn new(plan: &'static str) -> Self {
        let (analyzers, tracker) = (&["one"][..], Some(TrackerConfig::default()));
        Self { plan, analyzers, tracker, window: Window::ALL, stop_after: None, annotate: false }
    }

    pub(super) fn between(self, start: i64, end: i64) -> Self {
        Self { window: Window { start, end }, ..self }
    }
}

/// A frame as it was told, without its picture: run, PTS, one word per analyzer.
pub(super) type Line = (u32, i64, Vec<Told>);

/// What came of a pass.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) told: Vec<Line>,
    /// Pictures that any analyzer looked at.
    pub(super) looked: u64,
    /// Pictures that came along to be drawn on.
    pub(super) pictures: usize,
    pub(super) ended: Result<Report, RecordError>,
}

/// A store in a folder, open for writing.
pub(super) struct Shop {
    pub(super) runtime: Runtime,
    pub(super) store: Arc<SqliteStore>,
}

impl Shop {
    pub(super) fn open(folder: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let store = Arc::new(runtime.block_on(SqliteStore::open(folder, Access::Write)).unwrap());
        Self { runtime, store }
    }

    pub(super) fn pass(&self, path: &Path, how: &How) -> Passed {
        self.pass_through(path, how, Arc::<SqliteStore>::clone(&self.store))
    }

    /// A pass that writes through `log`.
    pub(super) fn pass_through(&self, path: &Path, how: &How, log: Arc<dyn ResultLog>) -> Passed {
        let appender = Appender::start(Arc::clone(&log), self.runtime.handle());
        let results = Arc::<SqliteStore>::clone(&self.store);
        let runtime = self.runtime.handle().clone();
        let kept = Kept { log, results, appender: appender.clone(), runtime };
        let passed = pass(path, how, kept);
        // What could not be written was told to the pass.
        self.runtime.block_on(appender.close()).ok();
        passed
    }

    /// Everything in the store that has no clock in it, and that it is whole.
    #[track_caller]
    pub(super) fn contents(&self) -> Vec<Content> {
        self.runtime.block_on(async {
            assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
            let analyzers = self.store.analyzers().await.unwrap();
            let mut contents = Vec::new();
            for run in self.store.runs(&RunFilter::default()).await.unwrap() {
                let mut ledgers = Vec::new();
                for ledger in self.store.ledgers(Some(run.id)).await.unwrap() {
                    assert_eq!(ledger.due, ledger.tally.due(), "the sums balance");
                    let rows = self.store.ledger_rows(ledger.id).await.unwrap();
                    let query = FrameQuery {
                        series: ledger.series,
                        ledger: Some(ledger.id),
                        derivation: ledger.derivation,
                        from: i64::MIN,
                        to: i64::MAX,
                        limit: 100_000,
                        newest_first: false,
                    };
                    let frames = self.store.frames(&query).await.unwrap().rows;
                    let frames = frames.into_iter().map(|frame| {
                        (frame.pts, format!("{:?} {:?}", frame.result.detections, frame.tracks))
                    });
                    let of = analyzers.iter().find(|analyzer| analyzer.id == ledger.analyzer);
                    let model = of.expect("a ledger's analyzer").analyzer.model.clone();
                    let frames = frames.collect();
                    ledgers.push(LedgerContent { model, plan: ledger.plan.to_string(), rows, frames });
                }
                let (ordinal, state, last_pts) = (run.run.ordinal, run.state, run.last_pts);
                contents.push(Content { ordinal, state, last_pts, ledgers });
            }
            contents.sort_by_key(|content| content.ordinal);
            contents
        })
    }
}

/// One run in the store.
#[derive(Debug, PartialEq)]
pub(super) struct Content {
    pub(super) ordinal: u32,
    pub(super) state: RunState,
    pub(super) last_pts: Option<i64>,
    pub(super) ledgers: Vec<LedgerContent>,
}

/// One ledger of it.
#[derive(Debug, PartialEq)]
pub(super) struct LedgerContent {
    pub(super) model: String,
    pub(super) plan: String,
    pub(super) rows: Vec<LedgerRow>,
    /// PTS, detections and identities.
    pub(super) frames: Vec<(i64, String)>,
}

fn pass(path: &Path, how: &How, kept: Kept) -> Passed {
    let mut source = FileSource::open(path).unwrap();
    let looked = Arc::new(AtomicU64::new(0));
    let version = |name: &str| VersionBuilder::default().with("script", name).build();
    let facts = |name: &&str| AnalyzerFacts {
        version: version(name),
        model: (*name).to_owned(),
        ingredients: [("script".to_owned(), (*name).to_owned())].into(),
    };
    let plan = how.plan.parse().unwrap();
    let analyzers = how.analyzers.iter().map(facts).collect();
    let pass = Pass { plan, analyzers, tracker: how.tracker.clone(), now_ms: 0 };
    let identity = source.identify(|| false).unwrap().unwrap();
    let name = path.display().to_string();
    let blob = Blob { kind: BlobKind::Media, location: name.clone(), bytes: identity.bytes, seen_ms: 0 };
    let (kind, key, bytes) = (SourceKind::File, identity.sha256, identity.bytes);
    let stored = NewSource { kind, key, name, bytes, seen_ms: 0 };
    let nothing = |error: RecordError| Passed { told: Vec::new(), looked: 0, pictures: 0, ended: Err(error) };
    let media = match Media::open(kept, &pass, &stored, blob) {
        Ok(media) => media,
        Err(error) => return nothing(error.into()),
    };
    let mut recording = Recording::new(pass, Some(media)).unwrap();
    let known = recording.known();
    let script = |name: &&str| -> Box<dyn Analyzer> {
        let fickle = name.starts_with("fickle");
        Box::new(Script { version: version(name), looked: Arc::clone(&looked), fickle })
    };
    let worker = || {
        let mut work = AnalyzeWork::new(how.analyzers.iter().map(script).collect(), how.annotate);
        work.look_for(known.clone().map(|known| known as Arc<dyn Demand>));
        work
    };
    let mut team = [worker(), worker()];
    let interest = known.clone().filter(|_| !how.annotate).map(|known| known as Arc<dyn Interest>);
    let settings = Settings { window: how.window, interest, ..Settings::new(plan) };
    let watch = Watch::default();
    let (mut told, mut pictures) = (Vec::new(), 0);
    let mut tell = |frame: FrameTold| {
        pictures += usize::from(frame.picture.is_some());
        told.push((frame.place.run, frame.place.pts, frame.told));
        if how.stop_after == Some(told.len()) {
            watch.stop();
        }
        ControlFlow::Continue(())
    };
    let mut failed = None;
    let report = run(&mut source, settings, &mut team, &watch, |notice| {
        recording.take(notice, &mut tell).unwrap_or_else(|error| {
            failed = Some(error);
            ControlFlow::Break(())
        })
    })
    .unwrap();
    let ended = match failed {
        Some(error) => Err(error),
        None => recording.finish(&mut tell).map(|_sums| report),
    };
    Passed { told, looked: looked.load(Ordering::Relaxed), pictures, ended }
}

/// Without the time that it took.
pub(super) fn untimed(told: &[Line]) -> Vec<Line> {
    let mut told = told.to_vec();
    for said in told.iter_mut().flat_map(|(_, _, said)| said) {
        if let Told::Seen { result, .. } = said {
            result.took = std::time::Duration::ZERO;
        }
    }
    told
}
