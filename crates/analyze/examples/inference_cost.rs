//! CPU time of a detector's steps: `cargo run --release -p ocelli-analyze --example inference_cost -- DATA_DIR MODEL`.
//!
//! Prints, for each runtime and precision and for one and two instances at once, milliseconds of CPU and of wall time a picture,
//! and the resident memory that instances add. The tensor is made from a 1920 x 1080 picture.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    thread,
    time::Instant,
};

use ocelli_analyze::{
    Analyzer as _, Detector, DetectorConfig, DetectorError, Upstream, load,
    runtime::{Precision, RuntimeName},
};
use ocelli_media::pixel::{Matrix, OwnedPicture, Range};

const RUNS: u32 = 200;
const WARM_UP: u32 = 10;

/// CPU nanoseconds this thread has used.
fn thread_cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Megabytes of memory this process holds (`VmRSS`) or held at most (`VmHWM`).
fn megabytes(field: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value =
        text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
    value.unwrap_or(0.0) / 1024.0
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn clock() -> Instant {
    Instant::now()
}

/// A picture with something in every corner, so that scaling does its full work.
fn picture() -> OwnedPicture {
    let mut picture = OwnedPicture::black(1920, 1080, Range::Limited, Matrix::Bt709);
    for (plane, samples) in picture.planes.iter_mut().enumerate() {
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample = (16 + (index * 7 + index / 960 + plane * 50) % 200) as u8;
        }
    }
    picture
}

/// CPU milliseconds a picture: (tensor and inference and reading of outputs, inference and reading alone).
fn measure(detector: &mut Detector, picture: &OwnedPicture) -> (f64, f64) {
    let mut analyze = || drop(detector.analyze(&picture.as_picture()).expect("the model runs"));
    (0..WARM_UP).for_each(|_| analyze());
    let start = thread_cpu();
    (0..RUNS).for_each(|_| analyze());
    let whole = thread_cpu() - start;
    let placement = detector.placement(&picture.as_picture());
    let start = thread_cpu();
    (0..RUNS).for_each(|_| drop(detector.detect(&placement).expect("the model runs")));
    let share = |nanoseconds: u64| nanoseconds as f64 / 1e6 / f64::from(RUNS);
    (share(whole), share(thread_cpu() - start))
}

type Way = (RuntimeName, Precision);

fn report(
    home: &Path,
    model: &str,
    (runtime, precision): Way,
    instances: usize,
) -> Result<String, DetectorError> {
    let config = DetectorConfig {
        model: Some(model.to_owned()),
        runtime: Some(runtime),
        precision: Some(precision),
        ..DetectorConfig::default()
    };
    let picture = picture();
    let (memory, start, cpu) = (megabytes("VmRSS:"), clock(), thread_cpu());
    let mut model = load(&config, home, Upstream { sampler: "-", decoder: "-" })?;
    let loaded = (start.elapsed().as_secs_f64() * 1e3, (thread_cpu() - cpu) as f64 / 1e6);
    let mut detectors = Vec::new();
    for _ in 0..instances {
        detectors.push(model.detector()?);
    }
    drop(model);
    let start = clock();
    let times = thread::scope(|scope| {
        let run = |detector| scope.spawn(|| measure(detector, &picture));
        let threads: Vec<_> = detectors.iter_mut().map(run).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
    });
    let wall = start.elapsed().as_secs_f64() * 1e3 / f64::from(2 * RUNS + WARM_UP);
    let each: Vec<String> =
        times.iter().map(|(whole, model)| format!("{whole:.2} ({model:.2} without tensor)")).collect();
    Ok(format!(
        "{runtime} {precision} x{instances}: CPU ms {}; wall ms {wall:.2}; load wall ms {:.0}, CPU ms {:.0}; memory +{:.0} MB, peak {:.0} MB",
        each.join(", "),
        loaded.0,
        loaded.1,
        megabytes("VmRSS:") - memory,
        megabytes("VmHWM:"),
    ))
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, model, rest @ ..] = arguments.as_slice() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "usage: inference_cost DATA_DIR MODEL [openvino|onnxruntime f32|bf16 INSTANCES]",
        ));
    };
    let ways = [
        (RuntimeName::OpenVino, Precision::F32),
        (RuntimeName::OpenVino, Precision::Bf16),
        (RuntimeName::OnnxRuntime, Precision::F32),
    ];
    let all = ways.into_iter().flat_map(|way| [(way, 1), (way, 2)]);
    let only = |((runtime, precision), instances): &(Way, usize)| match rest {
        [name, wanted, count] => {
            (runtime.as_str(), precision.as_str()) == (name, wanted) && instances.to_string() == *count
        }
        _ => true,
    };
    let mut out = io::stdout().lock();
    for (way, instances) in all.filter(only) {
        match report(Path::new(home), model, way, instances) {
            Ok(line) => writeln!(out, "{line}")?,
            Err(error) => writeln!(out, "{} {} x{instances}: {error}", way.0, way.1)?,
        }
    }
    Ok(())
}
