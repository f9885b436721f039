//! Times read back are those written; what is written survives a crash and a full disk.

use std::{fs::File, io::Cursor};

use ocelli_model::TimeBase;
use tempfile::NamedTempFile;

use super::files::{Found, Narrow, is_full, probe, times, writer};
use crate::{
    libav::{
        Demuxer, EncodeError, VideoSettings, VideoWriter,
        encoder::codec::{self, Name},
    },
    pixel::{Matrix, OwnedPicture, Range},
};

fn picture(step: usize) -> OwnedPicture {
    let mut picture = OwnedPicture::black(64, 48, Range::Limited, Matrix::Bt601);
    for (index, value) in picture.planes[0].iter_mut().enumerate() {
        *value = 16 + ((index * 7 + step * 13) % 200) as u8;
    }
    picture
}

/// Multiplied out: equal media times in whatever ticks.
fn assert_times(found: &Found, pts: &[i64], base: (u32, u32)) {
    let (num, den) = (i128::from(base.0), i128::from(base.1));
    let written: Vec<_> = pts.iter().map(|pts| i128::from(*pts) * num * found.time_base.1).collect();
    let read: Vec<_> = found.pts.iter().map(|pts| pts * found.time_base.0 * den).collect();
    assert_eq!(read, written);
    if num == 1 {
        assert_eq!(found.time_base.1, den, "the stream's own ticks");
    }
}

fn check_times(base: (u32, u32), pts: &[i64]) {
    for codec in codec::available() {
        let file = NamedTempFile::new().unwrap();
        let mut writer = writer(file.path(), codec, base);
        for (step, pts) in pts.iter().enumerate() {
            writer.write(&picture(step).as_picture(), *pts).unwrap();
        }
        assert_eq!(writer.codec_name(), Some(codec.as_str()));
        let shift = writer.shift();
        assert_eq!(shift, (-pts[0]).max(0));
        writer.finish().unwrap();
        let shown: Vec<_> = pts.iter().map(|pts| pts + shift).collect();
        for what in ["packet", "frame"] {
            assert_times(&times(file.path(), what), &shown, base);
        }
    }
}

fn irregular(start: i64, tick: i64, count: i64) -> Vec<i64> {
    (0..count).map(|k| start + k * 30 * tick + (k * k) % 17 * tick + k / 40 * 900 * tick).collect()
}

#[test]
fn the_start_and_the_spacing_are_kept_to_the_tick() {
    check_times((1, 90_000), &irregular(90_126_000, 100, 130));
    check_times((1, 90_000), &irregular(0, 97, 35));
    check_times((1, 1000), &irregular(1, 1, 31));
    check_times((1001, 30_000), &irregular(7, 1, 70));
    check_times((1, 25), &[3]);
    check_times((1, 1), &[0, 1, 2, 5, 3600]);
    check_times((2, 50), &[10, 11, 13]);
}

#[test]
fn times_before_zero_are_moved_all_alike() {
    check_times((1, 90_000), &irregular(-45_017, 100, 40));
    check_times((1001, 24_000), &[-1, 0, 1, 4]);
}

#[test]
fn far_and_finely_counted_times_are_kept_too() {
    let day = 90_000 * 86_400;
    check_times((1, 90_000), &irregular(33 * day, 100, 45));
    check_times((1, 90_000), &[40 * day, 40 * day + i64::from(i32::MAX) - 1]);
    check_times((1, i32::MAX as u32), &[1 << 59, (1 << 59) + 1, (1 << 59) + 50]);
}

#[test]
fn a_gap_too_long_for_mp4_is_filled_and_moves_nothing() {
    let file = NamedTempFile::new().unwrap();
    let mut writer = writer(file.path(), Name::X264, (1, 1_000_000_000));
    let pts = [5, 6, 7_000_000_000, 7_000_000_001, 7_000_000_002 + i64::from(i32::MAX)];
    for (step, pts) in pts.iter().enumerate() {
        writer.write(&picture(step).as_picture(), *pts).unwrap();
    }
    let hour = 3_600_000_000_000;
    assert!(matches!(writer.write(&picture(0).as_picture(), hour), Err(EncodeError::Gap { .. })));
    writer.finish().unwrap();
    let found = times(file.path(), "frame").pts;
    let given = |found: &&i128| pts.iter().any(|pts| i128::from(*pts) == **found);
    assert_eq!(found.iter().filter(given).count(), pts.len(), "{found:?}");
    assert_eq!(found.len(), pts.len() + 3 + 1, "{found:?}");
}

#[test]
fn a_writer_that_dies_leaves_what_it_had_finished() {
    let file = NamedTempFile::new().unwrap();
    let pts = irregular(90_126_000, 100, 100);
    let mut writer = writer(file.path(), Name::X264, (1, 90_000));
    for (step, pts) in pts.iter().enumerate() {
        writer.write(&picture(step).as_picture(), *pts).unwrap();
    }
    // As kill -9 does: no end is written.
    drop(writer);
    let found = times(file.path(), "frame");
    assert!(found.pts.len() >= 60, "{} of 100", found.pts.len());
    assert_times(&found, &pts[..found.pts.len()], (1, 90_000));
}

#[test]
fn a_full_disk_is_the_outputs_own_error_and_the_rest_plays() {
    let check = |room: usize, at_least: i64| {
        let file = NamedTempFile::new().unwrap();
        let output = Narrow { file: File::create(file.path()).unwrap(), room };
        let settings = VideoSettings::new(TimeBase::new(1, 25).unwrap());
        let mut writer = VideoWriter::create(Box::new(output), settings).unwrap();
        let pictures: Vec<_> = (0..10).map(picture).collect();
        let error =
            (0..4000).find_map(|pts| writer.write(&pictures[pts as usize % 10].as_picture(), pts).err());
        assert!(is_full(&error.expect("the disk is smaller than the video")), "{room}");
        assert!(matches!(writer.write(&picture(0).as_picture(), 5000), Err(EncodeError::Broken)));
        assert!(matches!(writer.finish(), Err(EncodeError::Broken)));
        let readable = Demuxer::open(Box::new(File::open(file.path()).unwrap()));
        let units = readable.into_iter().flat_map(|mut demuxer| {
            std::iter::from_fn(move || demuxer.next_unit().ok().flatten()).map(|unit| unit.pts)
        });
        let pts: Vec<_> = units.collect();
        assert!(pts.len() as i64 >= at_least, "{room}: {}", pts.len());
        assert!(pts.iter().copied().eq(0..pts.len() as i64), "{room}: {pts:?}");
    };
    check(0, 0);
    check(100, 0);
    check(700, 0);
    check(5000, 0);
    check(100_000, 30);
}

#[test]
fn a_disk_that_fills_at_the_end_fails_the_end() {
    let file = NamedTempFile::new().unwrap();
    let output = Narrow { file: File::create(file.path()).unwrap(), room: 2000 };
    let settings = VideoSettings::new(TimeBase::new(1, 25).unwrap());
    let mut writer = VideoWriter::create(Box::new(output), settings).unwrap();
    for pts in 0..20 {
        writer.write(&picture(pts as usize).as_picture(), pts).unwrap();
    }
    assert!(is_full(&writer.finish().unwrap_err()));
}

#[test]
fn wrong_use_gets_a_clear_error_and_costs_nothing() {
    let base = TimeBase::new(1, 25).unwrap();
    let create = |base| VideoWriter::create(Box::new(Cursor::new(Vec::new())), VideoSettings::new(base));
    let text = create(TimeBase::new(1, u32::MAX).unwrap()).unwrap_err().to_string();
    assert_eq!(text, "MP4 cannot count in ticks of 1/4294967295 s");
    assert!(create(TimeBase::new(u32::MAX, u32::MAX).unwrap()).is_ok(), "one second");
    assert!(matches!(create(base).unwrap().finish(), Err(EncodeError::Empty)));

    let file = NamedTempFile::new().unwrap();
    let mut writer = writer(file.path(), Name::X264, (1, 25));
    for pts in [i64::MIN, i64::MAX, (1 << 60) + 1] {
        let refused = writer.write(&picture(0).as_picture(), pts);
        assert!(matches!(refused, Err(EncodeError::TimeRange(given)) if given == pts), "{refused:?}");
    }
    writer.write(&picture(0).as_picture(), 5).unwrap();
    for pts in [5, 4, i64::MIN] {
        let refused = writer.write(&picture(0).as_picture(), pts);
        assert!(matches!(refused, Err(EncodeError::NotIncreasing { last: 5, .. })), "{refused:?}");
    }
    let mut short = picture(0);
    short.planes[2].pop();
    let mut nothing = picture(0);
    nothing.width = 0;
    for bad in [short, nothing] {
        assert!(matches!(writer.write(&bad.as_picture(), 6), Err(EncodeError::Picture { .. })));
    }
    writer.write(&picture(1).as_picture(), 6).unwrap();
    writer.finish().unwrap();
    assert_eq!(probe(file.path(), "packet=pts").split_whitespace().count(), 2);
}
