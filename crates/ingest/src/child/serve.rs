//! The child's side: locks itself down, then does what it is asked until its parent is gone.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::fd::BorrowedFd,
    process::ExitCode,
    time::Duration,
};

use ocelli_media::{
    AccessUnit,
    decode::{DecodeError, Decoded, Decoder},
    libav::{Demuxer, LibavDecoder},
};
use serde::Serialize;

use super::{
    ChildLimits,
    faults::{Coded, Container},
    lock_down,
    message::{
        Batch, Item, Known as _, OpenedHead, ParametersHead, Pixels, Pulled, Request, Then, Told, UnitHead,
    },
    picture::pack,
    wire::{self, MOST_UNIT, Tail},
};

/// A batch of units ends with the first beyond these.
const BATCH_UNITS: usize = 64;
const BATCH_BYTES: usize = 256 << 10;
/// A decoder that answers every call with an error would never end.
const MOST_ITEMS: usize = 1024;

/// Serves the parent that started this process: its file on standard input, its socket on standard output. Returns when the
/// parent is gone. To be called before anything else is set up, on a process of one thread.
pub fn serve() -> ExitCode {
    let mut from = BufReader::new(Descriptor(rustix::stdio::stdout()));
    let mut to = Descriptor(rustix::stdio::stdout());
    match begin(&mut from, &mut to).and_then(|()| Server::new().all(&mut from, &mut to)) {
        Ok(()) => ExitCode::SUCCESS,
        // Started by hand, or its parent has had enough.
        Err(_broken) => ExitCode::from(2),
    }
}

/// The first question, whose answer is a promise.
fn begin(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let (request, tail) = wire::read(from)?;
    tail.end()?;
    let Request::Start { memory_bytes, cpu_seconds, require_filter } = request else {
        return Err(wire::invalid("not started"));
    };
    let cpu = Duration::from_secs(cpu_seconds);
    let limits = ChildLimits { memory_bytes, cpu, require_filter, ..ChildLimits::default() };
    let locked = lock_down(&limits);
    let failed = locked.is_err();
    wire::write(to, &locked.map_err(|error| chain(&error)), &[])?;
    if failed { Err(wire::invalid("not locked down")) } else { Ok(()) }
}

struct Server {
    demuxer: Option<Demuxer>,
    told: Told,
    decoder: Option<LibavDecoder>,
    packed: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        Self { demuxer: None, told: Told::default(), decoder: None, packed: Vec::new() }
    }

    fn all(mut self, from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
        loop {
            let (request, tail) = match wire::read(from) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                other => other?,
            };
            self.answer(request, tail, to)?;
        }
    }

    fn answer(&mut self, request: Request, mut tail: Tail<'_>, to: &mut impl Write) -> io::Result<()> {
        match request {
            Request::Start { .. } => return Err(wire::invalid("started twice")),
            Request::Open => {
                let (head, extradata) = self.open();
                wire::write(to, &head, &[&extradata])?;
            }
            Request::Units => self.send_units(to)?,
            Request::OpenDecoder { parameters } => wire::write(to, &self.open_decoder(parameters), &[])?,
            Request::Decode { unit, wanted } => {
                let unit = unit.unit(&self.told, &mut tail)?;
                let sent =
                    self.decoder.as_mut().map_or(Err(no_decoder()), |decoder| decoder.send(&unit, wanted));
                say(to, &sent.map_err(Coded::from))?;
                self.send_items(to)?;
            }
            Request::SendEnd => {
                self.decoder.iter_mut().for_each(LibavDecoder::send_end);
                self.send_items(to)?;
            }
            Request::Receive => self.send_items(to)?,
            Request::Flush => {
                self.decoder.iter_mut().for_each(LibavDecoder::flush);
                say(to, &())?;
            }
        }
        tail.end()
    }

    fn open(&mut self) -> (Result<OpenedHead, Container>, bytes::Bytes) {
        let media = Descriptor(rustix::stdio::stdin());
        let opened = match Demuxer::open(Box::new(media)) {
            Ok(demuxer) => self.demuxer.insert(demuxer),
            Err(error) => return (Err(error.into()), bytes::Bytes::new()),
        };
        let parameters = opened.parameters();
        let (id, _) = self.told.number(parameters);
        let head = OpenedHead {
            format: opened.format().to_owned(),
            parameters: ParametersHead::of(id, parameters),
            damage: opened.damage().map(str::to_owned),
        };
        (Ok(head), parameters.extradata.clone())
    }

    fn open_decoder(&mut self, parameters: u32) -> Result<(), Coded> {
        self.decoder = None;
        let parameters = self.told.find(parameters).ok_or_else(no_decoder)?;
        self.decoder = Some(LibavDecoder::open(&parameters)?);
        Ok(())
    }

    /// What is read before an error counts.
    fn send_units(&mut self, to: &mut impl Write) -> io::Result<()> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let then = loop {
            match self.next_unit() {
                Ok(Some(unit)) if unit.data.len() > MOST_UNIT => {
                    let words = format!("a picture of {} bytes", unit.data.len());
                    break Then::Failed(Container::Broken(words));
                }
                Ok(Some(unit)) => {
                    bytes += unit.data.len();
                    batch.push(unit);
                }
                Ok(None) => break Then::End,
                Err(error) => break Then::Failed(error),
            }
            if batch.len() >= BATCH_UNITS || bytes >= BATCH_BYTES {
                break Then::More;
            }
        };
        self.send_batch(&batch, then, to)
    }

    fn send_batch(&mut self, batch: &[AccessUnit], then: Then, to: &mut impl Write) -> io::Result<()> {
        let (mut parameters, mut units) = (Vec::new(), Vec::new());
        let (mut extradata, mut parts): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        for unit in batch {
            let (id, is_new) = self.told.number(&unit.parameters);
            if is_new {
                parameters.push(ParametersHead::of(id, &unit.parameters));
                extradata.push(&unit.parameters.extradata);
            }
            let (head, bytes) = UnitHead::of(unit, id);
            units.push(head);
            parts.extend(bytes);
        }
        let damage = self.demuxer.as_ref().and_then(Demuxer::damage).map(str::to_owned);
        extradata.extend(parts);
        wire::write(to, &Batch { parameters, units, then, damage }, &extradata)
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, Container> {
        let demuxer = self.demuxer.as_mut().ok_or(Container::NoVideo)?;
        Ok(demuxer.next_unit()?)
    }

    /// Pulls as [`Decoding`](ocelli_media::decode::Decoding) does: until there is nothing, or damage was told.
    fn send_items(&mut self, to: &mut impl Write) -> io::Result<()> {
        for count in 1.. {
            let pulled = self.decoder.as_mut().map_or(Err(no_decoder()), Decoder::receive);
            let pulled = self.pulled(pulled);
            let ends = match &pulled {
                Pulled::Nothing => true,
                Pulled::Failed(error) => !matches!(error, Coded::Codec { .. }),
                Pulled::Picture { .. } => false,
            };
            let has_pixels = matches!(&pulled, Pulled::Picture { pixels: Pixels::Planes { .. }, .. });
            let planes: &[u8] = if has_pixels { &self.packed } else { &[] };
            let last = ends || count >= MOST_ITEMS;
            wire::write(to, &Item { pulled, last }, &[planes])?;
            if last {
                break;
            }
        }
        Ok(())
    }

    fn pulled(&mut self, pulled: Result<Option<Decoded>, DecodeError>) -> Pulled {
        match pulled {
            Ok(None) => Pulled::Nothing,
            Err(error) => Pulled::Failed(error.into()),
            Ok(Some(Decoded { pts, frame, damaged, unit_damaged })) => {
                let pixels = match frame {
                    None => Pixels::Unwanted,
                    Some(Err(error)) => Pixels::Unusable { code: error.code() },
                    Some(Ok(frame)) => pack(&frame.picture(), &mut self.packed),
                };
                Pulled::Picture { pts, damaged, unit_damaged: unit_damaged.map(Coded::from), pixels }
            }
        }
    }
}

fn say(to: &mut dyn Write, answer: &impl Serialize) -> io::Result<()> {
    wire::write(to, answer, &[])
}

fn no_decoder() -> DecodeError {
    DecodeError::Gone("it has no decoder".to_owned())
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// One that was inherited, used with nothing but `read`, `write` and `lseek`.
#[derive(Debug)]
struct Descriptor(BorrowedFd<'static>);

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::io::retry_on_intr(|| rustix::io::read(self.0, &mut *buffer)).map_err(io::Error::from)
    }
}

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::retry_on_intr(|| rustix::io::write(self.0, bytes)).map_err(io::Error::from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Descriptor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => rustix::fs::SeekFrom::Start(at),
            SeekFrom::End(by) => rustix::fs::SeekFrom::End(by),
            SeekFrom::Current(by) => rustix::fs::SeekFrom::Current(by),
        };
        Ok(rustix::fs::seek(self.0, to)?)
    }
}
