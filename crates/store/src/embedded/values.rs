//! What may be written at all: checked before anything is.

use ocelli_model::{SamplingPlan, Verdict};

use crate::{
    Blob, Entry, FrameResult, LedgerClock, NewAnalyzer, NewSource, RecordingGap, SegmentRecord, Span,
    StoreError, StreamRecord,
};

/// Longest text of any kind, in bytes.
const TEXT: usize = 4096;
/// Longest description of what a stream is to do.
const SPEC: usize = 1 << 16;
/// Longest name of a class.
const LABEL: usize = 256;
/// Most detections in one frame.
const DETECTIONS: usize = 100_000;
/// Most windows that one span may touch: 11 days.
const WINDOWS: u64 = 100_000;

type Checked = Result<(), StoreError>;

fn refuse<T>(why: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::Invalid(why.into()))
}

/// A text without NUL, at most `most` bytes long.
fn text(what: &str, text: &str, most: usize) -> Checked {
    if text.len() > most {
        return refuse(format!("{what} is {} bytes long, at most {most} are kept", text.len()));
    }
    if text.contains('\0') { refuse(format!("{what} contains a NUL character")) } else { Ok(()) }
}

fn name(what: &str, value: &str, most: usize) -> Checked {
    if value.is_empty() { refuse(format!("{what} is empty")) } else { text(what, value, most) }
}

/// SQLite's integers are signed.
fn whole(what: &str, value: u64) -> Checked {
    if i64::try_from(value).is_ok() { Ok(()) } else { refuse(format!("{what} of {value} is out of range")) }
}

pub(super) fn source(source: &NewSource) -> Checked {
    name("the key of a source", &source.key, TEXT)?;
    text("the name of a source", &source.name, TEXT)?;
    whole("a size", source.bytes)
}

pub(super) fn analyzer(analyzer: &NewAnalyzer) -> Checked {
    name("the id of a model", &analyzer.model, TEXT)?;
    for (key, value) in &analyzer.ingredients {
        name("an ingredient", key, TEXT)?;
        text("the value of an ingredient", value, TEXT)?;
    }
    if analyzer.ingredients.len() > 1000 { refuse("an analyzer has over 1000 ingredients") } else { Ok(()) }
}

pub(super) fn stream(stream: &StreamRecord) -> Checked {
    name("what a stream is to do", &stream.spec, SPEC)?;
    text(
        "why a stream ended",
        stream.ended.as_ref().and_then(|end| end.error.as_deref()).unwrap_or(""),
        TEXT,
    )?;
    [stream.decode, stream.decode_cleared, stream.frames, stream.restarts]
        .into_iter()
        .try_for_each(|count| whole("a count", count))
}

pub(super) fn segment(segment: &SegmentRecord) -> Checked {
    name("the location of a segment", &segment.location, TEXT)?;
    name("the initialisation of a segment", &segment.init, TEXT)?;
    // The next number, too, must be one.
    whole("a segment's number", segment.number.saturating_add(1))?;
    whole("a size", segment.bytes)?;
    let number = segment.number;
    if u64::from(segment.init_bytes) > segment.bytes {
        return refuse(format!("segment {number} is smaller than the initialisation at its head"));
    }
    let forwards = |from: i64, to: i64| to.checked_sub(from).is_some_and(|length| length >= 0);
    if !forwards(segment.first_pts, segment.end_pts) || !forwards(segment.began_ms, segment.ended_ms) {
        return refuse(format!("segment {number} ends before it begins"));
    }
    Ok(())
}

pub(super) fn gap(gap: &RecordingGap) -> Checked {
    text("why a recording has a gap", &gap.reason, TEXT)?;
    if gap.end_pts.is_some_and(|end| end < gap.first_pts) {
        return refuse(format!("the gap at {} ends before it begins", gap.first_pts));
    }
    Ok(())
}

/// What needs no look at the store.
pub(super) fn entry(entry: &Entry) -> Checked {
    match entry {
        Entry::Due { ledger: _, span } => order(*span),
        Entry::Analysed { ledger: _, span, pts: _, result: None } => one(*span),
        Entry::Analysed { ledger: _, span, pts: _, result: Some(result) } => {
            one(*span)?;
            frame(result)
        }
        Entry::Unseen { verdict: Verdict::Analysed, .. } => {
            refuse("slots without a result cannot be analysed")
        }
        Entry::Unseen { ledger: _, span, verdict: _, reason, pts: _ } => {
            text("a reason", reason, TEXT)?;
            order(*span)
        }
        Entry::Tracked { derivation: _, pts: _, tracks } => {
            let mut known: Vec<u64> = tracks.iter().flatten().map(|track| track.0).collect();
            known.sort_unstable();
            if known.windows(2).any(|pair| pair[0] == pair[1]) {
                return refuse("one frame holds a track twice");
            }
            known
                .first()
                .map_or(Ok(()), |least| if *least == 0 { refuse("tracks count from 1") } else { Ok(()) })?;
            known.last().map_or(Ok(()), |most| whole("a track", *most))
        }
        Entry::Untracked { .. } | Entry::Run { .. } => Ok(()),
        Entry::Blob { run: _, blob } => self::blob(blob),
    }
}

fn blob(blob: &Blob) -> Checked {
    name("the location of a blob", &blob.location, TEXT)?;
    whole("a size", blob.bytes)
}

fn order(span: Span) -> Checked {
    if span.last < span.first || span.count == 0 {
        return refuse(format!("a span from {} to {} with {} is none", span.first, span.last, span.count));
    }
    whole("a count", span.count)
}

fn one(span: Span) -> Checked {
    if span.first == span.last && span.count == 1 {
        Ok(())
    } else {
        refuse(format!("one frame settles one slot, not {} to {}", span.first, span.last))
    }
}

fn frame(result: &FrameResult) -> Checked {
    if result.detections.len() > DETECTIONS {
        return refuse(format!("{} detections in one frame", result.detections.len()));
    }
    if u64::try_from(result.took.as_micros()).map_or(true, |took| i64::try_from(took).is_err()) {
        return refuse("an analysis took longer than can be said");
    }
    for detection in &result.detections {
        name("a label", &detection.label, LABEL)?;
        let bbox = detection.bbox;
        let numbers = [detection.confidence, bbox.x, bbox.y, bbox.width, bbox.height];
        if !numbers.iter().all(|number| number.is_finite()) {
            return refuse(format!("a detection of '{}' has a number that is not finite", detection.label));
        }
    }
    Ok(())
}

/// The part of a span that lies in each window, with it; once its plan is known.
pub(super) fn parts(
    clock: LedgerClock,
    plan: SamplingPlan,
    span: Span,
) -> Result<Vec<(i64, Span)>, StoreError> {
    if plan == SamplingPlan::All {
        // A count says nothing about which pictures of a stretch are known.
        one(span)?;
        return Ok(vec![(clock.window(span.first), span)]);
    }
    if span.count != Span::slots(span.first, span.last).count {
        return refuse(format!("slots {} to {} are not {}", span.first, span.last, span.count));
    }
    if clock.window(span.last).abs_diff(clock.window(span.first)) > WINDOWS {
        return refuse(format!("a span from slot {} to {} is longer than any run", span.first, span.last));
    }
    Ok(clock.split(span))
}
