//! Delivery directives: which state of a playlist a request waits for (RFC 8216bis, section 6.2.5.2).

use ocelli_archive::LiveWindow;

use super::live::{is_complete, tail};

/// `_HLS_msn` and `_HLS_part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) struct Asked {
    pub(in crate::media) msn: u64,
    pub(in crate::media) part: Option<u64>,
}

/// How a window stands to what a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum Standing {
    /// It holds it.
    Ready,
    /// It will.
    Later,
    /// No client that has seen a playlist of ours asks for this.
    TooFar,
}

/// Whether a window holds what is asked for.
pub(in crate::media) fn standing(window: &LiveWindow, asked: Asked) -> Standing {
    let segments = tail(window);
    let Some(last) = segments.last() else { return Standing::Later };
    if window.ended {
        return Standing::Ready;
    }
    let last_is_complete = is_complete(window, segments, segments.len() - 1);
    // The first segment that is not complete, and how many parts of it there are.
    let (next, parts) =
        if last_is_complete { (last.number + 1, 0) } else { (last.number, last.parts.len() as u64) };
    if asked.msn > next + 1 {
        return Standing::TooFar;
    }
    let Some(part) = asked.part else {
        return if asked.msn < next { Standing::Ready } else { Standing::Later };
    };
    if asked.msn == next {
        return of_growing(part, parts, window.part_target_ms);
    }
    if asked.msn + 1 == next {
        // A part beyond the last of its segment is the first of the next one.
        let known = segments.iter().find(|segment| segment.number == asked.msn);
        let ended = known.map(|segment| segment.parts.len() as u64).filter(|count| *count > 0);
        let rolls_over = ended.is_some_and(|count| part >= count);
        return if rolls_over { of_growing(0, parts, window.part_target_ms) } else { Standing::Ready };
    }
    if asked.msn < next { Standing::Ready } else { Standing::Later }
}

fn of_growing(part: u64, parts: u64, part_target_ms: u32) -> Standing {
    // The Advance Part Limit: what three seconds hold where parts are short, else three.
    let limit = 3_000_u64.div_ceil(u64::from(part_target_ms.max(1))).max(3);
    if part < parts {
        Standing::Ready
    } else if part + 1 > parts + limit {
        Standing::TooFar
    } else {
        Standing::Later
    }
}
