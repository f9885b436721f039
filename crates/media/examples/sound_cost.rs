//! CPU seconds of sound that becomes AAC, per second of media: `sound_cost FILE [TIMES]`. The file's sound is held in memory and
//! transcoded as fast as it goes, so that nothing else is measured.

use std::{fs::File, path::Path};

use ocelli_media::libav::{AudioTranscoder, Demuxer};

type Failed = Box<dyn std::error::Error>;

/// User and system time of the process so far, in seconds.
fn cpu() -> Result<f64, Failed> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Result<Vec<f64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

#[expect(clippy::print_stdout, reason = "a tool for people")]
fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("sound_cost FILE [TIMES]")?;
    let times: u32 = arguments.next().map_or(Ok(1), |times| times.parse())?;
    let mut demuxer = Demuxer::open_with_audio(Box::new(File::open(Path::new(&file))?))?;
    let mut sound = Vec::new();
    while demuxer.next_unit()?.is_some() {
        sound.extend(std::iter::from_fn(|| demuxer.next_audio()));
    }
    let before = cpu()?;
    let (mut bytes, mut seconds) = (0, 0.0);
    for _ in 0..times {
        let mut transcoder = AudioTranscoder::new();
        let mut take = |transcoder: &mut AudioTranscoder| {
            while let Some(unit) = transcoder.next_unit() {
                bytes += unit.data.len();
                seconds += 1024.0 / f64::from(unit.parameters.sample_rate);
            }
        };
        for unit in &sound {
            transcoder.push(unit.clone())?;
            take(&mut transcoder);
        }
        transcoder.end();
        take(&mut transcoder);
    }
    let spent = cpu()? - before;
    println!(
        "{spent:.2} CPU-s for {seconds:.0} s, {:.0} kb/s of AAC: {:.3} % of a core",
        bytes as f64 * 8e-3 / seconds,
        spent / seconds * 100.0
    );
    Ok(())
}
