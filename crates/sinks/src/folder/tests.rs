//! Names, and times that the clock would not give.

use std::{
    ffi::OsStr,
    fs,
    time::{Duration, SystemTime},
};

use super::{Existing, FrameFolder, Retention, kept::Kept, names};

#[test]
fn names_count_from_four_digits_up_and_read_back() {
    let check = |number: u64, expected: &str| {
        assert_eq!(names::frame(number), expected);
        assert_eq!(names::frame_number(OsStr::new(expected)), Some(number));
        assert!(names::is_part(OsStr::new(&names::part(number))));
        assert!(names::frame_number(OsStr::new(&names::part(number))).is_none());
    };
    check(1, "frame_0001.jpg");
    check(9999, "frame_9999.jpg");
    check(10_000, "frame_10000.jpg");
    check(999_999_999_999_999, "frame_999999999999999.jpg");
}

#[test]
fn other_names_are_not_ours() {
    let others = [
        "frame_.jpg",
        "frame_1.jpeg",
        "frame_1.JPG",
        "frame_+1.jpg",
        "frame_1 .jpg",
        "frame_1.jpg.bak",
        "xframe_0001.jpg",
        "frame_0001",
        ".frame_.part",
        "frame_0001.part",
        "frame_-001.jpg",
        "frame_٣.jpg",
        "frame_1000000000000000.jpg",
    ];
    for name in others {
        assert_eq!(names::frame_number(OsStr::new(name)), None, "{name}");
        assert!(!names::is_part(OsStr::new(name)), "{name}");
    }
}

#[test]
fn times_rise_strictly_although_the_clock_stands_or_falls() {
    let folder = tempfile::tempdir().unwrap();
    let mut frames = FrameFolder::resume(folder.path()).unwrap();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let micros = [9, 9, 9, 5_000_000, 4_000_000, 0, 5_000_001, 5_000_100, 0];
    let mut times = Vec::new();
    for micros in micros {
        let now = start + Duration::from_micros(micros);
        let number = frames.write_at(b"jpeg", now).unwrap();
        let time = fs::metadata(frames.path_of(number)).unwrap().modified().unwrap();
        assert!(time >= now);
        times.push(time);
    }
    assert!(times.windows(2).all(|pair| pair[1] - Duration::from_micros(1) >= pair[0]), "{times:?}");
    assert_eq!(times[0], start + Duration::from_micros(9));
    assert_eq!(times[7], start + Duration::from_micros(5_000_100), "back on the clock when it has caught up");
}

#[test]
fn stretches_of_numbers_are_counted() {
    let mut kept = Kept::of(vec![(12, 5), (3, 1), (11, 4), (4, 1 << 40)]);
    kept.push(13, 6);
    kept.push(999_999_999_999_999, 7);
    let full = u64::from(u32::MAX);
    let expected = [
        (3, 6, 23 + full),
        (4, 5, 22 + full),
        (11, 4, 22),
        (12, 3, 18),
        (13, 2, 13),
        (999_999_999_999_999, 1, 7),
    ];
    for (oldest, frames, bytes) in expected {
        assert_eq!((kept.oldest(), kept.frames(), kept.bytes()), (Some(oldest), frames, bytes));
        kept.pop();
    }
    kept.pop();
    assert_eq!((kept.oldest(), kept.frames(), kept.bytes()), (None, 0, 0));
}

/// Frames of 10 bytes at these seconds under a rule, looked at after each: numbers that are left in the end.
fn left(retention: Retention, seconds: &[u64], later: u64) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let mut frames = FrameFolder::create(folder.path(), Existing::Refuse).unwrap();
    frames.retain(retention);
    let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second);
    for second in seconds {
        frames.write_at(b"0123456789", at(*second)).unwrap();
        frames.clean_up_at(at(*second)).unwrap();
    }
    while frames.clean_up_at(at(later)).unwrap() > 0 {}
    let left: Vec<_> =
        (1..=seconds.len() as u64).filter(|number| frames.path_of(*number).try_exists().unwrap()).collect();
    assert_eq!((frames.bytes(), frames.count()), (left.len() as u64 * 10, seconds.len() as u64));
    left
}

#[test]
fn what_is_more_or_older_or_larger_goes() {
    let none = Retention::default();
    let count = |count| Retention { count: Some(count), ..none };
    let age = |seconds| Retention { age: Some(Duration::from_secs(seconds)), ..none };
    let bytes = |bytes| Retention { bytes: Some(bytes), ..none };
    let seconds = [0, 10, 20, 30, 40];
    for (retention, later, expected) in [
        (none, 1_000_000, &[1, 2, 3, 4, 5][..]),
        (count(5), 40, &[1, 2, 3, 4, 5]),
        (count(2), 40, &[4, 5]),
        (count(0), 40, &[5]),
        (bytes(30), 40, &[3, 4, 5]),
        (bytes(29), 40, &[4, 5]),
        (bytes(0), 40, &[5]),
        (age(20), 40, &[3, 4, 5]),
        (age(20), 41, &[4, 5]),
        (age(20), 1_000_000, &[5]),
        (age(0), 40, &[5]),
        // The clock was set back: nothing is old.
        (age(20), 0, &[3, 4, 5]),
        (Retention { count: Some(4), bytes: Some(30), ..age(5) }, 44, &[5]),
        (Retention { count: Some(4), bytes: Some(30), ..age(500) }, 44, &[3, 4, 5]),
        (Retention { count: Some(2), bytes: Some(30), ..age(500) }, 44, &[4, 5]),
    ] {
        assert_eq!(left(retention, &seconds, later), expected, "{retention:?} at {later}");
    }
}
