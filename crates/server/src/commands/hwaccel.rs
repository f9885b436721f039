//! `--hwaccel`: settled before a run, for the analyzer version names what decodes.

use std::{io::Write as _, path::PathBuf};

use ocelli_ingest::{Source as _, pull::FileSource};
use ocelli_media::libav::{Acceleration, Fallback, Hardware};

/// The hardware asked for, if it decodes every input; else software, and one line says why.
pub(crate) fn settle(asked: Option<Acceleration>, inputs: &[PathBuf]) -> Option<Acceleration> {
    let fallback = decodes_all(asked?, inputs).err();
    if let Some(reason) = &fallback {
        // Nobody is left to tell when standard error is gone.
        drop(writeln!(std::io::stderr().lock(), "ocelli: decoding in software: {reason}"));
    }
    asked.filter(|_| fallback.is_none())
}

fn decodes_all(asked: Acceleration, inputs: &[PathBuf]) -> Result<(), Fallback> {
    let hardware = Hardware::open(asked, None)?;
    // What cannot be read is told where it is read for its results.
    let mut sources = inputs.iter().filter_map(|input| FileSource::open(input).ok());
    sources.try_for_each(|mut source| hardware.probe(|| source.next_unit().ok().flatten()))
}
