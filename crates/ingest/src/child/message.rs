//! What parent and child say to each other, and the way of units and parameters through it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use ocelli_media::{AccessUnit, Codec, CodecParameters, Rotation, libav::SideData};
use ocelli_model::TimeBase;
use serde::{Deserialize, Serialize};

use super::{
    faults::{Coded, Container},
    wire::{Tail, invalid},
};

/// Parameters that are remembered; a file that changes them with every unit loses the oldest.
const MOST_PARAMETERS: usize = 256;
/// Larger numerators of a time base overflow when times are counted.
const LONGEST_TICK: u32 = 1_000_000;
/// Longest name of a codec or container.
const LONGEST_NAME: usize = 100;

/// From parent to child. Each gets its answer before the next is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The first: answered with [`Started`], locked down.
    Start { memory_bytes: u64, cpu_seconds: u64, require_filter: bool },
    /// Probe the file: [`Opened`].
    Open,
    /// Some units: [`Batch`].
    Units,
    /// A decoder in place of an earlier one: a `Result<(), Coded>`.
    OpenDecoder { parameters: u32 },
    /// One unit for it: a `Result<(), Coded>`, then [`Item`]s up to the last.
    Decode { unit: UnitHead, wanted: bool },
    /// No more units: items.
    SendEnd,
    /// What is still there: items.
    Receive,
    /// Forget: nothing.
    Flush,
}

/// Whether it is locked down, else why not.
pub(super) type Started = Result<(), String>;

/// What the file is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OpenedHead {
    pub(super) format: String,
    pub(super) parameters: ParametersHead,
    pub(super) damage: Option<String>,
}

/// Answer to [`Request::Open`].
pub(super) type Opened = Result<OpenedHead, Container>;

/// A batch of units in decode order, the bytes in the tail: of each new set of parameters its extradata, then of each unit its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) parameters: Vec<ParametersHead>,
    pub(super) units: Vec<UnitHead>,
    pub(super) then: Then,
    pub(super) damage: Option<String>,
}

/// What follows a batch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Then {
    More,
    End,
    Failed(Container),
}

/// One answer of a decoder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) pulled: Pulled,
    /// No other follows without a request.
    pub(super) last: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Pulled {
    Nothing,
    Picture { pts: i64, damaged: bool, unit_damaged: Option<Coded>, pixels: Pixels },
    Failed(Coded),
}

/// What there is of a picture; the planes are in the tail, rows close together.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Pixels {
    Unwanted,
    Planes { width: u32, height: u32, full_range: bool, bt709: bool },
    Unusable { code: i32 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UnitHead {
    parameters: u32,
    pts: i64,
    dts: Option<i64>,
    keyframe: bool,
    damaged: bool,
    presentable: bool,
    data: u32,
    palette: Option<u32>,
    change: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ParametersHead {
    id: u32,
    codec: String,
    extradata: u32,
    width: u32,
    height: u32,
    quarter_turns: u8,
    time_base: (u32, u32),
    reorder_hint: u32,
    /// The bits of a double, which decimal digits might not give back.
    frame_rate: u64,
    duration: Option<i64>,
}

impl UnitHead {
    /// A unit without its bytes, which are its parts.
    pub(super) fn of(unit: &AccessUnit, parameters: u32) -> (Self, Vec<&[u8]>) {
        let size = |bytes: &Bytes| bytes.len() as u32;
        let head = Self {
            parameters,
            pts: unit.pts,
            dts: unit.dts,
            keyframe: unit.container_keyframe,
            damaged: unit.damaged,
            presentable: unit.presentable,
            data: size(&unit.data),
            palette: unit.side.palette.as_ref().map(size),
            change: unit.side.change.as_ref().map(size),
        };
        let side = [&unit.side.palette, &unit.side.change].into_iter().flatten();
        (head, std::iter::once(&unit.data).chain(side).map(|part| &part[..]).collect())
    }

    /// The unit, with its bytes from the tail.
    pub(super) fn unit(self, known: &impl Known, tail: &mut Tail<'_>) -> io::Result<AccessUnit> {
        let parameters = known.find(self.parameters).ok_or_else(|| invalid("parameters never told"))?;
        let mut take = |size: u32| tail.take(size as usize).map(Bytes::from);
        let mut unit = AccessUnit::new(self.pts, take(self.data)?, parameters);
        unit.side = SideData {
            palette: self.palette.map(&mut take).transpose()?,
            change: self.change.map(&mut take).transpose()?,
        };
        (unit.dts, unit.container_keyframe) = (self.dts, self.keyframe);
        (unit.damaged, unit.presentable) = (self.damaged, self.presentable);
        Ok(unit)
    }
}

impl ParametersHead {
    pub(super) fn of(id: u32, parameters: &CodecParameters) -> Self {
        let quarter_turns = match parameters.rotation {
            Rotation::None => 0,
            Rotation::Clockwise => 1,
            Rotation::Half => 2,
            Rotation::Counterclockwise => 3,
        };
        Self {
            id,
            codec: parameters.codec.name().to_owned(),
            extradata: parameters.extradata.len() as u32,
            width: parameters.width,
            height: parameters.height,
            quarter_turns,
            time_base: (parameters.time_base.num(), parameters.time_base.den()),
            reorder_hint: parameters.reorder_hint,
            frame_rate: parameters.frame_rate.to_bits(),
            duration: parameters.duration,
        }
    }

    /// Checked as the demuxer checks what containers say.
    pub(super) fn parameters(self, tail: &mut Tail<'_>) -> io::Result<(u32, CodecParameters)> {
        let (num, den) = self.time_base;
        let counts = num <= LONGEST_TICK;
        let base = TimeBase::new(num, den).ok().filter(|_| counts);
        let base = base.ok_or_else(|| invalid(format!("a time base of {num}/{den} s")))?;
        let codec = Codec::named(&name(&self.codec)?);
        let extradata = tail.take(self.extradata as usize)?.into();
        let mut parameters = CodecParameters::new(codec, extradata, base);
        (parameters.width, parameters.height) = (self.width, self.height);
        parameters.rotation = match self.quarter_turns {
            1 => Rotation::Clockwise,
            2 => Rotation::Half,
            3 => Rotation::Counterclockwise,
            _ => Rotation::None,
        };
        let rate = f64::from_bits(self.frame_rate);
        parameters.frame_rate = if rate.is_finite() && rate > 0.0 { rate } else { 0.0 };
        (parameters.reorder_hint, parameters.duration) = (self.reorder_hint, self.duration);
        Ok((self.id, parameters))
    }
}

/// A name of libav's: letters, digits and the like.
pub(super) fn name(word: &str) -> io::Result<String> {
    let fits = word.len() <= LONGEST_NAME && word.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if fits { Ok(word.to_owned()) } else { Err(invalid("a name that is none")) }
}

/// Parameters by the number that both sides know them by.
pub(super) trait Known {
    fn find(&self, id: u32) -> Option<Arc<CodecParameters>>;
}

/// In the child: what its demuxer gave, which alone has libav's own form.
#[derive(Debug, Default)]
pub(super) struct Told {
    sets: VecDeque<(u32, Arc<CodecParameters>)>,
    next: u32,
}

impl Told {
    /// The number of these, and whether they are new.
    pub(super) fn number(&mut self, parameters: &Arc<CodecParameters>) -> (u32, bool) {
        if let Some((id, _)) = self.sets.iter().rev().find(|(_, told)| Arc::ptr_eq(told, parameters)) {
            return (*id, false);
        }
        if self.sets.len() == MOST_PARAMETERS {
            self.sets.pop_front();
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.sets.push_back((id, Arc::clone(parameters)));
        (id, true)
    }
}

impl Known for Told {
    fn find(&self, id: u32) -> Option<Arc<CodecParameters>> {
        self.sets.iter().find(|(told, _)| *told == id).map(|(_, parameters)| Arc::clone(parameters))
    }
}

/// In the parent: what is in use.
#[derive(Debug, Default)]
pub(super) struct Heard(VecDeque<(u32, Weak<CodecParameters>)>);

impl Heard {
    /// The caller keeps them alive.
    pub(super) fn add(&mut self, id: u32, parameters: &Arc<CodecParameters>) {
        self.0.retain(|(_, heard)| heard.strong_count() > 0);
        if self.0.len() == MOST_PARAMETERS {
            self.0.pop_front();
        }
        self.0.push_back((id, Arc::downgrade(parameters)));
    }

    /// The number that the child knows them by.
    pub(super) fn number(&self, parameters: &Arc<CodecParameters>) -> Option<u32> {
        let same = |heard: &Weak<CodecParameters>| std::ptr::eq(heard.as_ptr(), Arc::as_ptr(parameters));
        self.0.iter().rev().find(|(_, heard)| same(heard)).map(|(id, _)| *id)
    }
}

impl Known for Heard {
    fn find(&self, id: u32) -> Option<Arc<CodecParameters>> {
        self.0.iter().rev().find(|(heard, _)| *heard == id)?.1.upgrade()
    }
}

#[cfg(test)]
mod tests;
