//! What the server says.

use std::mem;

use super::{
    super::{
        amf::{self, Value},
        chunk::{self, kind},
    },
    HANDSHAKE, VERSION,
};

/// Bytes after which either side is to acknowledge.
pub(super) const WINDOW: u32 = 2_500_000;
/// Length of our chunks before it is said to be another, and after.
const CHUNKS: (usize, usize) = (128, 4096);
/// Our chunk streams: for control, and for commands.
const CONTROL: u8 = 2;
const COMMANDS: u8 = 3;
/// A codec is passed on as it is (enhanced RTMP's `FourCcInfoMask`).
const FORWARDED: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Error,
}

/// Gathers bytes until they are taken.
#[derive(Debug)]
pub(super) struct Answers {
    out: Vec<u8>,
    chunk: usize,
}

impl Default for Answers {
    fn default() -> Self {
        Self { out: Vec::new(), chunk: CHUNKS.0 }
    }
}

impl Answers {
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.out)
    }

    /// Version, our half, and theirs repeated. What is to be random need not be: it proves nothing.
    pub(super) fn handshake(&mut self, theirs: &[u8]) {
        self.out.push(VERSION);
        self.out.resize(self.out.len() + HANDSHAKE, 0);
        self.out.extend(theirs);
    }

    pub(super) fn connected(&mut self, transaction: f64) {
        self.control(kind::WINDOW, &WINDOW.to_be_bytes());
        // The last byte: as the publisher likes.
        self.control(kind::BANDWIDTH, &[&WINDOW.to_be_bytes()[..], &[2]].concat());
        self.control(kind::CHUNK_SIZE, &(CHUNKS.1 as u32).to_be_bytes());
        self.chunk = CHUNKS.1;
        let codecs = |names: &[&str]| {
            Value::Object(names.iter().map(|name| ((*name).to_owned(), Value::Number(FORWARDED))).collect())
        };
        let about = object([
            // What some encoders look for.
            ("fmsVer", Value::text("FMS/3,5,7,7009")),
            ("capabilities", Value::Number(31.0)),
            ("videoFourCcInfoMap", codecs(&["avc1", "hvc1", "av01", "vp09", "vp08"])),
            ("audioFourCcInfoMap", codecs(&["mp4a", "Opus"])),
        ]);
        let status = object([
            ("level", Value::text("status")),
            ("code", Value::text("NetConnection.Connect.Success")),
            ("description", Value::text("connected")),
            ("objectEncoding", Value::Number(0.0)),
        ]);
        self.command(0, &[Value::text("_result"), Value::Number(transaction), about, status]);
    }

    pub(super) fn result(&mut self, transaction: f64) {
        self.command(0, &[Value::text("_result"), Value::Number(transaction), Value::Null]);
    }

    pub(super) fn published(&mut self, transaction: f64) {
        let status = object([("code", Value::text("NetStream.Publish.Start"))]);
        self.command(0, &[Value::text("onFCPublish"), Value::Number(0.0), Value::Null, status]);
        if transaction > 0.0 {
            self.result(transaction);
        }
    }

    /// There is one, number 1.
    pub(super) fn stream_created(&mut self, transaction: f64) {
        let values = [Value::text("_result"), Value::Number(transaction), Value::Null, Value::Number(1.0)];
        self.command(0, &values);
    }

    pub(super) fn status(&mut self, stream: u32, status: Status, code: &str, description: &str) {
        let level = if status == Status::Good { "status" } else { "error" };
        let about = object([
            ("level", Value::text(level)),
            ("code", Value::text(code)),
            ("description", Value::text(description)),
        ]);
        self.command(stream, &[Value::text("onStatus"), Value::Number(0.0), Value::Null, about]);
    }

    pub(super) fn stream_begins(&mut self, stream: u32) {
        self.control(kind::USER_CONTROL, &[&[0, 0], &stream.to_be_bytes()[..]].concat());
    }

    /// The answer to a ping; nothing to the rest.
    pub(super) fn pong(&mut self, payload: &[u8]) {
        if let Some(time) = payload.strip_prefix(&[0, 6]).and_then(<[u8]>::first_chunk::<4>) {
            self.control(kind::USER_CONTROL, &[&[0, 7], &time[..]].concat());
        }
    }

    pub(super) fn acknowledge(&mut self, received: u32) {
        self.control(kind::ACKNOWLEDGEMENT, &received.to_be_bytes());
    }

    fn control(&mut self, kind: u8, payload: &[u8]) {
        chunk::write(&mut self.out, CONTROL, (kind, 0), payload, self.chunk);
    }

    fn command(&mut self, stream: u32, values: &[Value]) {
        let mut payload = Vec::new();
        for value in values {
            amf::write(value, &mut payload);
        }
        chunk::write(&mut self.out, COMMANDS, (kind::COMMAND, stream), &payload, self.chunk);
    }
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
