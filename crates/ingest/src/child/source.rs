//! An untrusted file as a [`Source`].

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use ocelli_media::{
    AccessUnit, CodecParameters,
    decode::{Decoder, OpenDecoder},
    libav::DemuxError,
};

use super::{
    ChildCommand, ChildEnd, ChildError,
    decoder::{ChildDecoder, Shared, lock},
    ending::clean,
    message::{Batch, Opened, Request, Then, name},
    process::Process,
};
use crate::{
    Source, SourceError,
    pull::{self, FileIdentity, OpenUntrusted, Stop},
};

/// A file that is read, and decoded, in a child of its own: pictures only, sound is left out. Blocking; a call takes at most [`super::ChildLimits::wall`].
#[derive(Debug)]
pub struct ChildSource {
    shared: Arc<Mutex<Shared>>,
    /// The same open file, read by offset.
    bytes: File,
    parameters: Arc<CodecParameters>,
    format: String,
    damage: Option<String>,
    units: VecDeque<AccessUnit>,
    then: Then,
}

impl ChildSource {
    /// Opens the file, starts a child and has it probe. `stop` ends the child in the middle of whatever it does.
    pub fn open(path: &Path, command: &ChildCommand, stop: &Stop) -> Result<Self, SourceError> {
        Self::of(pull::open_regular(path)?, command, stop)
    }

    /// The same with a file that is open already, for reading. Its position is the child's from now on.
    pub fn of(file: File, command: &ChildCommand, stop: &Stop) -> Result<Self, SourceError> {
        let file = pull::checked(file)?;
        let bytes = file.try_clone().map_err(SourceError::Open)?;
        let mut shared = Shared::new(Process::start(file, command, stop.clone()).map_err(ended)?);
        shared.process.ask(&Request::Open, &[]).map_err(gone)?;
        let opened = shared.process.hear(|opened: Opened, tail| {
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => return Ok(Err(error)),
            };
            let (id, parameters) = opened.parameters.parameters(tail)?;
            Ok(Ok((id, Arc::new(parameters), name(&opened.format)?, opened.damage)))
        });
        let (id, parameters, format, damage) = opened.map_err(gone)?.map_err(DemuxError::from)?;
        shared.heard.add(id, &parameters);
        Ok(Self {
            shared: Arc::new(Mutex::new(shared)),
            bytes,
            parameters,
            format,
            damage: damage.map(|line| clean(&line)),
            units: VecDeque::new(),
            then: Then::More,
        })
    }

    /// libavformat's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Of the child, for whoever measures it.
    pub fn process_id(&self) -> u32 {
        lock(&self.shared).process.id()
    }

    /// See [`FileSource::identify`](crate::pull::FileSource::identify).
    pub fn identify(&self, stopped: impl Fn() -> bool) -> io::Result<Option<FileIdentity>> {
        pull::identify(&self.bytes, stopped)
    }

    fn more(&mut self) -> Result<(), SourceError> {
        let mut held = lock(&self.shared);
        let shared = &mut *held;
        shared.process.ask(&Request::Units, &[]).map_err(gone)?;
        let (heard, units) = (&mut shared.heard, &mut self.units);
        let parameters = &mut self.parameters;
        let said = shared.process.hear(|said: Batch, tail| {
            let mut fresh = Vec::new();
            for head in said.parameters {
                let (id, told) = head.parameters(tail)?;
                fresh.push(Arc::new(told));
                heard.add(id, fresh.last().expect("just pushed"));
            }
            for head in said.units {
                units.push_back(head.unit(heard, tail)?);
            }
            Ok((said.then, said.damage))
        });
        let (then, damage) = said.map_err(gone)?;
        if let Some(last) = units.back() {
            *parameters = Arc::clone(&last.parameters);
        }
        if matches!(then, Then::More) && units.is_empty() {
            return Err(gone(shared.process.lied("no units, and no end")));
        }
        self.then = then;
        self.damage = self.damage.take().or(damage.map(|line| clean(&line)));
        Ok(())
    }
}

impl Source for ChildSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        loop {
            if let Some(unit) = self.units.pop_front() {
                return Ok(Some(unit));
            }
            match std::mem::replace(&mut self.then, Then::End) {
                Then::More => {
                    self.then = Then::More;
                    self.more()?;
                }
                Then::End => return Ok(None),
                Then::Failed(error) => return Err(DemuxError::from(error).into()),
            }
        }
    }

    fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn decoder(&self) -> Option<Box<OpenDecoder>> {
        let shared = Arc::clone(&self.shared);
        Some(Box::new(move |parameters| {
            Ok(Box::new(ChildDecoder::open(&shared, parameters)?) as Box<dyn Decoder>)
        }))
    }
}

fn gone(end: ChildEnd) -> SourceError {
    ended(ChildError::Ended(end))
}

fn ended(error: ChildError) -> SourceError {
    match error {
        ChildError::Ended(ChildEnd::Stopped) => SourceError::Stopped,
        other => SourceError::Child(other),
    }
}

impl OpenUntrusted for ChildCommand {
    fn open(&self, file: File, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(ChildSource::of(file, self, stop)?))
    }
}
