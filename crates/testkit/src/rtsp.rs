//! A real RTSP server on 127.0.0.1, that of `GStreamer`, where Debian's packages of it are installed.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Serves files, each in real time from its start for whoever asks; the n-th at `/n`.
#[derive(Debug)]
pub struct RtspServer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl RtspServer {
    /// Serves MP4 files of H.264 or H.265; `None`, and a word, where the server is not installed.
    pub fn start(files: &[&Path]) -> Option<Self> {
        Self::with(&[], files)
    }

    /// Serves files with sound beside their pictures: AAC, or A-law where `codec` is `alaw`.
    pub fn start_with_sound(codec: &str, files: &[&Path]) -> Option<Self> {
        Self::with(&["--sound", codec], files)
    }

    /// The same at a port that an earlier one had: the camera is back.
    pub fn start_at(port: u16, files: &[&Path]) -> Option<Self> {
        Self::with(&["--port", &port.to_string()], files)
    }

    /// The same for whoever knows user and password.
    pub fn start_guarded(user: &str, password: &str, files: &[&Path]) -> Option<Self> {
        Self::with(&["--user", user, "--password", password], files)
    }

    fn with(options: &[&str], files: &[&Path]) -> Option<Self> {
        // Debian's own Python has Debian's packages.
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", include_str!("rtsp/server.py")]).args(options);
        command.args(files.iter().map(AsRef::<OsStr>::as_ref));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            skipped();
            return None;
        };
        let mut said = BufReader::new(child.stdout.take()?).lines();
        if let Some(Ok(port)) = said.next() {
            let port = port.parse().expect("the server's first line is its port");
            return Some(Self { child, said, port });
        }
        let ended = child.wait_with_output().expect("it was started");
        let why = String::from_utf8_lossy(&ended.stderr).into_owned();
        let missing = ["ModuleNotFoundError", "not available"].iter().any(|word| why.contains(word));
        assert!(missing, "the RTSP server does not start: {why}");
        skipped();
        None
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a file.
    pub fn url(&self, file: usize) -> String {
        format!("rtsp://127.0.0.1:{}/{file}", self.port)
    }

    /// Waits until a client has left with TEARDOWN.
    pub fn wait_for_teardown(&mut self) {
        let line = self.said.next().expect("the server runs").expect("it speaks text");
        assert_eq!(line, "teardown");
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        // A process of ours, which serves tests alone.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[expect(clippy::print_stderr, reason = "the runner shows what a test prints")]
fn skipped() {
    eprintln!("skipped: GStreamer's RTSP server is not here; './dev setup' mends it");
}
