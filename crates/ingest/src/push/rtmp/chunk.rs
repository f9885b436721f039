//! RTMP's chunk stream (Adobe, RTMP 1.0, section 5.3): messages cut into chunks, several of them interleaved. Everything
//! is bounded: the length of a message, what messages begun may hold together, and the number of chunk streams.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::{Buf as _, Bytes, BytesMut};

/// Most chunk streams of a connection; publishers use four or five.
const MOST_STREAMS: usize = 64;
/// Longest chunk before anybody says otherwise.
const FIRST_CHUNK: usize = 128;
/// Stands for a time that is written behind the header.
const EXTENDED: u32 = 0xff_ffff;

/// Kinds of messages.
pub mod kind {
    /// Length of the sender's chunks.
    pub const CHUNK_SIZE: u8 = 1;
    /// A message begun is given up.
    pub const ABORT: u8 = 2;
    /// Bytes received.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// Pings and the like.
    pub const USER_CONTROL: u8 = 4;
    /// How often bytes are acknowledged.
    pub const WINDOW: u8 = 5;
    /// What the other side should say of its window.
    pub const BANDWIDTH: u8 = 6;
    /// Body of an FLV tag of sound.
    pub const AUDIO: u8 = 8;
    /// Body of an FLV tag of pictures.
    pub const VIDEO: u8 = 9;
    /// Values, after a byte.
    pub const DATA_AMF3: u8 = 15;
    /// A command, after a byte.
    pub const COMMAND_AMF3: u8 = 17;
    /// Values.
    pub const DATA: u8 = 18;
    /// A command.
    pub const COMMAND: u8 = 20;
    /// Many FLV tags in one.
    pub const AGGREGATE: u8 = 22;
}

/// One whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// See [`kind`].
    pub kind: u8,
    /// Which message stream.
    pub stream: u32,
    /// In milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// What it holds.
    pub payload: Bytes,
}

/// Why bytes are no chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// Refers to a header that never came.
    #[error("a chunk continues what never began")]
    NoHeader,
    /// A new message where one is not at its end.
    #[error("a message begins before the one before it ends")]
    Interrupted,
    /// A longer message than is taken.
    #[error("a message of {length} bytes, where at most {most} are taken")]
    Long {
        /// As announced.
        length: usize,
        /// At this point of the connection.
        most: usize,
    },
    /// All together.
    #[error("too much is begun and not ended")]
    Pending,
    /// Too many chunk streams.
    #[error("more than {MOST_STREAMS} chunk streams")]
    Streams,
    /// 0, or not four bytes.
    #[error("a length of chunks that is none")]
    ChunkSize,
}

/// What came so far on one chunk stream.
#[derive(Debug, Default)]
struct Stream {
    kind: u8,
    /// The message stream.
    of: u32,
    length: usize,
    timestamp: u32,
    delta: u32,
    /// The time behind the last header, where it had one.
    extended: Option<u32>,
    /// Of the message begun.
    body: Option<Vec<u8>>,
}

/// Bytes to messages.
#[derive(Debug)]
pub struct ChunkReader {
    chunk: usize,
    most: usize,
    streams: BTreeMap<u32, Stream>,
    /// Announced length of all messages begun.
    pending: usize,
    /// The chunk that is being read: its stream, and the bytes of it that are still to come.
    current: Option<(u32, usize)>,
}

/// A time behind a header.
struct Late(Option<u32>);

struct Header {
    bytes: usize,
    format: u8,
    id: u32,
}

impl ChunkReader {
    /// Takes messages of at most so many bytes.
    pub fn new(most: usize) -> Self {
        Self { chunk: FIRST_CHUNK, most, streams: BTreeMap::new(), pending: 0, current: None }
    }

    /// Takes messages of at most so many bytes from now on.
    pub fn allow(&mut self, most: usize) {
        self.most = most;
    }

    /// Bytes set aside for messages begun.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// The next whole message; `None` where `input` must grow first. What is used of it is taken from it: at most a header stays.
    /// Lengths of chunks and aborts are obeyed here.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Message>, ChunkError> {
        loop {
            let (id, left) = match self.current {
                Some(current) => current,
                None => match self.begin(input)? {
                    Some(current) => current,
                    None => return Ok(None),
                },
            };
            let Some(stream) = self.streams.get_mut(&id) else { return Err(ChunkError::NoHeader) };
            let body = stream.body.get_or_insert_default();
            let now = left.min(input.len());
            body.extend_from_slice(&input[..now]);
            input.advance(now);
            self.current = (now < left).then_some((id, left - now));
            if self.current.is_some() {
                return Ok(None);
            }
            if body.len() < stream.length {
                continue;
            }
            self.pending -= stream.length;
            let message = Message {
                kind: stream.kind,
                stream: stream.of,
                timestamp: stream.timestamp,
                payload: stream.body.take().unwrap_or_default().into(),
            };
            match message.kind {
                kind::CHUNK_SIZE => self.chunk = chunk_size(&message.payload)?,
                kind::ABORT => self.abort(&message.payload),
                _ => return Ok(Some(message)),
            }
        }
    }

    fn abort(&mut self, payload: &[u8]) {
        let id = payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        if let Some(stream) = id.and_then(|id| self.streams.get_mut(&id))
            && stream.body.take().is_some()
        {
            self.pending -= stream.length;
        }
    }

    /// Reads the header of a chunk: its stream, and how much of it follows.
    fn begin(&mut self, input: &mut BytesMut) -> Result<Option<(u32, usize)>, ChunkError> {
        let Some(header) = header(input) else { return Ok(None) };
        let known = self.streams.get(&header.id);
        let begun = known.is_some_and(|stream| stream.body.is_some());
        match (header.format, known) {
            (0, None) if self.streams.len() == MOST_STREAMS => return Err(ChunkError::Streams),
            (1.., None) => return Err(ChunkError::NoHeader),
            (..3, _) if begun => return Err(ChunkError::Interrupted),
            _ => {}
        }
        let fields = &input[header.bytes..];
        let size = [11, 7, 3, 0][usize::from(header.format)];
        let Some((mut fields, behind)) = fields.split_at_checked(size) else { return Ok(None) };
        let time = if size > 0 { fields.get_uint(3) as u32 } else { 0 };
        let before = known.and_then(|stream| stream.extended);
        let Some(Late(extended)) = late(header.format, time, before, behind) else { return Ok(None) };
        let stream = self.streams.entry(header.id).or_default();
        if header.format < 2 {
            stream.length = fields.get_uint(3) as usize;
            stream.kind = fields.get_u8();
        }
        if header.format == 0 {
            stream.of = fields.get_u32_le();
        }
        input.advance(header.bytes + size + if extended.is_some() { 4 } else { 0 });
        if header.format < 3 {
            stream.extended = extended;
            stream.delta = extended.unwrap_or(time);
        }
        if !begun {
            // After a whole header the time is the difference too (section 5.3.1.2.4).
            let from = if header.format == 0 { 0 } else { stream.timestamp };
            stream.timestamp = from.wrapping_add(stream.delta);
            let length = stream.length;
            if length > self.most {
                return Err(ChunkError::Long { length, most: self.most });
            }
            if self.pending + length > 2 * self.most {
                return Err(ChunkError::Pending);
            }
            self.pending += length;
            stream.body = Some(Vec::with_capacity(length));
        }
        let have = stream.body.as_ref().map_or(0, Vec::len);
        Ok(Some((header.id, (stream.length - have).min(self.chunk))))
    }
}

/// The time behind a header, if there is one; `None` where that cannot be told yet. Not every sender repeats it in chunks that
/// continue: there it is one where it is the same as before.
fn late(format: u8, time: u32, before: Option<u32>, behind: &[u8]) -> Option<Late> {
    let is_due = if format < 3 { time == EXTENDED } else { before.is_some() };
    if !is_due {
        return Some(Late(None));
    }
    let value = u32::from_be_bytes(*behind.first_chunk()?);
    Some(Late((format < 3 || before == Some(value)).then_some(value)))
}

fn header(input: &[u8]) -> Option<Header> {
    let first = *input.first()?;
    let (bytes, id) = match first & 0x3f {
        0 => (2, u32::from(*input.get(1)?) + 64),
        1 => (3, u32::from(*input.get(1)?) + u32::from(*input.get(2)?) * 256 + 64),
        id => (1, u32::from(id)),
    };
    Some(Header { bytes, format: first >> 6, id })
}

fn chunk_size(payload: &[u8]) -> Result<usize, ChunkError> {
    let size = payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    // The highest bit is always 0; longer than a message no chunk can be.
    if size == 0 || size >> 31 == 1 { Err(ChunkError::ChunkSize) } else { Ok(size.min(EXTENDED) as usize) }
}

/// Writes a message in chunks of at most `chunk` bytes, on a chunk stream below 64. Its time is 0.
pub fn write(out: &mut Vec<u8>, id: u8, (kind, stream): (u8, u32), payload: &[u8], chunk: usize) {
    out.extend([id & 0x3f, 0, 0, 0]);
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(kind);
    out.extend(stream.to_le_bytes());
    for (index, piece) in payload.chunks(chunk).enumerate() {
        if index > 0 {
            out.push(0xc0 | id & 0x3f);
        }
        out.extend(piece);
    }
}
