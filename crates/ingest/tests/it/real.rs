//! The RTSP server of `GStreamer`: every picture arrives, at its time.

use std::path::Path;

use ocelli_ingest::{Fault, Source as _, SourceError, pull::RtspError};
use ocelli_media::Codec;
use ocelli_testkit::{Clip, ClipCodec, RtspServer};

use crate::look::{drain, numbers, open, options};

/// At 25 a second: whole nanoseconds, in which the server counts.
const TICKS: i64 = 90_000 / 25;

#[test]
fn every_picture_arrives_at_its_time() {
    let at_25 = |width, height| Clip::new(width, height).rate(25, 1);
    let plain = at_25(192, 128).params("bframes=0:keyint=15");
    let clips = [
        (plain.cached(), Codec::H264),
        (at_25(192, 128).params("bframes=3:b-pyramid=normal:keyint=20").cached(), Codec::H264),
        (at_25(192, 128).codec(ClipCodec::X265).params("bframes=3:keyint=20").cached(), Codec::H265),
        (at_25(640, 480).codec(ClipCodec::X265).params("bframes=0:keyint=60").cached(), Codec::H265),
    ];
    let files: Vec<&Path> = clips.iter().map(|(path, _)| path.as_path()).collect();
    let Some(mut server) = RtspServer::start(&files) else { return };
    for (file, (_, codec)) in clips.iter().enumerate() {
        let mut source = open(&server.url(file), options()).unwrap();
        let parameters = std::sync::Arc::clone(source.parameters());
        assert_eq!(&parameters.codec, codec);
        assert!(
            (parameters.frame_rate - 25.0).abs() < 1e-9 || parameters.frame_rate == 0.0,
            "{parameters:?}"
        );
        let (units, error) = drain(&mut source);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(source.damage(), None);
        assert_eq!(
            units.iter().map(|unit| unit.pts).min(),
            Some(source.first_pts()),
            "the first is the earliest"
        );
        assert!(units.iter().all(|unit| unit.dts.is_none() && !unit.damaged));
        let mut seen = numbers(&units);
        seen.sort_unstable();
        let size = (parameters.width, parameters.height);
        let expected: Vec<_> =
            (0..60).map(|n| (source.first_pts() + i64::from(n) * TICKS, Some(n), size)).collect();
        assert_eq!(seen, expected, "{codec:?} {file}");
        drop(source);
        server.wait_for_teardown();
    }
}

#[test]
fn a_source_that_is_dropped_says_goodbye() {
    let clip = Clip::new(192, 128).frames(300).cached();
    let Some(mut server) = RtspServer::start(&[&clip]) else { return };
    let mut source = open(&server.url(0), options()).unwrap();
    for _ in 0..3 {
        assert!(source.next_unit().unwrap().is_some());
    }
    drop(source);
    server.wait_for_teardown();
}

#[test]
fn a_runtime_can_be_shared() {
    let clip = Clip::new(192, 128).frames(30).cached();
    let Some(server) = RtspServer::start(&[&clip]) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let shared = || ocelli_ingest::pull::RtspOptions { runtime: Some(runtime.handle().clone()), ..options() };
    let mut sources = [open(&server.url(0), shared()).unwrap(), open(&server.url(0), shared()).unwrap()];
    for source in &mut sources {
        let (units, error) = drain(source);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(units.len(), 30);
    }
}

#[test]
fn users_are_let_in_by_their_password() {
    let clip = Clip::new(192, 128).frames(30).cached();
    let Some(server) = RtspServer::start_guarded("fly", "p@ss/word", &[&clip]) else { return };
    let port = server.port();
    let url = |user: &str| format!("rtsp://{user}127.0.0.1:{port}/0");
    let mut source = open(&url("fly:p%40ss%2Fword@"), options()).unwrap();
    assert_eq!(drain(&mut source).0.len(), 30);
    let refused = |user: &str| match open(&url(user), options()) {
        Err(SourceError::Rtsp(error)) => error,
        other => panic!("{user}: {other:?}"),
    };
    assert!(matches!(refused(""), RtspError::CredentialsMissing));
    for user in ["fly:wrong@", "bee:p%40ss%2Fword@"] {
        let error = refused(user);
        assert!(matches!(error, RtspError::CredentialsRefused), "{error:?}");
        assert_eq!(error.fault(), Fault::Caller);
    }
    let missing = open(&format!("rtsp://fly:p%40ss%2Fword@127.0.0.1:{port}/7"), options()).unwrap_err();
    assert!(matches!(missing, SourceError::Rtsp(RtspError::NotFound)), "{missing:?}");
}
