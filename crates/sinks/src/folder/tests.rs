//! Names, and times that the clock would not give.

use std::{
    ffi::OsStr,
    fs,
    time::{Duration, SystemTime},
};

use super::{FrameFolder, names};

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
