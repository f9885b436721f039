//! What a publisher and a server say to each other, without a socket: bytes in, events and bytes out.

mod answers;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::{Buf as _, Bytes, BytesMut};

use self::answers::{Answers, Status};
use super::{
    amf::{self, AmfError, Value},
    chunk::{ChunkError, ChunkReader, Message, kind},
};

/// Bytes of the random part of the handshake.
const HANDSHAKE: usize = 1536;
/// The only version.
const VERSION: u8 = 3;
/// Longest message before somebody may publish, and of what is no media.
const LONGEST_COMMAND: usize = 64 << 10;

/// Why a connection cannot go on. Holds nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtmpError {
    /// The first byte.
    #[error("this is no RTMP, or RTMP with encryption, which is not spoken here")]
    Version,
    /// Chunks.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// A command that cannot be read.
    #[error("a command cannot be read: {0}")]
    Amf(#[from] AmfError),
    /// A message that is too long for its kind.
    #[error("a command of more than {LONGEST_COMMAND} bytes")]
    Long,
    /// Commands in an order that makes no sense.
    #[error("{0}")]
    Order(&'static str),
    /// Many tags in one message.
    #[error("aggregate messages are not supported")]
    Aggregate,
}

/// What a publisher does.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// Asks to publish: answered with [`Session::begin`] or [`Session::refuse`] before anything else is read. The name may hold a
    /// secret.
    Publish(String),
    /// A tag of pictures.
    Video(u32, Bytes),
    /// A tag of sound.
    Audio(u32, Bytes),
    /// Values about the media.
    Values(Bytes),
    /// Publishes no more.
    Unpublish,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish(_) => f.write_str("Publish(...)"),
            Self::Video(time, payload) => write!(f, "Video({time}, {} bytes)", payload.len()),
            Self::Audio(time, payload) => write!(f, "Audio({time}, {} bytes)", payload.len()),
            Self::Values(payload) => write!(f, "Values({} bytes)", payload.len()),
            Self::Unpublish => f.write_str("Unpublish"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for the publisher's half of the handshake.
    Hello,
    /// Waits for it to repeat ours.
    Echo,
    /// Commands.
    Open,
    /// Knows its application.
    Connected,
    /// Publishes on a message stream, once asked and once allowed.
    Asked(u32),
    Publishing(u32),
    Over,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    chunks: ChunkReader,
    answers: Answers,
    most_message: usize,
    received: u64,
    acknowledged: u64,
    window: u64,
}

impl Session {
    /// Takes media in messages of at most so many bytes.
    pub fn new(most_message: usize) -> Self {
        Self {
            phase: Phase::Hello,
            chunks: ChunkReader::new(LONGEST_COMMAND),
            answers: Answers::default(),
            most_message: most_message.max(LONGEST_COMMAND),
            received: 0,
            acknowledged: 0,
            window: answers::WINDOW.into(),
        }
    }

    /// The next event; `None` where `input` must grow first. Uses up `input`, but for at most one half of a handshake.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, RtmpError> {
        loop {
            let before = input.len();
            let step = match self.phase {
                Phase::Hello => self.hello(input)?,
                Phase::Echo => self.echo(input),
                Phase::Over => {
                    input.clear();
                    Step::More
                }
                _ => match self.chunks.next(input)? {
                    None => Step::More,
                    Some(message) => self.message(message)?.map_or(Step::Again, Step::Event),
                },
            };
            self.count((before - input.len()) as u64);
            match step {
                Step::Again => {}
                Step::More => return Ok(None),
                Step::Event(event) => return Ok(Some(event)),
            }
        }
    }

    /// What is to be sent.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.answers.take()
    }

    /// Bytes set aside for messages begun.
    pub fn pending(&self) -> usize {
        self.chunks.pending()
    }

    /// Allows what was asked for.
    pub fn begin(&mut self) {
        if let Phase::Asked(stream) = self.phase {
            self.phase = Phase::Publishing(stream);
            self.chunks.allow(self.most_message);
            self.answers.stream_begins(stream);
            self.answers.status(stream, Status::Good, "NetStream.Publish.Start", "publishing");
        }
    }

    /// Refuses what was asked for, or ends it. Nothing is read any more.
    pub fn refuse(&mut self, code: &str, description: &str) {
        let (Phase::Asked(stream) | Phase::Publishing(stream)) = self.phase else { return };
        self.answers.status(stream, Status::Error, code, description);
        self.phase = Phase::Over;
    }

    /// Acknowledges what was received, where that is due.
    fn count(&mut self, bytes: u64) {
        self.received += bytes;
        if matches!(self.phase, Phase::Hello | Phase::Echo) || self.received - self.acknowledged < self.window
        {
            return;
        }
        self.acknowledged = self.received;
        self.answers.acknowledge(self.received as u32);
    }

    fn hello(&mut self, input: &mut BytesMut) -> Result<Step, RtmpError> {
        if input.first().is_some_and(|version| *version != VERSION) {
            return Err(RtmpError::Version);
        }
        if input.len() <= HANDSHAKE {
            return Ok(Step::More);
        }
        input.advance(1);
        let theirs = input.split_to(HANDSHAKE);
        self.answers.handshake(&theirs);
        self.phase = Phase::Echo;
        Ok(Step::Again)
    }

    /// What they repeat is not looked at: many repeat something else.
    fn echo(&mut self, input: &mut BytesMut) -> Step {
        if input.len() < HANDSHAKE {
            return Step::More;
        }
        input.advance(HANDSHAKE);
        self.phase = Phase::Open;
        Step::Again
    }

    fn message(&mut self, message: Message) -> Result<Option<Event>, RtmpError> {
        let Message { kind, stream, timestamp, payload } = message;
        let publishing = matches!(self.phase, Phase::Publishing(_));
        if !matches!(kind, kind::AUDIO | kind::VIDEO) && payload.len() > LONGEST_COMMAND {
            return Err(RtmpError::Long);
        }
        match kind {
            kind::VIDEO if publishing => return Ok(Some(Event::Video(timestamp, payload))),
            kind::AUDIO if publishing => return Ok(Some(Event::Audio(timestamp, payload))),
            kind::AUDIO | kind::VIDEO => return Err(RtmpError::Order("media comes before it may")),
            kind::DATA if publishing => return Ok(Some(Event::Values(payload))),
            kind::DATA_AMF3 if publishing => return Ok(Some(Event::Values(past_form(payload)))),
            kind::COMMAND => return self.command(stream, &payload),
            kind::COMMAND_AMF3 => return self.command(stream, &past_form(payload)),
            kind::AGGREGATE => return Err(RtmpError::Aggregate),
            kind::WINDOW => {
                let window = payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                // Smaller ones would have us talk all the time.
                self.window = u64::from(window).clamp(LONGEST_COMMAND as u64, answers::WINDOW.into());
            }
            kind::USER_CONTROL => self.answers.pong(&payload),
            _ => {}
        }
        Ok(None)
    }

    fn command(&mut self, stream: u32, payload: &[u8]) -> Result<Option<Event>, RtmpError> {
        let values = amf::read(payload)?;
        let Some(name) = values.first().and_then(Value::as_text) else {
            return Err(RtmpError::Order("a command without a name"));
        };
        let transaction = match values.get(1) {
            Some(Value::Number(number)) => *number,
            _ => 0.0,
        };
        match name {
            "connect" if self.phase == Phase::Open => {
                self.answers.connected(transaction);
                self.phase = Phase::Connected;
            }
            "connect" => return Err(RtmpError::Order("a second connect")),
            _ if self.phase == Phase::Open => return Err(RtmpError::Order("a command before connect")),
            "publish" if self.phase == Phase::Connected => {
                let key = values.get(3).and_then(Value::as_text).unwrap_or_default();
                self.phase = Phase::Asked(stream);
                return Ok(Some(Event::Publish(key.to_owned())));
            }
            "publish" => return Err(RtmpError::Order("a second publish on one connection")),
            "play" | "play2" => {
                let words = "this server takes publishers; play what it serves over HTTP";
                self.answers.status(stream, Status::Error, "NetStream.Play.Failed", words);
            }
            "FCUnpublish" | "deleteStream" | "closeStream" => {
                if let Phase::Publishing(stream) = self.phase {
                    let words = "publishing no more";
                    self.answers.status(stream, Status::Good, "NetStream.Unpublish.Success", words);
                    self.phase = Phase::Over;
                    return Ok(Some(Event::Unpublish));
                }
            }
            "FCPublish" => self.answers.published(transaction),
            "createStream" => self.answers.stream_created(transaction),
            // Whoever asks with a number waits for an answer.
            _ if transaction > 0.0 => self.answers.result(transaction),
            _ => {}
        }
        Ok(None)
    }
}

enum Step {
    Again,
    More,
    Event(Event),
}

/// Without the byte that says that what follows is AMF 0.
fn past_form(mut payload: Bytes) -> Bytes {
    if payload.first() == Some(&0) {
        payload.advance(1);
    }
    payload
}
