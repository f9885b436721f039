//! A disk that is full under the frame folder: the stream goes on, the error shows, and it mends itself.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{asking::Follower, drain::looping, served::Site};
use crate::ocelli::skipped;

/// Mounts a disk of a size, its first argument, at its second, then becomes the rest of them.
const MOUNT: &str = r#"mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@""#;

/// A program that starts another on a small disk of its own, if this system lets us mount one.
pub(super) fn prefix<'a>(folder: &'a Path, size: &'a str) -> Option<Vec<&'a str>> {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT];
    let prefix: Vec<_> = unshare.into_iter().chain([size, folder.to_str()?]).collect();
    let tried = std::process::Command::new(prefix[0]).args(&prefix[1..]).arg("true").status();
    if tried.is_ok_and(|status| status.success()) {
        return Some(prefix);
    }
    skipped("a full disk; unshare cannot mount one here");
    None
}

/// Fills what is left of a disk.
pub(super) fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [4096, 1] {
        while file.write(&vec![0; size]).is_ok_and(|written| written > 0) {}
    }
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: Result<fs::DirEntry, _>| Some(entry.ok()?.file_name().into_string().unwrap());
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().filter_map(name).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_full_disk_stops_no_stream() {
    let site = Site::new(&["frames.keep_count=10"]);
    let frames = site.path("frames");
    fs::create_dir(&frames).unwrap();
    let Some(prefix) = prefix(&frames, "2M") else { return };
    let server = site.start_behind(&prefix);
    // The disk is there for the server alone.
    let disk = PathBuf::from(format!("/proc/{}/root{}", server.id(), frames.display()));
    looping(&site, &server, "one");
    let mut follower = Follower::new(server.address);
    follower.frame("one", 12);
    for _ in 0..2 {
        fill(&disk.join("filler"));
        let told = follower.until("the error", |message| message["status"]["last_error"].is_string());
        let error = told["status"]["last_error"].as_str().unwrap();
        assert!(error.contains("frames cannot be written") && error.contains("No space left"), "{error}");
        let written = told["status"]["frame_count"].as_u64().unwrap();
        // Frames are seen as ever, in memory; each says that it is not on the disk.
        for _ in 0..3 {
            follower.until("a frame without a number", |message| {
                message["type"] == "result" && message["frame"].is_null()
            });
        }
        let status = server.status("one");
        assert_eq!((&status["status"], &status["last_error"]), (&"running".into(), &error.into()));
        assert_eq!(status["frame_count"].as_u64(), Some(written), "nothing is counted that is not there");
        server.get("/api/v1/video-pipeline/latest-frame/?camera_id=one").is(200);
        let metrics = server.get("/metrics").is(200).text();
        assert!(metrics.contains("ocelli_"), "{metrics}");
        fs::remove_file(disk.join("filler")).unwrap();
        follower.until("its end", |message| {
            message["type"] == "status" && message["status"]["last_error"].is_null()
        });
        follower.frame("one", written + 12);
    }
    server.form("decode/stop/", "camera_id=one").is(200);
    let status = server.status("one");
    let count = status["frame_count"].as_u64().unwrap();
    let last: Vec<_> = (count - 9..=count).map(|number| format!("frame_{number:04}.jpg")).collect();
    assert_eq!(names(&disk.join("one")), last, "numbered without a gap, nothing half-written");
    assert_eq!((&status["restart_count"], &status["last_error"]), (&0.into(), &serde_json::Value::Null));
    server.stop();
}
