use std::sync::Arc;

use ocelli_archive::LiveWindow;

use super::*;
use crate::media::playlist::sample::{FIRST_PTS, PART_TICKS, init, segment, window, with};

/// What is sent for one state, in short.
fn told(pour: &mut Pour, window: &LiveWindow) -> Vec<String> {
    let mut words = Vec::new();
    while pour.has_news(window) && !pour.has_ended() {
        for poured in pour.next(window) {
            words.push(match poured {
                Poured::Init { run, base_pts, .. } => {
                    format!("run {run} from {}", (base_pts - FIRST_PTS) / PART_TICKS)
                }
                Poured::Bytes(bytes) if bytes.starts_with(b"init") => {
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
                Poured::Bytes(bytes) => {
                    let flags = bytes[1];
                    format!("{} {flags}", String::from_utf8_lossy(&bytes[HEAD_BYTES..]))
                }
                Poured::Missed(parts) => format!("missed {parts}"),
                Poured::Paused(reason) => format!("paused: {reason}"),
                Poured::Ended => "ended".to_owned(),
            });
        }
    }
    words
}

#[test]
fn a_viewer_begins_at_the_newest_keyframe_and_follows() {
    let mut pour = Pour::default();
    assert!(!pour.has_news(&LiveWindow::default()));
    assert_eq!(told(&mut pour, &window(2, 2)), ["run 0 from 20", "init a", "<12.0> 3", "<12.1> 0"]);
    assert!(!pour.has_news(&window(2, 2)));
    assert_eq!(told(&mut pour, &window(2, 3)), ["<12.2> 0"]);
    assert_eq!(told(&mut pour, &window(3, 1))[..2], ["<12.3> 0", "<12.4> 0"]);
    assert!(!pour.has_news(&window(3, 1)));
    assert_eq!(told(&mut pour, &window(3, 2)), ["<13.1> 0"]);
}

#[test]
fn a_part_says_what_it_is() {
    let mut part = segment(u64::from(u32::MAX) + 1, 0x0102_0304, 1, 1);
    part.first_pts = -7;
    part.parts[0].first_pts = -7;
    let bytes = encoded(&part, &part.parts[0], true);
    let head = [1, 3, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(bytes[..16], head);
    assert_eq!(bytes[16..24], (-7_i64).to_be_bytes());
    assert_eq!(&bytes[24..], b"<4294967296.0>");
}

#[test]
fn runs_and_changes_are_announced() {
    let mut pour = Pour::default();
    assert_eq!(told(&mut pour, &window(1, 1)).len(), 3);
    let changed = with(window(2, 1), 2, |segment| segment.init = init('b'));
    let words = told(&mut pour, &changed);
    assert_eq!(
        words[words.len() - 3..],
        ["run 0 from 10", "init b", "<12.0> 3"],
        "within a run all is counted from one PTS"
    );
    let mut next = window(3, 0);
    next.segments[3] = Arc::new(segment(13, 4, 100, 1));
    let words = told(&mut pour, &next);
    assert_eq!(words[words.len() - 3..], ["run 4 from 100", "init a", "<13.0> 3"]);
}

#[test]
fn who_reads_too_slowly_is_taken_to_the_newest_keyframe() {
    let mut pour = Pour::default();
    assert_eq!(told(&mut pour, &window(1, 1)).last().unwrap(), "<11.0> 3");
    // 9 parts of segment 11, 4 of segment 12: 2.6 s behind is nothing to speak of.
    assert_eq!(told(&mut pour.clone(), &window(2, 4))[0], "<11.1> 0");
    // With 7 of segment 12 it would be 3.2 s.
    assert_eq!(told(&mut pour, &window(2, 7))[..3], ["missed 9", "<12.0> 3", "<12.1> 0"]);
    // Segment 13 is whole and has left memory, as has what is left of segment 12.
    let later =
        with(with(window(4, 1), 2, |segment| segment.parts.clear()), 3, |segment| segment.parts.clear());
    assert_eq!(told(&mut pour, &later), ["missed 10", "<14.0> 3"]);
}

#[test]
fn where_no_keyframe_is_newer_all_is_sent_in_order() {
    let long = |parts| {
        let mut window = window(0, 0);
        window.segments[0] =
            Arc::new(ocelli_archive::LiveSegment { sealed: false, ..segment(10, 0, 0, parts) });
        window
    };
    let mut pour = Pour::default();
    assert_eq!(told(&mut pour, &long(1)).len(), 3);
    assert_eq!(told(&mut pour, &long(40)).len(), 39, "nothing can be decoded without what came before");
}

#[test]
fn streams_without_keyframes_are_begun_where_a_segment_begins() {
    let none = |count, growing| {
        let mut window = window(count, growing);
        for segment in &mut window.segments {
            let segment = Arc::make_mut(segment);
            segment.keyframe = false;
            segment.parts.iter_mut().for_each(|part| part.keyframe = false);
        }
        window
    };
    let mut pour = Pour::default();
    assert!(!pour.has_news(&none(0, 3)));
    assert_eq!(told(&mut pour, &none(1, 1))[2..4], ["<10.0> 2", "<10.1> 0"]);
}

#[test]
fn pauses_and_the_end_are_told_once() {
    let mut pour = Pour::default();
    let paused = LiveWindow { paused: Some("no room".to_owned()), ..window(1, 1) };
    assert_eq!(told(&mut pour, &paused)[0], "paused: no room");
    assert!(!pour.has_news(&paused));
    assert!(!pour.has_news(&window(1, 1)), "that it goes on is seen by what comes");
    let again = LiveWindow { paused: Some("no room".to_owned()), ..window(1, 2) };
    assert_eq!(told(&mut pour, &again), ["<11.1> 0"]);
    let ended = LiveWindow { ended: true, ..window(1, 3) };
    assert_eq!(told(&mut pour, &ended), ["<11.2> 0", "ended"]);
    assert!(pour.has_ended());
    assert!(pour.next(&ended).is_empty());
}
