//! What the engine tells of a source besides its pictures.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use ocelli_engine::{Notice, Report, Settings, Watch, run};
use ocelli_ingest::pull::FileSource;
use ocelli_media::sampler::Interest;
use ocelli_testkit::{Clip, Container};

use crate::look::ReadNumber;

/// What was told, without pictures.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// Run, t0, last PTS, what was due.
    runs: Vec<(u32, i64, i64, u64)>,
    /// Run, slot, PTS of frames and passed ones, in order.
    places: Vec<(u32, Option<i64>, i64)>,
    passed: usize,
    empty: Vec<(u32, i64)>,
}

fn told(path: &Path, plan: &str, interest: Option<Arc<dyn Interest>>) -> (Told, Report) {
    let mut source = FileSource::open(path).unwrap();
    let settings = Settings { interest, ..Settings::new(plan.parse().unwrap()) };
    let (mut told, mut open) = (Told::default(), None);
    let mut workers = [ReadNumber, ReadNumber];
    let report = run(&mut source, settings, &mut workers, &Watch::default(), |notice| {
        match notice {
            Notice::Run { run, t0, .. } => {
                assert_eq!(open.replace((run, t0)), None, "one run at a time");
            }
            Notice::RunEnd { run, last_pts, due, whole } => {
                let (begun, t0) = open.take().expect("a run that began");
                assert_eq!(begun, run);
                assert!(whole, "nothing is cut short");
                told.runs.push((run, t0, last_pts, due));
            }
            Notice::Frame(seen) => told.places.push((seen.place.run, seen.place.slot, seen.place.pts)),
            Notice::Passed(place) => {
                told.passed += 1;
                told.places.push((place.run, place.slot, place.pts));
            }
            Notice::Empty { run, first, last } => told.empty.extend((first..=last).map(|slot| (run, slot))),
        }
        ControlFlow::Continue(())
    });
    assert_eq!(open, None, "every run ended");
    (told, report.unwrap())
}

/// Wants every other second.
#[derive(Debug)]
struct OddSeconds;

impl Interest for OddSeconds {
    fn wants(&self, _run: u32, _slot: Option<i64>, pts: i64) -> bool {
        (pts / 90_000) % 2 == 1
    }
}

#[test]
fn every_slot_of_a_run_is_told_once() {
    // Two seconds of pictures, a hole of four, two more: one run with empty slots.
    let pts: Vec<i64> = (0..120).map(|n| n * 3000 + if n < 60 { 0 } else { 360_000 }).collect();
    let path =
        Clip::new(192, 128).frames(120).timestamps(90_000, &pts).params("bframes=2:keyint=30").cached();
    for plan in ["0.7", "5", "7.5", "all"] {
        let (told, report) = told(&path, plan, None);
        let [(0, 0, last_pts, due)] = told.runs[..] else { panic!("{plan}: {:?}", told.runs) };
        assert_eq!(last_pts, *pts.last().unwrap(), "{plan}");
        assert_eq!(due, (told.places.len() + told.empty.len()) as u64, "{plan}");
        assert_eq!((report.tally.due(), report.passed), (due, 0), "{plan}");
        if plan == "all" {
            assert!(told.places.iter().map(|(_, _, pts)| *pts).eq(pts.iter().copied()), "{plan}");
            continue;
        }
        let mut slots: Vec<i64> = told.places.iter().map(|(_, slot, _)| slot.unwrap()).collect();
        slots.extend(told.empty.iter().map(|(_, slot)| *slot));
        slots.sort_unstable();
        assert!(slots.iter().copied().eq(0..slots.len() as i64), "{plan}: each slot once: {slots:?}");
    }
}

#[test]
fn pictures_that_nobody_wants_keep_their_place_and_save_decoding() {
    let pts: Vec<i64> = (0..240).map(|n| n * 3000).collect();
    let path =
        Clip::new(192, 128).frames(240).timestamps(90_000, &pts).params("bframes=2:keyint=30").cached();
    for plan in ["1", "5", "all"] {
        let ((all, whole), (some, part)) =
            (told(&path, plan, None), told(&path, plan, Some(Arc::new(OddSeconds))));
        assert_eq!((&some.places, &some.runs), (&all.places, &all.runs), "{plan}");
        assert!(some.passed > 0 && some.passed as u64 == part.passed, "{plan}");
        assert_eq!(part.tally.due() + part.passed, whole.tally.due(), "{plan}");
        assert!(part.decoded < whole.decoded, "{plan}: {} of {}", part.decoded, whole.decoded);
    }
}

#[test]
fn each_run_of_a_source_ends_before_the_next_begins() {
    let clip = Clip::new(192, 128).frames(60).container(Container::Ts).params("keyint=15");
    let bytes = std::fs::read(clip.cached()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twice.ts");
    std::fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
    let (told, report) = told(&path, "5", None);
    assert_eq!((told.runs.len(), report.runs), (2, 2));
    let due: u64 = told.runs.iter().map(|(_, _, _, due)| due).sum();
    assert_eq!(due, report.tally.due());
}
