//! Real coded sound of each kind, out of the containers that it comes in.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use ocelli_media::{
    AudioCodec, AudioUnit, cmaf,
    libav::{AudioTranscoder, Demuxer, TranscodeError},
};
use ocelli_testkit::Clip;

use super::heard::{BLOCK, floats, lag, listen, transcoded};

/// Noise and a sweep: no two moments are alike.
const SWEEP: &str = "aevalsrc='0.4*sin(2*PI*(150+60*t)*t)+0.2*(random(0)-0.5)':s=48000:d=4";

fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let silent = Clip::new(192, 128).rate(25, 1).frames(100).cached();
    let path = folder.join(name);
    let mut made = Command::new("ffmpeg");
    made.args(["-v", "error", "-y", "-i"]).arg(&silent).args(["-f", "lavfi", "-i", SWEEP]);
    made.args(["-map", "0:v", "-map", "1:a", "-c:v", "copy"]).args(options).arg(&path);
    assert!(made.status().unwrap().success(), "{name}");
    path
}

fn sound(path: &Path) -> Vec<AudioUnit> {
    let mut demuxer = Demuxer::open_with_audio(Box::new(File::open(path).unwrap())).unwrap();
    let mut sound = Vec::new();
    while demuxer.next_unit().unwrap().is_some() {
        sound.extend(std::iter::from_fn(|| demuxer.next_audio()));
    }
    sound.extend(std::iter::from_fn(|| demuxer.next_audio()));
    sound
}

/// What ffmpeg hears in the file itself, mixed to one channel.
fn truth(path: &Path, rate: u32) -> Vec<f32> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-vn", "-f", "f32le", "-af"]);
    let mixed = "aformat=channel_layouts=stereo,pan=mono|c0=0.5*c0+0.5*c1";
    ffmpeg.arg(format!("aresample={rate},{mixed}")).arg("pipe:1");
    let said = ffmpeg.output().unwrap();
    assert!(said.status.success(), "{path:?}");
    floats(&said.stdout)
}

/// Samples that the encoder put in front: none where time would be negative.
fn lead(made: &[AudioUnit], first: f64) -> i64 {
    let begins = (first * f64::from(made[0].parameters.sample_rate)).round() as i64;
    if made[0].pts + BLOCK / 2 >= begins { 0 } else { BLOCK }
}

#[test]
fn sound_of_every_kind_is_heard_when_its_source_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[&str], (u32, u16)); 12] = [
        ("alaw.mov", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"], (16_000, 1)),
        ("ulaw.mkv", &["-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"], (16_000, 1)),
        ("alaw.flv", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"], (16_000, 1)),
        ("two.ts", &["-c:a", "mp2", "-ac", "2"], (48_000, 2)),
        ("low.ts", &["-c:a", "mp2", "-ar", "22050", "-ac", "1"], (22_050, 1)),
        ("three.ts", &["-c:a", "libmp3lame", "-ar", "44100", "-ac", "2"], (44_100, 2)),
        ("three.flv", &["-c:a", "libmp3lame", "-ar", "44100", "-ac", "2"], (44_100, 2)),
        ("ac3.ts", &["-c:a", "ac3", "-ac", "6"], (48_000, 2)),
        ("samples.mov", &["-c:a", "pcm_s16le", "-ar", "32000", "-ac", "2"], (32_000, 2)),
        ("studio.mkv", &["-c:a", "pcm_s24le", "-ar", "96000", "-ac", "2"], (48_000, 2)),
        ("vorbis.mkv", &["-c:a", "libvorbis", "-ac", "2"], (48_000, 2)),
        ("flac.mkv", &["-c:a", "flac", "-ac", "1"], (48_000, 1)),
    ];
    for (name, options, (rate, channels)) in cases {
        let path = clip(folder.path(), name, options);
        let given = sound(&path);
        let first = given[0].parameters.time_base.seconds(given[0].pts);
        let (made, left_out) = transcoded(given);
        assert_eq!(left_out, 0, "{name}");
        let parameters = &made[0].parameters;
        assert_eq!((parameters.sample_rate, parameters.channels), (rate, channels), "{name}");
        // One block before the sound is the encoder's own, and one after it holds its end.
        let expected = 4 * i64::from(rate) / BLOCK;
        assert!((expected..=expected + 4).contains(&(made.len() as i64)), "{name}: {}", made.len());
        let offset = lead(&made, first);
        let begins = (made[0].pts + offset) as f64 / f64::from(rate);
        // To the tick of the container, or to the block for decoders that need one to begin with.
        let late = begins - first;
        assert!((-0.001..0.030).contains(&late), "{name}: begins {late} s late");
        let heard = listen(&made);
        let truth = truth(&path, rate);
        // From the middle.
        let at = 2 * rate as usize;
        let (lag, likeness) = lag(&truth[at..at + 8000], &heard[at + offset as usize..], 20);
        assert_eq!(lag, 0, "{name}: {lag} samples late");
        assert!(likeness > 0.95, "{name}: {likeness}");
    }
}

#[test]
fn its_parameters_are_known_before_its_sound_and_are_those_of_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "alaw.mov", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"]);
    let mut transcoder = AudioTranscoder::new();
    assert_eq!(transcoder.parameters(), None);
    let given = sound(&path);
    transcoder.push(given[0].clone()).unwrap();
    assert!(transcoder.next_unit().is_none());
    let parameters = transcoder.parameters().unwrap().clone();
    let video = Demuxer::open(Box::new(File::open(&path).unwrap())).unwrap().parameters().clone();
    let init = cmaf::init(&video, Some(&*parameters)).unwrap();
    assert!(init.codecs.ends_with("mp4a.40.2"), "{}", init.codecs);
    for unit in &given[1..] {
        transcoder.push(unit.clone()).unwrap();
    }
    let made = transcoder.next_unit().unwrap();
    assert_eq!(*made.parameters, *parameters);
    assert_eq!(made.pts, given[0].pts * 2, "what the encoder puts in front is not there before time begins");
}

#[test]
fn what_browsers_play_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec, kind) in [("a.mp4", "aac", AudioCodec::Aac), ("o.mp4", "libopus", AudioCodec::Opus)] {
        let given = sound(&clip(folder.path(), name, &["-c:a", codec]));
        assert_eq!(given[0].parameters.codec, kind);
        let (made, left_out) = transcoded(given.clone());
        assert_eq!(left_out, 0);
        let all =
            |units: &[AudioUnit]| units.iter().map(|unit| (unit.pts, unit.data.clone())).collect::<Vec<_>>();
        assert_eq!(all(&made), all(&given));
    }
}

#[test]
fn sound_changes_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, options: &[&str]| sound(&clip(folder.path(), name, options));
    let stereo = file("two.ts", &["-c:a", "mp2", "-ac", "2"]);
    let mono = file("one.ts", &["-c:a", "mp2", "-ac", "1"]);
    let slow = file("slow.ts", &["-c:a", "mp2", "-ac", "2", "-ar", "32000"]);
    let other = file("ac3.ts", &["-c:a", "ac3", "-ac", "2"]);
    // Two seconds of each in turn, each from where the one before ended.
    let mut given: Vec<AudioUnit> = Vec::new();
    for part in [&stereo, &other, &mono, &slow, &stereo] {
        let end = given.last().map_or(0, |last| last.pts + (last.pts - given[given.len() - 2].pts));
        let first = part[20].pts;
        let taken = part[20..].iter().take_while(|unit| unit.pts < first + 2 * 90_000);
        given.extend(taken.map(|unit| AudioUnit { pts: unit.pts - first + end, ..unit.clone() }));
    }
    let (made, left_out) = transcoded(given.clone());
    assert_eq!(left_out, 0);
    let mut kinds: Vec<_> =
        made.iter().map(|unit| (unit.parameters.sample_rate, unit.parameters.channels)).collect();
    kinds.dedup();
    assert_eq!(kinds, [(48_000, 2), (48_000, 1), (32_000, 2), (48_000, 2)], "AC-3 goes on where MP2 ended");
    // Without a hole: each kind begins where the one before has its end.
    for pair in made.windows(2).filter(|pair| pair[0].parameters != pair[1].parameters) {
        let seconds = |unit: &AudioUnit, samples: i64| unit.parameters.time_base.seconds(unit.pts + samples);
        let (end, begin) = (seconds(&pair[0], BLOCK), seconds(&pair[1], BLOCK));
        assert!((begin - end).abs() < 0.033, "{end} {begin}");
    }
}

#[test]
fn damage_is_counted_and_what_follows_is_heard_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "two.ts", &["-c:a", "mp2", "-ac", "2"]);
    let whole = sound(&path);
    let mut given = whole.clone();
    for (index, unit) in given.iter_mut().enumerate().filter(|(index, _)| (30..40).contains(index)) {
        let mut bytes = unit.data.to_vec();
        match index % 3 {
            0 => bytes.fill(0),
            1 => bytes.truncate(3),
            _ => bytes.iter_mut().for_each(|byte| *byte ^= 0x5a),
        }
        unit.data = Bytes::from(bytes);
    }
    let (made, left_out) = transcoded(given);
    assert!((5..=10).contains(&left_out), "{left_out}");
    let (undamaged, _) = transcoded(whole);
    assert_eq!(made.len(), undamaged.len(), "silence in its place");
    let (truth, heard) = (listen(&undamaged), listen(&made));
    let at = 2 * 48_000;
    let (lag, likeness) = lag(&truth[at..at + 8000], &heard[at..], 20);
    assert!(lag == 0 && likeness > 0.99, "{lag} {likeness}");
}

#[test]
fn what_cannot_be_decoded_says_so_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = sound(&clip(folder.path(), "two.ts", &["-c:a", "mp2", "-ac", "2"]));
    given.truncate(5);
    for name in ["?ac4", "ape", "png", "h264", "pcm_nothing", "with\0zero", ""] {
        let mut transcoder = AudioTranscoder::new();
        for unit in &given {
            let mut parameters = (*unit.parameters).clone();
            parameters.codec = AudioCodec::Other(name.to_owned());
            let unit = AudioUnit { parameters: parameters.into(), ..unit.clone() };
            assert_eq!(transcoder.push(unit), Err(TranscodeError::NoDecoder(name.to_owned())));
        }
        transcoder.push(given[0].clone()).unwrap();
        transcoder.end();
        assert!(transcoder.next_unit().is_some(), "what comes then is another matter");
    }
    // Numbers that no sound has.
    for (rate, channels) in [(0, 1), (1, 1), (u32::MAX, 1), (8000, 0), (8000, 40_000)] {
        let mut parameters = (*given[0].parameters).clone();
        parameters.codec = AudioCodec::Other("pcm_alaw".to_owned());
        (parameters.sample_rate, parameters.channels) = (rate, channels);
        let unit = AudioUnit { parameters: parameters.into(), ..given[0].clone() };
        let (made, left_out) = transcoded([unit]);
        assert_eq!((made.len(), left_out), (0, 1), "{rate} {channels}");
    }
}
