use ocelli_model::TimeBase;
use proptest::prelude::*;

use super::*;
use crate::{AudioCodec, Codec, Rotation};

/// 64x64, constrained baseline.
const SPS: [u8; 7] = [0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99];
const PPS: [u8; 4] = [0x68, 0xce, 0x38, 0x80];

fn video(time_base: TimeBase) -> Arc<CodecParameters> {
    let sets = [&[0, 0, 0, 1][..], &SPS, &[0, 0, 0, 1], &PPS].concat();
    let bare = Arc::new(CodecParameters::new(Codec::H264, sets.into(), time_base));
    Arc::clone(Framing::new(&bare).unwrap().parameters().unwrap())
}

fn sound(time_base: TimeBase) -> AudioParameters {
    let extradata = Bytes::from_static(&[0x11, 0x90]);
    AudioParameters { codec: AudioCodec::Aac, extradata, sample_rate: 48_000, channels: 2, time_base }
}

fn base(num: u32, den: u32) -> TimeBase {
    TimeBase::new(num, den).unwrap()
}

fn tracks(video_base: TimeBase, sound_base: TimeBase) -> Tracks {
    Tracks { video: video(video_base), sound: Some(Arc::new(sound(sound_base))) }
}

fn bytes(size: u16) -> Bytes {
    (0..size).map(|at| (at % 251) as u8).collect::<Vec<_>>().into()
}

/// Pictures from these, each a step in decode time, a distance from DTS to PTS, a size, a flag.
fn samples(start: i64, steps: &[(u32, i32, u16, bool)]) -> Vec<Sample> {
    let mut dts = start;
    let each = steps.iter().map(|(ticks, offset, size, keyframe)| {
        let pts = dts + i64::from(*offset);
        let sample = Sample { pts, dts, ticks: *ticks, keyframe: *keyframe, data: bytes(*size) };
        dts += i64::from(*ticks);
        sample
    });
    each.collect()
}

fn blocks(start: i64, steps: &[(u32, u16)]) -> Vec<SoundSample> {
    let mut pts = start;
    let each = steps.iter().map(|(ticks, size)| {
        let block = SoundSample { pts, ticks: *ticks, data: bytes(*size) };
        pts += i64::from(*ticks);
        block
    });
    each.collect()
}

prop_compose! {
    fn any_base()(num in prop_oneof![Just(1_u32), 1..2000_u32], den in 1..=u32::MAX) -> TimeBase {
        base(num, den)
    }
}

fn any_start() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(90_126_000), 0..i64::from(u32::MAX) * 100, Just(1 << 51)]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (video_base, sound_base) in (any_base(), any_base()),
        (start, sound_start) in (any_start(), -100_000..i64::MAX / 4000),
        steps in prop::collection::vec((0..900_000_u32, -900_000..900_000, 0..400_u16, any::<bool>()), 0..30),
        sounds in prop::collection::vec((0..900_000_u32, 0..200_u16), 0..30),
        sequence in any::<u32>(),
    ) {
        let pictures = samples(start, &steps);
        let heard = blocks(sound_start, &sounds);
        let written = part(sequence, (&pictures, video_base), (&heard, sound_base));
        if pictures.is_empty() && heard.is_empty() {
            prop_assert_eq!(written, Err(CmafError::Empty));
            return Ok(());
        }
        let written = written.unwrap();
        let tracks = tracks(video_base, sound_base);
        let read = read_part(&tracks, &written).unwrap();
        prop_assert_eq!(&read.video, &pictures);
        prop_assert_eq!(&read.sound, &heard);
        prop_assert_eq!(read.sequence, sequence);
        // In a file behind its head, and with the next one torn.
        let head = init(&tracks.video, tracks.sound.as_deref()).unwrap().bytes;
        let torn = &written[..written.len() - 1];
        let found = scan(&[&head[..], &written, &written, torn].concat());
        prop_assert_eq!((found.init, found.parts.len()), (head.len(), 2));
        prop_assert_eq!(found.whole, head.len() + 2 * written.len());
    }

    #[test]
    fn any_change_to_a_part_is_noticed(at in any::<prop::sample::Index>(), change in 1..=u8::MAX) {
        let video_base = base(1, 90_000);
        let pictures = samples(7, &[(3000, 0, 300, true), (3000, 6000, 100, false)]);
        let heard = blocks(-5, &[(5, 30), (1024, 40)]);
        let mut bytes = part(1, (&pictures, video_base), (&heard, video_base)).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(read_part(&tracks(video_base, video_base), &bytes.into()).is_err(), "at {}", at);
    }

    #[test]
    fn any_bytes_are_read_in_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
        let tracks = tracks(base(1, 90_000), base(1, 48_000));
        let head = init(&tracks.video, tracks.sound.as_deref()).unwrap().bytes;
        let mut damaged = head.to_vec();
        let at = at.index(head.len());
        let end = (at + bytes.len()).min(head.len());
        damaged[at..end].copy_from_slice(&bytes[..end - at]);
        for bytes in [Bytes::from(bytes), damaged.into()] {
            let found = scan(&bytes);
            prop_assert!(found.whole <= bytes.len());
            if let Ok(read) = read_init(&bytes) {
                // Whatever is read describes pictures, or is refused with an error.
                let _described = init(&read.video, read.sound.as_deref());
            }
            let _part = read_part(&tracks, &bytes);
        }
    }

    #[test]
    fn decode_times_never_fall_and_stay_near(
        start in prop_oneof![-100_000..100_000_i64, Just(90_126_000)],
        order in (1..5_u32, prop::collection::vec(0..3_u8, 1..60)),
        step in 40..4000_i64,
    ) {
        // Groups of a reference and the pictures shown before it, as many as the depth lets.
        let (depth, groups) = order;
        let mut times = DecodeTimes::new(base(1, 90_000), 90_000.0 / step as f64);
        let (mut last, mut at) = (None, start);
        for group in groups {
            let held = i64::from(group).min(i64::from(depth));
            let shown: Vec<i64> = std::iter::once(held).chain(0..held).map(|n| at + n * step).collect();
            at += (held + 1) * step;
            for pts in shown {
                let dts = times.push(pts, None, depth);
                prop_assert!(dts >= 0 && last.is_none_or(|last| last <= dts));
                prop_assert!(dts <= pts.max(0) + 17, "{dts} is after {pts}");
                prop_assert!(pts - dts <= (2 * i64::from(depth) + 1) * step, "{dts} is long before {pts}");
                last = Some(dts);
            }
        }
    }
}

#[test]
fn a_sources_own_decode_times_are_kept_where_they_make_sense() {
    let mut times = DecodeTimes::new(base(1, 90_000), 30.0);
    // Kept; kept; behind the PTS; standing still; falling; far away; kept again.
    let cases: [(i64, Option<i64>, i64); 7] = [
        (10_000, Some(4_000), 4_000),
        (19_000, Some(7_000), 7_000),
        (13_000, Some(14_000), 10_000),
        (16_000, Some(10_000), 10_001),
        (28_000, Some(9_000), 10_002),
        (22_000, Some(i64::MIN), 19_000),
        (25_000, Some(22_000), 22_000),
    ];
    for (pts, dts, expected) in cases {
        assert_eq!(times.push(pts, dts, 2), expected, "PTS {pts}");
    }
}

#[test]
fn few_ticks_near_zero_let_the_first_decode_times_be_equal() {
    let mut times = DecodeTimes::new(base(1, 30), 30.0);
    let pts = [0, 4, 2, 1, 3, 8, 6, 5, 7];
    let dts: Vec<i64> = pts.iter().zip(-2..).map(|(&pts, dts)| times.push(pts, Some(dts), 2)).collect();
    assert_eq!(dts, [0, 0, 0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn times_that_the_format_cannot_hold_are_refused() {
    let second = TimeBase::SECOND;
    let write = |samples: &[Sample], base| part(1, (samples, base), (&[], second)).unwrap_err();
    let picture = |pts, dts, ticks| Sample { pts, dts, ticks, keyframe: true, data: bytes(1) };
    let time = |what, pts| CmafError::Time { what, pts };
    assert_eq!(write(&[picture(0, -1, 1)], second), time("the DTS", 0));
    assert_eq!(write(&[picture(1 << 32, 0, 1)], second), time("the distance from DTS to PTS", 1 << 32));
    assert_eq!(write(&[picture(5, 5, u32::MAX)], base(2, 1)), time("the duration", 5));
    assert_eq!(write(&[picture(i64::MAX, i64::MAX, 1)], second), time("the end", i64::MAX));
    let gap = [picture(0, 0, 3), picture(9, 4, 3)];
    assert_eq!(write(&gap, second), CmafError::NotContiguous { pts: 9 });
    let heard =
        [SoundSample { pts: 0, ticks: 3, data: bytes(1) }, SoundSample { pts: 2, ticks: 3, data: bytes(1) }];
    let refused = part(1, (&[], second), (&heard, second));
    assert_eq!(refused, Err(CmafError::NotContiguous { pts: 2 }));
}

#[test]
fn what_cannot_be_recorded_is_named() {
    for codec in [Codec::Mjpeg, Codec::Vp8, Codec::Mpeg4, Codec::Other("mpeg2video".to_owned())] {
        let name = codec.name().to_owned();
        let parameters = CodecParameters::new(codec, Bytes::new(), TimeBase::SECOND);
        assert_eq!(init(&parameters, None), Err(CmafError::Video(name.clone())));
        assert_eq!(Framing::new(&Arc::new(parameters)).unwrap_err(), CmafError::Video(name));
    }
    let video = video(TimeBase::SECOND);
    let mut heard = sound(TimeBase::SECOND);
    heard.extradata = Bytes::new();
    assert!(matches!(init(&video, Some(&heard)), Err(CmafError::NoParameters(_))));
    heard.codec = AudioCodec::Opus;
    assert!(matches!(init(&video, Some(&heard)), Err(CmafError::NoParameters(_))));
    heard.codec = AudioCodec::Other("pcm_alaw".to_owned());
    let error = init(&video, Some(&heard)).unwrap_err();
    assert_eq!(error.to_string(), "pcm_alaw sound cannot be recorded: only AAC and Opus");
}

#[test]
fn the_head_says_everything_again() {
    let turns = [Rotation::None, Rotation::Clockwise, Rotation::Half, Rotation::Counterclockwise];
    for rotation in turns {
        let mut pictures = (*video(base(1001, 30_000))).clone();
        pictures.rotation = rotation;
        let heard = AudioParameters { sample_rate: 96_000, ..sound(base(7, 11_025)) };
        let head = init(&pictures, Some(&heard)).unwrap();
        assert_eq!((head.width, head.height), (64, 64));
        assert_eq!(head.codecs, "avc1.42c00a,mp4a.40.2");
        let read = read_init(&head.bytes).unwrap();
        assert_eq!((read.video.rotation, read.video.time_base), (rotation, base(1001, 30_000)));
        assert_eq!(read.video.extradata, pictures.extradata);
        assert_eq!(read.sound.as_deref(), Some(&heard));
        // And it writes the same head again.
        assert_eq!(init(&read.video, read.sound.as_deref()).unwrap(), head);
    }
}
