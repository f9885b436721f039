//! The installed `ffmpeg` and `ffprobe`, run without a shell.

use std::{
    fs::File,
    io::{ErrorKind, Read as _, Seek as _, Write as _},
    process::{Child, Command, Stdio},
};

/// An `ffmpeg` or `ffprobe` that says nothing but errors.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    if program == "ffmpeg" {
        command.arg("-nostdin").arg("-y");
    }
    // SVT-AV1 greets on stderr unless told otherwise.
    command.args(["-hide_banner", "-loglevel", "error"]).env("SVT_LOG", "1");
    command
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!(
            "{} is not installed, and these tests need it as independent encoder and decoder: run ./dev setup",
            command.get_program().display()
        ),
        _ => panic!("cannot start {command:?}: {error}"),
    })
}

/// Runs to the end, fed with `input`; panics with the program's own words when it fails.
///
/// Its errors go to a file and not to a pipe, so neither side can wait for the other.
pub(crate) fn run(command: &mut Command, input: impl Iterator<Item = Vec<u8>>) {
    let mut errors = tempfile::tempfile().expect("a temporary file can be created");
    let mut child = spawn(
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(errors.try_clone().expect("a file handle can be duplicated")),
    );
    let mut stdin = child.stdin.take().expect("stdin is piped");
    for chunk in input {
        // A broken pipe means that it has stopped reading; its exit status tells why.
        if stdin.write_all(&chunk).is_err() {
            break;
        }
    }
    drop(stdin);
    let status = child.wait().expect("a child can be waited for");
    assert!(status.success(), "{command:?} failed ({status}): {}", said(&mut errors));
}

/// Standard output of a run. Damaged input makes these programs complain and exit with an error after useful
/// output, so only a silent failure is fatal.
pub(crate) fn output(command: &mut Command) -> Vec<u8> {
    let mut errors = tempfile::tempfile().expect("a temporary file can be created");
    let child = spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().expect("a file handle can be duplicated")),
    );
    let output = child.wait_with_output().expect("a child can be waited for");
    let failed = !output.status.success() && output.stdout.is_empty();
    assert!(!failed, "{command:?} failed ({}): {}", output.status, said(&mut errors));
    output.stdout
}

/// What a run says on standard error, whatever becomes of it.
pub(crate) fn errors(command: &mut Command) -> String {
    let mut errors = tempfile::tempfile().expect("a temporary file can be created");
    let stderr = errors.try_clone().expect("a file handle can be duplicated");
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr));
    child.wait().expect("a child can be waited for");
    said(&mut errors)
}

fn said(errors: &mut File) -> String {
    let mut text = String::new();
    errors.rewind().expect("a file can be rewound");
    errors.read_to_string(&mut text).expect("ffmpeg writes text");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "run ./dev setup")]
    fn a_missing_program_is_named_with_its_remedy() {
        output(&mut Command::new("ffmpeg-that-is-not-there"));
    }

    #[test]
    #[should_panic(expected = "No such file or directory")]
    fn a_failure_speaks_in_the_words_of_the_program() {
        output(command("ffprobe").arg("/nowhere/clip.mp4"));
    }
}
