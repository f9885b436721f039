//! CPU seconds of recording, per second of media: `recording_cost FILE [TIMES]`. The file's units are held in memory and recorded as
//! fast as the disk goes, so that nothing but recording is measured.

use std::{fs::File, path::Path, sync::Arc};

use ocelli_archive::{Archive, ArchiveConfig};
use ocelli_media::{
    bitstream::{Access, PictureReader},
    libav::Demuxer,
};
use ocelli_store::SqliteStore;
use tokio::runtime::Handle;

type Failed = Box<dyn std::error::Error>;

/// User and system time of the process so far, in seconds.
fn cpu() -> Result<f64, Failed> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Result<Vec<f64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "a tool for people")]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("recording_cost FILE [TIMES]")?;
    let times: i64 = arguments.next().map_or(Ok(1), |times| times.parse())?;
    let mut demuxer = Demuxer::open(Box::new(File::open(Path::new(&file))?))?;
    let (mut reader, base) = (PictureReader::new(demuxer.parameters()), demuxer.parameters().time_base);
    let mut units = Vec::new();
    while let Some(unit) = demuxer.next_unit()? {
        let info = reader.read(&unit.data, unit.container_keyframe)?;
        units.push((unit, info));
    }
    let last = units.iter().map(|(unit, _)| unit.pts).max().ok_or("no pictures")?;
    let length = last - units[0].0.pts + 1;
    let folder = tempfile::tempdir_in(".")?;
    let store = Arc::new(SqliteStore::open(&folder.path().join("store"), ocelli_store::Access::Write).await?);
    let config = ArchiveConfig::new(folder.path().join("archive"), || 0);
    let archive = Archive::open(config, store, Handle::current()).await?;
    let before = cpu()?;
    let (mut bytes, stream) = (0, "cam".parse()?);
    for run in 0..times {
        let mut recorder = archive.recorder(&stream)?;
        for (n, (unit, info)) in (0_i64..).zip(&units) {
            bytes += unit.data.len();
            recorder.unit(run as u32, unit, info.access != Access::None, info.reorder_depth, n * 40);
        }
        drop(recorder);
        archive.settled().await;
    }
    let seconds = base.seconds(length) * times as f64;
    let spent = cpu()? - before;
    println!(
        "{spent:.2} CPU-s for {seconds:.0} s of {:.2} Mb/s: {:.3} % of a core",
        bytes as f64 * 8e-6 / seconds,
        spent / seconds * 100.0
    );
    Ok(())
}
