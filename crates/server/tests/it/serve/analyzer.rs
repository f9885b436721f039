//! Contract 3 by a client that knows its text alone: Python with `httpx` and `websockets`.

use std::process::Command;

use ocelli_testkit::Clip;

use super::served::Site;
use crate::ocelli::{data_directory, home, skipped};

#[test]
fn python_needs_nothing_but_the_contract() {
    let Some(home) = home() else { return };
    let python = data_directory().join("venv-readers/bin/python");
    let has = |module: &str| Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if !["websockets", "httpx"].iter().all(|module| has(module).is_ok_and(|ran| ran.status.success())) {
        skipped(&format!("httpx and websockets for want of {}; ./dev test installs them", python.display()));
        return;
    }
    let home = format!("server.home={}", home.display());
    let site = Site::new(&[&home, "analyzer.webcam=synthetic:?fps=10"]);
    let server = site.start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract3/client.py");
    let clip = Clip::new(384, 256).frames(300).cached();
    let mut command = Command::new(python);
    command.args(["-B", script, &server.url()]).arg(clip);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}\n{}", String::from_utf8_lossy(&ran.stderr), site.log());
    server.stop();
}
