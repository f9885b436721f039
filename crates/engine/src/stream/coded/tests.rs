use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, Codec, CodecParameters,
    bitstream::{Field, PictureInfo},
    sampler::Chosen,
};
use ocelli_model::TimeBase;

use super::*;
use crate::stream::now;

/// H.264 in Annex B: an SPS where asked for, then a slice of so many bytes.
fn data(sets: Option<u8>, bytes: usize) -> Bytes {
    let mut data = Vec::new();
    if let Some(id) = sets {
        data.extend([0, 0, 0, 1, 0x67, 1, 2, id]);
    }
    data.extend([0, 0, 0, 1, 0x41]);
    data.resize(data.len() + bytes, 0x80);
    data.into()
}

fn feed(pts: i64, access: Access, chosen: bool, data: Bytes) -> Feed {
    let time_base = TimeBase::new(1, 10).unwrap();
    let parameters = Arc::new(CodecParameters::new(Codec::H264, Bytes::new(), time_base));
    let unit = AccessUnit::new(pts, data, parameters);
    let info = PictureInfo {
        access,
        reference: true,
        skipped_after_random_access: false,
        reorder_depth: 0,
        references_lost: false,
        shown: true,
        field: Field::Whole,
    };
    let chosen = chosen.then_some(Chosen { slot: Some(pts) });
    let fresh = access == Access::Keyframe { leading: false };
    Feed { unit, info, fresh, floor: Some(pts), chosen }
}

const KEY: Access = Access::Keyframe { leading: false };
const OPEN: Access = Access::Keyframe { leading: true };

/// What is in the queue, in a word each: `k` keyframe or other fresh start, `p` the rest, `*` chosen, `x` dropped, `|` gap.
fn words(queue: &mut CodedQueue) -> String {
    let word = |item: Timed| match item.coded {
        Coded::Step(Step::Feed(feed)) => {
            let kind = if feed.fresh { 'k' } else { 'p' };
            format!("{kind}{}{}", feed.unit.pts, if feed.chosen.is_some() { "*" } else { "" })
        }
        Coded::Dropped(choice) => format!("x{}", choice.pts),
        Coded::Gap => "|".to_owned(),
        other => format!("{other:?}"),
    };
    std::iter::from_fn(|| queue.pop()).map(word).collect::<Vec<_>>().join(" ")
}

/// Pushes units of 0.1 s each; gives how many choices were dropped.
fn push(queue: &mut CodedQueue, start: Instant, feed: Feed, live: bool) -> u64 {
    let planned = start + Duration::from_millis(100) * u32::try_from(feed.unit.pts).unwrap();
    queue.push(Timed { coded: Coded::Step(Step::Feed(feed)), planned, arrived: planned }, live)
}

#[test]
fn what_is_too_old_goes_up_to_the_next_start() {
    let check = |second: Access, live: bool, expected: &str| {
        let (mut queue, start, mut dropped) = (CodedQueue::default(), now(), 0);
        for pts in 0..=21 {
            let access = match pts {
                0 => KEY,
                15 => second,
                _ => Access::None,
            };
            let chosen = pts % 5 == 0;
            dropped += push(&mut queue, start, feed(pts, access, chosen, data(None, 10)), live);
        }
        let words = words(&mut queue);
        assert_eq!(words, expected, "{second:?}");
        assert_eq!(dropped as usize, words.matches('x').count());
        assert_eq!(queue.bytes, 0, "all bytes are accounted for");
    };
    check(KEY, true, "| x0 x5 x10 k15* p16 p17 p18 p19 p20* p21");
    // An open GOP has no fresh start of its own: decoding starts at the keyframe all the same.
    check(OPEN, true, "| x0 x5 x10 k15* p16 p17 p18 p19 p20* p21");
    // Intra refresh: pictures are right five references later.
    check(Access::Recovery { after: 5 }, true, "| x0 x5 x10 k15 x15 p16 p17 p18 p19 p20* p21");
    check(Access::Recovery { after: 6 }, true, "| x0 x5 x10 k15 x15 p16 p17 p18 p19 p20 x20 p21");
    // Without one, nothing is left; files drop nothing.
    check(Access::None, true, "| x0 x5 x10 x15 x20");
    let all: Vec<_> = (0..=21)
        .map(|n| format!("{}{n}{}", if n % 15 == 0 { 'k' } else { 'p' }, if n % 5 == 0 { "*" } else { "" }))
        .collect();
    check(KEY, false, &all.join(" "));
}

#[test]
fn pictures_before_an_open_keyframe_go_with_what_they_need() {
    let (mut queue, start) = (CodedQueue::default(), now());
    push(&mut queue, start, feed(0, KEY, true, data(None, 10)), true);
    push(&mut queue, start, feed(22, Access::None, true, data(None, 10)), true);
    assert_eq!(queue.gap, Gap::Open);
    for (pts, access) in [(26, OPEN), (24, Access::None), (25, Access::None), (27, Access::None), (30, OPEN)]
    {
        push(&mut queue, start, feed(pts, access, true, data(None, 10)), true);
    }
    // Leading, but of a keyframe before which nothing is missing.
    push(&mut queue, start, feed(29, Access::None, true, data(None, 10)), true);
    assert_eq!(words(&mut queue), "| x0 x22 k26* x24 x25 p27* p30* p29*");
}

#[test]
fn bytes_are_bounded_whatever_the_time() {
    let (mut queue, start, mut dropped) = (CodedQueue::default(), now(), 0);
    for pts in 0..20 {
        let access = if pts % 4 == 0 { KEY } else { Access::None };
        dropped += push(&mut queue, start, feed(pts, access, true, data(None, 4 << 20)), true);
        assert!(queue.bytes <= MOST_BYTES, "{} bytes", queue.bytes);
    }
    assert!(dropped > 0);
    assert_eq!(dropped as usize, words(&mut queue).matches('x').count());
    // One that is larger than all room goes alone.
    assert_eq!(push(&mut queue, start, feed(20, KEY, true, data(None, MOST_BYTES + 1)), true), 1);
    assert_eq!((queue.bytes, words(&mut queue).as_str()), (0, "| x20"));
}

#[test]
fn parameter_sets_of_what_goes_come_with_what_stays() {
    let (mut queue, start) = (CodedQueue::default(), now());
    push(&mut queue, start, feed(0, KEY, true, data(Some(7), 10)), true);
    push(&mut queue, start, feed(21, Access::None, false, data(Some(8), 10)), true);
    push(&mut queue, start, feed(22, KEY, true, data(None, 10)), true);
    let fed = std::iter::from_fn(|| queue.pop()).find_map(|item| match item.coded {
        Coded::Step(Step::Feed(feed)) => Some(feed.unit.data),
        _ => None,
    });
    let fed = fed.expect("the keyframe stays");
    let place = |id: u8| fed.windows(4).position(|bytes| bytes == [0x67, 1, 2, id]).expect("it is there");
    assert!(place(7) < place(8) && place(8) < 20, "{fed:?}");
    assert_eq!(queue.bytes, 0);
}

#[test]
fn a_file_waits_for_room_and_what_is_no_unit_always_has_some() {
    let (mut queue, start) = (CodedQueue::default(), now());
    for pts in 0..AHEAD as i64 {
        assert!(queue.has_room(), "{pts}");
        push(&mut queue, start, feed(pts, KEY, true, data(None, 1)), false);
    }
    assert!(!queue.has_room());
    queue.pop();
    assert!(queue.has_room() && !queue.is_overrun());
    for _ in 0..MOST_STEPS {
        let coded = Coded::Step(Step::Empty { first: 0, last: 0 });
        queue.push(Timed { coded, planned: start, arrived: start }, true);
    }
    assert!(queue.is_overrun());
}
