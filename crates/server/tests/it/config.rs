//! `ocelli config` and `ocelli health`.

use std::{
    ffi::OsString,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread::Builder,
};

use crate::{
    args,
    ocelli::{Ran, after, file, ocelli, ran},
};

/// The binary with a data directory of its own, and nothing else in its environment but these.
fn with(home: &Path, environment: &[(&str, &str)], args: &[OsString]) -> Ran {
    let mut command = after("", args);
    let ours = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("OCELLI_"));
    for name in ours {
        command.env_remove(name);
    }
    command.env("OCELLI_HOME", home).envs(environment.iter().copied());
    ran(&mut command)
}

fn text(ran: &Ran) -> &str {
    std::str::from_utf8(&ran.stdout).unwrap()
}

#[test]
fn what_holds_is_shown_with_its_sources() {
    let home = tempfile::tempdir().unwrap();
    let path =
        file(home.path(), "ocelli.toml", b"[frames]\nquality = 70\nkeep_count = 5\n[log]\nformat = 'json'\n");
    let environment = [("OCELLI_FRAMES_QUALITY", "60"), ("OUTPUT_FOLDER", "/app/frames")];
    let show =
        args!["config", "show", "--sources", "--set", "frames.keep_bytes=1 GB", "--listen", "127.0.0.1:9"];
    let ran = with(home.path(), &environment, show).whole();
    for line in [
        "quality = 60  # OCELLI_FRAMES_QUALITY".to_owned(),
        format!("keep_count = 5  # {}:3", path.display()),
        "keep_bytes = \"1 GB\"  # --set frames.keep_bytes".to_owned(),
        "listen = [\"127.0.0.1:9\"]  # --listen".to_owned(),
        "frames = \"/app/frames\"  # OUTPUT_FOLDER".to_owned(),
        "connections = 4096  # default".to_owned(),
        format!("home = \"{}\"  # OCELLI_HOME", home.path().display()),
    ] {
        assert!(text(&ran).lines().any(|found| found == line), "{line:?} in {}", text(&ran));
    }
    let again = file(home.path(), "again.toml", &ran.stdout);
    let shown = with(home.path(), &[], args!["config", "show", "--config", again]).whole();
    assert!(text(&shown).contains("quality = 60\n"), "what is shown can be read: {}", text(&shown));
}

#[test]
fn secrets_reach_no_output() {
    let home = tempfile::tempdir().unwrap();
    let secret = "c4nary-c4nary-c4nary-c4nary-c4nary";
    let environment = [("OCELLI_ACCESS_JWT_SECRET", secret), ("OCELLI_LOG", "trace")];
    let jwt = args!["config", "show", "--sources", "--set", "access.jwt.algorithm=HS256"];
    let ran = with(home.path(), &environment, jwt);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(text(&ran).contains("# secret is set and not shown  # OCELLI_ACCESS_JWT_SECRET"));
    let wrong =
        with(home.path(), &environment, args!["config", "show", "--set", "access.jwt.algorithm=RS256"]);
    assert_eq!(wrong.code, 2);
    for output in [text(&ran), &ran.stderr, text(&wrong), &wrong.stderr] {
        assert!(!output.contains("c4nary"), "{output}");
    }
}

#[test]
fn a_file_is_checked_whole() {
    let home = tempfile::tempdir().unwrap();
    let bad =
        file(home.path(), "bad.toml", b"[server]\nlistne = 1\nmax_streams = 0\n[frames]\nquality = 'x'\n");
    let ran = with(home.path(), &[], args!["config", "check", bad]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!((ran.code, lines.len()), (2, 3), "{}", ran.stderr);
    for (line, words) in
        lines.iter().zip([":2: server.listne: unknown", ":3: server.max_streams: 0 is out of", ":5: "])
    {
        assert!(line.starts_with("ocelli: ") && line.contains(words), "{line}");
    }
    let good = file(home.path(), "good.toml", b"[frames]\nquality = 70\n");
    let ran = with(home.path(), &[("OCELLI_FRAMES_QUALITY", "x")], args!["config", "check", good]).whole();
    assert_eq!(
        text(&ran),
        format!("{} is good\n", good.display()),
        "the environment is not part of the file"
    );
    with(home.path(), &[("OCELLI_FRAMES_QUALITY", "x")], args!["config", "check"])
        .refused(2, &["OCELLI_FRAMES_QUALITY: frames.quality"]);
    with(home.path(), &[], args!["config", "check", "absent.toml"]).refused(2, &["cannot read absent.toml"]);
    let open = file(home.path(), "open.toml", b"server.listen = '0.0.0.0:8002'\n");
    let ran = with(home.path(), &[], args!["config", "check", open]);
    assert!(ran.code == 2 && ran.stderr.contains("nothing says who may use the server"), "{}", ran.stderr);
    let tls = file(home.path(), "tls.toml", b"server.tls = { cert = 'c.pem', key = 'k.pem' }\n");
    let ran = with(home.path(), &[], args!["config", "check", tls]);
    assert!(ran.stderr.contains("server.tls.key: cannot read") && ran.code == 2, "{}", ran.stderr);
}

#[test]
fn the_shipped_files_are_good() {
    let home = tempfile::tempdir().unwrap();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    with(home.path(), &[], args!["config", "check", deploy.join("ocelli.toml")]).whole();
    let compose = deploy.join("compose/ocelli.toml");
    // As in the image: with its rule, the container may be reached.
    let image = [("OCELLI_CONFIG", compose.to_str().unwrap()), ("OCELLI_SERVER_LISTEN", "0.0.0.0:8002")];
    let ran = with(home.path(), &image, args!["config", "check"]);
    assert_eq!((ran.code, text(&ran)), (0, "the configuration is good\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("without TLS"), "{}", ran.stderr);
}

#[test]
fn a_named_file_must_be_there() {
    let home = tempfile::tempdir().unwrap();
    with(home.path(), &[], args!["config", "show", "--config", "absent.toml"]).refused(2, &["absent.toml"]);
    with(home.path(), &[("OCELLI_CONFIG", "absent.toml")], args!["config", "show"])
        .refused(2, &["absent.toml"]);
    with(home.path(), &[], args!["config", "show"]).whole();
}

#[test]
fn health_is_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answers = ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 503 Service Unavailable\r\n\r\n"];
    let serve = move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    };
    let server = Builder::new().name("server".to_owned()).spawn(serve).unwrap();
    with(home.path(), &[("OCELLI_SERVER_LISTEN", &address)], args!["health"]).whole();
    let url = format!("http://{address}/readyz");
    with(home.path(), &[], args!["health", url]).refused(1, &["/readyz: the server answers with status 503"]);
    server.join().unwrap();
    with(home.path(), &[("OCELLI_SERVER_LISTEN", &address)], args!["health"]).refused(1, &["cannot connect"]);
    with(home.path(), &[("OCELLI_SERVER_LISTEN", "x")], args!["health"]).refused(2, &["server.listen"]);
    ocelli(args!["health", "ftp://x"]).refused(2, &["http://"]);
}
