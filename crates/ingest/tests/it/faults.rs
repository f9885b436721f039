//! Servers that refuse, lie, fall silent or break off, and whose fault that is.

use std::{net::TcpListener, time::Duration};

use ocelli_ingest::{
    Fault, SourceError,
    pull::{RtspError, RtspOptions},
};
use ocelli_net::AddressPolicy;
use ocelli_testkit::{Clip, Container};

use crate::{
    fake::{H264, Packer, Script, Then},
    look::{drain, impatient, open, options},
};

/// How it ends, whether at once or later, and after how many units.
fn ending(url: &str, options: RtspOptions) -> (usize, RtspError) {
    let (units, error) = match open(url, options) {
        Ok(mut source) => {
            let (units, error) = drain(&mut source);
            (units.len(), error.expect("no end was told"))
        }
        Err(error) => (0, error),
    };
    let SourceError::Rtsp(error) = error else { panic!("{error:?}") };
    (units, error)
}

fn good() -> Vec<u8> {
    let clip = Clip::new(192, 128).frames(20).container(Container::Raw);
    Packer::new(0).file(&clip.params("bframes=0:keyint=10:slices=1:aud=0").cached()).out
}

fn check(script: Script, fault: Fault, is: impl Fn(&RtspError) -> bool) -> usize {
    let said = format!("{:?} {:?}", script.describe, script.then);
    let server = script.serve();
    let (units, error) = ending(&server.url(), impatient());
    assert!(is(&error), "{said}: {error:?}");
    // Servers that lie may also leave us waiting for what they promised.
    let fault = if matches!(error, RtspError::Stalled(_)) { Fault::Stalled } else { fault };
    assert_eq!(error.fault(), fault, "{said}: {error:?}");
    units
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_, error) = ending(&format!("rtsp://127.0.0.1:{port}/x"), options());
    assert!(matches!(&error, RtspError::Unreachable(cause) if cause.contains("refused")), "{error:?}");
    assert_eq!(error.fault(), Fault::Network);
}

#[test]
fn nobody_answers() {
    // The system accepts; nobody reads.
    let options = RtspOptions { connect_timeout: Duration::from_millis(200), ..options() };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, error) = ending(&format!("rtsp://{}/x", listener.local_addr().unwrap()), options);
    assert!(matches!(error, RtspError::NoAnswer(_)), "{error:?}");
}

#[test]
fn addresses_of_this_machine_are_refused_unless_listed() {
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "169.254.169.254"] {
        let options = RtspOptions::new(AddressPolicy::operator());
        let (_, error) = ending(&format!("rtsp://{host}/x"), options);
        assert!(matches!(error, RtspError::Address(_)), "{host}: {error:?}");
    }
}

#[test]
fn refusals_say_why() {
    let asks = "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n";
    check(Script::refusing("401 Unauthorized", asks), Fault::Caller, |e| {
        matches!(e, RtspError::CredentialsMissing)
    });
    check(Script::refusing("404 Not Found", ""), Fault::Caller, |e| matches!(e, RtspError::NotFound));
    for (status, code) in [("500 Internal Server Error", 500), ("302 Moved", 302), ("503 Busy", 503)] {
        let headers = "Location: rtsp://169.254.169.254/x\r\n";
        check(
            Script::refusing(status, headers),
            Fault::Server,
            |e| matches!(e, RtspError::Status(s) if *s == code),
        );
    }
}

#[test]
fn descriptions_that_lie_are_told_apart() {
    let told = |lines: &str, fault: Fault, is: fn(&RtspError) -> bool| {
        let units = check(Script::described(lines, good(), Then::Hold), fault, is);
        assert_eq!(units, 0, "{lines}");
    };
    let lie = |lines: &str, is: fn(&RtspError) -> bool| told(lines, Fault::Server, is);
    let useless = |lines: &str, is: fn(&RtspError) -> bool| told(lines, Fault::Media, is);
    let protocol: fn(&RtspError) -> bool = |e| matches!(e, RtspError::Protocol(_));
    useless("m=audio 0 RTP/AVP 0\r\na=control:a\r\n", |e| matches!(e, RtspError::NoVideo));
    useless(
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:v\r\n",
        |e| matches!(e, RtspError::Codec(name) if name == "vp8"),
    );
    lie(&H264.replace("90000", "0"), protocol);
    lie(&H264.replace("90000", "8000"), protocol);
    lie("this is no description\r\n", protocol);
    useless(&format!("a=tool:LIVE555 Streaming Media v2013.04.08\r\n{H264}"), |e| {
        matches!(e, RtspError::TooOld)
    });
    // H.264 that is called H.265 has no parameter sets that anybody could read.
    lie(&H264.replace("H264", "H265"), |e| matches!(e, RtspError::Protocol(_) | RtspError::Stalled(_)));
}

#[test]
fn parameters_of_a_description_that_nobody_can_read_are_replaced_by_those_of_the_stream() {
    let lines = format!("{H264}a=fmtp:96 packetization-mode=1;sprop-parameter-sets=AAAA,////\r\n");
    let units = check(Script::described(&lines, good(), Then::Hold), Fault::Stalled, |e| {
        matches!(e, RtspError::Stalled(_))
    });
    assert_eq!(units, 20);
}

#[test]
fn garbage_is_the_servers_fault() {
    let mut noise = 0x2545_f491_u32;
    let mut bytes = || {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        noise as u8
    };
    let told = |e: &RtspError| matches!(e, RtspError::Protocol(_) | RtspError::Stalled(_));
    for length in [1, 3, 12, 40, 1400] {
        let framed = |_| {
            let mut packet = vec![b'$', 0];
            packet.extend((length as u16).to_be_bytes());
            packet.extend((0..length).map(|_| bytes()));
            packet
        };
        let media: Vec<u8> = (0..50).flat_map(framed).collect();
        check(Script::of(media, Then::Hold), Fault::Server, told);
    }
    let unframed = (0..100_000).map(|_| bytes()).collect();
    check(Script::of(unframed, Then::Hold), Fault::Server, told);
    // After good pictures too, where the sizes of packets are right and their payload is not.
    let mut late = good();
    let whole = late.len();
    late.extend(good());
    for at in (whole..late.len()).filter(|at| at % 97 > 60) {
        late[at] = bytes();
    }
    assert!(check(Script::of(late, Then::Hold), Fault::Server, told) > 0);
}

#[test]
fn a_connection_that_breaks_is_no_end() {
    for (then, words) in [(Then::Close, "closed"), (Then::Reset, "reset")] {
        let units = check(
            Script::of(good(), then),
            Fault::Network,
            |e| matches!(e, RtspError::Broken(cause) if cause.contains(words)),
        );
        // A reset may overtake what was sent before it.
        assert!(units == 20 || then == Then::Reset, "{then:?}: {units}");
    }
}

#[test]
fn a_silent_server_has_stalled_whatever_else_it_sends() {
    let mut busy = good();
    // Reports without pictures (RFC 3550 section 6.4.1).
    for _ in 0..100 {
        busy.extend(b"$\x01\x00\x08\x80\xc9\x00\x01\x0c\xe1\x11\x00");
    }
    for media in [good(), busy] {
        let units =
            check(Script::of(media, Then::Hold), Fault::Stalled, |e| matches!(e, RtspError::Stalled(_)));
        assert_eq!(units, 20);
    }
}

#[test]
fn a_wait_ends_when_it_is_told_to() {
    let server = Script::of(good(), Then::Hold).serve();
    let options = options();
    let stop = options.stop.clone();
    let mut source = open(&server.url(), options).unwrap();
    for _ in 0..20 {
        assert!(ocelli_ingest::Source::next_unit(&mut source).unwrap().is_some());
    }
    std::thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        assert!(matches!(drain(&mut source).1, Some(SourceError::Stopped)));
    });
    drop(source);
    let requests = server.requests();
    assert!(requests.last().unwrap().starts_with("TEARDOWN "), "{requests:?}");
}
