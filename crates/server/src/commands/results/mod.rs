//! `ocelli results`: what the store holds, listed, exported, compared.

mod diff;
mod export;
mod list;
pub(crate) mod select;

use anyhow::Result;

use crate::{
    cli::{Results, ResultsCommand},
    ending::Ending,
};

pub(crate) fn results(options: &Results) -> Result<Ending> {
    match &options.command {
        ResultsCommand::List(options) => list::list(options),
        ResultsCommand::Export(options) => export::export(options),
        ResultsCommand::Diff(options) => diff::diff(options),
    }
}
