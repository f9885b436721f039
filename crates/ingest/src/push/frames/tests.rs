use std::{process::Command, sync::Arc, thread};

use bytes::Bytes;
use ocelli_media::{Codec, decode::Decoder as _, libav::LibavDecoder};
use ocelli_model::StreamId;

use super::*;
use crate::{Source as _, SourceError, Stop};

fn picture(codec: &str, size: &str) -> Bytes {
    let source = format!("testsrc2=s={size}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "1", "-c:v", codec]);
    Bytes::from(command.args(["-f", "image2pipe", "-"]).output().unwrap().stdout)
}

fn key() -> StreamId {
    "door".parse().unwrap()
}

/// Posts until somebody reads.
fn first(hub: &FrameHub, picture: &Bytes, at: PostedAt) -> Accepted {
    loop {
        match hub.post(&key(), picture.clone(), at) {
            Err(FrameRefused::NoReader) => thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

fn opened(hub: &Arc<FrameHub>, picture: &Bytes, at: PostedAt) -> FrameSource {
    opened_with(hub, picture, at, &Stop::default())
}

fn opened_with(hub: &Arc<FrameHub>, picture: &Bytes, at: PostedAt, stop: &Stop) -> FrameSource {
    thread::scope(|scope| {
        let source = scope.spawn(|| FrameSource::open(hub, &key(), stop, None).unwrap());
        first(hub, picture, at);
        source.join().unwrap()
    })
}

#[test]
fn pictures_come_as_they_were_posted() {
    let (hub, jpeg, png) =
        (Arc::new(FrameHub::default()), picture("mjpeg", "320x240"), picture("png", "64x48"));
    assert_eq!(hub.post(&key(), jpeg.clone(), PostedAt::Media(0)), Err(FrameRefused::NoReader));
    let mut source = opened(&hub, &jpeg, PostedAt::Media(7));
    assert_eq!((source.zero(), &source.parameters().codec), (7, &Codec::Mjpeg));
    let other = "other".parse().unwrap();
    assert_eq!(hub.post(&other, jpeg.clone(), PostedAt::Media(0)), Err(FrameRefused::NoReader));
    for (picture, at) in [(&jpeg, 40), (&png, 41), (&png, 100), (&jpeg, 3_000_000)] {
        hub.post(&key(), picture.clone(), PostedAt::Media(at)).unwrap();
    }
    let units: Vec<_> = (0..5).map(|_| source.next_unit().unwrap().unwrap()).collect();
    let seen: Vec<_> = units.iter().map(|unit| (unit.pts, unit.data.clone())).collect();
    let expected = [(7, &jpeg), (40, &jpeg), (41, &png), (100, &png), (3_000_000, &jpeg)];
    assert_eq!(seen, expected.map(|(pts, data)| (pts, data.clone())));
    let same = |a: usize, b: usize| Arc::ptr_eq(&units[a].parameters, &units[b].parameters);
    assert!(same(0, 1) && !same(1, 2) && same(2, 3) && !same(3, 4));
    // What was taken at the door can be decoded.
    for unit in &units {
        let mut decoder = LibavDecoder::open(&unit.parameters).unwrap();
        decoder.send(unit, true).unwrap();
        decoder.send_end();
        let frame = decoder.receive().unwrap().unwrap().frame.unwrap().unwrap();
        assert_eq!(
            (frame.picture().width, frame.picture().height),
            (unit.parameters.width, unit.parameters.height)
        );
    }
}

#[test]
fn times_rise() {
    let (hub, jpeg) = (Arc::new(FrameHub::default()), picture("mjpeg", "64x64"));
    let _source = opened(&hub, &jpeg, PostedAt::Media(50_000));
    let post = |at| hub.post(&key(), jpeg.clone(), at).map(|accepted| accepted.pts);
    for at in [50_000, 49_999, 40_000] {
        assert_eq!(post(PostedAt::Media(at)), Err(FrameRefused::Order { newest: 50_000 }), "{at}");
    }
    assert_eq!(post(PostedAt::Media(50_001)), Ok(50_001));
    assert_eq!(post(PostedAt::Arrival(50_001)), Ok(50_002), "two at once");
    assert_eq!(post(PostedAt::Arrival(1_700_000_000_000)), Ok(1_700_000_000_000));
    assert_eq!(post(PostedAt::Media(0)), Ok(0), "a sender that begins again");
}

#[test]
fn too_many_are_refused_and_none_that_was_taken_is_lost() {
    let (hub, jpeg) = (Arc::new(FrameHub::default()), picture("mjpeg", "64x64"));
    let mut source = opened(&hub, &jpeg, PostedAt::Media(0));
    let taken: Vec<_> = (1..20)
        .filter(|at| hub.post(&key(), jpeg.clone(), PostedAt::Media(*at)) != Err(FrameRefused::Full))
        .collect();
    assert_eq!(taken, (1..=8).collect::<Vec<_>>());
    let units: Vec<_> = (0..9).map(|_| source.next_unit().unwrap().unwrap().pts).collect();
    assert_eq!(units, (0..=8).collect::<Vec<_>>());
    assert!(hub.post(&key(), jpeg, PostedAt::Media(20)).is_ok(), "there is room again");
    let refused = hub.post(&key(), Bytes::from_static(b"GIF89a"), PostedAt::Media(21));
    assert_eq!(refused, Err(FrameRefused::Picture(PictureError::Kind)));
}

#[test]
fn one_key_has_one_reader_and_is_free_after_it() {
    let (hub, jpeg) = (Arc::new(FrameHub::default()), picture("mjpeg", "64x64"));
    let source = opened(&hub, &jpeg, PostedAt::Media(0));
    let taken = FrameSource::open(&hub, &key(), &Stop::default(), None).unwrap_err();
    assert!(matches!(taken, SourceError::Frames(FramesError::Taken)), "{taken:?}");
    assert!(
        hub.post(&key(), jpeg.clone(), PostedAt::Media(1)).is_ok(),
        "who was refused took nothing with it"
    );
    drop(source);
    assert_eq!(hub.post(&key(), jpeg.clone(), PostedAt::Media(2)), Err(FrameRefused::NoReader));
    drop(opened(&hub, &jpeg, PostedAt::Media(0)));
}

#[test]
fn a_wait_ends_when_it_is_told_to() {
    let (hub, jpeg, stop) = (Arc::new(FrameHub::default()), picture("mjpeg", "64x64"), Stop::default());
    let mut source = opened_with(&hub, &jpeg, PostedAt::Media(0), &stop);
    assert!(source.next_unit().unwrap().is_some());
    thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        assert!(matches!(source.next_unit(), Err(SourceError::Stopped)));
    });
    drop(source);
    assert!(matches!(FrameSource::open(&hub, &key(), &stop, None), Err(SourceError::Stopped)));
}
