//! A process that locked itself down tries what a decoder has no need of.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
};

/// What is printed, or the signal that it dies of.
fn tries(what: &str) -> Result<String, i32> {
    let mut command = Command::new(super::program());
    let output = command.args(["try", what]).stdin(Stdio::null()).output().unwrap();
    match output.status.signal() {
        Some(signal) => Err(signal),
        None => Ok(String::from_utf8(output.stdout).unwrap()),
    }
}

#[test]
fn what_decoding_needs_works() {
    for what in ["nothing", "memory"] {
        assert_eq!(tries(what), Ok("done".to_owned()), "{what}");
    }
}

#[test]
fn files_threads_and_rights_are_refused() {
    let files = ["open", "create", "leaked", "write-input", "duplicate", "list"];
    let rights = ["thread", "raise", "spawn", "exec"];
    let denied = files.into_iter().chain(rights);
    for what in denied {
        assert_eq!(tries(what), Ok("PermissionDenied".to_owned()), "{what}");
    }
}

#[test]
fn memory_is_limited() {
    assert_eq!(tries("too-much"), Ok("Other".to_owned()), "an allocation that may fail does");
    assert_eq!(tries("insist"), Err(libc::SIGABRT));
}

#[test]
fn what_no_decoder_does_is_deadly() {
    for what in ["udp", "unix", "kill-parent"] {
        assert_eq!(tries(what), Err(libc::SIGSYS), "{what}");
    }
}

#[test]
fn processor_time_is_limited() {
    assert_eq!(tries("spin"), Err(libc::SIGXCPU));
}
