use super::{super::Schema, bad, given, good};

#[test]
fn every_key_has_a_name_of_its_own() {
    let schema = Schema::new();
    let mut names: Vec<String> = schema.keys().map(super::super::Key::environment).collect();
    names.extend(schema.keys().flat_map(|key| key.aliases.iter().map(|&name| name.to_owned())));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn values_as_words() {
    let config = good(&given(
        "",
        &[
            ("OCELLI_SERVER_LISTEN", "127.0.0.1:1, 127.0.0.1:2"),
            ("OCELLI_SERVER_LIMITS_UPLOAD_BYTES", "1 GB"),
            ("OCELLI_ENGINE_THREADS", "2"),
            ("OCELLI_FRAMES_KEEP_AGE", "none"),
            ("OCELLI_FRAMES_KEEP_COUNT", "5"),
            ("OCELLI_MEDIA_FOLDERS", r#"["/a,b", "c"]"#),
            (
                "OCELLI_ACCESS_ANONYMOUS",
                r#"[{contract = "video-pipeline", networks = ["10.0.0.0/8"], role = "operator"}]"#,
            ),
            ("OCELLI_FRAMES_QUALITY", ""),
            ("OCELLI_HOME", "/elsewhere"),
        ],
        &[],
    ))
    .config;
    assert_eq!((config.server.listen.len(), config.limits.upload_bytes.0), (2, 1_000_000_000));
    assert_eq!(
        (config.frames.keep_age, config.frames.keep_count, config.frames.quality),
        (None, Some(5), 90)
    );
    let folders: Vec<_> = config.media.folders.iter().filter_map(|folder| folder.to_str()).collect();
    assert_eq!(folders, ["/a,b", "/here/c"]);
    assert_eq!(config.access.anonymous.len(), 1);
    assert_eq!(config.store.path.to_str(), Some("/elsewhere/store"));
}

#[test]
fn names_of_contract_1() {
    let environment = [
        ("UPLOAD_FOLDER", "/app/videos"),
        ("OUTPUT_FOLDER", "/app/frames"),
        ("HW_ACCEL_OPTIONS", r#"["cuda", "d3d11va", "none"]"#),
        ("FFMPEG_PATH", "/usr/bin/ffmpeg"),
    ];
    let loaded = good(&given("", &environment, &[]));
    assert_eq!(loaded.config.media.uploads.to_str(), Some("/app/videos"));
    assert_eq!(loaded.config.media.frames.to_str(), Some("/app/frames"));
    assert_eq!(loaded.config.hardware.options.len(), 1);
    let [ignored, unused] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert!(
        ignored.contains("\"d3d11va\" is ignored") && unused.contains("FFMPEG_PATH is accepted and not used")
    );
    for options in ["[]", "none", "cuda,vaapi"] {
        good(&given("", &[("HW_ACCEL_OPTIONS", options)], &[]));
    }
}

#[test]
fn our_own_name_holds_and_disagreement_is_told() {
    let environment = [("UPLOAD_FOLDER", "/a"), ("OCELLI_MEDIA_UPLOADS", "/b")];
    let loaded = good(&given("", &environment, &[]));
    assert_eq!(loaded.config.media.uploads.to_str(), Some("/b"));
    assert_eq!(loaded.sources["media.uploads"].to_string(), "OCELLI_MEDIA_UPLOADS");
    assert_eq!(
        loaded.warnings,
        ["OCELLI_MEDIA_UPLOADS and UPLOAD_FOLDER disagree about media.uploads; OCELLI_MEDIA_UPLOADS holds"]
    );
    let same = [("UPLOAD_FOLDER", "/b"), ("OCELLI_MEDIA_UPLOADS", "/b")];
    assert!(good(&given("", &same, &[])).warnings.is_empty());
}

#[test]
fn slips_are_refused_and_strangers_are_not() {
    let slips =
        [("OCELLI_SERVER_LISTNE", "x"), ("OCELLI_FRAMES_QUALITY", "x"), ("OCELLI_LOG_FILTERS", "info")];
    bad(
        &given("", &slips, &[]),
        &[
            "OCELLI_FRAMES_QUALITY: frames.quality: expected a whole number",
            "OCELLI_LOG_FILTERS: unknown name; did you mean OCELLI_LOG_FILTER?",
            "OCELLI_SERVER_LISTNE: unknown name; did you mean OCELLI_SERVER_LISTEN?",
        ],
    );
    // What an orchestrator sets for services of these names.
    let strangers = [
        ("OCELLI_SERVER_PORT", "tcp://10.0.0.1:8002"),
        ("OCELLI_SERVICE_HOST", "10.0.0.1"),
        ("OCELLI_SHARED", "x"),
    ];
    let warnings = good(&given("", &strangers, &[])).warnings;
    assert_eq!(warnings, ["OCELLI_SERVER_PORT is no name of a key, and is ignored"]);
}

#[test]
fn names_of_contract_3() {
    let environment = [
        ("RTMP_PORT", "1936"),
        ("HLS_BASE_URL", "https://video.example.org"),
        ("HLS_ENDPOINT_PATH", "/hls"),
        ("OCELLI_ANALYZER_FPS", "2.5"),
    ];
    let config = good(&given("[analyzer]\nwebcam = \"synthetic:\"\n", &environment, &[])).config.analyzer;
    assert_eq!((config.rtmp_port, config.fps.0.to_string().as_str()), (Some(1936), "5/2"));
    assert_eq!(config.hls_base_url.as_deref(), Some("https://video.example.org"));
    assert_eq!((config.hls_path.as_str(), config.webcam.as_str()), ("/hls", "synthetic:"));
    let number = good(&given("[analyzer]\nfps = 7\n", &[], &[])).config.analyzer;
    assert_eq!(number.fps.0.to_string(), "7");
    for (name, value, words) in [
        ("RTMP_PORT", "65536", "RTMP_PORT … at most 65535"),
        ("HLS_BASE_URL", "javascript:alert(1)", "hls_base_url … no URL"),
        ("HLS_ENDPOINT_PATH", "/a b", "hls_path … no path"),
        ("OCELLI_ANALYZER_FPS", "fast", "frames per second"),
        ("OCELLI_ANALYZER_RTMP_HOST", "a/b", "rtmp_host … no host"),
    ] {
        bad(&given("", &[(name, value)], &[]), &[words]);
    }
}
