//! Bytes of a stranger who publishes, made of anything: a session stays within its bounds, whatever is said and however it
//! arrives, and comes to the same events.
//!
//! Input: a byte that chooses how bytes are cut, then what follows a handshake and, if the byte's highest bit is set, a publish that
//! was allowed.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use ocelli_ingest::push::rtmp::{
    Event, RtmpError, Session, amf,
    chunk::{ChunkReader, kind, write},
};

/// The largest picture.
const MOST: usize = 100_000;

/// A session that is shaken hands with, and may publish.
fn begun(publishes: bool) -> Session {
    let mut session = Session::new(MOST);
    let mut bytes = vec![0; 1 + 2 * 1536];
    bytes[0] = 3;
    if publishes {
        let mut command = |name: &str, stream, key: Option<&str>| {
            let mut payload = Vec::new();
            for value in [amf::Value::text(name), amf::Value::Number(1.0), amf::Value::Null] {
                amf::write(&value, &mut payload);
            }
            amf::write(&key.map_or(amf::Value::Null, amf::Value::text), &mut payload);
            write(&mut bytes, 3, (kind::COMMAND, stream), &payload, 128);
        };
        command("connect", 0, None);
        command("publish", 1, Some("cam1"));
    }
    let mut input = BytesMut::from(&bytes[..]);
    while let Some(event) = session.next(&mut input).expect("an honest beginning") {
        assert!(matches!(event, Event::Publish(_)));
        session.begin();
    }
    assert!(input.is_empty() && !session.take_output().is_empty());
    session
}

/// Everything that comes of the bytes, cut into pieces of that length.
fn run(publishes: bool, data: &[u8], piece: usize) -> (Vec<Event>, Option<RtmpError>) {
    let (mut session, mut input, mut events) = (begun(publishes), BytesMut::new(), Vec::new());
    for bytes in data.chunks(piece.max(1)) {
        input.extend_from_slice(bytes);
        loop {
            let next = session.next(&mut input);
            assert!(session.pending() <= 2 * MOST);
            match next {
                Ok(Some(event)) => {
                    match &event {
                        Event::Video(_, payload) | Event::Audio(_, payload) => assert!(payload.len() <= MOST),
                        Event::Values(payload) => assert!(payload.len() <= 64 << 10),
                        Event::Publish(_) => session.begin(),
                        Event::Unpublish => {}
                    }
                    events.push(event);
                }
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
        assert!(input.len() < 18, "at most a header waits");
        // Little is said to much, and no answer is longer than a few words.
        assert!(session.take_output().len() <= 1024 + 32 * bytes.len());
    }
    (events, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else { return };
    let publishes = how & 0x80 != 0;
    let at_once = run(publishes, data, data.len());
    assert_eq!(at_once, run(publishes, data, usize::from(how & 0x7f)));
    // The parts alone, without what must come before them.
    if let Ok(values) = amf::read(data) {
        let mut written = Vec::new();
        values.iter().for_each(|value| amf::write(value, &mut written));
        assert!(written.len() <= 4 * data.len() + 16);
    }
    let (mut chunks, mut input) = (ChunkReader::new(1000), BytesMut::from(data));
    while let Ok(Some(message)) = chunks.next(&mut input) {
        assert!(message.payload.len() <= 1000 && chunks.pending() <= 2000);
    }
});
