//! How a run ends before its file does, and what it says of damage.

use std::{io::Write as _, ops::ControlFlow, path::PathBuf};

use ocelli_engine::{Place, Report, Settings, Watch, Work, WorkError, run};
use ocelli_ingest::pull::FileSource;
use ocelli_media::{libav::Frame, sampler::Window};
use ocelli_testkit::{Clip, ClipCodec, Container, fault, ts};

use crate::look::{ReadNumber, look};

fn clip() -> PathBuf {
    Clip::new(192, 128).frames(90).params("keyint=15:bframes=2").cached()
}

fn every(window: Window) -> Settings {
    Settings { window, ..Settings::new("all".parse().unwrap()) }
}

/// Looks at every picture until `stop` says so; PTS in order.
fn until(mut stop: impl FnMut(usize, &Watch) -> ControlFlow<()>) -> (Vec<i64>, Report) {
    let mut source = FileSource::open(&clip()).unwrap();
    let watch = Watch::default();
    let mut times = Vec::new();
    let report = run(&mut source, every(Window::ALL), &mut [ReadNumber, ReadNumber], &watch, |notice| {
        let Some(seen) = notice.into_frame() else { return ControlFlow::Continue(()) };
        times.push(seen.place.pts);
        stop(times.len(), &watch)
    });
    (times, report.unwrap())
}

#[test]
fn a_sink_may_end_the_run() {
    let (whole, _) = look(&clip(), "all");
    let (times, report) =
        until(|count, _| if count == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
    assert_eq!(times.len(), 7);
    assert!(times.iter().eq(whole[..7].iter().map(|seen| &seen.place.pts)));
    assert!(report.stopped);
    assert_eq!(report.tally.analysed, 7);
}

#[test]
fn a_watch_ends_the_run_after_the_pictures_in_hand() {
    let (times, report) = until(|count, watch| {
        if count == 7 {
            watch.stop();
        }
        ControlFlow::Continue(())
    });
    assert!((7..60).contains(&times.len()), "{} of 90", times.len());
    assert!(times.is_sorted_by(|a, b| a < b));
    assert!(report.stopped);
    assert_eq!(report.tally.analysed, times.len() as u64);
}

/// Refuses every third picture.
struct Fickle(u32);

impl Work for Fickle {
    type Output = ();

    fn work(&mut self, _place: Place, _frame: &Frame) -> Result<(), WorkError> {
        self.0 += 1;
        if self.0.is_multiple_of(3) { Err(WorkError { reason: "fickle".to_owned() }) } else { Ok(()) }
    }
}

#[test]
fn refused_pictures_are_failed_and_counted() {
    let mut source = FileSource::open(&clip()).unwrap();
    let report = run(&mut source, every(Window::ALL), &mut [Fickle(0)], &Watch::default(), |_| {
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert_eq!((report.tally.analysed, report.tally.failed), (60, 30));
    assert_eq!(report.reasons.into_iter().collect::<Vec<_>>(), [("fickle".to_owned(), 30)]);
}

#[test]
fn a_window_gives_the_same_pictures_as_the_whole() {
    let whole: Vec<Place> = look(&clip(), "4").0.into_iter().map(|seen| seen.place).collect();
    let plan = "4".parse().unwrap();
    for (start, end) in [(0, 90), (17, 61), (30, 31), (60, i64::MAX), (i64::MIN, 20), (1000, 2000)] {
        let mut source = FileSource::open(&clip()).unwrap();
        let mut found = Vec::new();
        let settings = Settings { window: Window { start, end }, ..Settings::new(plan) };
        run(&mut source, settings, &mut [ReadNumber], &Watch::default(), |notice| {
            found.extend(notice.into_frame().map(|seen| seen.place));
            ControlFlow::Continue(())
        })
        .unwrap();
        let inside = whole.iter().filter(|place| (start..end).contains(&place.pts));
        assert!(found.iter().eq(inside), "{start}..{end}: {found:?}");
    }
}

/// Decoders make up what is missing from what is there: such pictures are failed, or an old number would stand at a new time.
#[test]
fn lost_pictures_never_move_a_number_to_another_time() {
    for codec in [ClipCodec::X264, ClipCodec::X265] {
        let clip = Clip::new(192, 128).frames(90).codec(codec).container(Container::Ts);
        let clip = clip.params("keyint=18:min-keyint=18:bframes=3:b-adapt=0");
        let bytes = std::fs::read(clip.cached()).unwrap();
        for lost in 1..24 {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&ts::select(&bytes, |n| n != lost && n != 3 * lost && n != 50)).unwrap();
            let (seen, report) = look(file.path(), "all");
            assert_eq!(seen.len() as u64, report.tally.due(), "{codec:?} without {lost}: all have a verdict");
            let whole: Vec<_> = seen
                .iter()
                .filter_map(|one| Some((one.place.pts, one.result.as_ref().ok()?.shown)))
                .collect();
            let wrong: Vec<_> = whole.iter().filter(|(pts, number)| clip.pts(*number) != *pts).collect();
            assert!(wrong.is_empty(), "{codec:?} without {lost}: {wrong:?}");
            assert!(whole.len() >= 40, "{codec:?} without {lost}: {} of 90", whole.len());
        }
    }
}

#[test]
fn flipped_bits_keep_the_order_and_the_sums() {
    let codecs = [
        (ClipCodec::X264, Container::Ts),
        (ClipCodec::X265, Container::Mkv),
        (ClipCodec::Vp9, Container::WebM),
        (ClipCodec::Mpeg4, Container::Avi),
    ];
    for (codec, container) in codecs {
        let clip = Clip::new(192, 128).frames(60).codec(codec).container(container);
        let bytes = std::fs::read(clip.cached()).unwrap();
        for seed in 0..6 {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&fault::flip_bits(&bytes, seed, 12, 5000..bytes.len())).unwrap();
            let (seen, report) = look(file.path(), "10");
            let due = report.tally.due() - report.tally.empty;
            assert_eq!(seen.len() as u64, due, "{codec:?} seed {seed}: each due picture has a verdict");
            let places: Vec<_> = seen.iter().map(|one| (one.place.run, one.place.pts)).collect();
            assert!(places.is_sorted_by(|a, b| a < b), "{codec:?} seed {seed}: {places:?}");
        }
    }
}

/// Panics on its second picture.
struct Broken(u32);

impl Work for Broken {
    type Output = ();

    fn work(&mut self, _place: Place, _frame: &Frame) -> Result<(), WorkError> {
        self.0 += 1;
        assert!(self.0 < 2, "a bug in an analyzer");
        Ok(())
    }
}

#[test]
fn a_panic_in_several_workers_ends_the_run() {
    for _order_of_threads in 0..50 {
        panics();
    }
}

fn panics() {
    let mut source = FileSource::open(&clip()).unwrap();
    let watch = Watch::default();
    let mut workers = [Broken(0), Broken(0)];
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(&mut source, every(Window::ALL), &mut workers, &watch, |_| ControlFlow::Continue(()))
    }));
    assert!(ran.is_err(), "the panic reaches the caller");
    assert!(watch.is_stopped());
}
