//! CPU seconds of what browsers do not play, made AAC and H.264, per second of media: `transcode_cost FILE [TIMES]`. The file's units are
//! held in memory and transcoded as fast as it goes, so that nothing else is measured.

use std::{fs::File, path::Path};

use ocelli_media::{
    AccessUnit, AudioUnit,
    libav::{AudioTranscoder, Demuxer, VideoTranscoder},
};

type Failed = Box<dyn std::error::Error>;

/// User and system time of the process so far, in seconds.
fn cpu() -> Result<f64, Failed> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Result<Vec<f64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

/// Bytes and seconds of AAC.
fn sound(units: &[AudioUnit]) -> Result<(usize, f64), Failed> {
    let (mut transcoder, mut bytes, mut seconds) = (AudioTranscoder::new(), 0, 0.0);
    let mut take = |transcoder: &mut AudioTranscoder| {
        while let Some(unit) = transcoder.next_unit() {
            bytes += unit.data.len();
            seconds += 1024.0 / f64::from(unit.parameters.sample_rate);
        }
    };
    for unit in units {
        transcoder.push(unit.clone())?;
        take(&mut transcoder);
    }
    transcoder.end();
    take(&mut transcoder);
    Ok((bytes, seconds))
}

/// Bytes and seconds of H.264.
fn pictures(units: &[AccessUnit]) -> Result<(usize, f64), Failed> {
    let (mut transcoder, mut bytes) = (VideoTranscoder::default(), 0);
    let (mut first, mut last) = (f64::MAX, f64::MIN);
    let mut take = |transcoder: &mut VideoTranscoder| {
        while let Some(unit) = transcoder.next_unit() {
            bytes += unit.data.len();
            let at = unit.parameters.time_base.seconds(unit.pts);
            (first, last) = (first.min(at), last.max(at));
        }
    };
    for unit in units {
        transcoder.push(unit)?;
        take(&mut transcoder);
    }
    transcoder.end()?;
    take(&mut transcoder);
    Ok((bytes, last - first))
}

#[expect(clippy::print_stdout, reason = "a tool for people")]
fn measure(what: &str, times: u32, work: impl Fn() -> Result<(usize, f64), Failed>) -> Result<(), Failed> {
    let (before, mut bytes, mut seconds) = (cpu()?, 0, 0.0);
    for _ in 0..times {
        let made = work()?;
        (bytes, seconds) = (bytes + made.0, seconds + made.1);
    }
    let spent = cpu()? - before;
    println!(
        "{what}: {spent:.2} CPU-s for {seconds:.0} s, {:.0} kb/s: {:.2} % of a core",
        bytes as f64 * 8e-3 / seconds,
        spent / seconds * 100.0
    );
    Ok(())
}

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("transcode_cost FILE [TIMES]")?;
    let times: u32 = arguments.next().map_or(Ok(1), |times| times.parse())?;
    let mut demuxer = Demuxer::open_with_audio(Box::new(File::open(Path::new(&file))?))?;
    let (mut seen, mut heard) = (Vec::new(), Vec::new());
    while let Some(unit) = demuxer.next_unit()? {
        seen.push(unit);
        heard.extend(std::iter::from_fn(|| demuxer.next_audio()));
    }
    if !heard.is_empty() {
        measure("sound", times, || sound(&heard))?;
    }
    if VideoTranscoder::is_for(&demuxer.parameters().codec) {
        measure("pictures", times, || pictures(&seen))?;
    }
    Ok(())
}
