use super::*;
use crate::push::rtmp::amf::Value;

const AVCC: &[u8] = b"\x17\x00\x00\x00\x00\x01\x64\x00\x1f\xff\xe0\x00";

fn sent(units: &mut Units, timestamp: u32, tag: &[u8]) -> Option<AccessUnit> {
    units.video(timestamp, Bytes::copy_from_slice(tag)).unwrap()
}

fn heard(units: &mut Units, timestamp: u32, tag: &[u8]) -> Option<AudioUnit> {
    units.audio(timestamp, Bytes::copy_from_slice(tag)).unwrap()
}

/// A whole picture of one NAL unit.
fn picture(composition: i32) -> Vec<u8> {
    let mut tag = vec![0x27, 1];
    tag.extend(&composition.to_be_bytes()[1..]);
    tag.extend(b"\0\0\0\x02\x41\x9a");
    tag
}

fn begun() -> Units {
    let mut units = Units::new();
    assert!(sent(&mut units, 0, AVCC).is_none());
    units
}

/// 24.8 days after an encoder was started, half of 32 bits: what came before the media, at time 0, is nothing to count from.
#[test]
fn times_begin_with_the_media() {
    let mut units = begun();
    (units.clock, units.counts) = (Clock::default(), super::Counts::default());
    heard(&mut units, 0, b"\xaf\x00\x11\x90");
    let half = 1_i64 << 31;
    let times = [half - 80, half - 40, half, half + 40].map(|time| {
        // As ffmpeg writes it: 31 bits.
        sent(&mut units, (time % half) as u32, &picture(0)).unwrap().pts - time
    });
    assert_eq!(times, [0; 4]);
}

#[test]
fn times_go_on_past_32_bits() {
    let mut units = begun();
    units.clock = Clock::default();
    heard(&mut units, 0xffff_fff0, b"\xaf\x00\x11\x90");
    let mut times = Vec::new();
    // Sound and pictures are out of step around the wrap.
    for (timestamp, composition) in [(0xffff_fff0_u32, 40), (0xffff_fffd, -16), (5, 0), (0xffff_fffe, 2)] {
        let unit = sent(&mut units, timestamp, &picture(composition)).unwrap();
        times.push((unit.dts.unwrap(), unit.pts));
        let sound = heard(&mut units, timestamp.wrapping_add(10), b"\xaf\x01x").unwrap();
        times.push((sound.pts, sound.pts));
    }
    let wrap = 1_i64 << 32;
    let of = |at: i64, composition: i64| [(at, at + composition), (at + 10, at + 10)];
    let expected = [of(wrap - 16, 40), of(wrap - 3, -16), of(wrap + 5, 0), of(wrap - 2, 2)].concat();
    assert_eq!(times, expected);
    assert_eq!(units.counts.backwards, 1);
    // Round and round: 2^33 and beyond.
    for turn in 1..=4_i64 {
        for quarter in 0..4_u32 {
            let unit = sent(&mut units, quarter << 30, &picture(0)).unwrap();
            assert_eq!(unit.pts, turn * wrap + (i64::from(quarter) << 30));
        }
    }
}

#[test]
fn encoders_may_count_in_31_bits() {
    let half = 1_i64 << 31;
    let mut clock = Clock::default();
    let mut newest = 0;
    // For a year, sound ten milliseconds behind the pictures.
    for picture in (0..365 * 86_400_000_i64).step_by(30_000) {
        for time in [picture + 500, picture + 490] {
            assert_eq!(clock.at((time % half) as u32), time);
            newest = time;
        }
    }
    assert!(newest > 10 * half);
    // Right around the wrap.
    let mut clock = Clock::default();
    for time in
        [half - 3, half + 5, half - 1, half + 6, 2 * half - 1000, 2 * half + 20, 2 * half - 2, 2 * half + 40]
    {
        if time == 2 * half - 1000 {
            // Half way round.
            assert_eq!(clock.at((half / 2) as u32), half + half / 2);
        }
        assert_eq!(clock.at((time % half) as u32), time);
    }
}

#[test]
fn steps_back_stay_steps_back() {
    let mut units = begun();
    let mut at = |timestamp| sent(&mut units, timestamp, &picture(0)).unwrap().pts;
    assert_eq!([at(5_000_000), at(4_999_960), at(0), at(40)], [5_000_000, 4_999_960, 0, 40]);
    assert_eq!(units.counts.backwards, 2);
    // Shown before time began.
    assert_eq!(sent(&mut units, 0, &picture(-8_388_608)).unwrap().pts, -8_388_608);
}

#[test]
fn parameters_change_where_they_are_said_to() {
    let mut units = Units::new();
    let size = |width: f64| {
        let said = vec![
            ("width".to_owned(), Value::Number(width)),
            ("height".to_owned(), Value::Number(720.0)),
            ("framerate".to_owned(), Value::Number(29.97)),
        ];
        let mut out = Vec::new();
        for value in [Value::text("@setDataFrame"), Value::text("onMetaData"), Value::Object(said)] {
            amf::write(&value, &mut out);
        }
        out
    };
    units.announce(&size(1280.0));
    units.announce(b"\x02\x00\x01x");
    units.announce(b"garbage");
    assert!(sent(&mut units, 0, &picture(0)).is_none(), "nobody has said what it is");
    assert_eq!(units.counts.unexplained, 1);
    assert!(sent(&mut units, 0, AVCC).is_none());
    let first = sent(&mut units, 0, &picture(0)).unwrap();
    assert_eq!((first.parameters.width, first.parameters.height), (1280, 720));
    assert_eq!(first.parameters.extradata, AVCC[5..]);
    assert!((first.parameters.frame_rate - 29.97).abs() < 1e-9);
    // The same again changes nothing.
    sent(&mut units, 40, AVCC);
    let second = sent(&mut units, 40, &picture(0)).unwrap();
    assert!(Arc::ptr_eq(&first.parameters, &second.parameters));
    let mut other = AVCC.to_vec();
    other[8] = 0x28;
    sent(&mut units, 80, &other);
    let third = sent(&mut units, 80, &picture(0)).unwrap();
    assert!(!Arc::ptr_eq(&second.parameters, &third.parameters));
    assert_eq!(
        (third.parameters.width, &third.parameters.extradata[..]),
        (0, &other[5..]),
        "nobody said its size"
    );
    // A size that is none.
    units.announce(&size(1e9));
    sent(&mut units, 90, AVCC);
    assert_eq!(sent(&mut units, 90, &picture(0)).unwrap().parameters.width, 0);
    // Pictures of a codec that no record is of.
    assert!(sent(&mut units, 120, b"\x93hvc1data").is_none());
    assert_eq!(units.counts.unexplained, 2);
    assert_eq!(sent(&mut units, 160, b"\x93av01data").unwrap().parameters.codec, Codec::Av1);
}

#[test]
fn pictures_that_do_not_add_up_are_damaged() {
    let mut units = begun();
    assert!(!sent(&mut units, 0, &picture(0)).unwrap().damaged);
    for body in [&b"\0\0\0\x03\x41\x9a"[..], b"\0\0\0\x01\x41\0\0", b"\0\0\0\x01", b"\xff\xff\xff\xff\x41"] {
        let unit = sent(&mut units, 0, &[b"\x27\x01\0\0\0", body].concat()).unwrap();
        assert!(unit.damaged, "{body:?}");
    }
    assert_eq!(units.counts.damaged, 4);
    for record in [
        &b"\x17\0\0\0\0"[..],
        b"\x17\0\0\0\0\x01\x64\0\x1f\xff\xe0",
        b"\x17\0\0\0\0\x02\x64\0\x1f\xff\xe0\0",
        b"\x90hvc1\x01",
    ] {
        units.video(0, Bytes::copy_from_slice(record)).unwrap_err();
    }
    let long = [AVCC, &vec![0; LONGEST_RECORD]].concat();
    units.video(0, long.into()).unwrap_err();
    assert_eq!(units.counts.unreadable, 5);
    assert!(!sent(&mut units, 0, &picture(0)).unwrap().damaged, "the record before still holds");
}

#[test]
fn sound_says_how_it_is_coded() {
    let mut units = Units::new();
    let cases: [(&[u8], u32, u16); 7] = [
        (b"\x11\x90", 48_000, 2),
        (b"\x12\x08", 44_100, 1),
        // With spectral band replication: object type 5, 24 kHz, stereo.
        (b"\x2b\x11\x88\x00", 24_000, 2),
        // A rate of its own, 44056 Hz in 24 bits.
        (b"\x17\x80\x56\x0c\x10", 44_056, 2),
        // Object type 42: 31 and 10 in six bits more.
        (b"\xf9\x46\x40", 48_000, 2),
        (b"\x11\xb8", 48_000, 8),
        (b"\x11\x80", 48_000, 2),
    ];
    for (record, rate, channels) in cases {
        heard(&mut units, 0, &[b"\xaf\x00", record].concat());
        let unit = heard(&mut units, 0, b"\xaf\x01x").unwrap();
        let parameters = &unit.parameters;
        assert_eq!((parameters.sample_rate, parameters.channels), (rate, channels), "{record:?}");
        assert_eq!(parameters.extradata, record);
        heard(&mut units, 0, &[b"\xaf\x00", record].concat());
        let again = heard(&mut units, 0, b"\xaf\x01x").unwrap();
        assert!(Arc::ptr_eq(parameters, &again.parameters));
    }
    for record in [&b""[..], b"\x11", b"\x16\x90", b"\x17\x80\0\0\x10", b"\x11\xf8"] {
        units.audio(0, [b"\xaf\x00", record].concat().into()).unwrap_err();
    }
    assert!(heard(&mut units, 0, b"\x91Opusx").is_none());
    assert_eq!(units.counts.unexplained, 1);
    heard(&mut units, 0, b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0");
    let opus = heard(&mut units, 7, b"\x91Opusx").unwrap();
    assert_eq!((opus.pts, opus.parameters.sample_rate, opus.parameters.channels), (7, 48_000, 2));
    units.audio(0, b"\x90OpusOpusHea"[..].into()).unwrap_err();
    let mp3 = heard(&mut units, 8, b"\x2fx").unwrap();
    assert_eq!(mp3.parameters.codec, AudioCodec::Other("mp3".to_owned()));
    assert_eq!((mp3.parameters.sample_rate, mp3.parameters.channels), (44_100, 2));
    let mono = heard(&mut units, 8, b"\x2ex").unwrap();
    assert_eq!(mono.parameters.channels, 1);
    assert!(Arc::ptr_eq(&mono.parameters, &heard(&mut units, 9, b"\x2ex").unwrap().parameters));
}
