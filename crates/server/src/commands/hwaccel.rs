//! `--hwaccel`: settled before a run, for the analyzer version names what decodes.

use std::io::Write as _;

use ocelli_ingest::{Source as _, pull::Stop};
use ocelli_media::libav::{Acceleration, Fallback, Hardware};

use crate::input::Input;

/// The hardware asked for, if it decodes every input; else software, and one line says why.
pub(crate) fn settle(asked: Option<Acceleration>, inputs: &[Input], waiting: &Stop) -> Option<Acceleration> {
    let fallback = decodes_all(asked?, inputs, waiting).err();
    if let Some(reason) = &fallback {
        // Nobody is left to tell when standard error is gone.
        drop(writeln!(std::io::stderr().lock(), "ocelli: decoding in software: {reason}"));
    }
    asked.filter(|_| fallback.is_none())
}

fn decodes_all(asked: Acceleration, inputs: &[Input], waiting: &Stop) -> Result<(), Fallback> {
    let hardware = Hardware::open(asked, None)?;
    // What cannot be read is told where it is read for its results.
    let mut sources = inputs.iter().filter_map(|input| input.open(waiting).ok());
    sources.try_for_each(|mut source| hardware.probe(|| source.next_unit().ok().flatten()))
}
