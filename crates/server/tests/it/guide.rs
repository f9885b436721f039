//! The guide's walk, line by line: its commands in one shell, their output as printed there.

use std::{
    fmt::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ocelli_testkit::{Clip, RtspServer};

use crate::ocelli::{home, skipped};

/// A guard against hangs, not a limit to meet: seconds.
const HANGS: &str = "300";
/// Between what the commands print.
const MARK: char = '\u{1e}';
/// What the guide has for things that are this run's own.
const FOLDER: &str = "/tmp/ocelli-walk";
const CAMERA: &str = "192.168.1.20/stream1";

/// A command, and the lines that it prints.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    printed: Vec<String>,
}

/// The blocks that are meant to be run.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut runs = false;
    for line in guide.lines() {
        if line.starts_with("```") {
            runs = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| runs) {
            steps.push(Step { command: command.to_owned(), printed: Vec::new() });
        } else if runs {
            steps.last_mut().expect("a block begins with a command").printed.push(line.to_owned());
        }
    }
    steps
}

/// Whether `line` is as printed, where `…` stands for anything.
fn fits(line: &str, printed: &str) -> bool {
    let Some((head, tail)) = printed.split_once('…') else { return line == printed };
    let Some(rest) = line.strip_prefix(head) else { return false };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| fits(&rest[at..], tail))
}

/// Whether the lines are as printed, where a last line `…` stands for any others.
fn all_fit(lines: &[&str], printed: &[String]) -> bool {
    let (shown, more) = match printed.split_last() {
        Some((last, rest)) if last == "…" => (rest, true),
        _ => (printed, false),
    };
    let enough = if more { lines.len() >= shown.len() } else { lines.len() == shown.len() };
    enough && lines.iter().zip(shown).all(|(line, printed)| fits(line, printed))
}

#[test]
fn what_fits() {
    for (line, printed, expected) in [
        ("a b c", "a b c", true),
        ("a b c", "a b", false),
        ("a b c", "a …", true),
        ("a b c", "… c", true),
        ("a b c", "a…c", true),
        ("a b d", "a…c", false),
        ("a b c d", "a…c", false),
        ("x a", "a…", false),
    ] {
        assert_eq!(fits(line, printed), expected, "{line} as {printed}");
    }
    let step = |command: &str, printed: &[&str]| Step {
        command: command.to_owned(),
        printed: printed.iter().map(|&line| line.to_owned()).collect(),
    };
    let guide = "```\n$ no\n```\n```console\n$ one\na\nb\n$ two\n```\n$ no\n";
    assert_eq!(steps(guide), [step("one", &["a", "b"]), step("two", &[])]);
}

/// Programs of the walk that every machine has, or gets in a moment.
fn has_tools() -> bool {
    let missing = ["curl", "jq", "openssl", "python3", "ffmpeg"].into_iter().find(|tool| {
        let found =
            Command::new("bash").args(["-c", "command -v \"$0\"", tool]).stdout(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(tool) = missing {
        skipped(&format!("the guide's walk, for want of {tool}"));
    }
    missing.is_none()
}

/// Ports that nobody listens on at the moment.
fn free_ports() -> [String; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port().to_string())
}

#[test]
fn the_walk_of_the_guide() {
    let Some(home) = home() else { return };
    if !has_tools() {
        return;
    }
    let clip = Clip::new(192, 128).rate(25, 1).frames(250).params("keyint=25:scenecut=0:bframes=0").cached();
    let Some(camera) = RtspServer::start_guarded("viewer", "secret", &[&clip]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let [plain, secure] = free_ports();
    let replaced = [
        (FOLDER, folder.path().join("walk").display().to_string()),
        (CAMERA, format!("127.0.0.1:{}/0", camera.port())),
        ("127.0.0.1:8002", format!("127.0.0.1:{plain}")),
        (":8443", format!(":{secure}")),
    ];
    follow("serve.md", &home, &plain, &replaced);
    assert!(!folder.path().join("walk").try_exists().unwrap(), "the walk tidies up");
}

#[test]
fn the_walk_of_recording() {
    let Some(home) = home() else { return };
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [plain, rtmp] = free_ports();
    let replaced = [
        ("/tmp/ocelli-recording", folder.path().join("walk").display().to_string()),
        ("127.0.0.1:8002", format!("127.0.0.1:{plain}")),
        ("127.0.0.1:1935", format!("127.0.0.1:{rtmp}")),
    ];
    follow("recording.md", &home, &plain, &replaced);
    assert!(!folder.path().join("walk").try_exists().unwrap(), "the walk tidies up");
}

/// Runs the commands of a guide, with words of it replaced by this run's own, and compares what they print. The server listens on `plain`.
fn follow(name: &str, home: &Path, plain: &str, replaced: &[(&str, String)]) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut guide = std::fs::read_to_string(repository.join("docs/guide").join(name)).unwrap();
    for (word, own) in replaced {
        assert!(guide.contains(word), "the guide has no {word}");
        guide = guide.replace(word, own);
    }
    let steps = steps(&guide);
    let mut script = format!("exec 2>&1\nexport OCELLI_SERVER_LISTEN=127.0.0.1:{plain}\n");
    if let Some((_, rtmp)) = replaced.iter().find(|(word, _)| word.ends_with(":1935")) {
        writeln!(script, "export OCELLI_RTMP_LISTEN={rtmp}").unwrap();
    }
    script.push_str("trap 'kill -9 $server 2> /dev/null' EXIT\n");
    for step in &steps {
        writeln!(script, "{}\nprintf '{MARK}'", step.command).unwrap();
    }
    let printed = walked(&script, home, &repository);
    let printed: Vec<&str> = printed.split(MARK).collect();
    let mut wrong = String::new();
    for (n, step) in steps.iter().enumerate() {
        let lines: Vec<&str> = printed.get(n).expect("the shell went on").lines().collect();
        if !all_fit(&lines, &step.printed) {
            let Step { command, printed } = step;
            let (lines, printed) = (lines.join("\n"), printed.join("\n"));
            writeln!(wrong, "$ {command}\n{lines}\nwhere the guide has\n{printed}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the script prints in a shell of its own.
fn walked(script: &str, home: &Path, repository: &Path) -> String {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_ocelli"));
    let mut path = std::ffi::OsString::from(binary.parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", HANGS, "bash", "-c", script]).current_dir(repository);
    command.env("PATH", path).env("OCELLI_HOME", home).env("OCELLI_NET_ALLOW", "127.0.0.0/8");
    // Names that a developer may have set.
    for name in ["OCELLI_CONFIG", "OCELLI_LOG", "HW_ACCEL_OPTIONS", "http_proxy", "https_proxy"] {
        command.env_remove(name);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
