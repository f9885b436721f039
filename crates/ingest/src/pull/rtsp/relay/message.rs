//! Messages of RTSP 1.0 (RFC 2326 section 4), as far as a relay reads them.

use std::io;

use bytes::{Bytes, BytesMut};

/// Longest message, body included: descriptions take a few thousand bytes.
const MOST_BYTES: usize = 256 << 10;

/// What stands in one direction of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// An interleaved packet with its four bytes of head (section 10.12).
    Packet(Bytes),
    /// A request or a response: the head with its empty line, and the body.
    Text(String, Bytes),
}

/// Takes the next whole message from the front; `None` while bytes of it are missing.
pub(super) fn take(buffer: &mut BytesMut) -> io::Result<Option<Message>> {
    if let [b'$', rest @ ..] = &buffer[..] {
        let [_, high, low, payload @ ..] = rest else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let whole = payload.len() >= length;
        return Ok(whole.then(|| Message::Packet(buffer.split_to(4 + length).freeze())));
    }
    let Some(head) = head_length(buffer) else {
        return if buffer.len() > MOST_BYTES { Err(wrong("a message without an end")) } else { Ok(None) };
    };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_error| wrong("a head that is no text"))?;
    let body = match field(text, "Content-Length") {
        None => 0,
        Some(length) => length.parse::<usize>().map_err(|_error| wrong("a body of no length"))?,
    };
    if head.saturating_add(body) > MOST_BYTES {
        return Err(wrong("a message that is too long"));
    }
    if buffer.len() < head + body {
        return Ok(None);
    }
    let text = text.to_owned();
    buffer.split_to(head).clear();
    Ok(Some(Message::Text(text, buffer.split_to(body).freeze())))
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Bytes up to the empty line and with it. Lines end with CR LF, or with LF alone as some write.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut begun = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' {
            let line = &bytes[begun..at];
            // Empty lines before a message mean nothing.
            if matches!(line, b"" | b"\r") && bytes[..begun].iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Some(at + 1);
            }
            begun = at + 1;
        }
    }
    None
}

/// The value of a header field.
pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The head with another value of a field that it holds.
pub(super) fn with_field(head: &str, name: &str, value: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((key, _)) if key.trim().eq_ignore_ascii_case(name) => format!("{name}: {value}\r\n"),
        _ => format!("{}\r\n", line.trim_end()),
    };
    head.lines().map(line).collect()
}

/// One parameter of a Transport header (section 12.39).
pub(super) fn parameter<'a>(transport: &'a str, name: &str) -> Option<&'a str> {
    transport.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let bytes = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\ncontent-length: 3\r\n\r\nabc$\x01\x00\x02xyOPTIONS * RTSP/1.0\n\n";
        let expected = [
            Message::Text(
                "RTSP/1.0 200 OK\r\nCSeq: 1\r\ncontent-length: 3\r\n\r\n".to_owned(),
                Bytes::from("abc"),
            ),
            Message::Packet(Bytes::from_static(b"$\x01\x00\x02xy")),
            Message::Text("OPTIONS * RTSP/1.0\n\n".to_owned(), Bytes::new()),
        ];
        for size in 1..bytes.len() {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(size) {
                buffer.extend_from_slice(piece);
                while let Some(message) = take(&mut buffer).unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, expected, "{size}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        let cases = [
            b"A".repeat(MOST_BYTES + 1),
            b"RTSP/1.0 200 OK\r\nX: y\r\n".repeat(20_000),
            b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n".to_vec(),
            b"RTSP/1.0 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_vec(),
            b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n".to_vec(),
            b"RTSP/1.0 200 OK\r\nX: \xff\r\n\r\n".to_vec(),
        ];
        for bytes in cases {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            assert!(take(&mut BytesMut::from(&bytes[..])).is_err(), "{shown}");
        }
    }

    #[test]
    fn noise_takes_no_more_than_it_brings() {
        let pieces: [&[u8]; 9] = [
            b"$",
            b"\x00\x00\x05",
            b"RTSP/1.0 200 OK",
            b"\r\n",
            b"\n",
            b"Content-Length: ",
            b"7",
            b":",
            b"\xff\x80",
        ];
        let mut noise = 0x2545_f491_u32;
        for _ in 0..20_000 {
            let mut buffer = BytesMut::new();
            for _ in 0..12 {
                noise ^= noise << 13;
                noise ^= noise >> 17;
                noise ^= noise << 5;
                buffer.extend_from_slice(pieces[noise as usize % pieces.len()]);
            }
            while let before = buffer.len()
                && let Ok(Some(_)) = take(&mut buffer)
            {
                assert!(buffer.len() < before, "nothing was taken");
            }
        }
    }

    #[test]
    fn fields_and_parameters_are_found_and_replaced() {
        let head = "RTSP/1.0 200 OK\r\nCSeq: 3\r\ntransport: RTP/AVP;unicast; server_port=6000-6001 ;ssrc=AB\r\n\r\n";
        let transport = field(head, "Transport").unwrap();
        assert_eq!(parameter(transport, "server_port"), Some("6000-6001"));
        assert_eq!(parameter(transport, "port"), None);
        let other = with_field(head, "Transport", "x");
        assert_eq!(other, "RTSP/1.0 200 OK\r\nCSeq: 3\r\nTransport: x\r\n\r\n");
        assert_eq!(field(head, "Session"), None);
    }
}
