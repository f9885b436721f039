//! Untrusted media, read and decoded by real children (`examples/media_child.rs`).

mod alike;
mod ends;
mod hostile;
mod info;
mod lies;
mod locked;

use std::path::PathBuf;

use ocelli_ingest::{
    SourceError,
    child::{ChildCommand, ChildLimits, ChildSource, WORD},
    pull::Stop,
};

/// The example, which cargo builds for tests beside them.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its file");
    let path = own.ancestors().nth(2).expect("it is in target/PROFILE/deps").join("examples/media_child");
    let built = path.try_exists().expect("the build directory can be read");
    assert!(built, "{} is not built: cargo build -p ocelli-ingest --examples", path.display());
    path
}

/// An honest child.
fn honest() -> ChildCommand {
    ChildCommand::new(program(), [WORD.into()])
}

/// One that gives these answers, whatever it is asked.
fn liar(answers: &[&str]) -> ChildCommand {
    let arguments = std::iter::once("lie").chain(answers.iter().copied());
    ChildCommand::new(program(), arguments.map(Into::into))
}

fn open(path: &std::path::Path, command: &ChildCommand) -> Result<ChildSource, SourceError> {
    ChildSource::open(path, command, &Stop::default())
}

/// With a deadline that a test can wait for. The machine may be busy: what is waited for never comes.
fn soon(command: ChildCommand) -> ChildCommand {
    let limits = ChildLimits { wall: std::time::Duration::from_secs(1), ..command.limits.clone() };
    command.with_limits(limits)
}

/// A file of `bytes` in `dir`.
fn file(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join("upload");
    std::fs::write(&path, bytes).expect("a temporary folder can be written");
    path
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
