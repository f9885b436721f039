//! A running `ocelli serve`: started, asked, killed, started again.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use tempfile::TempDir;

use super::asking::{Answer, ask};
use crate::ocelli::{Ran, ocelli};

/// What outlives a server: its folders and its options.
#[derive(Debug)]
pub(super) struct Site {
    dir: TempDir,
    options: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Site {
    /// With these settings beside folders of its own; connections to this machine are allowed.
    pub(super) fn new(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = [
            ("media.frames", "frames"),
            ("media.uploads", "uploads"),
            ("media.folders", "media"),
            ("store.path", "store"),
            ("archive.path", "recordings"),
            ("access.tokens", "tokens.json"),
        ];
        let own = own.map(|(key, name)| format!("{key}={}", dir.path().join(name).display()));
        let fixed = [
            "network.allow=127.0.0.0/8",
            "server.listen=127.0.0.1:0",
            "rtmp.listen=127.0.0.1:0",
            "archive.reserve_bytes=1 MB",
            "engine.backoff_min=50 ms",
        ];
        let settings =
            own.into_iter().chain(fixed.into_iter().chain(settings.iter().copied()).map(str::to_owned));
        let options = settings.flat_map(|setting| ["--set".to_owned(), setting]).collect();
        std::fs::create_dir(dir.path().join("media")).unwrap();
        Self { dir, options, environment: Vec::new() }
    }

    /// With one more variable in its environment.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The frame folder of a camera.
    pub(super) fn frames(&self, camera: &str) -> PathBuf {
        self.path("frames").join(camera)
    }

    /// A file where the server may read it, and its URL.
    pub(super) fn media(&self, from: &Path, name: &str) -> String {
        let path = self.path("media").join(name);
        // Streams may be reading it.
        if !path.try_exists().unwrap() {
            std::fs::copy(from, &path).unwrap();
        }
        format!("file://{}", path.display())
    }

    /// All that servers of this site logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// The port for publishers of the server that was started last.
    pub(super) fn rtmp_port(&self) -> u16 {
        let log = self.log();
        let line = log.lines().rev().find(|line| line.contains("RTMP publishers are taken")).unwrap();
        line.rsplit_once(':').unwrap().1.trim().parse().unwrap()
    }

    /// Index and media of recordings, where no server runs.
    pub(super) fn check_archive(&self) -> Ran {
        let words = ["archive", "check"].into_iter().map(str::to_owned).chain(self.options.iter().cloned());
        ocelli(&words.collect::<Vec<_>>())
    }

    /// The command line of the server, behind `prefix`: a program that starts it.
    pub(super) fn command(&self, prefix: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_ocelli");
        let words: Vec<&str> = prefix.iter().copied().chain([binary, "serve"]).collect();
        let mut command = Command::new(words[0]);
        for name in ["OCELLI_LOG", "OCELLI_CONFIG", "OUTPUT_FOLDER", "UPLOAD_FOLDER", "HW_ACCEL_OPTIONS"] {
            command.env_remove(name);
        }
        command.args(&words[1..]).args(&self.options).stdin(Stdio::null()).stdout(Stdio::piped());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.stderr(log);
        command
    }

    /// Starts it and waits until it listens.
    pub(super) fn start(&self) -> Served {
        self.start_behind(&[])
    }

    /// See [`Self::command`].
    pub(super) fn start_behind(&self, prefix: &[&str]) -> Served {
        let mut child = self.command(prefix).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split(' ').find_map(|word| word.strip_prefix("http://"));
        let address = url.unwrap_or_else(|| panic!("{line:?} names no URL: {}", self.log()));
        Served { child, address: address.trim().parse().unwrap() }
    }
}

/// A server that is running.
#[derive(Debug)]
pub(super) struct Served {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Served {
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A path of contract 1.
    pub(super) fn pipeline(&self, path: &str) -> String {
        format!("{}/api/v1/video-pipeline/{path}", self.url())
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], b"")
    }

    /// A form of contract 1.
    pub(super) fn form(&self, path: &str, form: &str) -> Answer {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        ask(self.address, "POST", &format!("/api/v1/video-pipeline/{path}"), &headers, form.as_bytes())
    }

    /// A stream of the native interface, set going.
    pub(super) fn create(&self, stream: &serde_json::Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        ask(self.address, "POST", "/api/v1/streams", &headers, stream.to_string().as_bytes())
    }

    /// How a camera stands, in the words of contract 1.
    #[track_caller]
    pub(super) fn status(&self, camera: &str) -> serde_json::Value {
        self.get(&format!("/api/v1/video-pipeline/decode/status/?camera_id={camera}")).ok().json()
    }

    pub(super) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits for its end.
    pub(super) fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGTERM, and in order.
    #[track_caller]
    pub(super) fn stop(self) {
        self.signal("-TERM");
        assert_eq!(self.ended().code(), Some(0), "a server that is told to stop ends in order");
    }

    /// As if the power failed.
    pub(super) fn kill(self) {
        self.signal("-KILL");
        self.ended();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // A process of ours, which serves this test alone.
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

pub(super) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([name, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}
