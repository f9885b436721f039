use std::{net::SocketAddr, time::Duration};

use super::{
    super::{
        ConfigFlags, Given,
        origin::Source,
        units::ByteSize,
        words::{Contract, LogFormat, Role},
    },
    bad, given, good,
};

#[test]
fn nothing_given_is_the_defaults() {
    let config = good(&given("", &[], &[])).config;
    let loopback: SocketAddr = "127.0.0.1:8002".parse().unwrap();
    assert_eq!(config.server.listen.iter().map(|listen| listen.0).collect::<Vec<_>>(), [loopback]);
    assert_eq!(config.server.home.to_str(), Some("/data"));
    assert_eq!(config.limits.upload_bytes, ByteSize(2_000_000_000));
    assert_eq!(config.limits.header_timeout, Duration::from_secs(10));
    assert_eq!(config.media.uploads.to_str(), Some("/data/uploads"));
    assert_eq!((config.frames.keep_count, config.frames.keep_age), (None, Some(Duration::from_hours(168))));
    assert!(config.jwt.algorithm.is_none() && config.tls.cert.is_none());
    assert!(config.access.anonymous.is_empty() && !config.is_beyond_loopback());
}

#[test]
fn a_file_of_many_kinds_of_values() {
    let file = r#"
server.listen = ["0.0.0.0:8002", "[::1]:9"]
[server.limits]
upload_bytes = "500 MiB"
body_bytes = 65536
[frames]
keep_count = 1000
keep_age = "none"
[media]
frames = "pictures"
folders = ["/srv/video"]
[log]
format = "json"
[[access.anonymous]]
contract = "video-pipeline"
networks = ["10.0.0.0/8", "fd00::/8"]
role = "operator"
[[access.anonymous]]
contract = "native"
networks = "192.168.0.7"
role = "viewer"
streams = ["front-*"]
"#;
    let loaded = good(&given(file, &[], &[]));
    let config = loaded.config;
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.limits.upload_bytes, ByteSize(500 << 20));
    assert_eq!((config.frames.keep_count, config.frames.keep_age), (Some(1000), None));
    assert_eq!(config.media.frames.to_str(), Some("/data/pictures"));
    assert_eq!(config.log.format, LogFormat::Json);
    let [first, second] = config.access.anonymous.as_slice() else { panic!("two rules") };
    assert_eq!(
        (first.contract, first.role, first.networks.len()),
        (Contract::VideoPipeline, Role::Operator, 2)
    );
    assert_eq!(
        (second.networks[0].0.to_string(), &second.streams),
        ("192.168.0.7/32".into(), &Some(vec!["front-*".into()]))
    );
    assert_eq!(loaded.sources["frames.keep_count"], Source::File("a.toml".into(), 7));
    assert_eq!(loaded.sources["frames.quality"], Source::Default);
    let [warning] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert!(warning.contains("without TLS"), "{warning}");
}

#[test]
fn every_problem_is_told_with_its_line() {
    let file = "\
[server]
listne = \"127.0.0.1:1\"
max_streams = \"many\"
drain_timeout = 30
[sever]
x = 1
[frames]
quality = 101
keep_bytes = \"2 G\"
network = \"x\"
allow = []
[log]
filter = \"ocelli=loud\"
format = \"xml\"
[cors]
origins = [\"https://ok.example\", \"https://a.example/path\"]
[[access.anonymous]]
contract = \"video\"
netwroks = [\"10.0.0.0/8\"]
";
    let says = [
        "a.toml:2: server.listne: unknown key; did you mean server.listen?",
        "a.toml:3: server.max_streams: expected a whole number … found \"many\"",
        "a.toml:4: server.drain_timeout: 30 has no unit; write \"30 s\"",
        "a.toml:5: sever: unknown section; did you mean server?",
        "a.toml:8: frames.quality: 101 is out of range; give 1 to 100",
        "a.toml:9: frames.keep_bytes: expected a size … \"2 G\"",
        "a.toml:10: frames.network: unknown key",
        "a.toml:11: frames.allow: unknown key; did you mean network.allow?",
        "a.toml:13: log.filter: expected a filter",
        "a.toml:14: log.format: expected \"text\" or \"json\", found \"xml\"",
        "a.toml:16: cors.origins.1: expected an origin … path",
        "a.toml:17: access.anonymous.0.networks: missing",
        "a.toml:17: access.anonymous.0.role: missing … \"viewer\" or \"operator\" or \"admin\"",
        "a.toml:18: access.anonymous.0.contract: expected \"video-pipeline\" or \"media-analyzer\" or \"native\"",
        "a.toml:19: access.anonymous.0.netwroks: unknown key; did you mean networks?",
    ];
    bad(&given(file, &[], &[]), &says);
}

#[test]
fn what_is_no_toml() {
    for (file, says) in [
        ("[server\nx = 1", "a.toml:1: "),
        ("[server]\nlisten = \n", "a.toml:2: "),
        ("a = 1\na = 2", "a.toml:2: "),
        ("server = 1", "a.toml:1: server: this is a section; write [server]"),
        ("[[server]]\nmax_streams = 1", "a.toml:1: server: this is a section"),
        ("[server.listen]\nx = 1", "a.toml:1: server.listen: expected an address"),
        (
            "[frames]\nquality = 1.5",
            "a.toml:2: frames.quality: expected a whole number of at most 255, found 1.5",
        ),
        ("[frames]\nquality = 2020-01-01", "a.toml:2: frames.quality: … found a value of the kind datetime"),
        ("[server]\nmax_streams = 99999999999999999999", "a.toml:2: "),
        ("\"server.listen\" = \"127.0.0.1:1\"", "a.toml:1: server.listen: unknown key"),
        ("[media]\nuploads = \"\"", "a.toml:2: media.uploads: the path is empty"),
        ("[media]\nuploads = \"~/v\"", "media.uploads: … only a shell replaces"),
        ("[media]\nuploads = \"a\\u0000b\"", "media.uploads: a path holds no zero byte"),
    ] {
        bad(&given(file, &[], &[]), &[says]);
    }
}

#[test]
fn hostile_files_end_in_bounded_words() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let many = (0..10_000).map(|number| format!("key{number} = 1")).collect::<Vec<_>>().join("\n");
    let long = format!("{} = 1", "k".repeat(100_000));
    let ugly = "\"\\u001b[2Jserver\" = 1".to_owned();
    let list = format!("[cors]\norigins = [{}]", "\"x\",".repeat(100_000));
    for file in [deep, many, long, ugly, list, "\0".to_owned(), "\u{feff}\u{feff}x".to_owned()] {
        let lines = super::Config::of(&given(&file, &[], &[])).unwrap_err().lines();
        assert!(
            lines.len() <= 101 && lines.iter().all(|line| line.len() < 1000),
            "{:.3000}",
            lines.join("\n")
        );
        assert!(lines.iter().flat_map(|line| line.chars()).all(|char| !char.is_control()), "{:?}", lines[0]);
    }
}

#[test]
fn later_layers_hold() {
    let mut layers = given("[frames]\nquality = 1\nkeep_count = 1", &[("OCELLI_FRAMES_QUALITY", "3")], &[]);
    layers.files.push(("b.toml".into(), "[frames]\nquality = 2\nkeep_count = 2".to_owned()));
    let loaded = good(&layers);
    assert_eq!((loaded.config.frames.quality, loaded.config.frames.keep_count), (3, Some(2)));
    assert_eq!(loaded.sources["frames.keep_count"], Source::File("b.toml".into(), 3));
    layers.flags.set = vec!["frames.quality=4".to_owned()];
    let loaded = good(&layers);
    assert_eq!(loaded.config.frames.quality, 4);
    assert_eq!(loaded.sources["frames.quality"].to_string(), "--set frames.quality");
}

#[test]
fn flags() {
    let flags = |listen: &[&str], set: &[&str]| Given {
        flags: ConfigFlags {
            listen: listen.iter().map(|&word| word.to_owned()).collect(),
            set: set.iter().map(|&word| word.to_owned()).collect(),
            home: Some("there".into()),
            config: None,
        },
        ..given("server.home = 'x'", &[], &[])
    };
    let config =
        good(&flags(&["127.0.0.1:1", "127.0.0.1:2"], &["media.uploads=up", "engine.threads=3"])).config;
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.server.home.to_str(), Some("/here/there"));
    assert_eq!(config.media.uploads.to_str(), Some("/here/up"));
    assert_eq!(config.media.frames.to_str(), Some("/here/there/frames"));
    bad(
        &flags(&["localhost"], &["frames.qualty=1", "quality", "frames.quality=x"]),
        &[
            "--listen: server.listen.0: expected an address with a port",
            "--set frames.quality: frames.quality: expected a whole number",
            "--set frames.qualty: unknown key; did you mean frames.quality?",
            "--set quality: unknown key; did you mean frames.quality?",
        ],
    );
}
