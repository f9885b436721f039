//! Publishers that do what they should not: each has an outcome and a line in the log.

use std::{io::Write as _, time::Duration};

use ocelli_ingest::{
    Fault, SourceError,
    push::{Ending, FeedLimits, PublishOptions, rtmp::RtmpConfig},
};

use super::{
    publisher::{Publisher, video},
    stand::{Read, SECRET, Stand, impatient, options},
    tags::Form,
};

const FORM: Form = Form::Number(7);
const AVCC: &[u8] = b"\x01\x64\x00\x1f\xff\xe0\x00";

fn name(key: &str) -> String {
    format!("{key}?secret={SECRET}")
}

/// A picture of one NAL unit of so many bytes.
fn picture(bytes: u32) -> Vec<u8> {
    let data = [&bytes.to_be_bytes()[..], &vec![0x41; bytes as usize]].concat();
    FORM.picture(false, 0, &data)
}

/// Somebody who has begun to publish pictures to a stream that reads them.
fn publishing(stand: &Stand, key: &str) -> Publisher {
    let mut publisher = Publisher::admitted(stand.port, &name(key));
    publisher.video(0, &FORM.configuration(AVCC));
    publisher.video(0, &picture(10));
    publisher
}

#[test]
fn times_that_step_back_are_passed_on_and_told() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    for time in [40, 80, 60, 0, 40] {
        publisher.video(time, &picture(10));
    }
    publisher.leave();
    let read = reading.done();
    assert_eq!((read.pts(), read.end(), read.damage), (vec![0, 40, 80, 60, 0, 40], Ending::Left, None));
    stand.log.wait_for(&["WARN", "stream=cam1", "times of a publisher step back"]);
    stand.log.wait_for(&["INFO", "stream=cam1", "pictures=6", "backwards=2"]);
}

#[test]
fn a_publisher_that_stalls_is_sent_away() {
    let stand = Stand::with(impatient(), RtmpConfig::default());
    let outcome = |stand: &Stand, mut publisher: Publisher, read: Read| {
        assert_eq!((read.pts(), read.end()), (vec![0], Ending::Stalled(Duration::from_secs(1))));
        assert_eq!(read.ending.unwrap().fault(), Fault::Stalled);
        assert_eq!(publisher.status(), "NetStream.Publish.Failed");
        assert!(publisher.last_words().contains("sent no new picture for 1 s"));
        stand.log.wait_for(&["WARN", "stream=cam1", "sent no new picture for 1 s"]);
    };
    let reading = stand.read("cam1");
    let publisher = publishing(&stand, "cam1");
    outcome(&stand, publisher, reading.done());
    // Sound, and half a picture, are no progress.
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    publisher.audio(10, b"\xaf\x00\x11\x90");
    publisher.audio(20, b"\xaf\x01x");
    let next = video(40, &picture(5000));
    publisher.send(&next[..next.len() / 2]);
    outcome(&stand, publisher, reading.done());
}

#[test]
fn time_that_stands_still_is_a_stall() {
    let stand = Stand::with(impatient(), RtmpConfig::default());
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    // Until the server hangs up.
    let still = video(0, &picture(10));
    while publisher.stream.write_all(&still).is_ok() {}
    let read = reading.done();
    assert_eq!(read.end(), Ending::Stalled(Duration::from_secs(1)));
    assert!(read.units.len() > 1 && read.units.iter().all(|unit| unit.pts == 0));
}

#[test]
fn garbage_ends_a_publish_and_nothing_else() {
    let stand = Stand::start();
    let (reading, other) = (stand.read("cam1"), stand.read("cam2"));
    let mut honest = publishing(&stand, "cam2");
    let mut publisher = publishing(&stand, "cam1");
    // Type 3 on a chunk stream that never began.
    publisher.send(&[0xff; 100]);
    let read = reading.done();
    assert!(matches!(read.end(), Ending::Protocol(_)), "{read:?}");
    assert_eq!((read.pts(), read.ending.unwrap().fault()), (vec![0], Fault::Server));
    assert!(publisher.last_words().contains("a chunk continues what never began"));
    stand.log.wait_for(&["WARN", "stream=cam1", "breaks the protocol"]);
    honest.video(40, &picture(10));
    honest.leave();
    assert_eq!(other.done().pts(), [0, 40]);
}

#[test]
fn garbage_before_a_publish_is_told() {
    let stand = Stand::start();
    for (bytes, words) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "this is no RTMP"),
        (&[0x16, 3, 1, 2, 0, 1], "with encryption"),
        (&[&[3][..], &[0; 2 * 1536], &[0xff; 100]].concat(), "a chunk continues what never began"),
        (
            &[&[3][..], &[0; 2 * 1536], &[3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0]].concat(),
            "a message of 16777215 bytes",
        ),
    ] {
        let mut publisher = Publisher::connect(stand.port);
        publisher.send(bytes);
        publisher.last_words();
        stand.log.wait_for(&["INFO", "peer=127.0.0.1", words]);
    }
}

#[test]
fn pictures_that_are_too_large_end_a_publish() {
    let stand = Stand::with(options(), RtmpConfig { most_message: 100_000, ..RtmpConfig::default() });
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    publisher.video(40, &picture(90_000));
    let large = video(80, &picture(100_000));
    publisher.send(&large[..20_000]);
    let read = reading.done();
    assert_eq!(read.pts(), [0, 40]);
    assert!(matches!(read.end(), Ending::Protocol(words) if words.contains("at most 100000 are taken")));
    stand.log.wait_for(&["WARN", "stream=cam1", "a message of 100009 bytes"]);
}

#[test]
fn pictures_without_parameters_are_left_out() {
    let stand = Stand::with(impatient(), RtmpConfig::default());
    let reading = stand.read("cam1");
    let mut publisher = Publisher::admitted(stand.port, &name("cam1"));
    for time in 0..20 {
        publisher.video(40 * time, &picture(10));
    }
    assert_eq!(publisher.status(), "NetStream.Publish.Failed");
    assert!(publisher.last_words().contains("never their parameters"));
    stand.log.wait_for(&["WARN", "stream=cam1", "unexplained=20", "a publish ends"]);
    // The stream waits on, for one who says them, if late.
    let mut publisher = Publisher::admitted(stand.port, &name("cam1"));
    publisher.video(0, &picture(10));
    publisher.video(0, &FORM.configuration(AVCC));
    publisher.video(40, &picture(10));
    publisher.leave();
    assert_eq!(reading.done().pts(), [40]);
    stand.log.wait_for(&["WARN", "stream=cam1", "sends media before its parameters"]);
}

#[test]
fn tags_that_cannot_be_read_are_left_out_and_told() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    publisher.video(40, b"\x17");
    publisher.video(40, b"\x27\x09\x00\x00\x00x");
    publisher.audio(40, b"\xaf");
    publisher.video(80, &FORM.picture(false, 0, b"\x00\x00\x00\x09x"));
    publisher.leave();
    let read = reading.done();
    assert_eq!((read.pts(), read.end()), (vec![0, 80], Ending::Left));
    assert!(read.units[1].damaged && read.damage.unwrap().contains("cannot be read"));
    stand.log.wait_for(&["WARN", "stream=cam1", "cannot be read in part"]);
    stand.log.wait_for(&["WARN", "stream=cam1", "picture is damaged"]);
    stand.log.wait_for(&["INFO", "stream=cam1", "damaged=1 unexplained=0 unreadable=3"]);
}

#[test]
fn a_codec_that_nothing_reads_ends_a_publish() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut publisher = publishing(&stand, "cam1");
    publisher.video(40, b"\x12\x00x");
    let read = reading.done();
    assert!(matches!(read.end(), Ending::Unsupported(words) if words.contains("Sorenson H.263")));
    assert!(publisher.last_words().contains("send H.264, H.265"));
}

#[test]
fn who_connects_and_says_nothing_is_cut() {
    let handshake_timeout = Duration::from_secs(1);
    let stand = Stand::with(options(), RtmpConfig { handshake_timeout, ..RtmpConfig::default() });
    let (mut silent, mut slow) = (Publisher::connect(stand.port), Publisher::connect(stand.port));
    slow.send(&[3; 100]);
    assert_eq!(silent.last_words() + &slow.last_words(), "");
    stand.log.wait_for(&["INFO", "peer=127.0.0.1", "nothing was published within 1 s"]);
    let mut other = Publisher::connect(stand.port);
    other.hang_up();
    stand.log.wait_for(&["INFO", "peer=127.0.0.1", "reason=it left"]);
    other.last_words();
}

#[test]
fn connections_are_limited() {
    let config = RtmpConfig { connections_per_address: 2, ..RtmpConfig::default() };
    let stand = Stand::with(options(), config);
    let reading = stand.read("cam1");
    let publisher = publishing(&stand, "cam1");
    let silent = Publisher::connect(stand.port);
    let mut third = Publisher::connect(stand.port);
    assert_eq!(third.last_words(), "");
    stand.log.wait_for(&["WARN", "peer=127.0.0.1", "too many of one address"]);
    drop(silent);
    publisher.leave();
    assert_eq!(reading.done().end(), Ending::Left);
    // In all: the next is served once there is room.
    let stand = Stand::with(options(), RtmpConfig { connections: 1, ..RtmpConfig::default() });
    let reading = stand.read("cam1");
    let first = Publisher::connect(stand.port);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Publisher::admitted(stand.port, &name("cam1")));
        first.hang_up();
        waiting.join().unwrap().leave();
    });
    reading.stop.stop();
    assert!(matches!(reading.failed(), SourceError::Stopped));
}

#[test]
fn a_second_publisher_is_refused_or_takes_over() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut first = publishing(&stand, "cam1");
    let (mut second, code) = Publisher::publish(stand.port, &name("cam1"));
    assert_eq!(code, "NetStream.Publish.BadName");
    assert!(second.last_words().contains("somebody publishes to this stream already"));
    stand.log.wait_for(&["WARN", "stream=cam1", "a publish is refused"]);
    first.video(40, &picture(10));
    first.leave();
    assert_eq!(reading.done().pts(), [0, 40]);

    let (seen, began) = std::sync::mpsc::sync_channel(1);
    let reading = stand.read_with("cam-over", move |source| {
        seen.send(()).unwrap();
        Read::whole(source)
    });
    let mut first = publishing(&stand, "cam-over");
    // With a picture: without one it would be passed over.
    began.recv().unwrap();
    let second = publishing(&stand, "cam-over");
    assert_eq!(first.status(), "NetStream.Publish.Failed");
    assert!(first.last_words().contains("another publisher took over"));
    let read = reading.done();
    assert_eq!((read.pts(), read.end()), (vec![0], Ending::TakenOver));
    stand.log.wait_for(&["WARN", "stream=cam-over", "another publisher took over"]);
    // The stream comes back for the second one, and misses nothing.
    let reading = stand.read("cam-over");
    second.leave();
    assert_eq!(reading.done().pts(), [0]);
}

#[test]
fn who_may_not_publish_is_refused_without_a_word_of_why() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    for (name, reason) in [
        ("none?secret=canary-1", "no stream has the key"),
        ("canary-wrong-field", "the secret is wrong or missing"),
        ("cam1?secret=canary-guess", "the secret is wrong or missing"),
        ("cam1?secret=", "the secret is wrong or missing"),
        ("cam1&secret=canary-secret", "no stream has the key"),
        ("../canary", "no stream has the key"),
        ("closed?secret=canary-secret", "the address may not publish"),
    ] {
        let (mut publisher, code) = Publisher::publish(stand.port, name);
        assert_eq!(code, "NetStream.Publish.Denied", "{name}");
        let words = publisher.last_words();
        assert!(words.contains("check stream key and secret") && !words.contains("canary"), "{words}");
        stand.log.wait_for(&["WARN", "peer=127.0.0.1", reason, "a publish is refused"]);
    }
    let (_, code) = Publisher::publish(stand.port, &name("cam2"));
    assert_eq!(code, "NetStream.Publish.BadName");
    stand.log.wait_for(&["WARN", "stream=cam2", "the stream is not running; start it"]);
    reading.stop.stop();
    assert!(matches!(reading.failed(), SourceError::Stopped));
    let (_, code) = Publisher::publish(stand.port, &name("cam1"));
    assert_eq!(code, "NetStream.Publish.BadName", "it was stopped");
}

#[test]
fn a_stream_that_takes_nothing_holds_its_publisher_up_and_then_ends_it() {
    let feed = FeedLimits { bytes: 1 << 20, patience: Duration::from_millis(300), ..FeedLimits::default() };
    let stand = Stand::with(PublishOptions { feed, ..options() }, RtmpConfig::default());
    let (go, gone) = std::sync::mpsc::sync_channel::<()>(1);
    let reading = stand.read_with("cam1", move |source| {
        gone.recv().unwrap();
        Read::whole(source)
    });
    let mut publisher = publishing(&stand, "cam1");
    // More than any buffer on the way holds, until the server hangs up.
    let more = video(40, &picture(1 << 16));
    let mut sent = 0;
    while publisher.stream.write_all(&more).is_ok() {
        sent += 1;
    }
    assert!(sent > 16, "{sent}");
    stand.log.wait_for(&["WARN", "stream=cam1", "did not take what the publisher sent for 0.3 s"]);
    go.send(()).unwrap();
    let read = reading.done();
    // What was in the queue is not lost.
    assert_eq!((read.units.len(), read.end()), (16, Ending::Behind(Duration::from_millis(300))));
}

#[test]
fn publishers_hear_that_a_stream_or_the_server_ends() {
    let mut stand = Stand::start();
    let reading = stand.read("cam1");
    let mut first = publishing(&stand, "cam1");
    stand.log.wait_for(&["stream=cam1", "a publisher begins"]);
    reading.stop.stop();
    assert_eq!(first.status(), "NetStream.Publish.Failed");
    assert!(first.last_words().contains("the stream was stopped"));
    stand.log.wait_for(&["INFO", "stream=cam1", "the stream was stopped"]);

    let (seen, began) = std::sync::mpsc::sync_channel(1);
    let reading = stand.read_with("cam2", move |source| {
        seen.send(()).unwrap();
        Read::whole(source)
    });
    let mut second = publishing(&stand, "cam2");
    began.recv().unwrap();
    stand.close();
    assert!(second.last_words().contains("the server takes no publishers any more"));
    let read = reading.done();
    assert_eq!((read.pts(), read.end()), (vec![0], Ending::Closed));
}
