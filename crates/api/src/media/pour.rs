//! What one viewer is sent of a live stream, message by message. Pure: states of the window in, messages out.
//!
//! A viewer that reads too slowly holds nobody up: the window goes on, and where the viewer comes back more than
//! [`MOST_BEHIND_SECONDS`] behind it goes on at the newest keyframe and is told how many parts it missed.

use std::collections::VecDeque;

use bytes::{BufMut as _, Bytes, BytesMut};
use ocelli_archive::{LivePart, LiveSegment, LiveWindow};
use ocelli_model::TimeBase;

/// How far behind a viewer may be before it is taken to the newest keyframe.
const MOST_BEHIND_SECONDS: f64 = 3.0;
/// Bytes before the media of a part.
pub(super) const HEAD_BYTES: usize = 24;
/// Version of what stands before the media of a part.
const VERSION: u8 = 1;
const KEYFRAME: u8 = 1;
const DISCONTINUITY: u8 = 2;

/// Something to send.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Poured {
    /// A run begins, or what its parts need is other than before: the next message is the initialisation segment.
    Init { run: u32, time_base: TimeBase, codecs: String, width: u32, height: u32, base_pts: i64 },
    /// Bytes as they are sent.
    Bytes(Bytes),
    /// So many parts were left out.
    Missed(u64),
    /// Recording is interrupted, and why.
    Paused(String),
    /// Nothing follows.
    Ended,
}

/// How far a viewer is.
#[derive(Clone, Debug, Default)]
pub(super) struct Pour {
    /// The part it was sent last: number of its segment, and its place in it.
    last: Option<(u64, usize)>,
    /// Run, name of the initialisation segment, and PTS from which the viewer counts in this run.
    told: Option<(u32, String, i64)>,
    paused: Option<String>,
    ended: bool,
}

impl Pour {
    /// Whether [`Pour::next`] would have something to send.
    pub(super) fn has_news(&self, window: &LiveWindow) -> bool {
        self.ended
            || window.ended
            || window.paused.is_some() && window.paused != self.paused
            || self.next_part(window).is_some()
    }

    /// Whether it has told that nothing follows.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What is to be sent next: at most one part, with what must stand before it, so that a viewer that reads slowly is
    /// always given what is newest by then.
    pub(super) fn next(&mut self, window: &LiveWindow) -> VecDeque<Poured> {
        let mut out = VecDeque::new();
        if window.paused != self.paused {
            self.paused.clone_from(&window.paused);
            out.extend(window.paused.clone().map(Poured::Paused));
        }
        let Some((segment, place, missed)) = self.next_part(window) else {
            if window.ended && !self.ended {
                self.end(&mut out);
            }
            return out;
        };
        if missed > 0 {
            out.push_back(Poured::Missed(missed));
        }
        let part = &segment.parts[place];
        let is_new =
            self.told.as_ref().is_none_or(|(run, name, _)| *run != segment.run || *name != segment.init.name);
        if is_new {
            self.tell(segment, part, &mut out);
        }
        self.last = Some((segment.number, place));
        out.push_back(Poured::Bytes(encoded(segment, part, is_new || missed > 0)));
        out
    }

    /// That nothing follows, said once.
    pub(super) fn end(&mut self, out: &mut VecDeque<Poured>) {
        if !std::mem::replace(&mut self.ended, true) {
            out.push_back(Poured::Ended);
        }
    }

    fn tell(&mut self, segment: &LiveSegment, part: &LivePart, out: &mut VecDeque<Poured>) {
        let run = segment.run;
        // Within a run all is counted from one PTS, whatever changes.
        let told = self.told.as_ref().filter(|(told, _, _)| *told == run);
        let base_pts = told.map_or(part.first_pts, |(_, _, base)| *base);
        let init = &segment.init;
        self.told = Some((run, init.name.clone(), base_pts));
        let (width, height, codecs) = (init.width, init.height, init.codecs.clone());
        out.push_back(Poured::Init { run, time_base: segment.time_base, codecs, width, height, base_pts });
        out.push_back(Poured::Bytes(init.bytes.clone()));
    }

    /// The part that follows, and how many are left out before it.
    fn next_part<'a>(&self, window: &'a LiveWindow) -> Option<(&'a LiveSegment, usize, u64)> {
        let start = newest_keyframe(window).or_else(|| newest_whole(window));
        let Some((number, place)) = self.last else {
            let (segment, place) = start?;
            return Some((segment, place, 0));
        };
        let (segment, at, _) =
            parts(window).find(|(segment, at, _)| (segment.number, *at) > (number, place))?;
        let adjoins = if segment.number == number {
            at == place + 1
        } else {
            at == 0 && ends(window, segment, (number, place))
        };
        if adjoins && behind(window, (segment.number, at)) <= MOST_BEHIND_SECONDS {
            return Some((segment, at, 0));
        }
        // Too far behind, or what follows has left memory.
        let later = start.filter(|(start, place)| (start.number, *place) >= (segment.number, at));
        match later {
            Some((start, first)) if !adjoins || (start.number, first) > (segment.number, at) => {
                Some((start, first, missed(window, (number, place), (start.number, first))))
            }
            // There is no newer keyframe: on in order, where that can be done. Else nothing that is here can be decoded.
            _ => adjoins.then_some((segment, at, 0)),
        }
    }
}

/// Whether a part was the last before the first of a segment. Where it has left memory nobody knows.
fn ends(window: &LiveWindow, next: &LiveSegment, (number, place): (u64, usize)) -> bool {
    let before = window.segments.iter().rev().find(|segment| segment.number < next.number);
    before.is_some_and(|before| before.number == number && before.parts.len() == place + 1)
}

/// All parts in memory, the oldest first.
fn parts(window: &LiveWindow) -> impl Iterator<Item = (&LiveSegment, usize, &LivePart)> {
    window.segments.iter().flat_map(|segment| {
        segment.parts.iter().enumerate().map(move |(place, part)| (&**segment, place, part))
    })
}

fn newest_keyframe(window: &LiveWindow) -> Option<(&LiveSegment, usize)> {
    window.segments.iter().rev().find_map(|segment| {
        segment.parts.iter().rposition(|part| part.keyframe).map(|place| (&**segment, place))
    })
}

/// Where a stream has no keyframes: decoders find their feet within a segment.
fn newest_whole(window: &LiveWindow) -> Option<(&LiveSegment, usize)> {
    let whole = window.segments.iter().rev().skip(1).find(|segment| !segment.parts.is_empty());
    whole.map(|segment| (&**segment, 0))
}

/// Seconds of media from the beginning of a part to the end of what there is.
fn behind(window: &LiveWindow, from: (u64, usize)) -> f64 {
    let later = parts(window).filter(|(segment, place, _)| (segment.number, *place) >= from);
    later.map(|(segment, _, part)| segment.time_base.seconds(part.ticks)).sum()
}

/// Parts after the one and before the other. Those of segments that have left memory are counted by their length.
fn missed(window: &LiveWindow, after: (u64, usize), before: (u64, usize)) -> u64 {
    let in_memory = parts(window)
        .filter(|(segment, place, _)| {
            let at = (segment.number, *place);
            at > after && at < before
        })
        .count() as u64;
    let target = f64::from(window.part_target_ms.max(1)) / 1e3;
    let gone = window
        .segments
        .iter()
        .filter(|segment| segment.parts.is_empty() && segment.number > after.0 && segment.number < before.0);
    let by_length = gone.map(|segment| (segment.seconds() / target).ceil() as u64).sum::<u64>();
    (in_memory + by_length).max(1)
}

/// A part as it is sent.
fn encoded(segment: &LiveSegment, part: &LivePart, discontinuity: bool) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEAD_BYTES + part.bytes.len());
    let keyframe = if part.keyframe { KEYFRAME } else { 0 };
    bytes.put_u8(VERSION);
    bytes.put_u8(keyframe | if discontinuity { DISCONTINUITY } else { 0 });
    bytes.put_u16(0);
    bytes.put_u32(segment.run);
    bytes.put_u64(segment.number);
    bytes.put_i64(part.first_pts);
    bytes.put_slice(&part.bytes);
    bytes.freeze()
}

#[cfg(test)]
mod tests;
