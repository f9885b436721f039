//! `ocelli models`: what is known, what is here, whether it is intact; taking in, letting go, measuring.

use std::io::Write as _;

use anyhow::Result;
use ocelli_analyze::{
    catalogue::{Catalogue, DEFAULT_MODEL, ModelEntry, ModelStatus, Origin, remove},
    locked_choice,
};

use crate::{
    cli::{Models, ModelsCommand},
    ending::Ending,
    home::home,
};

mod add;
mod bench;
mod choice;
mod measure;
mod pictures;

pub(crate) fn models(options: &Models) -> Result<Ending> {
    match &options.command {
        ModelsCommand::List => list(false),
        ModelsCommand::Verify => list(true),
        ModelsCommand::Add(options) => add::add(options),
        ModelsCommand::Remove(options) => {
            remove(&home(), &options.id)?;
            Ok(Ending::Whole)
        }
        ModelsCommand::Bench(options) => bench::bench(options),
    }
}

fn list(verify: bool) -> Result<Ending> {
    let catalogue = Catalogue::open(&home())?;
    let mut out = std::io::stdout().lock();
    let mut wrong = Vec::new();
    let mut usable = 0;
    for (entry, status) in catalogue.list() {
        let default = if entry.id == DEFAULT_MODEL { " (default)" } else { "" };
        let id = format!("{}{default}", entry.id);
        let (runs, licence) = (runs(&catalogue, &status)?, &entry.licence);
        writeln!(out, "{id:32} {:24} {runs:18} {licence:12} {}", shown(&status), described(&entry))?;
        match &status {
            ModelStatus::Present { sha256, .. } => {
                usable += 1;
                if verify {
                    writeln!(out, "{:32} sha256 {sha256}", "")?;
                }
            }
            ModelStatus::Missing if entry.origin == Origin::Publisher => {}
            _ => wrong.push(format!(
                "model {}: {}; to mend it: {}",
                entry.id,
                shown(&status),
                remedy(entry.origin)
            )),
        }
    }
    writeln!(out, "models are in {}", catalogue.folder().display())?;
    Ok(match (wrong.is_empty() || !verify, usable) {
        (true, _) => Ending::Whole,
        (false, 0) => Ending::Unusable(wrong),
        (false, _) => Ending::Partial(wrong),
    })
}

/// Runtime and precision of the lock file; nothing where they are not chosen yet.
fn runs(catalogue: &Catalogue, status: &ModelStatus) -> Result<String> {
    let ModelStatus::Present { sha256, .. } = status else { return Ok("-".to_owned()) };
    let locked = locked_choice(catalogue.folder(), sha256)?;
    Ok(locked.map_or_else(|| "-".to_owned(), |entry| format!("{} {}", entry.runtime, entry.precision)))
}

fn described(entry: &ModelEntry) -> String {
    match (entry.origin, entry.description.as_str()) {
        (Origin::Added, "") => format!("added, {} classes", entry.labels.len()),
        (Origin::Added, text) => format!("added: {text}"),
        (_, text) => text.to_owned(),
    }
}

/// What brings a model's file back.
pub(crate) fn remedy(origin: Origin) -> &'static str {
    match origin {
        Origin::Setup => "./dev setup",
        Origin::Publisher => "download it again from its publisher",
        Origin::Added => "ocelli models add ... --replace",
    }
}

/// A status in a few words.
pub(crate) fn shown(status: &ModelStatus) -> String {
    match status {
        ModelStatus::Present { bytes, .. } => format!("here, {:.1} MB", *bytes as f64 / 1e6),
        ModelStatus::Missing => "not here".to_owned(),
        ModelStatus::Mismatch { .. } => "another file (checksum)".to_owned(),
        ModelStatus::Unreadable { reason } => format!("unreadable: {reason}"),
    }
}
