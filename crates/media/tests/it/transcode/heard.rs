//! Blocks of AAC as `ffmpeg` hears them.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use ocelli_media::{AudioCodec, AudioUnit, libav::AudioTranscoder};

/// Samples of a block.
pub(super) const BLOCK: i64 = 1024;

/// All that the transcoder makes of these. No more than a few blocks are ready at any time.
pub(super) fn transcoded(units: impl IntoIterator<Item = AudioUnit>) -> (Vec<AudioUnit>, usize) {
    let (mut transcoder, mut made, mut left_out) = (AudioTranscoder::new(), Vec::new(), 0);
    for unit in units {
        left_out += usize::from(transcoder.push(unit).is_err());
        made.extend(std::iter::from_fn(|| transcoder.next_unit()));
    }
    transcoder.end();
    made.extend(std::iter::from_fn(|| transcoder.next_unit()));
    (made, left_out)
}

/// The header of a block (ISO/IEC 14496-3, 1.A.2.2), so that a file of them needs no container with times of its own.
fn headed(unit: &AudioUnit) -> Vec<u8> {
    let config = &unit.parameters.extradata;
    let rate = (config[0] & 7) << 1 | config[1] >> 7;
    let channels = config[1] >> 3 & 0xf;
    let length = unit.data.len() + 7;
    let mut out = vec![0xff, 0xf1, 1 << 6 | rate << 2 | channels >> 2];
    out.extend([channels << 6 | (length >> 11) as u8, (length >> 3) as u8, (length << 5) as u8 | 0x1f, 0xfc]);
    out.extend_from_slice(&unit.data);
    out
}

/// Sound of blocks that follow each other: the first sample is heard at the first PTS. Channels are mixed to one.
pub(super) fn listen(units: &[AudioUnit]) -> Vec<f32> {
    let parameters = &units[0].parameters;
    assert_eq!(parameters.codec, AudioCodec::Aac);
    assert_eq!((parameters.time_base.num(), parameters.time_base.den()), (1, parameters.sample_rate));
    let follow = units.windows(2).all(|pair| pair[1].pts - pair[0].pts == BLOCK);
    assert!(follow, "one block after the other: {:?}", units.iter().map(|unit| unit.pts).collect::<Vec<_>>());
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "aac", "-i", "pipe:0", "-ac", "1", "-f", "f32le", "pipe:1"]);
    let mut child = ffmpeg.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes: Vec<u8> = units.iter().flat_map(headed).collect();
    let said = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(&bytes).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(said.status.success());
    let samples = floats(&said.stdout);
    assert_eq!(samples.len() as i64, BLOCK * units.len() as i64, "each block is heard");
    samples
}

pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// How many samples later `heard` is than `truth`, at most `most` either way, and how alike they are then (1: the same but for loudness).
pub(super) fn lag(truth: &[f32], heard: &[f32], most: i64) -> (i64, f64) {
    let likeness = |lag: i64| {
        let pairs = (0..truth.len() as i64)
            .filter_map(|at| Some((truth[at as usize], *heard.get(usize::try_from(at + lag).ok()?)?)));
        let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
        for (a, b) in pairs {
            let (a, b) = (f64::from(a), f64::from(b));
            (both, first, second) = (both + a * b, first + a * a, second + b * b);
        }
        both / (first * second).sqrt().max(1e-9)
    };
    (-most..=most).map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}
