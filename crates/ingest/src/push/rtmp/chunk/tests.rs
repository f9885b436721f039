use proptest::prelude::*;

use super::*;

fn read_all(reader: &mut ChunkReader, bytes: &[u8]) -> Result<Vec<Message>, ChunkError> {
    let mut input = BytesMut::from(bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.next(&mut input)? {
        messages.push(message);
    }
    Ok(messages)
}

fn times(bytes: &[u8]) -> Vec<u32> {
    let messages = read_all(&mut ChunkReader::new(1000), bytes).unwrap();
    messages.iter().map(|message| message.timestamp).collect()
}

/// Type 0 on chunk stream 4: time, a video message of so many bytes.
fn whole(time: u32, length: usize) -> Vec<u8> {
    let mut out = vec![4];
    out.extend(&time.min(EXTENDED).to_be_bytes()[1..]);
    out.extend(&(length as u32).to_be_bytes()[1..]);
    out.extend([kind::VIDEO, 1, 0, 0, 0]);
    if time >= EXTENDED {
        out.extend(time.to_be_bytes());
    }
    out
}

#[test]
fn the_four_headers_carry_times_on() {
    let mut bytes = whole(1000, 1);
    bytes.push(b'a');
    // Type 1: 40 ms later, another length and kind.
    bytes.extend([0x44, 0, 0, 40, 0, 0, 2, kind::AUDIO, b'b', b'b']);
    // Type 2: 20 ms later. Type 3: again 20 ms.
    bytes.extend([0x84, 0, 0, 20, b'c', b'c', 0xc4, b'd', b'd']);
    let messages = read_all(&mut ChunkReader::new(1000), &bytes).unwrap();
    let seen: Vec<_> = messages.iter().map(|m| (m.timestamp, m.kind, m.stream, &m.payload[..])).collect();
    let expected: Vec<(u32, u8, u32, &[u8])> =
        vec![(1000, 9, 1, b"a"), (1040, 8, 1, b"bb"), (1060, 8, 1, b"cc"), (1080, 8, 1, b"dd")];
    assert_eq!(seen, expected);
    // After a whole header, its time is the difference.
    assert_eq!(times(&[whole(23, 0), vec![0xc4]].concat()), [23, 46]);
}

#[test]
fn times_beyond_24_bits_are_written_behind_the_header() {
    let body = [7; 200];
    let late = 0xffff_fff0_u32;
    for (repeated, time) in [(true, late), (false, late), (true, EXTENDED), (false, 0x0100_0000)] {
        let mut bytes = whole(time, body.len());
        bytes.extend(&body[..128]);
        bytes.push(0xc4);
        if repeated {
            bytes.extend(time.to_be_bytes());
        }
        bytes.extend(&body[128..]);
        // 32 ms later, modulo 2^32; and a difference that is itself written behind.
        bytes.extend([0x84, 0, 0, 32]);
        bytes.extend(&body[..128]);
        bytes.push(0xc4);
        bytes.extend(&body[128..]);
        bytes.extend([0x84, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
        bytes.extend(&body[..128]);
        bytes.push(0xc4);
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(&body[128..]);
        let messages = read_all(&mut ChunkReader::new(1000), &bytes).unwrap();
        let next = time.wrapping_add(32);
        let seen: Vec<u32> = messages.iter().map(|message| message.timestamp).collect();
        assert_eq!(seen, [time, next, next.wrapping_add(0x0100_0000)], "{repeated} {time}");
        assert!(messages.iter().all(|message| message.payload[..] == body));
    }
}

#[test]
fn messages_are_interleaved_and_chunks_grow() {
    let mut bytes = whole(5, 300);
    bytes.extend([b'v'; 128]);
    // Sound in between, on a chunk stream whose number takes three bytes.
    bytes.extend([0x01, 2, 1, 0, 0, 6, 0, 0, 3, kind::AUDIO, 1, 0, 0, 0, b'a', b'a', b'a']);
    bytes.push(0xc4);
    bytes.extend([b'v'; 128]);
    // Chunks of 4096 from here on: also of the message that is begun.
    bytes.extend([2, 0, 0, 0, 0, 0, 4, kind::CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 16, 0]);
    bytes.push(0xc4);
    bytes.extend([b'v'; 44]);
    bytes.extend(whole(6, 1000));
    bytes.extend([b'w'; 1000]);
    let mut reader = ChunkReader::new(1000);
    let messages = read_all(&mut reader, &bytes).unwrap();
    let seen: Vec<_> = messages.iter().map(|m| (m.kind, m.timestamp, m.payload.len())).collect();
    assert_eq!(seen, [(kind::AUDIO, 6, 3), (kind::VIDEO, 5, 300), (kind::VIDEO, 6, 1000)]);
    assert_eq!(reader.pending(), 0);
}

#[test]
fn what_is_begun_can_be_given_up() {
    let mut bytes = whole(5, 300);
    bytes.extend([b'v'; 128]);
    bytes.extend([2, 0, 0, 0, 0, 0, 4, kind::ABORT, 0, 0, 0, 0, 0, 0, 0, 4]);
    // Of what is not begun, or not even known.
    bytes.extend([2, 0, 0, 0, 0, 0, 4, kind::ABORT, 0, 0, 0, 0, 0, 0, 0, 4]);
    bytes.extend([2, 0, 0, 0, 0, 0, 2, kind::ABORT, 0, 0, 0, 0, 0, 9]);
    bytes.extend(whole(7, 1));
    bytes.push(b'x');
    let mut reader = ChunkReader::new(1000);
    assert_eq!(read_all(&mut reader, &bytes).unwrap().len(), 1);
    assert_eq!(reader.pending(), 0);
}

#[test]
fn bounds_hold() {
    let error = |bytes: &[u8]| read_all(&mut ChunkReader::new(1000), bytes).unwrap_err();
    assert_eq!(error(&whole(0, 1001)), ChunkError::Long { length: 1001, most: 1000 });
    assert_eq!(error(&[0xc4]), ChunkError::NoHeader);
    assert_eq!(error(&[0x44, 0, 0, 0, 0, 0, 0, 9]), ChunkError::NoHeader);
    let begun = [whole(0, 1000), vec![0; 128]].concat();
    assert_eq!(error(&[begun.clone(), whole(0, 5)].concat()), ChunkError::Interrupted);
    let on = |id: u8| {
        let mut bytes = begun.clone();
        bytes[0] = id;
        bytes
    };
    assert_eq!(error(&[on(4), on(5), on(6)].concat()), ChunkError::Pending);
    let mut reader = ChunkReader::new(1000);
    read_all(&mut reader, &[on(4), on(5), on(6)].concat()).unwrap_err();
    assert_eq!(reader.pending(), 2000, "nothing is set aside for what is refused");
    let empty = |id: u8| vec![0, id, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0];
    let many: Vec<u8> = (0..=MOST_STREAMS as u8).flat_map(empty).collect();
    assert_eq!(error(&many), ChunkError::Streams);
    for size in [[0, 0, 0, 0], [0x80, 0, 0, 0]] {
        let bytes = [&[2, 0, 0, 0, 0, 0, 4, kind::CHUNK_SIZE, 0, 0, 0, 0][..], &size].concat();
        assert_eq!(error(&bytes), ChunkError::ChunkSize);
    }
    // What is longer than any message is as long as the longest.
    let bytes =
        [&[2, 0, 0, 0, 0, 0, 4, kind::CHUNK_SIZE, 0, 0, 0, 0][..], &[0x7f, 0xff, 0xff, 0xff]].concat();
    assert_eq!(read_all(&mut ChunkReader::new(1000), &bytes), Ok(Vec::new()));
}

#[test]
fn what_we_write_is_read() {
    let payload: Vec<u8> = (0..=255).cycle().take(9000).collect();
    let mut out = Vec::new();
    write(&mut out, 3, (kind::COMMAND, 7), &payload, 128);
    let messages = read_all(&mut ChunkReader::new(10_000), &out).unwrap();
    let expected = Message { kind: kind::COMMAND, stream: 7, timestamp: 0, payload: payload.into() };
    assert_eq!(messages, [expected]);
}

proptest! {
    /// However bytes arrive, the same comes of them, and bounds hold at each step.
    #[test]
    fn arrival_changes_nothing(
        bytes in prop::collection::vec(prop_oneof![Just(4_u8), Just(0xc4), Just(0), 0..=255_u8], 0..600),
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut first = ChunkReader::new(500);
        let (mut input, mut at_once) = (BytesMut::from(&bytes[..]), Vec::new());
        let end = loop {
            match first.next(&mut input) {
                Ok(Some(message)) => at_once.push(message),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let mut second = ChunkReader::new(500);
        let (mut input, mut piecewise, mut rest, mut cuts) = (BytesMut::new(), Vec::new(), &bytes[..], cuts.iter().cycle());
        let other = loop {
            match second.next(&mut input) {
                Ok(Some(message)) => piecewise.push(message),
                Ok(None) if rest.is_empty() => break None,
                Ok(None) => {
                    prop_assert!(input.len() < 18, "only a header waits");
                    let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                    input.extend_from_slice(now);
                    rest = later;
                }
                Err(error) => break Some(error),
            }
            prop_assert!(second.pending() <= 1000);
        };
        prop_assert_eq!((at_once, end), (piecewise, other));
    }
}
