use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ocelli_model::TimeBase;

use super::Window;
use crate::{Init, LivePart, LiveSegment, LiveWindow};

fn segment(number: u64) -> LiveSegment {
    let init =
        Init { name: "0".repeat(16), bytes: Bytes::new(), codecs: "avc1".to_owned(), width: 16, height: 16 };
    LiveSegment {
        number,
        run: 0,
        discontinuity: 0,
        time_base: TimeBase::SECOND,
        first_pts: number as i64 * 2,
        end_pts: number as i64 * 2,
        stated: 0,
        began_ms: 0,
        keyframe: true,
        init: Arc::new(init),
        parts: Vec::new(),
        sealed: false,
    }
}

/// A segment of two seconds with one part.
fn grow(window: &mut Window, number: u64, missed: bool) {
    window.begin(segment(number), missed);
    let first_pts = number as i64 * 2;
    let part =
        LivePart { bytes: Bytes::from_static(b"part"), first_pts, ticks: 2, stated: 2, keyframe: true };
    window.grow(part, first_pts, first_pts + 2);
}

/// Numbers, with `*` where the bytes are in memory and `+` where it is sealed.
fn shown(window: &LiveWindow) -> String {
    let word = |segment: &Arc<LiveSegment>| {
        let bytes = if segment.parts.is_empty() { "" } else { "*" };
        format!("{}{bytes}{}", segment.number, if segment.sealed { "+" } else { "" })
    };
    window.segments.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn started() -> Window {
    let mut window = Window::new(Duration::from_secs(8));
    window.start();
    window
}

#[test]
fn bytes_stay_for_the_newest_and_names_for_longer() {
    let mut window = started();
    let view = window.view();
    for number in 0..9 {
        grow(&mut window, number, false);
        if number > 0 {
            window.sealed(number - 1);
        }
    }
    assert_eq!(shown(&view.now()), "5+ 6*+ 7*+ 8*");
    window.sealed(8);
    window.end();
    assert_eq!(shown(&view.now()), "5+ 6+ 7+ 8+");
    assert!(view.now().ended);
    window.start();
    assert_eq!((shown(&view.now()), view.now().ended), (String::new(), false));
}

/// What no disk has yet stays in memory, and what none will have is forgotten with all before it.
#[test]
fn nothing_is_listed_that_is_nowhere() {
    let mut window = started();
    let view = window.view();
    for number in 0..6 {
        grow(&mut window, number, false);
    }
    assert_eq!(shown(&view.now()), "0* 1* 2* 3* 4* 5*");
    for number in [0, 1, 3] {
        window.sealed(number);
    }
    assert_eq!(shown(&view.now()), "2* 3*+ 4* 5*");
    window.missed(2);
    grow(&mut window, 6, true);
    assert_eq!(shown(&view.now()), "3+ 4* 5* 6*");
    window.sealed(4);
    for number in 7..9 {
        grow(&mut window, number, false);
    }
    assert_eq!(shown(&view.now()), "4+ 5* 6* 7* 8*");
    grow(&mut window, 9, false);
    assert_eq!(shown(&view.now()), "7* 8* 9*");
}

/// What a full disk let the archive have of a segment is none that a playlist may list: it grows on.
#[test]
fn a_piece_of_a_segment_does_not_end_it() {
    let mut window = started();
    let view = window.view();
    for number in 0..2 {
        grow(&mut window, number, false);
        window.sealed(number);
    }
    grow(&mut window, 2, false);
    window.missed(2);
    window.sealed(2);
    assert_eq!(shown(&view.now()), "0*+ 1*+ 2*");
}

/// A segment without parts is of no use to anybody, and what is promised stands when one can be listed.
#[test]
fn a_segment_is_shown_with_its_first_part() {
    let mut window = started();
    let view = window.view();
    window.promise(0, 200);
    grow(&mut window, 0, false);
    window.promise(4, 200);
    window.sealed(0);
    assert_eq!((shown(&view.now()).as_str(), view.now().target_seconds), ("0*+", 4));
    window.begin(segment(1), false);
    assert_eq!(shown(&view.now()), "0*+");
    grow(&mut window, 2, false);
    assert_eq!(shown(&view.now()), "0*+ 1 2*");
}

/// A playlist that has ended may not go on, so it ends with the stream, not with a connection.
#[test]
fn who_holds_it_keeps_it_from_ending() {
    let mut window = Window::new(Duration::from_secs(8));
    let view = window.view();
    window.hold();
    assert!(view.now().ended, "nothing was recorded");
    assert!(window.start());
    window.promise(4, 209);
    grow(&mut window, 0, false);
    window.end();
    assert_eq!((view.now().ended, shown(&view.now())), (false, "0*".to_owned()));
    assert!(!window.start(), "it goes on, and so do its promises");
    grow(&mut window, 1, false);
    assert_eq!((shown(&view.now()), view.now().target_seconds), ("0* 1*".to_owned(), 4));
    window.release();
    assert!(!view.now().ended, "it is recorded");
    window.end();
    assert!(view.now().ended);
    assert!(window.start());
    assert_eq!((shown(&view.now()), view.now().target_seconds), (String::new(), 0));
}

/// Sound that begins, another size of pictures, another run; and a window that begins anew counts on from numbers that were never used.
#[test]
fn what_changes_is_counted() {
    let mut window = started();
    let view = window.view();
    let begin = |window: &mut Window, number, run, init: &str| {
        let segment = segment(number);
        let init = Arc::new(Init { name: init.to_owned(), ..Init::clone(&segment.init) });
        window.begin(LiveSegment { run, init, ..segment }, false);
        let part = LivePart { bytes: Bytes::new(), first_pts: 0, ticks: 1, stated: 1, keyframe: true };
        window.grow(part, 0, 1);
        view.now().segments.last().unwrap().discontinuity
    };
    let counts = [(7, 3, "a"), (8, 3, "a"), (9, 3, "b"), (10, 3, "b"), (11, 4, "b"), (12, 9, "a")];
    let counts = counts.map(|(number, run, init)| begin(&mut window, number, run, init));
    assert_eq!(counts, [7, 7, 8, 8, 9, 10]);
    window.end();
    window.start();
    assert_eq!(begin(&mut window, 13, 10, "a"), 13);
}

/// What was cut before anything was promised is told as is promised then.
#[test]
fn what_was_before_a_promise_keeps_it() {
    let mut window = started();
    let view = window.view();
    let part = |ticks| LivePart { bytes: Bytes::new(), first_pts: 0, ticks, stated: ticks, keyframe: false };
    window.begin(segment(0), false);
    window.grow(part(2), 0, 2);
    window.grow(part(7), 0, 9);
    assert_eq!(view.now().segments[0].stated, 9);
    window.promise(10, 3000);
    window.grow(part(1), 0, 10);
    let now = view.now();
    assert_eq!(now.segments[0].parts.iter().map(|part| part.stated).collect::<Vec<_>>(), [2, 3, 1]);
    assert_eq!((now.segments[0].stated, now.segments[0].end_pts), (6, 10));
}

#[test]
fn a_source_that_is_away_is_waited_for() {
    let mut window = Window::new(Duration::from_secs(8));
    let view = window.view();
    let seen = || (view.now().waiting, view.now().ended);
    assert_eq!(seen(), (false, true));
    window.hold();
    assert_eq!(seen(), (true, true), "nobody has come yet");
    window.start();
    assert_eq!(seen(), (false, false));
    window.end();
    assert_eq!(seen(), (true, false));
    window.release();
    assert_eq!(seen(), (false, true));
}

#[tokio::test]
async fn players_hear_of_each_part() {
    let mut window = started();
    let mut view = window.view();
    window.promise(2, 200);
    grow(&mut window, 0, false);
    let seen = view.wait(|window| !window.segments.is_empty()).await;
    assert_eq!((seen.target_seconds, seen.part_target_ms), (2, 200));
    window.pause(Some("no room".to_owned()));
    assert_eq!(view.wait(|window| window.paused.is_some()).await.paused.as_deref(), Some("no room"));
    drop(window);
    assert_eq!(shown(&*view.wait(|_| false).await), "0*");
}
