//! Which segment is next.

use super::playlist::Media;

/// How far behind the end of a live list reading begins, in target durations (RFC 8216 section 6.3.3).
const BEHIND: u32 = 3;
/// Servers behind one name may differ by as many segments; further back, the numbers began anew.
const STALE: u64 = 8;

/// What to do with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read the segment at this place in the list, before which so many were missed.
    Read {
        /// Its place in the list.
        at: usize,
        /// Segments that left the list before they were read.
        missed: u64,
    },
    /// Nothing new: look again.
    Wait,
    /// That was the last.
    End,
    /// The server counts anew.
    Restarted,
}

/// Follows the numbers of segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// `None` before the first.
    next: Option<u64>,
}

impl Cursor {
    /// The next that is there; [`Self::step`] goes past it.
    pub fn next(&self, list: &Media) -> Next {
        let count = list.segments.len();
        let Some(next) = self.next else {
            return match (count, list.ended) {
                (0, true) => Next::End,
                (0, false) => Next::Wait,
                _ => Next::Read { at: if list.ended { 0 } else { live(list) }, missed: 0 },
            };
        };
        let end = list.first + count as u64;
        // A list may also be empty beyond what was read.
        if next >= end || count == 0 {
            return match list.ended {
                true => Next::End,
                false if end.saturating_add(STALE) < next => Next::Restarted,
                false => Next::Wait,
            };
        }
        let missed = list.first.saturating_sub(next);
        Next::Read { at: (next + missed - list.first) as usize, missed }
    }

    /// The segment at this place was read, or given up.
    pub fn step(&mut self, list: &Media, at: usize) {
        self.next = Some(list.first.saturating_add(at as u64).saturating_add(1));
    }
}

/// Where a live list is begun: late enough to be live, early enough that it never runs dry.
fn live(list: &Media) -> usize {
    let wanted = list.target.saturating_mul(BEHIND);
    let mut behind = std::time::Duration::ZERO;
    for (at, segment) in list.segments.iter().enumerate().rev() {
        behind += segment.duration;
        if behind >= wanted {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{super::playlist::Playlist, *};

    fn list(first: u64, count: usize, ended: bool) -> Media {
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        for n in 0..count {
            writeln!(text, "#EXTINF:2,\n{n}.ts").unwrap();
        }
        text += if ended { "#EXT-X-ENDLIST\n" } else { "" };
        let Ok(Playlist::Media(media)) = Playlist::read(text.as_bytes()) else { panic!("{text}") };
        media
    }

    fn read(at: usize, missed: u64) -> Next {
        Next::Read { at, missed }
    }

    #[test]
    fn whole_lists_are_read_from_their_start_live_ones_from_near_their_end() {
        let cursor = Cursor::default();
        assert_eq!(cursor.next(&list(7, 10, true)), read(0, 0));
        assert_eq!(cursor.next(&list(7, 10, false)), read(7, 0));
        assert_eq!(cursor.next(&list(7, 2, false)), read(0, 0));
        assert_eq!(cursor.next(&list(7, 0, false)), Next::Wait);
        assert_eq!(cursor.next(&list(7, 0, true)), Next::End);
    }

    #[test]
    fn every_segment_is_read_once() {
        let mut cursor = Cursor::default();
        let mut seen = Vec::new();
        for first in [10, 10, 11, 13, 15, 14, 16] {
            let list = list(first, 5, first == 16);
            loop {
                match cursor.next(&list) {
                    Next::Read { at, missed } => {
                        assert_eq!(missed, 0);
                        seen.push(first + at as u64);
                        cursor.step(&list, at);
                    }
                    Next::Wait => break,
                    Next::End => {
                        assert_eq!(seen, (12..=20).collect::<Vec<_>>());
                        return;
                    }
                    Next::Restarted => panic!("{first}"),
                }
            }
        }
        panic!("no end");
    }

    #[test]
    fn what_left_the_list_is_missed_and_a_new_count_is_seen() {
        let mut cursor = Cursor::default();
        cursor.step(&list(10, 5, false), 4);
        assert_eq!(cursor.next(&list(18, 5, false)), read(0, 3));
        assert_eq!(cursor.next(&list(8, 5, false)), Next::Wait, "an older list of another server");
        assert_eq!(cursor.next(&list(0, 5, false)), Next::Restarted);
        assert_eq!(cursor.next(&list(8, 5, true)), Next::End);
        // Numbers beyond what was read, and nothing there.
        assert_eq!(cursor.next(&list(18, 0, false)), Next::Wait);
        assert_eq!(cursor.next(&list(18, 0, true)), Next::End);
    }
}
