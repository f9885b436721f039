//! The [`Decoder`] seam across to the child.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ocelli_media::{
    AccessUnit, CodecParameters,
    decode::{DecodeError, Decoded, Decoder},
    libav::AvError,
    pixel::{Matrix, Range},
};

use super::{
    ChildEnd,
    faults::Coded,
    message::{Heard, Item, Pixels, Pulled, Request, UnitHead},
    picture::unpack,
    process::Process,
    wire::Tail,
};

/// More answers to one question than an honest child gives.
const MOST_ITEMS: usize = 1024;

/// What source and decoder share: the process, and what both know.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) process: Process,
    pub(super) heard: Heard,
    /// Counts decoders: the child has the newest only.
    decoders: u64,
}

impl Shared {
    pub(super) fn new(process: Process) -> Self {
        Self { process, heard: Heard::default(), decoders: 0 }
    }
}

/// Whoever held it last left it whole: a process that failed in the middle of something is ended.
pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A decoder in the child that gave the units.
#[derive(Debug)]
pub(super) struct ChildDecoder {
    shared: Arc<Mutex<Shared>>,
    number: u64,
    parameters: Arc<CodecParameters>,
    /// Times of pictures that are wanted and have not come out: no others are taken.
    wanted: BTreeSet<i64>,
    answers: VecDeque<Result<Option<Decoded>, DecodeError>>,
    /// The child may have more.
    asks_on: bool,
}

impl ChildDecoder {
    pub(super) fn open(
        shared: &Arc<Mutex<Shared>>,
        parameters: &Arc<CodecParameters>,
    ) -> Result<Self, DecodeError> {
        let mut held = lock(shared);
        let unknown = || DecodeError::Gone("its parameters are not of this file".to_owned());
        let id = held.heard.number(parameters).ok_or_else(unknown)?;
        held.process.ask(&Request::OpenDecoder { parameters: id }, &[]).map_err(gone)?;
        let opened: Result<(), Coded> = held.process.hear(|head, _| Ok(head)).map_err(gone)?;
        opened?;
        held.decoders += 1;
        Ok(Self {
            shared: Arc::clone(shared),
            number: held.decoders,
            parameters: Arc::clone(parameters),
            wanted: BTreeSet::new(),
            answers: VecDeque::new(),
            asks_on: false,
        })
    }

    /// Asks the child, if it still has this decoder.
    fn ask(
        &mut self,
        question: impl FnOnce(&mut Self, &mut Shared) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let shared = Arc::clone(&self.shared);
        let mut held = lock(&shared);
        if held.decoders != self.number {
            return Err(gone(ChildEnd::Superseded));
        }
        question(self, &mut held)
    }

    /// Hears what came out, up to the last answer.
    fn hear_items(&mut self, process: &mut Process) -> Result<(), ChildEnd> {
        let most_pixels = process.limits().pixels;
        for _ in 0..MOST_ITEMS {
            let wanted = &mut self.wanted;
            let (answer, last) = process
                .hear(|Item { pulled, last }, tail| Ok((taken(pulled, tail, wanted, most_pixels)?, last)))?;
            self.asks_on = last && !matches!(answer, Ok(None));
            self.answers.push_back(answer);
            if last {
                return Ok(());
            }
        }
        Err(process.lied("pictures without end"))
    }
}

/// One answer, its planes taken from the tail. Pixels that nobody asked for are refused: they could be without end.
fn taken(
    pulled: Pulled,
    tail: &mut Tail<'_>,
    wanted: &mut BTreeSet<i64>,
    most_pixels: u64,
) -> io::Result<Result<Option<Decoded>, DecodeError>> {
    let (pts, damaged, unit_damaged, pixels) = match pulled {
        Pulled::Nothing => return Ok(Ok(None)),
        Pulled::Failed(error) => return Ok(Err(error.into())),
        Pulled::Picture { pts, damaged, unit_damaged, pixels } => (pts, damaged, unit_damaged, pixels),
    };
    *wanted = wanted.split_off(&pts);
    let is_wanted = wanted.remove(&pts);
    let frame = match pixels {
        Pixels::Unwanted => None,
        Pixels::Unusable { code } => Some(Err(AvError::of_code(code))),
        Pixels::Planes { .. } if !is_wanted => {
            return Err(super::wire::invalid("a picture that was not asked for"));
        }
        Pixels::Planes { width, height, full_range, bt709 } => {
            let range = if full_range { Range::Full } else { Range::Limited };
            let matrix = if bt709 { Matrix::Bt709 } else { Matrix::Bt601 };
            Some(Ok(unpack(pts, (width, height), (range, matrix), most_pixels, tail)?))
        }
    };
    let unit_damaged = unit_damaged.map(DecodeError::from);
    Ok(Ok(Some(Decoded { pts, frame, damaged, unit_damaged })))
}

fn gone(end: ChildEnd) -> DecodeError {
    DecodeError::Gone(super::ChildError::Ended(end).to_string())
}

impl Decoder for ChildDecoder {
    fn send(&mut self, unit: &AccessUnit, wanted: bool) -> Result<(), DecodeError> {
        self.ask(|decoder, shared| {
            let id = shared.heard.number(&unit.parameters);
            let id = id.ok_or_else(|| DecodeError::Gone("a unit of another file".to_owned()))?;
            if wanted {
                decoder.wanted.insert(unit.pts);
            }
            let (head, parts) = UnitHead::of(unit, id);
            shared.process.ask(&Request::Decode { unit: head, wanted }, &parts).map_err(gone)?;
            let sent: Result<(), Coded> = shared.process.hear(|head, _| Ok(head)).map_err(gone)?;
            decoder.hear_items(&mut shared.process).map_err(gone)?;
            Ok(sent?)
        })
    }

    fn send_end(&mut self) {
        let asked = self.ask(|decoder, shared| {
            shared.process.ask(&Request::SendEnd, &[]).map_err(gone)?;
            decoder.hear_items(&mut shared.process).map_err(gone)
        });
        self.answers.extend(asked.err().map(Err));
    }

    fn receive(&mut self) -> Result<Option<Decoded>, DecodeError> {
        if self.answers.is_empty() && self.asks_on {
            self.ask(|decoder, shared| {
                shared.process.ask(&Request::Receive, &[]).map_err(gone)?;
                decoder.hear_items(&mut shared.process).map_err(gone)
            })?;
        }
        self.answers.pop_front().unwrap_or(Ok(None))
    }

    fn flush(&mut self) {
        self.wanted.clear();
        self.answers.clear();
        self.asks_on = false;
        // A child that is gone says so at the next unit.
        let flushed = self.ask(|_, shared| {
            shared.process.ask(&Request::Flush, &[]).map_err(gone)?;
            shared.process.hear(|(), _| Ok(())).map_err(gone)
        });
        flushed.ok();
    }

    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }
}
