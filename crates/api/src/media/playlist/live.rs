//! Playlists of what is recorded now.

use std::sync::Arc;

use ocelli_archive::{LiveSegment, LiveWindow};

use super::text::{Lines, Playlist};
use crate::media::wall::Wall;

/// Parts are listed this many target durations back (section 4.4.4.9).
const PARTS_FOR: f64 = 3.0;
/// The skip boundary, in target durations: the least there may be (section 4.4.3.8).
const SKIP_UNTIL: u32 = 6;
/// How far from the end low-latency players stay, in part targets (section 4.4.3.8).
const HOLD_BACK: f64 = 3.0;

/// What playlists may list of a window: segments whose numbers follow one another without a hole, for a playlist counts them.
pub(in crate::media) fn tail(window: &LiveWindow) -> &[Arc<LiveSegment>] {
    let segments = &window.segments;
    let pairs = segments.windows(2).enumerate().rev();
    let follows = |before: &LiveSegment, next: &LiveSegment| {
        let steps = next.discontinuity.checked_sub(before.discontinuity);
        before.number + 1 == next.number && steps.is_some_and(|steps| steps <= 1)
    };
    let mut breaks = pairs.filter(|(_, pair)| !follows(&pair[0], &pair[1]));
    let from = breaks.next().map_or(0, |(place, _)| place + 1);
    &segments[from..]
}

/// Whether the segment at `place` gets no more parts.
pub(super) fn is_complete(window: &LiveWindow, segments: &[Arc<LiveSegment>], place: usize) -> bool {
    place + 1 < segments.len() || segments[place].sealed || window.ended
}

/// The media playlist of a window. `folder` is where segments lie as seen from it, such as `cam1/`. `delta`: without what lies beyond the skip boundary, where that spares anything
/// (section 6.2.5.1).
pub(in crate::media) fn live(window: &LiveWindow, folder: &str, delta: bool) -> Playlist {
    let segments = tail(window);
    let skipped = if delta { skippable(window, segments) } else { 0 };
    let mut lines = Lines::default();
    head(&mut lines, window, segments);
    if skipped > 0 {
        lines.line(format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"));
    }
    let distances = distances(segments);
    let parts_for = f64::from(target(window, segments)) * PARTS_FOR;
    for place in skipped..segments.len() {
        let segment = &segments[place];
        let complete = is_complete(window, segments, place);
        if segment.parts.is_empty() && !complete {
            continue;
        }
        heading(&mut lines, folder, place.checked_sub(1).map(|before| &*segments[before]), segment);
        if distances[place] <= parts_for {
            parts(&mut lines, folder, segment);
        }
        if complete {
            if segment.parts.is_empty() && !segment.sealed {
                // It left memory and the archive never had it.
                lines.line(format_args!("#EXT-X-GAP"));
            }
            lines.line(format_args!("#EXTINF:{:.6},", segment.stated_seconds()));
            lines.uri(format_args!("{folder}{}.m4s", segment.number));
        }
    }
    match segments.last() {
        _ if window.ended => lines.line(format_args!("#EXT-X-ENDLIST")),
        Some(last) => hint(&mut lines, folder, last),
        None => {}
    }
    lines.finish()
}

fn head(lines: &mut Lines, window: &LiveWindow, segments: &[Arc<LiveSegment>]) {
    let target = target(window, segments);
    let part = part_target(window, segments);
    lines.line(format_args!("#EXTM3U"));
    lines.line(format_args!("#EXT-X-VERSION:9"));
    lines.line(format_args!("#EXT-X-TARGETDURATION:{target}"));
    lines.line(format_args!(
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={:.3},CAN-SKIP-UNTIL={:.1}",
        part * HOLD_BACK,
        f64::from(target * SKIP_UNTIL)
    ));
    lines.line(format_args!("#EXT-X-PART-INF:PART-TARGET={part:.3}"));
    if let Some(first) = segments.first() {
        lines.line(format_args!("#EXT-X-MEDIA-SEQUENCE:{}", first.number));
        lines.line(format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{}", first.discontinuity));
    }
    if segments.iter().all(|segment| segment.keyframe) {
        lines.line(format_args!("#EXT-X-INDEPENDENT-SEGMENTS"));
    }
}

/// Longest segment in whole seconds: as promised, or as they are where all ended before one was whole that could be promised of.
fn target(window: &LiveWindow, segments: &[Arc<LiveSegment>]) -> u32 {
    let longest = segments.iter().map(|segment| segment.stated_seconds().round() as u32).max();
    if window.target_seconds > 0 { window.target_seconds } else { longest.unwrap_or(0).max(1) }
}

/// Longest part in seconds, in the same way.
fn part_target(window: &LiveWindow, segments: &[Arc<LiveSegment>]) -> f64 {
    let of = |segment: &LiveSegment| segment.parts.iter().map(|part| part.stated).max();
    let longest = segments.iter().filter_map(|segment| Some(segment.time_base.seconds(of(segment)?)));
    let longest = longest.fold(0.001, f64::max);
    if window.part_target_ms > 0 {
        f64::from(window.part_target_ms) / 1e3
    } else {
        (longest * 1e3).ceil() / 1e3
    }
}

/// What stands before a segment: what is other than before it, and when it was.
fn heading(lines: &mut Lines, folder: &str, before: Option<&LiveSegment>, segment: &LiveSegment) {
    if before.is_some_and(|before| before.discontinuity != segment.discontinuity) {
        lines.line(format_args!("#EXT-X-DISCONTINUITY"));
    }
    if before.is_none_or(|before| before.discontinuity != segment.discontinuity) {
        lines.tag(
            format_args!("#EXT-X-MAP:"),
            format_args!("{folder}init-{}.mp4?run={}", segment.init.name, segment.run),
            format_args!(""),
        );
    }
    lines.line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", Wall(segment.began_ms)));
}

fn parts(lines: &mut Lines, folder: &str, segment: &LiveSegment) {
    for (index, part) in segment.parts.iter().enumerate() {
        lines.tag(
            format_args!("#EXT-X-PART:DURATION={:.6},", segment.time_base.seconds(part.stated)),
            format_args!("{folder}{}.{index}.m4s", segment.number),
            format_args!("{}", if part.keyframe { ",INDEPENDENT=YES" } else { "" }),
        );
    }
}

/// The part that comes next, unless the segment ends before it: then whoever asks for it is told so.
fn hint(lines: &mut Lines, folder: &str, last: &LiveSegment) {
    let (number, part) = if last.sealed { (last.number + 1, 0) } else { (last.number, last.parts.len()) };
    lines.tag(
        format_args!("#EXT-X-PRELOAD-HINT:TYPE=PART,"),
        format_args!("{folder}{number}.{part}.m4s"),
        format_args!(""),
    );
}

/// From the end of each segment to the end of the last.
fn distances(segments: &[Arc<LiveSegment>]) -> Vec<f64> {
    let mut distance = 0.0;
    let mut found: Vec<_> = segments
        .iter()
        .rev()
        .map(|segment| {
            let to_end = distance;
            distance += segment.stated_seconds();
            to_end
        })
        .collect();
    found.reverse();
    found
}

/// Segments beyond the skip boundary. None where a discontinuity would be among what is skipped: a player counts those.
fn skippable(window: &LiveWindow, segments: &[Arc<LiveSegment>]) -> usize {
    let boundary = f64::from(window.target_seconds.max(1) * SKIP_UNTIL);
    let beyond = distances(segments).iter().take_while(|distance| **distance > boundary).count();
    match (segments.first(), segments.get(beyond)) {
        (Some(first), Some(kept)) if first.discontinuity == kept.discontinuity => beyond,
        _ => 0,
    }
}

/// The multivariant playlist of a stream: there is one variant. `None` where no segment says what it is.
pub(in crate::media) fn multivariant(window: &LiveWindow, uri: &str) -> Option<Playlist> {
    let newest = window.segments.last()?;
    let init = &newest.init;
    let (peak, average) = bandwidth(window);
    let mut lines = Lines::default();
    lines.line(format_args!("#EXTM3U"));
    lines.line(format_args!("#EXT-X-VERSION:9"));
    if window.segments.iter().all(|segment| segment.keyframe) {
        lines.line(format_args!("#EXT-X-INDEPENDENT-SEGMENTS"));
    }
    lines.line(format_args!(
        "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"{}\",RESOLUTION={}x{}",
        init.codecs, init.width, init.height
    ));
    lines.uri(format_args!("{uri}"));
    Some(lines.finish())
}

/// Bits per second of the segment with most, and of all that are in memory.
fn bandwidth(window: &LiveWindow) -> (u64, u64) {
    let measured = window.segments.iter().filter(|segment| !segment.parts.is_empty());
    let (mut peak, mut bits, mut seconds) = (0.0_f64, 0.0, 0.0);
    for segment in measured {
        let of_segment = segment.parts.iter().map(|part| part.bytes.len() as f64 * 8.0).sum::<f64>();
        // What has only begun tells little: a keyframe is most of it.
        let lasts = segment.seconds().max(1.0);
        peak = peak.max(of_segment / lasts);
        (bits, seconds) = (bits + of_segment, seconds + lasts);
    }
    let average = if seconds > 0.0 { bits / seconds } else { 0.0 };
    ((peak.ceil() as u64).max(1), (average.ceil() as u64).max(1))
}
