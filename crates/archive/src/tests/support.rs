//! Units of real clips, and an index that fails.

use std::{
    fs::File,
    io::Write as _,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use ocelli_media::{
    AccessUnit,
    bitstream::{Access, PictureReader},
    cmaf::Framing,
    libav::Demuxer,
};
use ocelli_model::StreamId;
use ocelli_store::{
    Access as StoreAccess, RecordingGap, RecordingUse, SegmentClass, SegmentQuery, SegmentRecord, Segments,
    SqliteStore, StoreError,
};
use ocelli_testkit::Clip;
use tokio::runtime::Handle;

use crate::{Archive, ArchiveConfig, ArchiveError, Media, Recorder, files::memory::Memory};

/// A unit as a stream's thread gives it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) unit: AccessUnit,
    pub(crate) opens: bool,
    pub(crate) depth: u32,
}

/// 25 fps, a keyframe every second, B-frames, far from zero.
pub(crate) fn clip(frames: u32) -> Clip {
    Clip::new(192, 128)
        .frames(frames)
        .rate(25, 1)
        .start_pts(90_126)
        .params("keyint=25:min-keyint=25:scenecut=0:bframes=2")
}

pub(crate) fn units(path: &Path) -> Vec<Given> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    let mut reader = PictureReader::new(demuxer.parameters());
    let mut units = Vec::new();
    while let Some(unit) = demuxer.next_unit().unwrap() {
        let info = reader.read(&unit.data, unit.container_keyframe).unwrap();
        units.push(Given { opens: info.access != Access::None, depth: info.reorder_depth, unit });
    }
    units
}

pub(crate) fn now() -> i64 {
    1_700_000_000_000
}

pub(crate) fn id(name: &str) -> StreamId {
    name.parse().unwrap()
}

pub(crate) fn config(folder: &Path) -> ArchiveConfig {
    ArchiveConfig { reserve_bytes: 0, ..ArchiveConfig::new(folder.to_owned(), now) }
}

pub(crate) async fn store(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&folder.join("store"), StoreAccess::Write).await.unwrap())
}

/// On a disk in memory.
pub(crate) async fn on(memory: &Memory, index: Arc<dyn Segments>) -> Result<Archive, ArchiveError> {
    with(memory, index, |_| {}).await
}

pub(crate) async fn with(
    memory: &Memory,
    index: Arc<dyn Segments>,
    change: impl FnOnce(&mut ArchiveConfig),
) -> Result<Archive, ArchiveError> {
    let mut config = config(Path::new("/nowhere"));
    change(&mut config);
    Archive::open_on(config, Arc::new(memory.clone()), index, Handle::current()).await
}

/// As a stream's thread would: 40 ms from each to the next.
pub(crate) fn give(recorder: &mut Recorder, run: u32, units: &[Given]) {
    for (n, given) in (0_i64..).zip(units) {
        let arrived_ms = now() + i64::from(run) * 1_000_000 + n * 40;
        recorder.unit(run, &given.unit, given.opens, given.depth, arrived_ms);
    }
}

/// Gives all of it as one run.
pub(crate) async fn record(archive: &Archive, stream: &str, run: u32, units: &[Given]) {
    let mut recorder = archive.recorder(&id(stream)).unwrap();
    give(&mut recorder, run, units);
    drop(recorder);
    archive.settled().await;
}

/// What was given, as it is to come back.
pub(crate) fn expected(units: &[Given]) -> Vec<(i64, Vec<u8>)> {
    let Some(first) = units.first() else { return Vec::new() };
    let mut framing = Framing::new(&first.unit.parameters).unwrap();
    let frame = |given: &Given| framing.sample(&given.unit, given.opens).unwrap().data.to_vec();
    units.iter().map(|given| given.unit.pts).zip(units.iter().map(frame).collect::<Vec<_>>()).collect()
}

/// Writes a clip; what was promised of it holds.
pub(crate) async fn written(mut clip: crate::Clip, folder: &Path) -> PathBuf {
    let path = folder.join("clip.mp4");
    let mut file = std::fs::File::create(&path).unwrap();
    let bytes = clip.bytes;
    while let Some(piece) = clip.next().await.unwrap() {
        file.write_all(&piece).unwrap();
    }
    assert_eq!(file.metadata().unwrap().len(), bytes);
    path
}

/// What is read of a run from a PTS on, until there is nothing more.
pub(crate) async fn pictures(archive: &Archive, stream: &str, run: u32, from: i64) -> Vec<AccessUnit> {
    let mut reader = archive.reader(&id(stream), run, from);
    let read = move || {
        let mut read = Vec::new();
        while let Some(media) = reader.next().unwrap() {
            if let Media::Picture(unit) = media {
                read.push(unit);
            }
        }
        read
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

pub(crate) async fn rows(archive: &Archive) -> Vec<SegmentRecord> {
    let all = SegmentQuery { limit: 10_000, ..SegmentQuery::default() };
    archive.index().segments(&all).await.unwrap()
}

/// The index of a process whose disk is `memory`: dead when it is. Calls fail from `fail` on, `last` of them.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) memory: Memory,
    pub(crate) failing: Range<u64>,
    pub(crate) calls: AtomicU64,
}

impl Index {
    pub(crate) fn new(store: &Arc<SqliteStore>, memory: &Memory, failing: Range<u64>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            memory: memory.clone(),
            failing,
            calls: AtomicU64::default(),
        })
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn call(&self) -> Result<(), StoreError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.memory.alive() && !self.failing.contains(&call) { Ok(()) } else { Err(StoreError::Closed) }
    }
}

#[async_trait]
impl Segments for Index {
    async fn put_segment(&self, segment: &SegmentRecord) -> Result<(), StoreError> {
        self.call()?;
        self.store.put_segment(segment).await
    }

    async fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, StoreError> {
        self.call()?;
        self.store.segments(query).await
    }

    async fn next_segment(&self, stream: &StreamId) -> Result<u64, StoreError> {
        self.call()?;
        self.store.next_segment(stream).await
    }

    async fn remove_segments(&self, stream: &StreamId, numbers: &[u64]) -> Result<(), StoreError> {
        self.call()?;
        self.store.remove_segments(stream, numbers).await
    }

    async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, StoreError> {
        self.call()?;
        self.store.classify(stream, numbers, class, unpin).await
    }

    async fn put_gap(&self, gap: &RecordingGap) -> Result<(), StoreError> {
        self.call()?;
        self.store.put_gap(gap).await
    }

    async fn gaps(&self, stream: &StreamId) -> Result<Vec<RecordingGap>, StoreError> {
        self.call()?;
        self.store.gaps(stream).await
    }

    async fn recordings(&self) -> Result<Vec<RecordingUse>, StoreError> {
        self.call()?;
        self.store.recordings().await
    }
}
