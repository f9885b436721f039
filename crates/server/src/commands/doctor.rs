//! `ocelli doctor`: what this machine has, what is missing, and how to get it.

use std::path::Path;

use anyhow::Result;
use ocelli_analyze::{
    LOCK_FILE,
    catalogue::{Catalogue, ModelStatus, Origin},
    cpu_features,
    runtime::{LoadError, RuntimeName},
};
use ocelli_media::libav::{self, VideoWriter};

use super::models::{remedy, shown};
use crate::{cli::Doctor, ending::Ending, home::home};

/// Codecs that cameras, recorders and phones send.
const DECODERS: [&str; 7] = ["h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1"];
/// Less free space than this deserves a word.
const LITTLE_DISK_BYTES: u64 = 2 << 30;

/// Findings, printed as they come.
struct Report<W> {
    out: W,
    missing: bool,
}

impl<W: std::io::Write> Report<W> {
    fn fine(&mut self, what: &str, finding: &str) -> Result<()> {
        Ok(writeln!(self.out, "ok       {what:12} {finding}")?)
    }

    fn missing(&mut self, what: &str, finding: &str, remedy: &str) -> Result<()> {
        writeln!(self.out, "missing  {what:12} {finding}")?;
        if !finding.contains(remedy) {
            writeln!(self.out, "         {:12} to mend it: {remedy}", "")?;
        }
        self.missing = true;
        Ok(())
    }
}

pub(crate) fn doctor(_options: &Doctor) -> Result<Ending> {
    let home = home();
    let mut report = Report { out: std::io::stdout().lock(), missing: false };
    processor(&mut report)?;
    ffmpeg(&mut report)?;
    runtimes(&mut report, &home)?;
    models(&mut report, &home)?;
    disk(&mut report, &home)?;
    // Said above, beside what is fine.
    Ok(if report.missing { Ending::Partial(Vec::new()) } else { Ending::Whole })
}

/// One runtime is enough, so only a broken one or the lack of both is amiss.
fn runtimes(report: &mut Report<impl std::io::Write>, home: &Path) -> Result<()> {
    let probed = RuntimeName::ALL.map(|name| (name, name.probe(home)));
    let one_is_here = probed.iter().any(|(_, found)| found.is_ok());
    for (name, found) in probed {
        match found {
            Ok(info) => {
                let devices = info.devices.join(", ");
                let found = format!("{} ({devices}) in {}", info.version, info.path.display());
                report.fine(name.title(), &found)?;
            }
            Err(LoadError::RuntimeMissing { path, .. }) if one_is_here => {
                let found = format!("not in {} (optional: ./dev setup fetches it)", path.display());
                report.fine(name.title(), &found)?;
            }
            Err(error) => report.missing(name.title(), &error.to_string(), "./dev setup")?,
        }
    }
    Ok(())
}

fn processor(report: &mut Report<impl std::io::Write>) -> Result<()> {
    let cpu = cpu_features();
    let flags = cpu.flags.join(" ");
    let found =
        format!("{}, {} cores, {flags}; models run in {} on OpenVINO", cpu.model, cpu.cores, cpu.precision());
    report.fine("CPU", &found)
}

fn ffmpeg(report: &mut Report<impl std::io::Write>) -> Result<()> {
    report.fine("FFmpeg", &format!("libavcodec {}", libav::codec_library_version()))?;
    let (here, not): (Vec<&str>, Vec<&str>) = DECODERS.into_iter().partition(|name| libav::has_decoder(name));
    report.fine("decoders", &here.join(" "))?;
    if !not.is_empty() {
        report.missing("decoders", &not.join(" "), "install your distribution's full FFmpeg libraries")?;
    }
    match VideoWriter::codecs().first() {
        Some(name) => report.fine("encoder", &format!("{name}, for --annotate")),
        None => report.missing("encoder", "none for --annotate", "install an FFmpeg with libx264"),
    }
}

fn models(report: &mut Report<impl std::io::Write>, home: &Path) -> Result<()> {
    let catalogue = match Catalogue::open(home) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            report.missing("models.json", &error.to_string(), "mend it, or remove it")?;
            Catalogue::built_in(home)
        }
    };
    for (entry, status) in catalogue.list() {
        let finding = format!("{}, {}", entry.id, shown(&status));
        match (&status, entry.origin) {
            (ModelStatus::Present { .. }, _) => report.fine("model", &finding)?,
            (ModelStatus::Missing, Origin::Publisher) => {
                let folder = catalogue.folder().display();
                report.fine("model", &format!("{finding} (optional: put {} into {folder})", entry.file))?;
            }
            (_, origin) => report.missing("model", &finding, remedy(origin))?,
        }
    }
    let lock = catalogue.folder().join(LOCK_FILE);
    let finding =
        if lock.try_exists()? { "pins runtime and precision" } else { "not there yet, written at first use" };
    report.fine("lock file", &format!("{} ({finding})", lock.display()))
}

/// The folder may not exist before set-up: its nearest parent counts.
fn disk(report: &mut Report<impl std::io::Write>, home: &Path) -> Result<()> {
    let existing = home.ancestors().find(|folder| folder.try_exists().unwrap_or(false));
    let free = rustix::fs::statvfs(existing.unwrap_or(Path::new("/")))
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))?;
    let finding = format!("{:.1} GB free at {}", free as f64 / 1e9, home.display());
    if free < LITTLE_DISK_BYTES {
        return report.missing("disk", &finding, "free some space");
    }
    report.fine("disk", &finding)
}
