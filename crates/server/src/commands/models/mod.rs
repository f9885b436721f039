//! `ocelli models`: what is known, what is here, whether it is intact.

use std::io::Write as _;

use anyhow::Result;
use ocelli_analyze::catalogue::{Catalogue, DEFAULT_MODEL, ModelStatus, Origin};

use crate::{
    cli::{Models, ModelsCommand},
    ending::Ending,
    home::home,
};

pub(crate) fn models(options: &Models) -> Result<Ending> {
    let home = home();
    let catalogue = Catalogue::open(&home)?;
    let verify = matches!(options.command, ModelsCommand::Verify);
    let mut out = std::io::stdout().lock();
    let mut wrong = Vec::new();
    let mut usable = 0;
    for (entry, status) in catalogue.list() {
        let default = if entry.id == DEFAULT_MODEL { " (default)" } else { "" };
        let id = format!("{}{default}", entry.id);
        writeln!(out, "{id:32} {:28} {:12} {}", shown(&status), entry.licence, entry.description)?;
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
