//! The gate held to known truth: made-up views in all weathers, some of them coded as a camera codes, and real footage.

use std::{collections::BTreeMap, path::Path};

use ocelli_analyze::gate::{Gate, GateConfig, MotionGate, Why};
use ocelli_media::pixel::Plane;
use ocelli_testkit::view::{Camera, Light, Moment, View, appearances, code, quiet};

use super::inputs::{footage, raw_pictures, skips};

/// How often the gate looks, 1/s.
const FPS: f64 = 5.0;

/// For so long after an object has left, what follows it may still be taken for it, s.
const LEAVING: f64 = 0.5;

/// Why the gate is open for each luma plane.
fn gated(size: (usize, usize), fps: f64, pictures: impl Iterator<Item = Vec<u8>>) -> Vec<Option<Why>> {
    let mut gate = MotionGate::new(GateConfig::default()).unwrap();
    let look = |(index, data): (usize, Vec<u8>)| {
        let luma = Plane { data: &data, stride: size.0 };
        match gate.look(index as f64 / fps, &luma, size).unwrap() {
            Gate::Open { why, .. } => Some(why),
            Gate::Closed => None,
        }
    };
    pictures.enumerate().map(look).collect()
}

/// Every object is seen while it moves. How many pictures without motion opened the gate, of how many.
fn count(name: &str, moments: &[Moment], whys: &[Option<Why>]) -> (usize, usize) {
    assert_eq!(moments.len(), whys.len(), "{name}");
    let mut seen = BTreeMap::new();
    let (mut still, mut opened, mut last) = (0, 0, f64::NEG_INFINITY);
    for (moment, why) in moments.iter().zip(whys) {
        let moves = matches!(why, Some(Why::Motion | Why::Upheaval));
        if let Some(object) = moment.object {
            last = moment.seconds;
            *seen.entry(object.id).or_insert(false) |= moves && moment.moves;
        } else if moment.seconds - last > GateConfig::default().hold_seconds + LEAVING
            && *why != Some(Why::Warming)
        {
            still += 1;
            opened += usize::from(!matches!(why, None | Some(Why::Regular)));
        }
    }
    let missed: Vec<u64> = seen.iter().filter(|(_, seen)| !**seen).map(|(id, _)| *id).collect();
    assert_eq!(seen.len(), 4, "{name}");
    assert!(missed.is_empty(), "{name}: {missed:?} of {} objects never seen", seen.len());
    (opened, still)
}

/// At most one of a hundred pictures without motion opens the gate.
fn check_false(name: &str, (opened, still): (usize, usize)) {
    assert!(still > 100 && opened * 100 <= still, "{name}: {opened} of {still} pictures without motion");
}

fn check_painted(name: &str, view: View) {
    let mut total = (0, 0);
    for seed in 1..3 {
        let moments = appearances(seed, FPS, 4, 9.0);
        let view = View { seed, ..view };
        let mut camera = Camera::new(view);
        let pictures = moments.iter().map(|moment| camera.picture(moment));
        let (opened, still) = count(name, &moments, &gated((view.width, view.height), FPS, pictures));
        total = (total.0 + opened, total.1 + still);
    }
    check_false(name, total);
}

#[test]
fn noise_is_no_motion() {
    check_painted("day", View::day(1));
    check_painted("night", View::night(1));
}

#[test]
fn light_is_no_motion() {
    check_painted("clouds", View { light: Light::Slow(0.3), ..View::day(1) });
    check_painted("exposure", View { light: Light::Exposure, ..View::day(1) });
    check_painted("exposure by night", View { light: Light::Exposure, ..View::night(1) });
    check_painted("flicker", View { light: Light::Flicker(0.1), ..View::day(1) });
}

/// A lamp that goes on while an object passes leaves its ghost until that has settled, so that only a view without objects is held to the limit.
#[test]
fn a_lamp_is_no_motion() {
    let view = View { light: Light::Lamp, ..View::day(1) };
    let painted = |moments: &[Moment]| {
        let mut camera = Camera::new(view);
        gated((view.width, view.height), FPS, moments.iter().map(|moment| camera.picture(moment)))
    };
    let still = painted(&quiet(90.0, FPS));
    let opened =
        still.iter().filter(|why| matches!(why, Some(Why::Motion | Why::Hold | Why::Upheaval))).count();
    check_false("lamp", (opened, still.len()));
    let moments = appearances(1, FPS, 4, 9.0);
    count("lamp", &moments, &painted(&moments));
}

#[test]
fn shaking_is_no_motion() {
    check_painted("shaking", View { shake: 1, ..View::day(1) });
    check_painted("shaking by night", View { shake: 1, ..View::night(1) });
}

#[test]
fn rain_is_no_motion() {
    check_painted("drops", View { rain: 5, ..View::day(1) });
    check_painted("rain", View { rain: 20, ..View::day(1) });
    check_painted("heavy rain", View { rain: 200, ..View::day(1) });
    check_painted("heavy rain by night", View { rain: 200, ..View::night(1) });
}

#[test]
fn coding_is_no_motion() {
    let folder = tempfile::tempdir().unwrap();
    for (name, view, bits) in [
        ("day, well coded", View::day(3), "800k"),
        ("day, badly coded", View::day(4), "150k"),
        ("night, badly coded", View::night(5), "100k"),
    ] {
        let moments = appearances(3, FPS, 4, 9.0);
        let clip = folder.path().join("clip.mp4");
        code(view, &moments, (FPS as u32, bits, 10), &clip);
        let size = (view.width, view.height);
        let whys = gated(size, FPS, luma(&clip, "null", size).into_iter());
        check_false(name, count(name, &moments, &whys));
    }
}

/// Luma planes as the `ffmpeg` command decodes them.
fn luma(clip: &Path, filter: &str, (width, height): (usize, usize)) -> Vec<Vec<u8>> {
    raw_pictures(clip, &format!("{filter},format=yuv420p"), "gray", width * height)
}

#[test]
fn a_still_picture_stays_closed_and_is_looked_at_now_and_then() {
    let moments = quiet(120.0, FPS);
    let mut camera = Camera::new(View::night(9));
    let whys = gated((640, 360), FPS, moments.iter().map(|moment| camera.picture(moment)));
    let number = |wanted| whys.iter().filter(|&&why| why == wanted).count();
    assert_eq!((number(Some(Why::Warming)), number(Some(Why::Regular))), (10, 11));
    assert_eq!(number(None), whys.len() - 21);
}

#[test]
fn a_busy_square_stays_open() {
    let clip = footage("vtest.avi");
    if skips(std::slice::from_ref(&clip)) {
        return;
    }
    for fps in [10, 5, 1] {
        let pictures = luma(&clip, &format!("fps={fps}"), (768, 576));
        let whys = gated((768, 576), f64::from(fps), pictures.into_iter());
        let closed = whys.iter().filter(|why| why.is_none()).count();
        assert!(whys.len() >= 79 && closed == 0, "{closed} of {} at {fps} fps", whys.len());
    }
}
