//! How children are started.

use std::{
    ffi::OsString,
    fs::File,
    os::{fd::OwnedFd, unix::net::UnixStream, unix::process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::WORD;

/// What a child may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildLimits {
    /// Address space beyond what the program itself takes. H.264 of 3840x2160 with five references takes 150 MB in all,
    /// H.265 of 7680x4320 in 10 bits with three references 850 MB.
    pub memory_bytes: u64,
    /// Processor time for one answer, to the second: one unit decoded, or the whole of probing.
    pub cpu: Duration,
    /// Time until an answer is there, however busy the machine.
    pub wall: Duration,
    /// Of one decoded picture, which crosses in one piece.
    pub pixels: u64,
    /// Without a filter of system calls nothing is decoded. If false, where the kernel refuses it, limits alone must do:
    /// such a child can open files and sockets once it is taken over.
    pub require_filter: bool,
}

impl Default for ChildLimits {
    /// 1 GiB, 10 s of processor time, 30 s, pictures up to 8192x4608, and a filter.
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            cpu: Duration::from_secs(10),
            wall: Duration::from_secs(30),
            pixels: 8192 * 4608,
            require_filter: true,
        }
    }
}

/// The program that is started as a child, and its limits.
#[derive(Clone, Debug)]
pub struct ChildCommand {
    /// What it may use.
    pub limits: ChildLimits,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl ChildCommand {
    /// A program that calls [`serve`](super::serve) when it is given these arguments.
    pub fn new(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().collect(),
            limits: ChildLimits::default(),
        }
    }

    /// The running program itself, for the product's binary: the very same file, even where it was replaced by now.
    pub fn this_program() -> Self {
        Self::new("/proc/self/exe", [WORD.into()])
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(self, limits: ChildLimits) -> Self {
        Self { limits, ..self }
    }

    /// The file is its standard input, the socket its standard output.
    pub(super) fn start(&self, file: File, socket: UnixStream, words: OwnedFd) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().current_dir("/");
        // Where FFmpeg's libraries are not where the system looks.
        command.envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)));
        // Not of the terminal's group: Ctrl-C is for the parent, which finishes what it has in hand.
        command.process_group(0);
        command.stdin(file).stdout(OwnedFd::from(socket)).stderr(Stdio::from(words));
        command.spawn()
    }
}
