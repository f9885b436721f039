//! `ocelli store`: is it whole?

use std::io::Write as _;

use anyhow::Result;

use crate::{
    cli::{Store, StoreCommand},
    ending::Ending,
    stores::{ReadStore, folder},
};

pub(crate) fn store(options: &Store) -> Result<Ending> {
    let StoreCommand::Check(options) = &options.command;
    let store = ReadStore::open(options.store.as_deref())?;
    let shown = folder(options.store.as_deref());
    let shown = shown.display();
    let problems = store.wait(store.results.check())?;
    if problems.is_empty() {
        writeln!(std::io::stdout(), "the store {shown} is whole")?;
        return Ok(Ending::Whole);
    }
    let problems = problems.into_iter().map(|problem| format!("{shown}: {problem}")).collect();
    Ok(Ending::Partial(problems))
}
