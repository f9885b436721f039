//! What the gate misses, and what it opens for without cause.

use std::collections::BTreeMap;

use anyhow::Result;
use ocelli_analyze::gate::{Gate, GateConfig, MotionGate, Why};
use ocelli_media::pixel::Plane;
use ocelli_testkit::view::{Camera, Light, Moment, View, appearances};
use serde_json::{Value, json};

const FPS: f64 = 5.0;
/// Other seeds than those that the gate's tests know.
const SEEDS: std::ops::Range<u64> = 31..35;
/// For so long after an object has left, what follows it may still be taken for it, s.
const LEAVING: f64 = 0.5;

#[derive(Default)]
struct Count {
    objects: usize,
    seen: usize,
    still: usize,
    opened: usize,
}

pub(crate) fn measure() -> Result<Value> {
    let mut count = Count::default();
    for seed in SEEDS {
        let (day, night) = (View::day(seed), View::night(seed));
        for view in [
            day,
            night,
            View { light: Light::Slow(0.3), ..day },
            View { light: Light::Exposure, ..day },
            View { shake: 1, ..day },
            View { rain: 20, ..day },
            View { rain: 200, ..night },
        ] {
            look(view, &appearances(seed, FPS, 4, 9.0), &mut count)?;
        }
    }
    let Count { objects, seen, still, opened } = count;
    Ok(json!({ "objects": objects, "seen": seen, "still": still, "opened": opened }))
}

fn look(view: View, moments: &[Moment], count: &mut Count) -> Result<()> {
    let config = GateConfig::default();
    let quiet_after = config.hold_seconds + LEAVING;
    let (mut camera, mut gate) = (Camera::new(view), MotionGate::new(config)?);
    let (mut seen, mut last) = (BTreeMap::new(), f64::NEG_INFINITY);
    for moment in moments {
        let data = camera.picture(moment);
        let luma = Plane { data: &data, stride: view.width };
        let why = match gate.look(moment.seconds, &luma, (view.width, view.height))? {
            Gate::Open { why, .. } => Some(why),
            Gate::Closed => None,
        };
        if let Some(object) = moment.object {
            last = moment.seconds;
            let moves = matches!(why, Some(Why::Motion | Why::Upheaval)) && moment.moves;
            *seen.entry(object.id).or_insert(false) |= moves;
        } else if moment.seconds - last > quiet_after && why != Some(Why::Warming) {
            count.still += 1;
            count.opened += usize::from(!matches!(why, None | Some(Why::Regular)));
        }
    }
    count.objects += seen.len();
    count.seen += seen.values().filter(|seen| **seen).count();
    Ok(())
}
