//! Sound beside pictures: AAC and Opus, as FFmpeg's encoders make them.

use std::{path::Path, process::Command, sync::Arc};

use bytes::Bytes;
use ocelli_media::{
    AudioCodec, AudioParameters,
    cmaf::{SoundSample, init, part, read_init, read_part, scan},
};
use ocelli_model::TimeBase;
use ocelli_testkit::Clip;

use super::{ffprobe, record, units};

/// The bytes of a dump by `ffprobe -show_data`: an offset, eight groups of two bytes, the characters.
fn dumped(dump: &str) -> Bytes {
    let bytes = dump.lines().flat_map(|line| {
        let hex = line.split_once(": ").map_or("", |(_, rest)| rest.get(..40).unwrap_or(rest));
        let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
        let bytes = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
        bytes.map(|byte| u8::from_str_radix(&byte, 16).unwrap()).collect::<Vec<u8>>()
    });
    bytes.collect()
}

/// A tone by one of FFmpeg's encoders, and what was coded.
fn tone(folder: &Path, encoder: &str, options: &[&str]) -> (AudioParameters, Vec<SoundSample>) {
    let path = folder.join(format!("{encoder}.mkv"));
    let source = ["-v", "error", "-y", "-f", "lavfi", "-i", "sine=440:d=1.5", "-c:a", encoder];
    let made = Command::new("ffmpeg").args(source).args(options).arg(&path).status().unwrap();
    assert!(made.success());
    let found = ffprobe(&path, &["-show_streams", "-show_packets", "-show_data"]);
    let stream = &found["streams"][0];
    let sample_rate: u32 = stream["sample_rate"].as_str().unwrap().parse().unwrap();
    let parameters = AudioParameters {
        codec: if encoder == "aac" { AudioCodec::Aac } else { AudioCodec::Opus },
        extradata: dumped(stream["extradata"].as_str().unwrap()),
        sample_rate,
        channels: stream["channels"].as_u64().unwrap() as u16,
        time_base: TimeBase::new(1, 1000).unwrap(),
    };
    let packets = found["packets"].as_array().unwrap();
    let pts = |at: usize| packets.get(at).map(|packet| packet["pts"].as_i64().unwrap() + 90_000_000);
    let samples = packets.iter().enumerate().map(|(at, packet)| {
        let start = pts(at).unwrap();
        let size: usize = packet["size"].as_str().unwrap().parse().unwrap();
        let data = dumped(packet["data"].as_str().unwrap());
        assert_eq!(data.len(), size);
        SoundSample { pts: start, ticks: pts(at + 1).map_or(20, |next| (next - start) as u32), data }
    });
    let samples = samples.collect();
    (parameters, samples)
}

/// All that is coded: what a container tells players to skip is not skipped here.
fn decoded(path: &Path, track: &str) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    let output = command
        .args(["-v", "error", "-flags2", "skip_manual", "-i"])
        .arg(path)
        .args(["-map", track, "-f", "md5", "-"]);
    output.output().unwrap().stdout
}

fn check(encoder: &str, options: &[&str], codecs: &str) {
    let folder = tempfile::tempdir().unwrap();
    let pictures = record(&units(&Clip::new(192, 128).frames(45).start_pts(2_700_000).cached()));
    let (parameters, sound) = tone(folder.path(), encoder, options);
    let head = init(&pictures.parameters, Some(&parameters)).unwrap();
    assert!(head.codecs.starts_with("avc1.") && head.codecs.ends_with(codecs), "{}", head.codecs);
    let base = pictures.parameters.time_base;
    let mut file = head.bytes.to_vec();
    let pairs = pictures.samples.chunks(6).zip(sound.chunks(sound.len().div_ceil(8)));
    for (sequence, (samples, sound)) in (1..).zip(pairs) {
        file.extend(part(sequence, (samples, base), (sound, parameters.time_base)).unwrap());
    }
    let file = Bytes::from(file);
    let tracks = read_init(&file).unwrap();
    assert_eq!(tracks.sound.as_deref(), Some(&parameters));
    let parts = scan(&file).parts.into_iter();
    let parts: Vec<_> = parts.map(|range| read_part(&tracks, &file.slice(range)).unwrap()).collect();
    let read: Vec<SoundSample> = parts.iter().flat_map(|part| part.sound.clone()).collect();
    assert_eq!(read, sound);
    let unit = tracks.audio(&read[3]).unwrap();
    assert_eq!((unit.pts, &unit.data), (sound[3].pts, &sound[3].data));
    assert!(Arc::ptr_eq(&unit.parameters, tracks.sound.as_ref().unwrap()));
    // And FFmpeg reads and decodes the same.
    let path = folder.path().join("recorded.mp4");
    std::fs::write(&path, &file).unwrap();
    let found = ffprobe(&path, &["-show_packets", "-select_streams", "a"]);
    let times: Vec<_> =
        found["packets"].as_array().unwrap().iter().map(|packet| packet["pts"].as_i64().unwrap()).collect();
    assert_eq!(times, sound.iter().map(|sample| sample.pts).collect::<Vec<_>>());
    let md5 = decoded(&path, "0:a");
    assert!(!md5.is_empty());
    assert_eq!(md5, decoded(&folder.path().join(format!("{encoder}.mkv")), "0:a"), "{encoder}");
}

#[test]
fn aac_is_read_back_and_decodes_the_same() {
    check("aac", &[], ",mp4a.40.2");
    check("aac", &["-ar", "96000", "-ac", "2"], ",mp4a.40.2");
}

#[test]
fn opus_is_read_back_and_decodes_the_same() {
    check("libopus", &["-ar", "48000"], ",opus");
    check("libopus", &["-ac", "6", "-mapping_family", "1"], ",opus");
}
