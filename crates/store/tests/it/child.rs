//! This test binary again, in another process: for limits, umask and death, which belong to a process.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const FOLDER: &str = "OCELLI_TEST_STORE";

/// The command that runs one ignored test of this binary on `folder`, after the shell line `first`.
pub(crate) fn command(first: &str, test: &str, folder: &Path) -> Command {
    command_of(&env::current_exe().unwrap(), first, test, folder)
}

/// As [`command`], with a copy of this binary.
pub(crate) fn command_of(program: &Path, first: &str, test: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{first}; exec \"$@\""), "sh"])
        .arg(program)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped());
    command
}

/// The folder given to this process by [`command`].
pub(crate) fn folder() -> PathBuf {
    env::var_os(FOLDER).expect("runs only as a child of another test").into()
}
