//! Somebody who records: real coded pictures into a real archive, as fast as a test likes.

use std::path::PathBuf;

use ocelli_archive::Recorder;
use ocelli_testkit::{Clip, Container, Reel};

use crate::stand::{Stand, engine::id};

/// When the first picture of each camera comes in.
pub(super) const BEGAN_MS: i64 = 1_795_965_053_000;
/// Pictures a second, and in a group.
pub(super) const RATE: i64 = 25;
pub(super) const GROUP: usize = 50;
/// PTS of the first picture of a film.
pub(super) const FIRST_PTS: i64 = 90_126_000;
/// Ticks of a picture.
pub(super) const TICKS: i64 = 3_600;

/// A stream that is recorded.
pub(crate) struct Camera {
    recorder: Recorder,
    reel: Reel,
    run: u32,
    shown: usize,
    /// Pictures of the run that came before the one in hand.
    began: usize,
    /// The machine's clock was set by so much.
    set_ms: i64,
}

/// Ten seconds of H.264 with B-frames that begin far from zero.
pub(super) fn film() -> Clip {
    let clip = Clip::new(320, 240).frames(250).rate(25, 1).container(Container::Ts);
    clip.start_pts(FIRST_PTS / TICKS)
        .params(&format!("keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=2"))
}

pub(super) fn path() -> PathBuf {
    film().cached()
}

impl Camera {
    /// Begins to record a stream.
    pub(crate) async fn new(stand: &Stand, name: &str) -> Self {
        let (archive, stream) = (stand.archive.clone(), id(name));
        // It waits for what was recorded before.
        let started = tokio::task::spawn_blocking(move || archive.recorder(&stream));
        let recorder = started.await.unwrap().unwrap();
        let reel = tokio::task::spawn_blocking(|| Reel::read(&path())).await.unwrap();
        Self { recorder, reel, run: 0, shown: 0, began: 0, set_ms: 0 }
    }

    /// So many pictures come in.
    pub(crate) fn show(&mut self, count: usize) {
        for _picture in 0..count {
            let unit = &self.reel.units[self.shown - self.began];
            let at_ms = BEGAN_MS + self.shown as i64 * 1_000 / RATE + self.set_ms;
            self.recorder.unit(self.run, unit, unit.container_keyframe, 2, at_ms);
            self.shown += 1;
        }
    }

    /// Gives the film other times: each picture is shown so many ticks after the one before it. As many pictures as there are steps.
    pub(super) fn retime(&mut self, steps: &[i64]) {
        let mut times: Vec<i64> = self.reel.units.iter().map(|unit| unit.pts).collect();
        times.sort_unstable();
        assert_eq!(times.len(), steps.len());
        let mut at = FIRST_PTS;
        let moved: Vec<i64> = steps
            .iter()
            .map(|step| {
                at += step;
                at - step
            })
            .collect();
        for unit in &mut self.reel.units {
            (unit.pts, unit.dts) = (moved[times.binary_search(&unit.pts).unwrap()], None);
        }
    }

    /// Somebody sets the machine's clock.
    pub(super) fn set_clock(&mut self, by_ms: i64) {
        self.set_ms += by_ms;
    }

    /// The connection breaks, and the next is the run with this ordinal.
    pub(super) fn reconnect(&mut self, run: u32) {
        self.recorder.end_run();
        (self.run, self.began) = (run, self.shown);
    }

    /// Ends, and waits until all is in the archive.
    pub(crate) async fn end(self, stand: &Stand) {
        drop(self.recorder);
        stand.archive.settled().await;
    }
}
