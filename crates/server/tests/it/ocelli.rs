//! Runs the binary as a user does, within limits that only a fault reaches.

use std::{
    ffi::OsStr,
    fs::Permissions,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A guard against hangs, not a limit to meet: seconds.
const HANGS: &str = "120";
/// Address space in KiB. The model runtime maps much more than it uses.
const ADDRESS_SPACE_KIB: u64 = 6 << 20;
/// More on standard error is a flood.
const MOST_ERROR_BYTES: usize = 8 << 10;

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Arguments of any kind of string, in one list.
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => { &[$(std::ffi::OsString::from(&$arg)),*] };
}

/// The binary with `args`, after the shell line `first` (limits, traps), behind the guard against hangs.
pub(crate) fn after(first: &str, args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new("timeout");
    let script = format!("ulimit -v {ADDRESS_SPACE_KIB}; {first}\nexec \"$@\"");
    command.args(["--signal=KILL", HANGS, "bash", "-c", &script, "bash"]);
    command.arg(env!("CARGO_BIN_EXE_ocelli")).args(args).env_remove("OCELLI_LOG").stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn ocelli(args: &[impl AsRef<OsStr>]) -> Ran {
    ran(&mut after("", args))
}

/// Runs a command of [`after`] to its end. A hang, a panic, an abort and a flood of words fail the test.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("coreutils and bash are installed");
    let stderr = String::from_utf8(stderr).expect("standard error is text");
    let code = status.code().unwrap_or_else(|| panic!("{command:?} died of {status}: {stderr}"));
    assert!((0..=2).contains(&code), "{command:?}: exit code {code}: {stderr}");
    assert!(!stderr.contains("panicked"), "{command:?}: {stderr}");
    assert!(stderr.len() <= MOST_ERROR_BYTES, "{command:?}: {} bytes of {stderr:.2000}", stderr.len());
    Ran { code, stdout, stderr }
}

impl Ran {
    /// Everything went well: code 0, nothing on standard error.
    #[track_caller]
    pub(crate) fn whole(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "a whole run is silent");
        self
    }

    /// Ended with `code` and one line that holds each of `words`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        self.says(words)
    }

    /// One line on standard error, of the binary, that holds each of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line in {:?}", self.stderr));
        assert!(line.starts_with("ocelli: ") && !line.contains('\n'), "one line: {line:?}");
        for word in words {
            assert!(line.contains(word), "{word:?} in {line:?}");
        }
        self
    }
}

/// The data directory, whatever is in it.
pub(crate) fn data_directory() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("OCELLI_HOME")
        .or_else(|| Some(set("XDG_DATA_HOME")?.join("ocelli")))
        .or_else(|| Some(set("HOME")?.join(".local/share/ocelli")))
        .unwrap_or_default()
}

/// The data directory, if the default model and its runtime are in it; else says what is skipped.
pub(crate) fn home() -> Option<PathBuf> {
    let home = data_directory();
    let model = home.join("models/ssdlite_mobilenet_v2_coco.onnx");
    let here = [&model, &home.join("runtimes")].iter().all(|path| path.try_exists().unwrap_or(false));
    if !here {
        skipped(&format!("{} or the model runtime is not here; './dev setup' mends it", model.display()));
    }
    here.then_some(home)
}

/// Says that a test did not run, and why.
#[expect(clippy::print_stderr, reason = "the runner shows what a test prints")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// The binary run by somebody whom file permissions bind, as root is not: for root a copy of it in `dir`, run as
/// nobody. `None`, and a word, where that cannot be done.
pub(crate) fn bound(dir: &Path, args: &[impl AsRef<OsStr>]) -> Option<Command> {
    let is_root = std::fs::metadata("/proc/self").expect("/proc is there").uid() == 0;
    if !is_root {
        return Some(after("", args));
    }
    let copy = dir.join("ocelli");
    std::fs::copy(env!("CARGO_BIN_EXE_ocelli"), &copy).expect("room for a copy");
    std::fs::set_permissions(dir, Permissions::from_mode(0o755)).expect("a folder of our own");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(copy);
    if !command.output().is_ok_and(|ran| ran.status.code() == Some(2)) {
        skipped("setpriv cannot run a program as nobody here");
        return None;
    }
    command.args(args).stdin(Stdio::null());
    Some(command)
}

/// A file of `bytes` in `dir`.
pub(crate) fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("a temporary folder can be written");
    path
}
