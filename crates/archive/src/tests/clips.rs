//! Clips show exactly what was asked for, in players that are not ours.

use std::{collections::BTreeMap, path::Path, process::Command, sync::Arc};

use ocelli_media::{AccessUnit, CodecParameters};
use ocelli_model::TimeBase;
use ocelli_testkit::{Clip as Source, ClipCodec, probe};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Builder;

use super::support::{Given, clip, id, on, record, store, units, written};
use crate::{Archive, ArchiveError, files::memory::Memory};

/// Number painted in each picture that FFmpeg shows, by its time in the clip.
fn shown(path: &Path) -> BTreeMap<i64, u32> {
    let truth = probe(path);
    let number = |pts: &i64| (*pts, truth.at(*pts).unwrap().frame.as_ref().unwrap().number.unwrap());
    truth.output.iter().map(number).collect()
}

async fn windows(name: &str, source: &Source, archive: &Archive, run: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = source.cached();
    record(archive, "cam", run, &units(&path)).await;
    let all: BTreeMap<i64, u32> = shown(&path);
    let times: Vec<i64> = all.keys().copied().collect();
    let count = times.len();
    for (n, (from, to)) in [(0, count - 1), (7, 8), (count / 2 - 3, count / 2 + 9)].into_iter().enumerate() {
        // Between two pictures the earlier one is seen.
        let early = (times[from + 1] - times[from] - 1).min(n as i64);
        let (start, end) = (times[from] + early, times[to]);
        let made = archive.clip(&id("cam"), run, start..end).await.unwrap();
        assert_eq!((made.first_pts, made.end_pts), (times[from], end), "{name}");
        let expected: BTreeMap<i64, u32> =
            all.range(times[from]..end).map(|(pts, number)| (pts - times[from], *number)).collect();
        let found = shown(&written(made, folder.path()).await);
        assert_eq!(found, expected, "{name}: {start}..{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_are_exact_to_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let archive = on(&Memory::default(), store(folder.path()).await).await.unwrap();
    windows("B-frames", &clip(130), &archive, 0).await;
    windows("without", &clip(60).params("keyint=50:bframes=0").start_pts(0), &archive, 1).await;
    windows("H.265", &clip(60).codec(ClipCodec::X265).params("keyint=25:bframes=3"), &archive, 2).await;
    let pts: Vec<i64> = (0..60).map(|n| n * 3600 + n % 4 * 700).collect();
    windows("variable rate", &clip(60).timestamps(90_000, &pts), &archive, 3).await;
}

/// Coded pictures in a file, whatever its edit list says of them.
fn packets(path: &Path) -> usize {
    let arguments = [
        "-v",
        "error",
        "-ignore_editlist",
        "1",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
        "-of",
        "csv=p=0",
    ];
    let output = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    words.trim().trim_end_matches(',').parse().unwrap()
}

/// The same pictures in another time base, from another PTS on; `steps` ticks from each to the next.
fn retimed(given: &[Given], base: TimeBase, start: i64, step: i64) -> Vec<Given> {
    let mut times: Vec<i64> = given.iter().map(|given| given.unit.pts).collect();
    times.sort_unstable();
    let mut parameters = CodecParameters::clone(&given[0].unit.parameters);
    parameters.time_base = base;
    let parameters = Arc::new(parameters);
    let place = |pts: i64| times.binary_search(&pts).unwrap() as i64;
    let moved = |given: &Given| {
        let pts = start + place(given.unit.pts) * step;
        let unit = AccessUnit { pts, dts: None, parameters: Arc::clone(&parameters), ..given.unit.clone() };
        Given { unit, ..given.clone() }
    };
    given.iter().map(moved).collect()
}

/// Ticks as long as pictures, where no DTS fits before PTS 0, and fine ones; from 0 on and far from it.
#[test]
fn any_window_is_exact() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let archive =
        runtime.block_on(async { on(&Memory::default(), store(folder.path()).await).await.unwrap() });
    let source = clip(60);
    let given = units(&source.cached());
    let numbers: Vec<u32> = shown(&source.cached()).into_values().collect();
    let kinds = [(25, 0, 1), (1000, 0, 40), (25, 54_000_000, 1), (1000, 2_160_000_000, 40), (1000, 0, 1)];
    for (run, (den, start, step)) in (0..).zip(kinds) {
        let given = retimed(&given, TimeBase::new(1, den).unwrap(), start, step);
        runtime.block_on(record(&archive, "cam", run, &given));
        let windows = (0..60_i64, 1..60_i64, 0..step, 0..step);
        let mut runner =
            TestRunner::new(Config { cases: 10, failure_persistence: None, ..Config::default() });
        let check = |(from, count, early, late): (i64, i64, i64, i64)| {
            let to = (from + count).min(60);
            // Between two pictures the earlier one is seen; the last is not longer than the others.
            let window = start + from * step + early..start + (to - 1) * step + late + 1;
            prop_assume!(!window.is_empty());
            let made = runtime.block_on(archive.clip(&id("cam"), run, window.clone())).unwrap();
            prop_assert_eq!((made.first_pts, made.end_pts), (start + from * step, window.end));
            let path = runtime.block_on(written(made, folder.path()));
            let found = shown(&path);
            let expected: BTreeMap<i64, u32> =
                (from..to).map(|n| ((n - from) * step, numbers[n as usize])).collect();
            prop_assert_eq!(found, expected, "1/{} from {}: {:?}", den, start, window);
            // Nothing lies behind the last picture that is shown, for players that do not look where a clip ends.
            let last = given.iter().rposition(|given| given.unit.pts < window.end).unwrap();
            let opens = |given: &Given| given.opens && given.unit.pts <= window.start;
            let key = given[..=last].iter().rposition(opens).unwrap();
            prop_assert_eq!(packets(&path), last - key + 1, "1/{} from {}: {:?}", den, start, window);
            Ok(())
        };
        runner.run(&windows, check).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_clip_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let archive = on(&Memory::default(), store(folder.path()).await).await.unwrap();
    record(&archive, "cam", 0, &units(&clip(60).cached())).await;
    for (run, pts) in [(1, 0..100_000), (0, 0..90_000), (0, 95_000..95_000)] {
        let made = archive.clip(&id("cam"), run, pts.clone()).await;
        assert!(matches!(made, Err(ArchiveError::Missing(_))), "{run} {pts:?}: {made:?}");
    }
}
