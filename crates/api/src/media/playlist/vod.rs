//! Playlists of what lies in the archive.

use ocelli_store::SegmentRecord;

use super::text::{Lines, Playlist};
use crate::media::wall::Wall;

/// Most entries of a playlist: two days of two seconds each.
const MOST_ENTRIES: u64 = 100_000;

/// Where a player is to begin: so many seconds into the playlist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::media) struct Begin(pub(in crate::media) f64);

/// More entries than a playlist holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window is too long for a playlist of {MOST_ENTRIES} entries; ask for less at a time")]
pub(in crate::media) struct TooLong;

/// A playlist of segments, the oldest first, of one stream. Where the archive has no media between two segments of one run, there
/// are entries without any (`EXT-X-GAP`), so that times in the playlist are those of the media.
pub(in crate::media) fn vod(segments: &[SegmentRecord], begin: Option<Begin>) -> Result<Playlist, TooLong> {
    let target = target_seconds(segments);
    let mut lines = Lines::default();
    lines.line(format_args!("#EXTM3U"));
    lines.line(format_args!("#EXT-X-VERSION:8"));
    lines.line(format_args!("#EXT-X-TARGETDURATION:{target}"));
    lines.line(format_args!("#EXT-X-PLAYLIST-TYPE:VOD"));
    if let Some(first) = segments.first() {
        lines.line(format_args!("#EXT-X-MEDIA-SEQUENCE:{}", first.number));
    }
    if segments.iter().all(|segment| segment.keyframe) {
        lines.line(format_args!("#EXT-X-INDEPENDENT-SEGMENTS"));
    }
    if let Some(Begin(seconds)) = begin {
        lines.line(format_args!("#EXT-X-START:TIME-OFFSET={seconds:.6},PRECISE=YES"));
    }
    let mut entries = 0;
    for (place, segment) in segments.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| &segments[before]);
        entries += 1 + gap(&mut lines, before, segment, target, MOST_ENTRIES.saturating_sub(entries))?;
        heading(&mut lines, before, segment);
        lines.line(format_args!("#EXTINF:{:.6},", seconds(segment)));
        lines.uri(format_args!("{}.m4s", segment.number));
    }
    lines.line(format_args!("#EXT-X-ENDLIST"));
    Ok(lines.finish())
}

/// The longest segment in whole seconds, rounded as section 4.4.3.1 compares.
fn target_seconds(segments: &[SegmentRecord]) -> u64 {
    let longest = segments.iter().map(seconds).fold(1.0, f64::max);
    longest.ceil() as u64
}

fn seconds(segment: &SegmentRecord) -> f64 {
    segment.time_base.seconds(segment.end_pts.saturating_sub(segment.first_pts))
}

/// Entries that stand for media which is not there; how many.
fn gap(
    lines: &mut Lines,
    before: Option<&SegmentRecord>,
    segment: &SegmentRecord,
    target: u64,
    most: u64,
) -> Result<u64, TooLong> {
    let Some(before) = before.filter(|before| before.run == segment.run) else {
        return if most == 0 { Err(TooLong) } else { Ok(0) };
    };
    let missing = segment.time_base.seconds(segment.first_pts.saturating_sub(before.end_pts));
    // Segments that follow one another join to the tick; less than a picture is no gap.
    let count = if missing > 0.001 { (missing / target as f64).ceil() as u64 } else { 0 };
    if count >= most {
        return Err(TooLong);
    }
    let each = missing / count as f64;
    for entry in 0..count {
        lines.line(format_args!("#EXT-X-GAP"));
        lines.line(format_args!("#EXTINF:{each:.6},"));
        // Nobody asks for it: players know that there is nothing (section 4.4.4.7).
        lines.uri(format_args!("gap-{}-{entry}.m4s", segment.number));
    }
    Ok(count)
}

/// What stands before a segment: what is other than before it, and when it was.
fn heading(lines: &mut Lines, before: Option<&SegmentRecord>, segment: &SegmentRecord) {
    let goes_on = |before: &SegmentRecord| (before.run, &before.init) == (segment.run, &segment.init);
    if before.is_some_and(|before| !goes_on(before)) {
        lines.line(format_args!("#EXT-X-DISCONTINUITY"));
    }
    if before.is_none_or(|before| !goes_on(before)) {
        lines.tag(
            format_args!("#EXT-X-MAP:"),
            format_args!("init-{}.mp4?segment={}&run={}", segment.init, segment.number, segment.run),
            format_args!(""),
        );
    }
    lines.line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", Wall(segment.began_ms)));
}
