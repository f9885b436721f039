//! The machine's clock is set while streams are recorded: media time, what is found, and what stays do not depend on it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ocelli_store::{SegmentQuery, SegmentRecord};

use super::support::{Given, clip, expected, id, now, pictures, rows, store, units, with, written};
use crate::{Archive, ArchiveConfig, Recorder, Retention, files::memory::Memory};

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// What the clocks of a test say: a static for each test, for the archive asks functions.
struct Clocks {
    wall: AtomicI64,
    steady: AtomicI64,
}

impl Clocks {
    const fn new() -> Self {
        Self { wall: AtomicI64::new(0), steady: AtomicI64::new(0) }
    }

    /// Time passes.
    fn pass(&self, ms: i64) {
        self.steady.fetch_add(ms, Ordering::Relaxed);
        self.set(ms);
    }

    /// Somebody sets the wall clock.
    fn set(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::Relaxed);
    }

    fn wall_ms(&self) -> i64 {
        now() + self.wall.load(Ordering::Relaxed)
    }

    /// As a camera gives them: 40 ms from each to the next.
    fn give(&self, recorder: &mut Recorder, run: u32, units: &[Given]) {
        for given in units {
            recorder.unit(run, &given.unit, given.opens, given.depth, self.wall_ms());
            self.pass(40);
        }
    }
}

macro_rules! clocks {
    () => {{
        static CLOCKS: Clocks = Clocks::new();
        fn set(config: &mut ArchiveConfig) {
            config.now_ms = || CLOCKS.wall_ms();
            config.steady_ms = || CLOCKS.steady.load(Ordering::Relaxed);
            config.keep = Retention { age: Some(Duration::from_hours(1)), ..Retention::default() };
        }
        (&CLOCKS, set as fn(&mut ArchiveConfig))
    }};
}

async fn found(archive: &Archive, wall_ms: std::ops::Range<i64>) -> Vec<u64> {
    let stream = Some(id("cam"));
    let query = SegmentQuery { stream, wall_ms: Some(wall_ms), limit: 100, ..SegmentQuery::default() };
    archive.index().segments(&query).await.unwrap().iter().map(|segment| segment.number).collect()
}

fn numbers(rows: &[SegmentRecord]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

/// An hour back and a day forward in the midst of segments: every picture is there under its time, each segment says when it
/// began by the clock of its beginning, and lasts as long as it lasted.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_moves_no_media() {
    let (clocks, set) = clocks!();
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = with(&memory, store(folder.path()).await, set).await.unwrap();
    let given = units(&clip(250).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    clocks.give(&mut recorder, 0, &given[..60]);
    clocks.set(-HOUR);
    clocks.give(&mut recorder, 0, &given[60..110]);
    clocks.set(DAY);
    clocks.give(&mut recorder, 0, &given[110..]);
    drop(recorder);
    archive.settled().await;
    let read = pictures(&archive, "cam", 0, i64::MIN).await;
    let read: Vec<_> = read.into_iter().map(|unit| (unit.pts, unit.data.to_vec())).collect();
    assert!(read == expected(&given), "{} pictures", read.len());
    let rows = rows(&archive).await;
    let began: Vec<_> = rows.iter().map(|row| row.began_ms - now()).collect();
    let at = |frames: i64| frames * 40;
    let after = DAY - HOUR;
    assert_eq!(began, [0, at(50), at(100) - HOUR, at(150) + after, at(200) + after]);
    assert!(rows.iter().all(|row| row.ended_ms - row.began_ms == at(49)), "{rows:?}");
    assert!(rows.windows(2).all(|pair| pair[0].end_pts == pair[1].first_pts), "{rows:?}");
    // By wall time each is found where it said it was, and nowhere else.
    for row in &rows {
        assert_eq!(found(&archive, row.began_ms + 1..row.ended_ms).await, [row.number]);
    }
    assert_eq!(found(&archive, now() + HOUR..now() + 20 * HOUR).await, [0_u64; 0]);
    let window = archive.live(&id("cam")).unwrap().now();
    let live: Vec<_> = window.segments.iter().map(|segment| segment.began_ms - now()).collect();
    assert_eq!(live, began);
    assert_eq!(archive.index().gaps(&id("cam")).await.unwrap(), []);
    // A clip over both steps has each picture once.
    let (start, end) = (given[40].unit.pts, given[200].unit.pts);
    let clip = archive.clip(&id("cam"), 0, start..end).await.unwrap();
    let file = written(clip, folder.path()).await;
    let within = given.iter().filter(|given| (start..end).contains(&given.unit.pts)).count();
    assert_eq!(shown(&file), within);
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// Pictures that ffmpeg shows of a file.
fn shown(file: &Path) -> usize {
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(file);
    let shown = ffmpeg.args(["-fps_mode", "passthrough", "-f", "framecrc", "-"]).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

/// What is kept an hour is kept an hour: a day forward and back again removes nothing, nor does a clock that is set right for good
/// in either direction; and when the hour is over it goes.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_an_hour_whatever_is_set() {
    let (clocks, set) = clocks!();
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = with(&memory, store(folder.path()).await, set).await.unwrap();
    let given = units(&clip(150).cached());
    let retained = async |expected: &[u64]| {
        archive.retain().await.unwrap();
        assert_eq!(numbers(&rows(&archive).await), expected);
    };
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    // Numbers 0 to 2, from 0 s on.
    clocks.give(&mut recorder, 0, &given);
    recorder.end_run();
    let mut view = archive.live(&id("cam")).unwrap();
    view.wait(|window| window.segments.len() == 3 && window.segments.iter().all(|s| s.sealed)).await;
    for step in [DAY, -DAY, -HOUR, DAY] {
        clocks.set(step);
        retained(&[0, 1, 2]).await;
    }
    // 3 to 5, half an hour later, while the clock is wrong; 6 to 8 after it was set back by more than they are to stay.
    clocks.pass(HOUR / 2);
    clocks.give(&mut recorder, 1, &given);
    recorder.end_run();
    clocks.set(-2 * DAY);
    clocks.give(&mut recorder, 2, &given);
    drop(recorder);
    archive.settled().await;
    retained(&[0, 1, 2, 3, 4, 5, 6, 7, 8]).await;
    // Each goes when its hour is over, and the clock between them does not matter.
    clocks.pass(HOUR / 2 - 20 * SECOND);
    retained(&[0, 1, 2, 3, 4, 5, 6, 7, 8]).await;
    clocks.pass(20 * SECOND);
    retained(&[3, 4, 5, 6, 7, 8]).await;
    clocks.set(5 * DAY);
    clocks.pass(HOUR / 2 - 6 * SECOND);
    retained(&[6, 7, 8]).await;
    clocks.pass(6 * SECOND);
    retained(&[]).await;
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// The next process knows what this one saw of the clock; one that was set back while none looked makes nothing younger than it is
/// known to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_clock() {
    let (clocks, set) = clocks!();
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let given = units(&clip(100).cached());
    let mut memory = Memory::default();
    let mut expected = Vec::new();
    // Back to 1970 while off, then right again, as a board without a battery starts; and a day forward for good.
    for (run, (off, on)) in (0_u32..).zip([(0, 0), (-now(), now()), (0, DAY), (-now(), now())]) {
        clocks.set(off);
        let archive = with(&memory, Arc::clone(&index) as _, set).await.unwrap();
        let mut recorder = archive.recorder(&id("cam")).unwrap();
        clocks.give(&mut recorder, run, &given);
        clocks.set(on);
        archive.retain().await.unwrap();
        drop(recorder);
        archive.settled().await;
        archive.retain().await.unwrap();
        expected.extend([u64::from(run) * 2, u64::from(run) * 2 + 1]);
        assert_eq!(numbers(&rows(&archive).await), expected, "{run}");
        drop(archive);
        memory = memory.after_power_cut(0);
    }
    let archive = with(&memory, index, set).await.unwrap();
    clocks.pass(HOUR - 30 * SECOND);
    assert_eq!(archive.retain().await.unwrap().segments, 0);
    clocks.pass(30 * SECOND);
    assert_eq!(archive.retain().await.unwrap().segments, 8);
}
