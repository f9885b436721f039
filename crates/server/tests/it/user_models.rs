//! `ocelli models add`, `remove` and `bench`: a user's own model from its file or URL to its results.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread::{self, JoinHandle},
};

use ocelli_testkit::{Clip, onnx::Onnx};

use crate::{
    args,
    ocelli::{Ran, after, file, home, ran, skipped},
    results::lines,
};

/// A data directory with the real runtimes, and a folder of the user's.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        let real = home()?;
        let dir = tempfile::tempdir().unwrap();
        for name in ["runtimes", "footage"] {
            symlink(real.join(name), dir.path().join(name)).unwrap();
        }
        let place = Self { dir };
        file(place.dir.path(), "labels.txt", b"cat\nowl\n");
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn models(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("models")).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn run(&self, args: &[std::ffi::OsString]) -> Ran {
        ran(after("", args).env("OCELLI_HOME", self.dir.path()).env_remove("OCELLI_NET_ALLOW"))
    }

    /// `models add` of `from` as `mine`, with more arguments.
    fn add(&self, from: impl AsRef<std::ffi::OsStr>, allow: &str, more: &[&str]) -> Ran {
        let labels = self.path("labels.txt");
        let mut args =
            args!["models", "add", from.as_ref(), "--id", "mine", "--kind", "yolox", "--labels", labels]
                .to_vec();
        args.extend(more.iter().map(Into::into));
        ran(after("", &args).env("OCELLI_HOME", self.dir.path()).env("OCELLI_NET_ALLOW", allow))
    }
}

fn text(ran: &Ran) -> String {
    String::from_utf8(ran.stdout.clone()).unwrap()
}

/// A detector of 32 x 32 pixels that always sees an owl in the middle cell of its coarsest grid.
fn owl() -> Vec<u8> {
    Onnx::yolox(32, 2, &[(20, &[0.5, 0.5, 0.0, 0.0, 0.9, 0.1, 0.9])]).bytes()
}

#[test]
fn a_users_model_is_added_used_replaced_and_removed() {
    let Some(place) = Place::new() else { return };
    let given = file(place.dir.path(), "owl.onnx", &owl());
    let added = text(&place.add(&given, "", &["--licence", "MIT", "--description", "sees owls"]).whole());
    assert!(added.contains("added mine") && added.contains("32x32") && added.contains("sha256 "), "{added}");
    fs::remove_file(&given).unwrap();
    let listed = text(&place.run(args!["models", "list"]).whole());
    for word in ["mine", "sees owls", "MIT", "openvino"] {
        assert!(listed.contains(word), "{word} in {listed}");
    }
    let clip = Clip::new(192, 128).cached();
    let seen = |place: &Place| {
        let seen = lines(&place.run(args!["analyze", clip, "--model", "mine", "--fps", "1"]).whole().stdout);
        (seen[0]["detections"][0]["label"].clone(), seen[0]["analyzer_version"].clone())
    };
    let (label, version) = seen(&place);
    assert_eq!(label, "owl");
    let given = file(place.dir.path(), "owl.onnx", &owl());
    place.add(&given, "", &[]).refused(2, &["mine", "--replace"]);
    file(place.dir.path(), "labels.txt", b"dog\nlynx\n");
    place.add(&given, "", &["--replace"]).whole();
    let (label, other) = seen(&place);
    assert_eq!(label, "lynx");
    assert_ne!(other, version, "other labels, another version");
    place.run(args!["models", "remove", "mine"]).whole();
    place.run(args!["models", "remove", "mine"]).refused(2, &["mine"]);
    place.run(args!["models", "remove", "yolox-nano"]).refused(2, &["yolox-nano"]);
    place.run(args!["analyze", clip, "--model", "mine"]).refused(2, &["mine", "known are"]);
    assert_eq!(place.models(), ["models.json", "models.lock.json"]);
}

#[test]
fn what_cannot_be_added_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let good = file(place.dir.path(), "good.onnx", &owl());
    let cut = file(place.dir.path(), "cut.onnx", &owl()[..200]);
    let empty = file(place.dir.path(), "empty.onnx", b"");
    let words = file(place.dir.path(), "words.onnx", b"not a model at all");
    place.add(&empty, "", &[]).refused(2, &["mine", "empty"]);
    place.add(&cut, "", &[]).refused(2, &["mine", "cannot read the model"]);
    place.add(&words, "", &[]).refused(2, &["mine", "cannot read the model"]);
    place.add(place.path("none.onnx"), "", &[]).refused(2, &["none.onnx"]);
    place.add(place.path("models"), "", &[]).refused(2, &["models", "not a file"]);
    place.add("/dev/zero", "", &[]).refused(2, &["/dev/zero", "not a file"]);
    place.add(&good, "", &["--sha256", &"0".repeat(64)]).refused(2, &["sha256", "000000"]);
    place.add(&good, "", &["--sha256", "abc"]).refused(2, &["64 hexadecimal digits"]);
    for labels in [&b""[..], b"cat\n", b"cat\nowl\ndog\n", b"cat\ncat\n", b"cat\n\xff\n", b"cat\n\nowl\n"] {
        file(place.dir.path(), "labels.txt", labels);
        place.add(&good, "", &[]).refused(2, &["label"]);
    }
    assert_eq!(place.models(), [""; 0]);
    let args =
        args!["models", "add", good, "--id", "../x", "--kind", "yolox", "--labels", place.path("labels.txt")];
    file(place.dir.path(), "labels.txt", b"cat\nowl\n");
    place.run(args).refused(2, &["an id has"]);
    file(&place.path("models"), "models.json", b"{");
    place.add(&good, "", &[]).refused(2, &["models.json", "damaged"]);
    place.run(args!["models", "list"]).refused(2, &["models.json", "damaged"]);
    let doctor = place.run(args!["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(text(&doctor).contains("models.json is damaged"), "{}", text(&doctor));
    assert_eq!(place.models(), ["models.json"]);
}

/// Answers one connection with these bytes.
fn serve(answer: Vec<u8>) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer_one = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = BufReader::new(stream.try_clone().unwrap()).lines();
        head.map_while(Result::ok).find(String::is_empty);
        // The client may leave early.
        stream.write_all(&answer).ok();
    };
    (address, thread::Builder::new().spawn(answer_one).unwrap())
}

fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

#[test]
fn a_model_comes_from_a_url_that_is_allowed_and_pinned() {
    let Some(place) = Place::new() else { return };
    let given = file(place.dir.path(), "owl.onnx", &owl());
    let added = text(&place.add(&given, "", &[]).whole());
    let sha256 = added.split("sha256 ").nth(1).unwrap().trim().to_owned();
    place.run(args!["models", "remove", "mine"]).whole();
    let before = place.models();
    let pinned = ["--sha256", sha256.as_str()];

    let try_one = |answer: Vec<u8>, words: &[&str]| {
        let (address, server) = serve(answer);
        let url = format!("http://user:hunter2@{address}/m.onnx?key=hunter2");
        let ran = place.add(url, "127.0.0.1", &pinned).refused(2, words);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        server.join().unwrap();
        assert_eq!(place.models(), before);
    };
    try_one(ok(b"another file"), &["sha256", &sha256]);
    try_one(ok(&owl())[..300].to_vec(), &["cannot be fetched"]);
    try_one(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(), &["404"]);
    try_one(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_vec(), &["larger than"]);
    try_one(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/x\r\n\r\n".to_vec(),
        &["refused", "169.254.169.254"],
    );
    try_one(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n".to_vec(), &["file"]);
    try_one(b"\x16\x03\x01 garbage".to_vec(), &["cannot be fetched"]);

    place.add("http://127.0.0.1:9/m.onnx", "", &pinned).refused(2, &["refused", "this machine itself"]);
    place.add("http://127.0.0.1:9/m.onnx", "nonsense", &pinned).refused(2, &["OCELLI_NET_ALLOW", "nonsense"]);
    place.add("http://127.0.0.1:9/m.onnx", "", &[]).refused(2, &["--sha256"]);
    place.add("ftp://127.0.0.1/m.onnx", "", &pinned).refused(2, &["ftp"]);
    assert_eq!(place.models(), before);

    let (address, server) = serve(ok(&owl()));
    place.add(format!("http://{address}/m.onnx"), "127.0.0.0/8", &pinned).whole();
    server.join().unwrap();
    assert!(place.models().iter().any(|name| name.starts_with("mine.")));
}

/// Bench of `model` at `home`, after the shell line `first`.
fn bench(home: &Path, first: &str, more: &[&str]) -> Ran {
    let mut args = args!["models", "bench", "--seconds", "1"].to_vec();
    args.extend(more.iter().map(Into::into));
    ran(after(first, &args).env("OCELLI_HOME", home))
}

#[test]
fn bench_measures_and_says_what_it_did() {
    let Some(place) = Place::new() else { return };
    let given = file(place.dir.path(), "owl.onnx", &owl());
    place.add(&given, "", &[]).whole();
    let lock = place.path("models/models.lock.json");
    let chosen = fs::read(&lock).unwrap();
    let ran = bench(place.dir.path(), "", &["mine", "--dry-run"]);
    let table = text(&ran);
    for word in ["mine", "openvino", "onnxruntime", "f32", "bf16", "CPU ms", "p95"] {
        assert!(table.contains(word), "{word} in {table}");
    }
    assert_eq!(fs::read(&lock).unwrap(), chosen, "only measured");
    fs::remove_file(&lock).unwrap();
    let ran = bench(place.dir.path(), "", &["mine"]);
    // Other tests may be what keeps the machine busy.
    let idle = ran.code == 0;
    assert_eq!(
        (lock.try_exists().unwrap(), text(&ran).contains("from now on")),
        (idle, idle),
        "{}",
        ran.stderr
    );
    bench(place.dir.path(), "", &["none"]).refused(2, &["none", "known are"]);
    let bare = tempfile::tempdir().unwrap();
    bench(bare.path(), "", &[]).refused(2, &["./dev setup"]);
}

#[test]
fn a_busy_machine_writes_nothing_down() {
    let Some(place) = Place::new() else { return };
    if !Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|status| status.success()) {
        skipped("taskset cannot bind a program to a core here");
        return;
    }
    let given = file(place.dir.path(), "owl.onnx", &owl());
    place.add(&given, "", &[]).whole();
    let lock = place.path("models/models.lock.json");
    fs::remove_file(&lock).unwrap();
    // Two that always compute, on the core that is measured; they end with the shell that becomes the binary.
    let busy =
        "taskset -cp 0 $$ >/dev/null\nfor one in 1 2; do (while kill -0 $$ 2>/dev/null; do :; done) & done";
    let ran = bench(place.dir.path(), busy, &["mine"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let ran = ran.says(&["mine", "busy", "nothing is written"]);
    assert!(!lock.try_exists().unwrap(), "{}", text(&ran));
}
