//! `rtsp://…` as INPUT, from a real server on this machine.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use ocelli_testkit::{Clip, ClipCodec, RtspServer};

use crate::{
    args,
    frames::{frames, numbers},
    ocelli::{Ran, after, home, ran},
    results::lines,
};

/// Runs the binary where this machine's own addresses are allowed.
fn ocelli(args: &[OsString]) -> Ran {
    ran(after("", args).env("OCELLI_NET_ALLOW", "127.0.0.1").env("OCELLI_LOG", "trace,hyper=off"))
}

fn silent(ran: &Ran) {
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(!String::from_utf8_lossy(&ran.stdout).contains("canary"));
}

/// The last line of standard error: logs are before it.
fn last(ran: &Ran) -> &str {
    ran.stderr.lines().last().unwrap_or_default()
}

#[test]
fn frames_of_a_stream_up_to_its_end() {
    let clip =
        |codec, params| Clip::new(192, 128).rate(25, 1).frames(75).codec(codec).params(params).cached();
    let clips = [
        clip(ClipCodec::X264, "bframes=2:keyint=25:scenecut=0"),
        clip(ClipCodec::X265, "bframes=2:keyint=25:scenecut=0"),
    ];
    let files: Vec<&Path> = clips.iter().map(std::path::PathBuf::as_path).collect();
    let Some(server) = RtspServer::start_guarded("canary-user", "canary-word", &files) else { return };
    for file in 0..clips.len() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("rtsp://canary-user:canary-word@127.0.0.1:{}/{file}", server.port());
        let ran = ocelli(args!["extract", url, "--fps", "all", "--out", dir.path()]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        silent(&ran);
        let (frames, numbers) = (frames(dir.path()), numbers(dir.path(), (192, 128)));
        let expected: Vec<_> = (0..75).map(|n| Some((n, 0))).collect();
        assert_eq!(numbers, expected);
        for (n, frame) in (0..).zip(&frames) {
            assert_eq!((frame.time_base, frame.pts - frames[0].pts), ((1, 90_000), n * 3600), "{n}");
        }
    }
}

#[test]
fn seconds_count_from_the_first_picture() {
    let clip = Clip::new(192, 128).rate(25, 1).frames(250).params("keyint=25:scenecut=0:bframes=0").cached();
    let Some(server) = RtspServer::start(&[&clip]) else { return };
    let dir = tempfile::tempdir().unwrap();
    let span = ["--start", "0.96", "--end", "2.5"];
    let mut args: Vec<OsString> = args!["extract", server.url(0), "--fps", "1", "--out", dir.path()].to_vec();
    args.extend(span.map(OsString::from));
    let ran = ocelli(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(numbers(dir.path(), (192, 128)), [Some((25, 0)), Some((50, 0))]);
}

#[test]
fn ctrl_c_ends_a_stream_in_order() {
    if home().is_none() {
        return;
    }
    let clip = Clip::new(192, 128).rate(25, 1).frames(2500).cached();
    let Some(mut server) = RtspServer::start(&[&clip]) else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.args(["analyze", &server.url(0), "--fps", "all"]).env("OCELLI_NET_ALLOW", "127.0.0.1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = Vec::new();
    for _ in 0..5 {
        assert!(stdout.read_until(b'\n', &mut printed).unwrap() > 0, "a line");
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    server.wait_for_teardown();
    stdout.read_to_end(&mut printed).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("stopped before the end") && stderr.lines().count() == 1, "{stderr}");
    let lines = lines(&printed);
    assert!((5..2500).contains(&lines.len()), "{}", lines.len());
    for line in &lines {
        assert_eq!(line["input"], server.url(0));
        assert_eq!(line["time_base"], serde_json::json!([1, 90_000]));
    }
}

#[test]
fn streams_are_analysed_side_by_side() {
    if home().is_none() {
        return;
    }
    let clip = Clip::new(192, 128).rate(25, 1).frames(50).cached();
    let Some(server) = RtspServer::start(&[&clip, &clip]) else { return };
    let ran = ocelli(args!["analyze", server.url(0), server.url(1), "--fps", "5"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The same pictures as of the file, at the same times but for where they start, with the same objects.
    let said = |ran: &Ran, input: &str, ticks: i64| {
        let of: Vec<_> = lines(&ran.stdout).into_iter().filter(|line| line["input"] == input).collect();
        let pts = |line: &serde_json::Value| line["pts"].as_i64().unwrap();
        let first = of.first().map_or(0, pts);
        let told = |line: &serde_json::Value| {
            ((pts(line) - first) / ticks, line["slot"].clone(), line["detections"].clone())
        };
        of.iter().map(told).collect::<Vec<_>>()
    };
    let file = said(&ocelli(args!["analyze", &clip, "--fps", "5"]), &clip.display().to_string(), 1);
    assert!(file.len() >= 10, "{file:?}");
    for stream in 0..2 {
        assert_eq!(said(&ran, &server.url(stream), 3600), file, "{stream}");
    }
    let one = ran_with(&["analyze", &server.url(0), &server.url(1), "--jobs", "1"]);
    assert!(one.code == 2 && last(&one).contains("--jobs 2"), "{}", one.stderr);
}

#[test]
fn frames_over_http_are_those_of_the_file() {
    let clip = Clip::new(192, 128).rate(25, 1).frames(75).options(&["-movflags", "+faststart"]).cached();
    let body = std::fs::read(&clip).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://canary:canary@{}/clip.mp4", listener.local_addr().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = listener.accept().unwrap().0;
            let lines = BufReader::new(client.try_clone().unwrap()).lines();
            assert!(lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count() > 0);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            client.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        });
        ocelli(args!["extract", url, "--fps", "5", "--out", dir.path()])
    });
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    silent(&ran);
    let file = tempfile::tempdir().unwrap();
    assert_eq!(ocelli(args!["extract", &clip, "--fps", "5", "--out", file.path()]).code, 0);
    assert_eq!(numbers(dir.path(), (192, 128)), numbers(file.path(), (192, 128)));
}

#[test]
fn a_synthetic_camera_needs_no_camera() {
    let dir = tempfile::tempdir().unwrap();
    let url = "synthetic:?size=320x180&fps=25&frames=30";
    let ran = ocelli(args!["extract", url, "--fps", "all", "--out", dir.path()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let times: Vec<i64> = frames(dir.path()).iter().map(|frame| frame.pts).collect();
    assert_eq!(times, (0..30).map(|n| n * 3600).collect::<Vec<_>>());
}

fn ran_with(args: &[&str]) -> Ran {
    ocelli(&args.iter().map(OsString::from).collect::<Vec<_>>())
}

#[test]
fn what_cannot_be_read_is_told_without_secrets() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (format!("rtsp://canary:canary@{closed}/x?canary"), format!("rtsp://{closed}/x?...: cannot connect")),
        ("rtsp://canary:ca#nary@host/x".to_owned(), "rtsp://...: the URL cannot be used: ".to_owned()),
        ("rtspu://canary:canary@host/x".to_owned(), "rtspu://...: this is no URL of media".to_owned()),
        (format!("rtsps://canary:canary@{closed}/x"), format!("rtsps://{closed}/x: cannot connect")),
        (
            format!("http://canary:canary@{closed}/x?canary"),
            format!("http://{closed}/x?... cannot be fetched"),
        ),
        ("http://canary:canary@169.254.169.254/x".to_owned(), "a cloud's metadata service".to_owned()),
        ("synthetic:?canary".to_owned(), "synthetic:...: write synthetic:?size=".to_owned()),
        ("rtsp://canary@[::1]/x".to_owned(), "::1 is this machine itself".to_owned()),
    ];
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames").display().to_string();
    for (url, words) in &cases {
        for args in [vec!["extract", url, "--out", &out], vec!["analyze", url]] {
            let ran = ran_with(&args);
            assert!(ran.code == 2 && last(&ran).contains(words), "{words}: {}", ran.stderr);
            silent(&ran);
        }
    }
    let store = dir.path().join("store").display().to_string();
    let kept = ran_with(&["analyze", &cases[0].0, "--store", &store]);
    assert!(kept.code == 2 && last(&kept).contains("--store keeps results of files only"), "{}", kept.stderr);
    silent(&kept);
    assert!(!dir.path().join("store").try_exists().unwrap());
}
