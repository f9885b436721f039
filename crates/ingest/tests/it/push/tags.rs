//! Tags that this machine's `ffmpeg` cannot send, made by hand from clips that it encoded.

use std::{path::Path, sync::Arc};

use ocelli_ingest::{
    OpenSource as _, SourceSpec, Stop,
    pull::{FileSource, Opener, OpenerOptions},
    push::Ending,
};
use ocelli_media::{AccessUnit, Codec};
use ocelli_net::AddressPolicy;
use ocelli_testkit::{Clip, ClipCodec};

use super::{
    publisher::Publisher,
    stand::{Read, SECRET, Stand},
};
use crate::look::{drain, numbers};

/// How tags of one codec are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// With a number of four bits.
    Number(u8),
    /// With four letters, and composition times.
    Letters(&'static [u8; 4]),
    /// With four letters, and none.
    Plain(&'static [u8; 4]),
    /// With four letters, among several tracks, behind a modifier.
    Track(&'static [u8; 4]),
}

impl Form {
    pub(crate) fn configuration(self, record: &[u8]) -> Vec<u8> {
        match self {
            Self::Number(codec) => [&[0x10 | codec, 0, 0, 0, 0], record].concat(),
            Self::Letters(codec) | Self::Plain(codec) => [&[0x90][..], codec, record].concat(),
            Self::Track(codec) => [&[0x96, 0x00][..], codec, &[0], record].concat(),
        }
    }

    pub(crate) fn picture(self, keyframe: bool, composition: i32, data: &[u8]) -> Vec<u8> {
        let kind = if keyframe { 1_u8 } else { 2 } << 4;
        let offset = &composition.to_be_bytes()[1..];
        match self {
            Self::Number(codec) => [&[kind | codec, 1], offset, data].concat(),
            Self::Letters(codec) => [&[0x81 | kind][..], codec, offset, data].concat(),
            Self::Plain(codec) => {
                assert_eq!(composition, 0, "it has no place");
                [&[0x83 | kind][..], codec, data].concat()
            }
            Self::Track(codec) => {
                let size = &(data.len() as u32 + 3).to_be_bytes()[1..];
                let other = [&[1, 0, 0, 1][..], b"x", &[0]].concat();
                // Nanoseconds; many tracks of one codec, of which number 1 comes first.
                [&[0x87 | kind, 2, 0, 0, 9, 0x06, 0x11][..], codec, &other, size, offset, data].concat()
            }
        }
    }
}

/// Units of a file at 25 a second, with times in milliseconds from `start` on.
fn units(file: &Path, start: i64) -> Vec<AccessUnit> {
    let (mut units, error) = drain(&mut FileSource::open(file).unwrap());
    assert!(error.is_none(), "{error:?}");
    let first = units[0].dts.unwrap();
    for unit in &mut units {
        unit.pts = start + (unit.pts - first) * 40;
        unit.dts = unit.dts.map(|dts| start + (dts - first) * 40);
    }
    units
}

fn send(publisher: &mut Publisher, form: Form, units: &[AccessUnit]) {
    for unit in units {
        let dts = unit.dts.unwrap();
        let composition = (unit.pts - dts) as i32;
        publisher.video(dts as u32, &form.picture(unit.container_keyframe, composition, &unit.data));
    }
}

fn published(form: Form, record: &[u8], units: &[AccessUnit]) -> Read {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut publisher = Publisher::admitted(stand.port, &format!("cam1?secret={SECRET}"));
    publisher.video(units[0].dts.unwrap() as u32, &form.configuration(record));
    send(&mut publisher, form, units);
    publisher.leave();
    reading.done()
}

fn assert_same(read: &Read, sent: &[AccessUnit]) {
    assert_eq!((read.end(), &read.damage), (Ending::Left, &None));
    let facts =
        |unit: &AccessUnit| (unit.pts, unit.dts, unit.container_keyframe, unit.damaged, unit.data.clone());
    let received: Vec<_> = read.units.iter().map(facts).collect();
    assert_eq!(received, sent.iter().map(facts).collect::<Vec<_>>());
}

#[test]
fn hevc_comes_in_every_form() {
    let clip = Clip::new(192, 128).rate(25, 1).frames(30).codec(ClipCodec::X265);
    let reordered = clip.clone().params("bframes=3:keyint=10").cached();
    let plain = clip.params("bframes=0:keyint=10").cached();
    let forms = [
        (Form::Number(12), &reordered),
        (Form::Letters(b"hvc1"), &reordered),
        (Form::Plain(b"hvc1"), &plain),
        (Form::Track(b"hvc1"), &reordered),
    ];
    for (form, file) in forms {
        let sent = units(file, 5000);
        let read = published(form, &sent[0].parameters.extradata, &sent);
        assert_same(&read, &sent);
        let parameters = &read.units[0].parameters;
        assert_eq!((&parameters.codec, &parameters.extradata), (&Codec::H265, &sent[0].parameters.extradata));
        let seen: Vec<_> = numbers(&read.units).iter().map(|(_, number, _)| number.unwrap()).collect();
        assert_eq!(seen, (0..30).collect::<Vec<_>>(), "{form:?}");
    }
}

#[test]
fn vp9_and_av1_come_with_letters() {
    let clip = Clip::new(192, 128).rate(25, 1).frames(10);
    for (codec, letters, ours) in
        [(ClipCodec::Vp9, b"vp09", Codec::Vp9), (ClipCodec::Av1, b"av01", Codec::Av1)]
    {
        let file = clip.clone().codec(codec).cached();
        let sent = units(&file, 0);
        let read = published(Form::Plain(letters), &sent[0].parameters.extradata, &sent);
        assert_same(&read, &sent);
        assert_eq!(read.units[0].parameters.codec, ours);
        assert_eq!(numbers(&read.units).len(), 10);
    }
}

#[test]
fn times_beyond_24_and_32_bits_are_exact() {
    let file = Clip::new(192, 128).rate(25, 1).frames(50).params("bframes=2:keyint=25").cached();
    for start in [0xff_ffff - 1000, 0xffff_ffff - 1000] {
        let sent = units(&file, start);
        assert!(sent.iter().any(|unit| unit.dts.unwrap() > start + 1000), "it wraps");
        let read = published(Form::Number(7), &sent[0].parameters.extradata, &sent);
        assert_same(&read, &sent);
    }
}

#[test]
fn parameters_change_within_a_publish() {
    let clip = |width, height| Clip::new(width, height).rate(25, 1).frames(25).params("bframes=0").cached();
    let (small, large) = (units(&clip(192, 128), 0), units(&clip(320, 240), 1000));
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut publisher = Publisher::admitted(stand.port, &format!("cam1?secret={SECRET}"));
    let form = Form::Number(7);
    for (time, units) in [(0, &small), (1000, &large)] {
        publisher.video(time, &form.configuration(&units[0].parameters.extradata));
        send(&mut publisher, form, units);
    }
    publisher.leave();
    let read = reading.done();
    assert_same(&read, &[small, large].concat());
    let (first, second) = (&read.units[0].parameters, &read.units[25].parameters);
    assert!(!Arc::ptr_eq(first, second));
    assert!(read.units[25..].iter().all(|unit| Arc::ptr_eq(&unit.parameters, second)));
    let sizes: Vec<_> =
        numbers(&read.units).iter().map(|(_, number, size)| (number.unwrap(), *size)).collect();
    let expected = |size| (0..25).map(move |number| (number, size));
    assert_eq!(sizes, expected((192, 128)).chain(expected((320, 240))).collect::<Vec<_>>());
}

#[test]
fn a_url_names_the_stream_that_is_published_to() {
    let stand = Stand::start();
    let spec = SourceSpec::new("publish:cam1".parse().unwrap());
    let without = Opener::new(OpenerOptions::new(AddressPolicy::operator())).unwrap();
    for error in [without.check(&spec).unwrap_err(), without.open(&spec, &Stop::default()).unwrap_err()] {
        assert_eq!(error.to_string(), "this program takes no publishers");
        assert!(error.fault().is_lasting());
    }
    let options =
        OpenerOptions { publish: Some(stand.hub.clone()), ..OpenerOptions::new(AddressPolicy::operator()) };
    let opener = Opener::new(options).unwrap();
    opener.check(&spec).unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| Read::whole(&mut *opener.open(&spec, &Stop::default()).unwrap()));
        while !stand.hub.is_read(&"cam1".parse().unwrap()) {
            std::thread::yield_now();
        }
        let sent = units(&Clip::new(192, 128).rate(25, 1).frames(5).params("bframes=0").cached(), 700);
        let mut publisher = Publisher::admitted(stand.port, &format!("cam1?secret={SECRET}"));
        publisher.video(700, &Form::Number(7).configuration(&sent[0].parameters.extradata));
        send(&mut publisher, Form::Number(7), &sent);
        publisher.leave();
        assert_same(&reading.join().unwrap(), &sent);
    });
}
