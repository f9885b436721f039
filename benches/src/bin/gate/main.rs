//! What the motion gate costs, and what it lets through.
//!
//! - `gate WIDTH HEIGHT PICTURES SECONDS`: looks at so many painted pictures of a noisy view, over and over for about so long, and prints JSON:
//!   milliseconds of this thread's wall time per look, and how many looks were closed.
//! - `gate quality`: views of several weathers with objects of known way, as JSON: how many objects were seen while they moved, and how many
//!   pictures without motion opened the gate.

mod quality;

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use ocelli_analyze::gate::{Gate, GateConfig, MotionGate};
use ocelli_media::pixel::Plane;
use ocelli_testkit::view::{Camera, View, quiet};

/// The rate of a substream.
const FPS: f64 = 5.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let report = match arguments.as_slice() {
        [word] if word == "quality" => quality::measure()?,
        [width, height, pictures, seconds] => cost(width, height, pictures, seconds)?,
        _ => bail!("usage: gate WIDTH HEIGHT PICTURES SECONDS | gate quality"),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &report)?;
    Ok(writeln!(out)?)
}

fn cost(width: &str, height: &str, pictures: &str, seconds: &str) -> Result<serde_json::Value> {
    let view = View { width: width.parse()?, height: height.parse()?, ..View::day(1) };
    let mut camera = Camera::new(view);
    let moments = quiet(pictures.parse::<f64>()? / FPS, FPS);
    let pictures: Vec<Vec<u8>> = moments.iter().map(|moment| camera.picture(moment)).collect();
    measure(view, &pictures, Duration::from_secs_f64(seconds.parse()?))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn measure(view: View, pictures: &[Vec<u8>], length: Duration) -> Result<serde_json::Value> {
    let mut gate = MotionGate::new(GateConfig::default())?;
    let (mut looks, mut closed) = (0_u32, 0_u32);
    let started = Instant::now();
    while started.elapsed() < length {
        for data in pictures {
            let luma = Plane { data, stride: view.width };
            let verdict = gate.look(f64::from(looks) / FPS, &luma, (view.width, view.height))?;
            closed += u32::from(verdict == Gate::Closed);
            looks += 1;
        }
    }
    let each = started.elapsed().as_secs_f64() * 1e3 / f64::from(looks);
    Ok(serde_json::json!({ "milliseconds": each, "looks": looks, "closed": closed }))
}
