//! Segments, parts and initialisation segments: from memory while they are new, from the archive after.

use std::{convert::Infallible, ops::Range, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use ocelli_archive::{LiveSegment, LiveView, LiveWindow};
use ocelli_model::StreamId;
use ocelli_store::{SegmentQuery, SegmentRecord};
use tokio::time::timeout;

use super::{boxes, log::MediaLog, range};
use crate::failure::Failure;

/// How much of an object is read at a time.
const PIECE_BYTES: u64 = 1 << 20;
/// Longest segment whose parts are looked for in the archive.
const LONGEST_SPLIT: u64 = 64 << 20;
/// Segments that are searched for an initialisation segment whose segment is not named.
const MOST_SEARCHED: u32 = 100;

/// Names of files beside a playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Init(String),
    Segment(u64),
    Part(u64, usize),
}

/// Bytes that are in memory, or lie in an object.
enum Found {
    Memory(Vec<Bytes>),
    Object(SegmentRecord, Range<u64>),
}

impl Piece {
    pub(super) fn read(name: &str) -> Option<Self> {
        if let Some(init) = name.strip_prefix("init-").and_then(|rest| rest.strip_suffix(".mp4")) {
            let is_name = init.len() == 16 && init.bytes().all(|byte| byte.is_ascii_hexdigit());
            return is_name.then(|| Self::Init(init.to_owned()));
        }
        let numbers = name.strip_suffix(".m4s")?;
        let number = |word: &str| -> Option<u64> {
            let digits = word.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| word.parse().ok()).flatten()
        };
        match numbers.split_once('.') {
            None => number(numbers).map(Self::Segment),
            Some((segment, part)) => Some(Self::Part(number(segment)?, usize::try_from(number(part)?).ok()?)),
        }
    }

    /// The answer to whoever asks for it. `segment`: one that begins with the initialisation segment that is asked for.
    pub(super) async fn answer(
        &self,
        log: &Arc<dyn MediaLog>,
        stream: &StreamId,
        segment: Option<u64>,
        headers: &HeaderMap,
    ) -> Result<Response, Failure> {
        let found = match self {
            Self::Init(name) => init(&**log, stream, name, segment).await?,
            Self::Segment(number) => whole(&**log, stream, *number).await?,
            Self::Part(number, part) => one_part(&**log, stream, *number, *part).await?,
        };
        Ok(found.answer(log, headers))
    }
}

impl Found {
    fn answer(self, log: &Arc<dyn MediaLog>, headers: &HeaderMap) -> Response {
        let length = match &self {
            Self::Memory(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Object(_, range) => range.end - range.start,
        };
        let (status, range, mut fields) = range::asked(headers, length).head(length);
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            let failure = Failure::new(status, "Range not satisfiable", format!("it has {length} bytes"));
            let mut response = failure.into_response();
            fields.remove(header::CONTENT_LENGTH);
            response.headers_mut().extend(fields);
            return response;
        }
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
        // Under one name there are never other bytes. Not for caches that others share.
        let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
        fields.insert(header::CACHE_CONTROL, forever);
        let body = match self {
            Self::Memory(pieces) => from_memory(pieces, range),
            Self::Object(segment, place) => {
                let place = place.start + range.start..place.start + range.end;
                from_object(Arc::clone(log), segment, place)
            }
        };
        (status, fields, body).into_response()
    }
}

fn from_memory(pieces: Vec<Bytes>, range: Range<u64>) -> Body {
    let mut at = 0;
    let cut = move |piece: Bytes| {
        let (begins, ends) = (at, at + piece.len() as u64);
        at = ends;
        let (from, to) = (range.start.max(begins), range.end.min(ends));
        (from < to).then(|| piece.slice((from - begins) as usize..(to - begins) as usize))
    };
    let mut pieces: Vec<_> = pieces.into_iter().filter_map(cut).collect();
    match (pieces.pop(), pieces.is_empty()) {
        (Some(only), true) => Body::from(only),
        (last, _) => Body::from_stream(stream::iter(pieces.into_iter().chain(last).map(Ok::<_, Infallible>))),
    }
}

fn from_object(log: Arc<dyn MediaLog>, segment: SegmentRecord, range: Range<u64>) -> Body {
    let pieces = stream::try_unfold((log, segment, range), |(log, segment, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + PIECE_BYTES);
        let bytes = log.read(&segment, range.start..end).await.inspect_err(|error| {
            tracing::warn!(stream = %segment.stream, number = segment.number, %error, "a segment cannot be read");
        })?;
        Ok::<_, super::log::MediaError>(Some((bytes, (log, segment, end..range.end))))
    });
    Body::from_stream(pieces)
}

async fn whole(log: &dyn MediaLog, stream: &StreamId, number: u64) -> Result<Found, Failure> {
    if let Some(mut view) = log.live(stream) {
        // Players ask for it when a playlist lists it; those that are early wait.
        let window = waited(&mut view, |window| !is_growing(window, number)).await?;
        let kept = segment(&window, number).filter(|segment| !segment.parts.is_empty());
        if let Some(kept) = kept {
            return Ok(Found::Memory(kept.parts.iter().map(|part| part.bytes.clone()).collect()));
        }
    }
    let record = record(log, stream, number).await?;
    let range = u64::from(record.init_bytes)..record.bytes;
    Ok(Found::Object(record, range))
}

/// A part that is there, or is the next one to come.
async fn one_part(log: &dyn MediaLog, stream: &StreamId, number: u64, part: usize) -> Result<Found, Failure> {
    if let Some(mut view) = log.live(stream) {
        let comes = |window: &LiveWindow| match segment(window, number) {
            Some(segment) => part >= segment.parts.len() && is_growing(window, number),
            None => is_next(window, number),
        };
        let window = waited(&mut view, |window| !comes(window)).await?;
        if let Some(kept) = segment(&window, number).filter(|segment| !segment.parts.is_empty()) {
            return match kept.parts.get(part) {
                Some(found) => Ok(Found::Memory(vec![found.bytes.clone()])),
                None => Err(no_part(number, part)),
            };
        }
    }
    let record = record(log, stream, number).await?;
    if record.bytes > LONGEST_SPLIT {
        return Err(Failure::missing("No such part", format!("ask for segment {number} as a whole")));
    }
    let init = u64::from(record.init_bytes);
    let bytes = log.read(&record, init..record.bytes).await?;
    let place = boxes::part(&bytes, part).ok_or_else(|| no_part(number, part))?;
    Ok(Found::Memory(vec![bytes.slice(place)]))
}

fn no_part(number: u64, part: usize) -> Failure {
    Failure::missing("No such part", format!("segment {number} has no part {part}"))
}

async fn init(
    log: &dyn MediaLog,
    stream: &StreamId,
    name: &str,
    segment: Option<u64>,
) -> Result<Found, Failure> {
    let window = log.live(stream).map(|view| view.now());
    let live = window.iter().flat_map(|window| &window.segments).find(|segment| segment.init.name == name);
    if let Some(live) = live {
        return Ok(Found::Memory(vec![live.init.bytes.clone()]));
    }
    let query = SegmentQuery {
        stream: Some(stream.clone()),
        numbers: segment.map(|number| number..number.saturating_add(1)),
        newest_first: true,
        limit: MOST_SEARCHED,
        ..SegmentQuery::default()
    };
    let found = log.segments(&query).await?.into_iter().find(|record| record.init == name);
    let missing = || {
        Failure::missing("Not recorded", format!("no segment of stream {stream} begins with init-{name}.mp4"))
    };
    let record = found.ok_or_else(missing)?;
    let range = 0..u64::from(record.init_bytes);
    Ok(Found::Object(record, range))
}

async fn record(log: &dyn MediaLog, stream: &StreamId, number: u64) -> Result<SegmentRecord, Failure> {
    let query = SegmentQuery {
        stream: Some(stream.clone()),
        numbers: Some(number..number.saturating_add(1)),
        limit: 1,
        ..SegmentQuery::default()
    };
    let detail = || format!("stream {stream} has no segment {number}, or has it no more");
    log.segments(&query).await?.pop().ok_or_else(|| Failure::missing("Not recorded", detail()))
}

fn segment(window: &LiveWindow, number: u64) -> Option<&LiveSegment> {
    let place = window.segments.binary_search_by_key(&number, |segment| segment.number).ok()?;
    Some(&window.segments[place])
}

/// Whether more parts of it may come.
fn is_growing(window: &LiveWindow, number: u64) -> bool {
    let last = window.segments.last();
    !window.ended && last.is_some_and(|last| last.number == number && !last.sealed)
}

/// Whether it is the segment that comes next.
fn is_next(window: &LiveWindow, number: u64) -> bool {
    let last = window.segments.last();
    !window.ended && last.is_some_and(|last| last.number.checked_add(1) == Some(number))
}

/// The first state for which `ready` holds; at most as long as a reload of a playlist may take.
pub(super) async fn waited(
    view: &mut LiveView,
    ready: impl FnMut(&LiveWindow) -> bool,
) -> Result<Arc<LiveWindow>, Failure> {
    let patience = patience(&view.now());
    let waited = timeout(patience, view.wait(ready)).await;
    waited.map_err(|_elapsed| Failure::unavailable("nothing new came of the stream in time"))
}

/// Longest target duration that anybody waits for.
const LONGEST: u32 = 15;

/// Three target durations (RFC 8216bis, section 6.2.5.2). There is none before the first segment is whole, which may take as long as any.
pub(super) fn patience(window: &LiveWindow) -> Duration {
    let seconds = if window.target_seconds == 0 { LONGEST } else { window.target_seconds.min(LONGEST) };
    Duration::from_secs(u64::from(seconds) * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let check = |name: &str, expected: Option<Piece>| assert_eq!(Piece::read(name), expected, "{name}");
        check("init-00ff00ff00ff00ff.mp4", Some(Piece::Init("00ff00ff00ff00ff".to_owned())));
        check("7.m4s", Some(Piece::Segment(7)));
        check("18446744073709551615.m4s", Some(Piece::Segment(u64::MAX)));
        check("7.12.m4s", Some(Piece::Part(7, 12)));
        for bad in [
            "init-00ff.mp4",
            "init-00ff00ff00ff00fg.mp4",
            "init-.mp4",
            "18446744073709551616.m4s",
            "-7.m4s",
            "+7.m4s",
            "7.m4",
            ".m4s",
            "7..m4s",
            "7.1.2.m4s",
            "gap-7-0.m4s",
            "../7.m4s",
        ] {
            check(bad, None);
        }
    }
}
