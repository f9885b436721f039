use super::*;

/// In chunks of 128 bytes, on chunk stream 3.
fn message(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![3, 0, 0, 0];
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(kind);
    out.extend(stream.to_le_bytes());
    for (index, piece) in payload.chunks(128).enumerate() {
        if index > 0 {
            out.push(0xc3);
        }
        out.extend(piece);
    }
    out
}

fn command(stream: u32, values: &[Value]) -> Vec<u8> {
    let mut payload = Vec::new();
    for value in values {
        amf::write(value, &mut payload);
    }
    message(kind::COMMAND, stream, &payload)
}

fn connect() -> Vec<u8> {
    let about = Value::Object(vec![("app".to_owned(), Value::text("live"))]);
    command(0, &[Value::text("connect"), Value::Number(1.0), about])
}

fn publish(name: &str) -> Vec<u8> {
    let values =
        [Value::text("publish"), Value::Number(5.0), Value::Null, Value::text(name), Value::text("live")];
    command(1, &values)
}

fn hello() -> Vec<u8> {
    [&[3][..], &[7; HANDSHAKE], &[0; HANDSHAKE]].concat()
}

/// The next event of these bytes.
fn said(session: &mut Session, bytes: &[u8]) -> Result<Option<Event>, RtmpError> {
    let mut input = BytesMut::from(bytes);
    let event = session.next(&mut input);
    assert!(event.is_err() || input.is_empty(), "everything is used");
    event
}

/// What the server says, as names and codes.
fn heard(session: &mut Session) -> Vec<String> {
    // Its chunks are longer from the answer to connect on.
    let longer = message(kind::CHUNK_SIZE, 0, &4096_u32.to_be_bytes());
    let mut input = BytesMut::from(&[longer, session.take_output()].concat()[..]);
    let (mut chunks, mut heard) = (ChunkReader::new(1 << 20), Vec::new());
    while let Some(message) = chunks.next(&mut input).unwrap() {
        if message.kind != kind::COMMAND {
            heard.push(message.kind.to_string());
            continue;
        }
        let values = amf::read(&message.payload).unwrap();
        let code = values.last().and_then(|value| value.get("code")).and_then(Value::as_text);
        heard.push(format!("{} {}", values[0].as_text().unwrap(), code.unwrap_or_default()));
    }
    assert!(input.is_empty());
    heard
}

fn publishing() -> Session {
    let mut session = Session::new(1 << 20);
    assert_eq!(said(&mut session, &hello()), Ok(None));
    session.take_output();
    assert_eq!(said(&mut session, &connect()), Ok(None));
    heard(&mut session);
    assert!(matches!(said(&mut session, &publish("cam1")), Ok(Some(Event::Publish(_)))));
    session.begin();
    assert_eq!(heard(&mut session), ["4", "onStatus NetStream.Publish.Start"]);
    session
}

#[test]
fn a_publish_is_negotiated() {
    let mut session = Session::new(1 << 20);
    let hello = hello();
    assert_eq!(said(&mut session, &hello[..=HANDSHAKE]), Ok(None));
    let half = session.take_output();
    assert_eq!((half.len(), half[0], &half[1 + HANDSHAKE..]), (1 + 2 * HANDSHAKE, 3, &hello[1..=HANDSHAKE]));
    assert_eq!(said(&mut session, &hello[1 + HANDSHAKE..]), Ok(None));
    assert_eq!(said(&mut session, &connect()), Ok(None));
    assert_eq!(heard(&mut session), ["5", "6", "_result NetConnection.Connect.Success"]);
    for (name, answers) in [
        ("releaseStream", vec!["_result "]),
        ("FCPublish", vec!["onFCPublish NetStream.Publish.Start", "_result "]),
        ("createStream", vec!["_result "]),
        ("_checkbw", vec!["_result "]),
    ] {
        let values = [Value::text(name), Value::Number(2.0), Value::Null, Value::text("cam1")];
        assert_eq!(said(&mut session, &command(0, &values)), Ok(None));
        assert_eq!(heard(&mut session), answers, "{name}");
    }
    let event = said(&mut session, &publish("cam1?secret=canary")).unwrap().unwrap();
    assert_eq!(format!("{event:?}"), "Publish(...)", "no secret");
    assert_eq!(event, Event::Publish("cam1?secret=canary".to_owned()));
    session.begin();
    heard(&mut session);
    assert_eq!(
        said(&mut session, &message(kind::VIDEO, 1, b"v")),
        Ok(Some(Event::Video(0, b"v"[..].into())))
    );
    assert_eq!(
        said(&mut session, &message(kind::AUDIO, 1, b"a")),
        Ok(Some(Event::Audio(0, b"a"[..].into())))
    );
    for (kind, bytes) in [(kind::DATA, &b"x"[..]), (kind::DATA_AMF3, b"\0x")] {
        assert_eq!(said(&mut session, &message(kind, 1, bytes)), Ok(Some(Event::Values(b"x"[..].into()))));
    }
    let end = command(0, &[Value::text("FCUnpublish"), Value::Number(6.0), Value::Null]);
    assert_eq!(said(&mut session, &end), Ok(Some(Event::Unpublish)));
    assert_eq!(heard(&mut session), ["onStatus NetStream.Unpublish.Success"]);
    assert_eq!(said(&mut session, b"anything"), Ok(None), "it is over");
}

#[test]
fn pings_are_answered_and_bytes_acknowledged() {
    let mut session = publishing();
    assert_eq!(said(&mut session, &message(kind::USER_CONTROL, 0, &[0, 6, 1, 2, 3, 4])), Ok(None));
    assert_eq!(said(&mut session, &message(kind::USER_CONTROL, 0, &[0, 6, 1])), Ok(None));
    assert_eq!(heard(&mut session), ["4"]);
    // Windows too small to be meant are not kept to.
    said(&mut session, &message(kind::WINDOW, 0, &[0, 0, 0, 1])).unwrap();
    said(&mut session, &message(kind::VIDEO, 1, &vec![0; 60_000])).unwrap();
    assert!(heard(&mut session).is_empty());
    said(&mut session, &message(kind::VIDEO, 1, &vec![0; 60_000])).unwrap();
    assert_eq!(heard(&mut session), ["3"]);
}

#[test]
fn a_publish_is_refused() {
    let mut session = Session::new(1 << 20);
    said(&mut session, &[hello(), connect()].concat()).unwrap();
    session.take_output();
    said(&mut session, &publish("cam1")).unwrap();
    session.refuse("NetStream.Publish.BadName", "why");
    assert_eq!(heard(&mut session), ["onStatus NetStream.Publish.BadName"]);
    assert_eq!(said(&mut session, &message(kind::VIDEO, 1, b"v")), Ok(None), "nothing is read any more");
    session.refuse("NetStream.Publish.BadName", "again");
    session.begin();
    assert!(heard(&mut session).is_empty());
}

#[test]
fn what_is_against_the_order_is_refused() {
    let fresh = || {
        let mut session = Session::new(1 << 20);
        said(&mut session, &hello()).unwrap();
        session
    };
    for first in [0x16, 6, b'G'] {
        assert_eq!(said(&mut Session::new(1), &[first]), Err(RtmpError::Version));
    }
    let create = command(0, &[Value::text("createStream"), Value::Number(1.0)]);
    assert!(matches!(said(&mut fresh(), &create), Err(RtmpError::Order(_))));
    assert!(matches!(said(&mut fresh(), &message(kind::VIDEO, 1, b"v")), Err(RtmpError::Order(_))));
    assert!(matches!(said(&mut fresh(), &[connect(), connect()].concat()), Err(RtmpError::Order(_))));
    assert!(matches!(said(&mut fresh(), &command(0, &[Value::Null])), Err(RtmpError::Order(_))));
    assert!(matches!(said(&mut fresh(), &message(kind::COMMAND, 0, b"\x02\xff")), Err(RtmpError::Amf(_))));
    assert!(matches!(said(&mut publishing(), &publish("x")), Err(RtmpError::Order(_))));
    assert_eq!(said(&mut publishing(), &message(kind::AGGREGATE, 1, b"")), Err(RtmpError::Aggregate));
    assert_eq!(said(&mut publishing(), &message(kind::DATA, 1, &vec![0; 70_000])), Err(RtmpError::Long));
    // Media may be long, once it may be at all.
    assert!(matches!(said(&mut fresh(), &message(9, 1, &vec![0; 70_000])), Err(RtmpError::Chunk(_))));
    assert!(said(&mut publishing(), &message(9, 1, &vec![0; 70_000])).unwrap().is_some());
    assert!(matches!(said(&mut publishing(), &message(9, 1, &vec![0; 2 << 20])), Err(RtmpError::Chunk(_))));
    let mut player = fresh();
    let play = command(0, &[Value::text("play"), Value::Number(1.0)]);
    assert_eq!(said(&mut player, &[connect(), play].concat()), Ok(None));
    player.answers.take();
    said(&mut player, &command(0, &[Value::text("play"), Value::Number(1.0)])).unwrap();
    assert_eq!(heard(&mut player), ["onStatus NetStream.Play.Failed"]);
}
