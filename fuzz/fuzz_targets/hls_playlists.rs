//! Playlists of strangers, one after the other as a live list is looked at: what is read stays within its bounds, and
//! who follows it never goes back and never leaves the list.
//!
//! Input: texts, with a byte 0 between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli_ingest::pull::hls::{
    cursor::{Cursor, Next},
    date::unix_ns,
    playlist::{Media, Playlist, Range},
};

const HOUR: u64 = 3600;

fn check_range(range: Option<Range>) {
    if let Some(Range { first, bytes }) = range {
        assert!(first.checked_add(bytes).is_some(), "{first} and {bytes}");
    }
}

fn check(media: &Media, bytes: usize) {
    assert!(media.target.as_secs() <= HOUR && media.segments.len() <= bytes);
    assert!(media.first.checked_add(media.segments.len() as u64).is_some());
    for segment in &media.segments {
        assert!(!segment.uri.is_empty() && !segment.uri.starts_with("#EXT") && segment.duration.as_secs() <= HOUR);
        check_range(segment.range);
        check_range(segment.map.as_ref().and_then(|map| map.range));
        segment.date.as_deref().and_then(unix_ns);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut cursor = Cursor::default();
    for text in data.split(|byte| *byte == 0) {
        let Ok(playlist) = Playlist::read(text) else { continue };
        assert_eq!(Playlist::read(text).as_ref(), Ok(&playlist), "the same again");
        let media = match playlist {
            Playlist::Variants(variants) => {
                assert!(!variants.is_empty() && variants.iter().all(|variant| !variant.uri.is_empty()));
                continue;
            }
            Playlist::Media(media) => media,
        };
        check(&media, text.len());
        let mut newest = None;
        loop {
            match cursor.next(&media) {
                Next::Read { at, missed } => {
                    assert!(at < media.segments.len(), "{at} of {}", media.segments.len());
                    assert!(newest.is_none_or(|newest| newest < at && missed == 0), "forward, without a hole");
                    newest = Some(at);
                    cursor.step(&media, at);
                }
                Next::Wait => break assert!(!media.ended),
                Next::End => break assert!(media.ended),
                // As its reader does: it begins anew.
                Next::Restarted => cursor = Cursor::default(),
            }
        }
    }
});
