//! What changes in the middle of a stream: its clock's upper bits, its parameters, packets that are missing.

use std::{path::PathBuf, sync::Arc};

use ocelli_ingest::{Source as _, WallAnchor};
use ocelli_testkit::{Clip, Container};

use crate::{
    fake::{Packer, Script, Then},
    look::{drain, numbers, open, options},
};

fn raw(size: (usize, usize), first: u32) -> PathBuf {
    let clip = Clip::new(size.0, size.1).frames(20).first_number(first).container(Container::Raw);
    clip.params("bframes=0:keyint=10:slices=1:aud=0").cached()
}

#[test]
fn time_goes_on_where_the_clock_wraps() {
    let start = u32::MAX - 5 * 3000;
    let server = Script::of(Packer::new(start).file(&raw((192, 128), 0)).out, Then::Close).serve();
    let mut source = open(&server.url(), options()).unwrap();
    assert_eq!(source.first_pts(), i64::from(start));
    let seen = numbers(&drain(&mut source).0);
    // The last picture ends where the next would begin, which never came.
    let expected: Vec<_> =
        (0..20).map(|n| (i64::from(start) + n * 3000, Some(n as u32), (192, 128))).collect();
    assert_eq!(seen, expected);
}

#[test]
fn new_parameters_come_with_their_first_picture() {
    let packed =
        Packer::new(1000).file(&raw((192, 128), 0)).file(&raw((384, 256), 20)).file(&raw((192, 128), 40));
    let server = Script::of(packed.out, Then::Close).serve();
    let mut source = open(&server.url(), options()).unwrap();
    let (units, _) = drain(&mut source);
    let changes = units.windows(2).filter(|pair| !Arc::ptr_eq(&pair[0].parameters, &pair[1].parameters));
    assert_eq!(changes.count(), 2, "parameters that are repeated are no news");
    let sizes = |n| if (20..40).contains(&n) { (384, 256) } else { (192, 128) };
    let expected: Vec<_> = (0..60_u32).map(|n| (1000 + i64::from(n) * 3000, Some(n), sizes(n))).collect();
    assert_eq!(numbers(&units), expected);
    for unit in &units {
        let n = (unit.pts - 1000) / 3000;
        assert_eq!((unit.parameters.width, unit.parameters.height), sizes(n as u32), "{n}");
    }
}

#[test]
fn what_was_lost_marks_the_next_picture() {
    let packed = Packer::new(0).file(&raw((192, 128), 0)).lose(3).file(&raw((192, 128), 20));
    let server = Script::of(packed.out, Then::Close).serve();
    let mut source = open(&server.url(), options()).unwrap();
    let (units, _) = drain(&mut source);
    let damaged: Vec<i64> = units.iter().filter(|unit| unit.damaged).map(|unit| unit.pts / 3000).collect();
    assert_eq!(damaged, [20]);
    assert_eq!(source.damage(), Some("the server or the network lost packets"));
}

#[test]
fn sender_reports_anchor_wall_time() {
    let half = Packer::new(u32::MAX - 3000).file(&raw((192, 128), 0));
    // Of the moment 3000 ticks after the wrap, and 1 s after 1970 began.
    let mut report = b"$\x01\x00\x1c\x80\xc8\x00\x06\x0c\xe1\x11\x00".to_vec();
    report.extend(((2_208_988_801_u64) << 32).to_be_bytes());
    report.extend([2999_u32.to_be_bytes(), [0; 4], [0; 4]].concat());
    let mut media = half.out;
    media.extend(report);
    let server = Script::of(media, Then::Close).serve();
    let mut source = open(&server.url(), options()).unwrap();
    assert_eq!(source.anchor(), None);
    drain(&mut source);
    let anchor = WallAnchor { pts: source.first_pts() + 6000, unix_ns: 1_000_000_000 };
    assert_eq!(source.anchor(), Some(anchor));
}
