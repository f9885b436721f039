//! The live part of `./dev demo`, as it runs without a terminal.

use std::{path::Path, process::Command};

use crate::ocelli::{home, skipped};

/// A guard against hangs, not a limit to meet: seconds.
const HANGS: &str = "300";

#[test]
fn two_cameras_are_served_and_end_in_order() {
    let Some(home) = home() else { return };
    let footage = home.join("footage");
    if !["bikes.mp4", "vtest.avi"].iter().all(|clip| footage.join(clip).try_exists().unwrap()) {
        skipped(&format!("the demo, for want of clips in {}; './dev setup' mends it", footage.display()));
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/demo_live.py");
    let folder = tempfile::tempdir().unwrap();
    // Twice, for the second finds the streams of the first.
    for round in 0..2 {
        let mut command = Command::new("timeout");
        command
            .args(["--signal=KILL", HANGS, "python3", "-B"])
            .arg(&script)
            .arg(env!("CARGO_BIN_EXE_ocelli"));
        let output = command.arg(&footage).arg(folder.path()).env("OCELLI_HOME", &home).output().unwrap();
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        assert!(output.status.success() && stderr.is_empty(), "round {round}: {stdout}{stderr}");
        for expected in
            ["/api/docs/", "/streams/street/snapshot.jpg", "/streams/mall/snapshot.jpg", "/decode/"]
        {
            assert!(stdout.contains(expected), "{expected}: {stdout}");
        }
        let seen = stdout.lines().filter(|line| line.contains(" s  frame ")).count();
        assert!(seen == 8 && stdout.contains("stopped in order"), "round {round}: {stdout}");
    }
    for camera in ["street", "mall"] {
        let frames = std::fs::read_dir(folder.path().join("frames").join(camera)).unwrap();
        assert!(frames.count() >= 2, "frames of {camera}");
    }
}
