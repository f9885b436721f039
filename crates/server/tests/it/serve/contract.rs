//! Contract 1 by clients that know its text alone: `curl`, and Python with `httpx` and OpenCV.

use std::process::Command;

use ocelli_testkit::Clip;
use serde_json::{Value, json};

use super::served::{Served, Site};
use crate::ocelli::{data_directory, skipped};

/// Clips under the names that clients use.
fn clips(site: &Site) {
    let clip = || Clip::new(384, 256);
    site.media(&clip().frames(300).cached(), "even.mp4");
    site.media(&clip().rate(5, 1).frames(20).cached(), "slow.mp4");
    site.media(&clip().frames(5400).cached(), "camera.mp4");
}

#[test]
fn python_needs_nothing_but_the_contract() {
    let python = data_directory().join("venv-readers/bin/python");
    let has = |module: &str| Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if !["cv2", "httpx"].iter().all(|module| has(module).is_ok_and(|ran| ran.status.success())) {
        skipped(&format!("httpx and OpenCV for want of {}; ./dev test installs them", python.display()));
        return;
    }
    // Nothing in the contract tells clients to be slow.
    let site = Site::new(&[]);
    clips(&site);
    let server = site.start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract1/client.py");
    let mut command = Command::new(python);
    command.args(["-B", script, &server.url()]).args([site.path("frames"), site.path("media")]);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}\n{}", String::from_utf8_lossy(&ran.stderr), site.log());
    server.stop();
}

/// What `curl` with these arguments is answered: the status and the body.
fn curl(args: &[&str]) -> (u16, Vec<u8>) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--write-out", "%{stderr}%{http_code}"]);
    let ran = command.args(args).output().expect("curl is installed");
    let status = String::from_utf8(ran.stderr).unwrap();
    (status.parse().unwrap_or_else(|_| panic!("curl {args:?}: {status}")), ran.stdout)
}

#[track_caller]
fn is(args: &[&str], expected: &Value) {
    let (status, body) = curl(args);
    let body: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    assert_eq!((status, &body), (200, expected), "{args:?}");
}

/// Waits until a camera is in a state, by asking as clients do.
fn until(server: &Served, camera: &str, state: &str) -> Value {
    let status = server.pipeline(&format!("decode/status/?camera_id={camera}"));
    for _ in 0..5000 {
        let told: Value = serde_json::from_slice(&curl(&[&status]).1).unwrap();
        if told["status"] == state {
            return told;
        }
    }
    panic!("{camera} does not become {state}: {}", server.status(camera))
}

/// The table of the contract, row by row, with the slash at the end and without.
#[test]
fn every_row_of_the_contract_with_curl() {
    let site = Site::new(&[]);
    clips(&site);
    let server = site.start();
    let upload = |name: &str| format!("{name}=@{}", site.path("media/slow.mp4").display());
    let folder = |camera: &str| site.frames(camera).display().to_string();
    for (slash, camera) in [("/", "cam1"), ("", "cam2")] {
        let at = |path: &str| server.pipeline(&format!("{path}{slash}"));
        is(&[&at("health")], &json!({"status": "healthy", "service": "video-pipeline"}));
        let (status, body) = curl(&[&at("hw-accel-cap")]);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(status == 200 && body["message"]["available_hw_accelerations"].is_array(), "{body}");
        let info = json!({"message": "Video information retrieved", "info": {"format": "mov,mp4,m4a,3gp,3g2,mj2",
            "codec": "h264", "width": 384, "height": 256, "fps": 5.0, "duration": 4.0}});
        is(&["-F", &upload("video"), &at("video-info")], &info);
        let started = json!({"message": "Decoding started", "camera_id": camera, "output_folder": folder(camera),
            "status": "started"});
        let id = format!("camera_id={camera}");
        let url = format!("url=file://{}", site.path("media/slow.mp4").display());
        is(&["-d", &id, "--data-urlencode", &url, "-d", "fps=2.5", &at("decode")], &started);
        until(&server, camera, "completed");
        is(&["-F", &id, "-F", &upload("file"), "-F", "fps=2", &at("decode")], &started);
        let told = until(&server, camera, "completed");
        let expected = json!({"camera_id": camera, "status": "completed", "frame_count": 9, "last_error": null,
            "restart_count": 0});
        assert_eq!(told, expected);
        let (status, picture) = curl(&["-G", "-d", &id, &at("latest-frame")]);
        assert_eq!(
            (status, &picture),
            (200, &std::fs::read(site.frames(camera).join("frame_0009.jpg")).unwrap())
        );
        let (status, told) = curl(&["-d", &id, &at("decode/stop")]);
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!((status, &told["status"]), (200, &json!("completed")), "{told}");
        let (status, told) = curl(&["-G", "-d", "camera_id=nobody", &at("decode/status")]);
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert!(status == 404 && told["detail"].as_str().unwrap().contains("nobody"), "{told}");
    }
    server.stop();
}
