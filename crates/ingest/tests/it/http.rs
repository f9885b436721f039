//! Files and streams over HTTP: every picture arrives, and servers that do not as they should are told apart.

use std::{error::Error, fs, net::TcpListener, path::PathBuf, time::Duration};

use ocelli_ingest::{
    Fault, Source, SourceError, Stop,
    pull::{FileSource, HttpError, HttpOptions, HttpSource},
};
use ocelli_net::{AddressPolicy, Client, DownloadError, networks};
use ocelli_testkit::{Clip, Container};

use crate::{
    look::drain,
    web::{Answer, Then, Web, answer, part, stream},
};

fn options() -> HttpOptions {
    let policy = AddressPolicy::operator().with(networks("127.0.0.1").unwrap());
    HttpOptions::new(Client::new(policy).unwrap())
}

fn impatient() -> HttpOptions {
    HttpOptions { stall_timeout: Duration::from_millis(500), ..options() }
}

fn open(url: &str, options: HttpOptions) -> Result<HttpSource, SourceError> {
    HttpSource::open(&url.parse().unwrap(), options)
}

fn clip(container: Container) -> PathBuf {
    Clip::new(192, 128).frames(90).params("keyint=15:bframes=2").container(container).cached()
}

fn ts() -> Vec<u8> {
    fs::read(clip(Container::Ts)).unwrap()
}

/// How it ends, after how many units; nothing that is said holds a secret.
fn ending(url: &str, options: HttpOptions) -> (usize, SourceError) {
    let (units, error) = match open(url, options) {
        Ok(mut source) => {
            let (units, error) = drain(&mut source);
            assert!(!format!("{source:?}").contains("canary"), "{source:?}");
            (units.len(), error.expect("no end was told"))
        }
        Err(error) => (0, error),
    };
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        cause = error.source();
    }
    (units, error)
}

#[test]
fn every_picture_arrives_from_every_kind_of_server() {
    let front = ["-movflags", "+faststart"];
    let quick = Clip::new(192, 128).frames(90).params("bframes=2").options(&front).cached();
    let files = [
        (clip(Container::Mp4), false),
        (quick, true),
        (clip(Container::Ts), true),
        (clip(Container::Mkv), true),
    ];
    for (path, also_without_ranges) in files {
        let body = fs::read(&path).unwrap();
        let pts = |source: &mut dyn Source| {
            let (units, error) = drain(source);
            assert!(
                error.is_none() && source.damage().is_none(),
                "{path:?}: {error:?} {:?}",
                source.damage()
            );
            units.iter().map(|unit| (unit.pts, unit.data.clone())).collect::<Vec<_>>()
        };
        let expected = pts(&mut FileSource::open(&path).unwrap());
        assert_eq!(expected.len(), 90);
        let whole = body.clone();
        let ranged = Web::serve(move |head, _| part(head, "\"v1\"", &whole));
        let mut source = open(&ranged.url(), options()).unwrap();
        assert_eq!(pts(&mut source), expected, "{path:?} with ranges");
        assert!(source.rewind().unwrap());
        assert_eq!(pts(&mut source), expected, "{path:?} again");
        let heads = ranged.heads();
        assert!(heads.len() < 12, "{path:?}: {heads:?}");
        assert!(heads.iter().all(|head| head.contains("GET /clip?key=canary-query ")
            && head.to_lowercase().contains("authorization: basic ")));
        if also_without_ranges {
            let whole = body.clone();
            let plain = Web::serve(move |_, _| answer("200 OK", "Content-Type: video/mp4\r\n", &whole));
            assert_eq!(pts(&mut open(&plain.url(), options()).unwrap()), expected, "{path:?} plain");
            let endless = Web::serve(move |_, _| stream(&body, Then::Close));
            assert_eq!(pts(&mut open(&endless.url(), options()).unwrap()), expected, "{path:?} without size");
            assert_eq!(plain.heads().len() + endless.heads().len(), 2);
        }
    }
}

#[test]
fn an_index_at_the_end_needs_ranges() {
    let body = fs::read(clip(Container::Mp4)).unwrap();
    let plain = Web::serve(move |_, _| answer("200 OK", "", &body));
    let (_, error) = ending(&plain.url(), options());
    assert!(matches!(error, SourceError::Http(HttpError::NoRanges)), "{error:?}");
    assert_eq!(error.fault(), Fault::Media);
}

#[test]
fn a_stream_without_end_goes_on_and_waits_for_its_reader() {
    let web = Web::serve(|_, _| stream(&ts(), Then::Flood(ts())));
    let mut source = open(&web.url(), options()).unwrap();
    for _ in 0..500 {
        assert!(source.next_unit().unwrap().is_some());
    }
    // The server's thread ends, so it was told that nobody reads on.
}

#[test]
fn the_end_of_what_is_live_is_a_fault() {
    let web = Web::serve(|_, _| stream(&ts(), Then::Close));
    let (units, error) = ending(&web.url(), HttpOptions { is_live: true, ..options() });
    assert!(units > 80 && matches!(error, SourceError::Http(HttpError::Ended)), "{units}: {error:?}");
    assert_eq!(error.fault(), Fault::Network);
    // What has a size ends there.
    let web = Web::serve(|_, _| answer("200 OK", "", &ts()));
    let mut source = open(&web.url(), HttpOptions { is_live: true, ..options() }).unwrap();
    assert!(matches!(drain(&mut source), (units, None) if units.len() == 90));
}

type Is = fn(&SourceError) -> bool;

#[test]
fn what_is_no_video_is_refused() {
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://169.254.169.254/\n#EXT-X-ENDLIST\n";
    let typed = |kind: &str| format!("Content-Type: {kind}\r\n");
    let playlist: Is = |e| matches!(e, SourceError::Playlist);
    let demux: Is = |e| matches!(e, SourceError::Demux(_));
    let cases: Vec<(String, Vec<u8>, Fault, Is)> = vec![
        (typed("application/vnd.apple.mpegurl"), ts(), Fault::Caller, playlist),
        (typed("Application/X-MpegURL; charset=utf-8"), ts(), Fault::Caller, playlist),
        (typed("application/dash+xml"), b"<MPD/>".to_vec(), Fault::Caller, playlist),
        (typed("video/mp2t"), list.into(), Fault::Caller, playlist),
        (String::new(), Vec::new(), Fault::Media, |e| matches!(e, SourceError::Empty)),
        (typed("text/html"), b"<html>canary, please log in</html>".repeat(90), Fault::Media, demux),
        (String::new(), vec![0; 100_000], Fault::Media, demux),
        (
            String::new(),
            (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect(),
            Fault::Media,
            demux,
        ),
        (String::new(), b"v".to_vec(), Fault::Media, demux),
    ];
    for (headers, body, fault, is) in cases {
        for ranges in [true, false] {
            let (told, body) = (headers.clone(), body.clone());
            let web = Web::serve(move |head, _| {
                let parts = ranges && !body.is_empty() && told.is_empty();
                if parts { part(head, "\"v\"", &body) } else { answer("200 OK", &told, &body) }
            });
            let (units, error) = ending(&web.url(), options());
            assert!(units == 0 && is(&error), "{headers}: {error:?}");
            assert_eq!(error.fault(), fault, "{headers}: {error:?}");
        }
    }
}

#[test]
fn refusals_say_whose_fault_they_are() {
    let cases = [
        ("401 Unauthorized", Fault::Caller),
        ("403 Forbidden", Fault::Caller),
        ("404 Not Found", Fault::Caller),
        ("410 Gone", Fault::Caller),
        ("429 Too Many Requests", Fault::Server),
        ("500 Internal Server Error", Fault::Server),
        ("503 Busy", Fault::Server),
        ("206 Partial Content", Fault::Server),
        ("302 Found", Fault::Server),
    ];
    for (status, fault) in cases {
        let web = Web::serve(move |_, _| answer(status, "X-Said: canary\r\n", b"canary"));
        let (_, error) = ending(&web.url(), options());
        assert!(matches!(error, SourceError::Http(HttpError::Fetch(_))), "{status}: {error:?}");
        assert_eq!(error.fault(), fault, "{status}: {error:?}");
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_, error) = ending(&format!("http://canary@127.0.0.1:{port}/"), options());
    assert_eq!(error.fault(), Fault::Network, "{error:?}");
}

#[test]
fn redirects_lead_nowhere_that_is_forbidden() {
    let body = ts();
    let target = Web::serve(move |_, _| answer("200 OK", "", &body));
    let to = target.address;
    let way = Web::serve(move |_, _| answer("302 Found", &format!("Location: http://{to}/clip\r\n"), b""));
    let mut source = open(&way.url(), options()).unwrap();
    assert_eq!(drain(&mut source).0.len(), 90);
    assert!(!target.heads().concat().to_lowercase().contains("authorization"), "{:?}", target.heads());
    // Refused before anybody is called.
    let victim = TcpListener::bind("127.0.0.2:0").unwrap();
    victim.set_nonblocking(true).unwrap();
    let victims = [victim.local_addr().unwrap().to_string(), "169.254.169.254".into(), "[::1]".into()];
    for place in victims {
        let location = format!("Location: http://{place}/latest/meta-data\r\n");
        let way = Web::serve(move |_, _| answer("302 Found", &location, b""));
        let (_, error) = ending(&way.url(), options());
        let refused = matches!(&error, SourceError::Http(HttpError::Fetch(DownloadError::Address { .. })));
        assert!(refused && error.fault() == Fault::Caller, "{place}: {error:?}");
    }
    assert!(victim.accept().is_err(), "nobody came");
}

#[test]
fn silence_is_measured_in_pictures() {
    let null = [[0x47, 0x1f, 0xff, 0x10].as_slice(), &[0xff; 184]].concat();
    let cases: Vec<(Vec<u8>, Then, usize)> = vec![
        (Vec::new(), Then::Hold, 0),
        (ts()[..2000].to_vec(), Then::Hold, 0),
        (ts(), Then::Hold, 80),
        (ts(), Then::Drip(null.repeat(3)), 80),
        (Vec::new(), Then::Drip(null), 0),
    ];
    for (index, (body, then, least)) in cases.into_iter().enumerate() {
        let once = std::sync::Mutex::new(Some(stream(&body, then)));
        let web = Web::serve(move |_, _| once.lock().unwrap().take().unwrap());
        let (units, error) = ending(&web.url(), impatient());
        assert!(matches!(error, SourceError::Http(HttpError::Stalled(_))), "case {index}: {error:?}");
        assert!(units >= least && error.fault() == Fault::Stalled, "case {index}: {units}");
    }
    let nothing = Web::serve(|_, _| Answer { bytes: b"HTTP/1.1 200 OK\r\nX".to_vec(), then: Then::Hold });
    let hasty = HttpOptions { connect_timeout: Duration::from_millis(200), ..options() };
    let (_, error) = ending(&nothing.url(), hasty);
    assert!(matches!(error, SourceError::Http(HttpError::NoAnswer(_))), "{error:?}");
    assert_eq!(error.fault(), Fault::Network);
}

#[test]
fn a_connection_that_breaks_is_no_end() {
    let body = ts();
    let cut = body.len() * 2 / 3;
    let short = move |then: fn() -> Then| {
        let body = body.clone();
        Web::serve(move |_, _| {
            let mut short = answer("200 OK", "", &body);
            short.bytes.truncate(short.bytes.len() - body.len() + cut);
            short.then = then();
            short
        })
    };
    for then in [|| Then::Close, || Then::Reset] as [fn() -> Then; 2] {
        let (_, error) = ending(&short(then).url(), options());
        assert_eq!(error.fault(), Fault::Network, "{error:?}");
    }
    // A part that is shorter than it says, in itself whole.
    let lie = Web::serve(|_, _| {
        let half = &ts()[..18_800];
        answer("206 Partial Content", "Content-Range: bytes 0-99999/100000\r\n", half)
    });
    let (_, error) = ending(&lie.url(), options());
    assert!(matches!(error, SourceError::Http(HttpError::Short)), "{error:?}");
}

#[test]
fn a_file_that_changes_on_the_way_is_not_mixed() {
    let body = fs::read(clip(Container::Mp4)).unwrap();
    for change in ["tag", "size", "whole"] {
        let body = body.clone();
        let web = Web::serve(move |head, before| match (before, change) {
            (0, _) => part(head, "\"v1\"", &body),
            (_, "tag") => part(head, "\"v2\"", &body),
            (_, "size") => part(head, "\"v1\"", &[&body[..], &[0; 8]].concat()),
            _ => answer("200 OK", "", &body),
        });
        let (_, error) = ending(&web.url(), options());
        assert!(matches!(error, SourceError::Http(HttpError::Changed)), "{change}: {error:?}");
    }
}

#[test]
fn a_wait_ends_when_it_is_told_to() {
    let web = Web::serve(|_, _| stream(&ts(), Then::Hold));
    let stop = Stop::default();
    let mut source = open(&web.url(), HttpOptions { stop: stop.clone(), ..options() }).unwrap();
    for _ in 0..80 {
        assert!(source.next_unit().unwrap().is_some());
    }
    std::thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        assert!(matches!(drain(&mut source).1, Some(SourceError::Stopped)));
    });
    let again = open(&web.url(), HttpOptions { stop, ..options() });
    assert!(matches!(again, Err(SourceError::Stopped)));
}

#[test]
fn a_runtime_can_be_shared() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let body = fs::read(clip(Container::Mp4)).unwrap();
    let web = Web::serve(move |head, _| part(head, "\"v1\"", &body));
    let shared = || HttpOptions { runtime: Some(runtime.handle().clone()), ..options() };
    let mut sources = [open(&web.url(), shared()).unwrap(), open(&web.url(), shared()).unwrap()];
    for source in &mut sources {
        assert!(matches!(drain(source), (units, None) if units.len() == 90));
    }
}
