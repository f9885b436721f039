//! What the child costs: frames of a file as JPEG, decoded in this process and in a child.
//!
//! `child_cost CLIP FPS [TIMES]`. Prints CPU-seconds of both, the fewest of so many turns, and the child's largest memory.

use std::{error::Error, io::Write as _, path::Path, process::ExitCode};

use ocelli_ingest::{
    Source,
    child::{ChildCommand, ChildSource, WORD, serve},
    pull::{FileSource, Stop},
};
use ocelli_media::{
    bitstream::PictureReader,
    decode::Decoding,
    libav::decoders,
    pixel::jpeg::JpegEncoder,
    sampler::{Sampler, Step},
};
use ocelli_model::SamplingPlan;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let measured = match words.as_slice() {
        [WORD] => return serve(),
        [clip, fps] => measure(Path::new(clip), fps, 3),
        [clip, fps, times] => measure(Path::new(clip), fps, times.parse().unwrap_or(3)),
        _ => Err("usage: child_cost CLIP FPS [TIMES]".into()),
    };
    let line = match &measured {
        Ok(line) => line.clone(),
        Err(error) => error.to_string(),
    };
    let written = writeln!(std::io::stdout(), "{line}");
    if measured.is_ok() && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(clip: &Path, fps: &str, times: u32) -> Done<String> {
    let plan: SamplingPlan = fps.parse()?;
    let (mut here, mut there, mut memory, mut frames) = (f64::MAX, f64::MAX, 0, (0, 0));
    for _ in 0..times {
        let before = used("self")?;
        frames.0 = extract(&mut FileSource::open(clip)?, plan)?;
        let between = used("self")?;
        let mut source = ChildSource::open(clip, &ChildCommand::this_program(), &Stop::default())?;
        frames.1 = extract(&mut source, plan)?;
        let pid = source.process_id().to_string();
        memory = peak_kib(&pid)?;
        here = here.min(between - before);
        there = there.min(used("self")? - between + used(&pid)?);
    }
    assert_eq!(frames.0, frames.1, "both give the same frames");
    Ok(format!(
        "{} frames: {here:.2} CPU-s here, {there:.2} with a child: {:.3} times; the child takes {} MiB",
        frames.0,
        there / here,
        memory >> 10
    ))
}

/// The life of a frame as in the engine, on one thread.
fn extract(source: &mut dyn Source, plan: SamplingPlan) -> Done<usize> {
    let mut reader = PictureReader::new(source.parameters());
    let mut sampler = Sampler::new(plan, source.parameters().time_base);
    let mut decoding = Decoding::new(source.decoder().unwrap_or_else(|| decoders(None)));
    let mut jpeg = JpegEncoder::new(85)?;
    let (mut frames, mut ended) = (0, false);
    while !ended {
        if let Some(unit) = source.next_unit()? {
            let info = reader.read(&unit.data, unit.container_keyframe)?;
            sampler.push(unit, info);
        } else {
            sampler.finish();
            ended = true;
        }
        while let Some(step) = sampler.next_step() {
            match step {
                Step::Feed(feed) => decoding.feed(&feed)?,
                Step::EndOfRun { .. } => decoding.drain(),
                _ => {}
            }
            for outcome in decoding.take_outcomes() {
                let frame = outcome.picture.ok_or("a choice that nobody wants")??;
                jpeg.encode(&frame.picture(), None)?;
                frames += 1;
            }
        }
    }
    Ok(frames)
}

/// CPU-seconds of a process so far, user and kernel.
fn used(pid: &str) -> Done<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().skip(11).take(2);
    let ticks = fields.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn peak_kib(pid: &str) -> Done<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
