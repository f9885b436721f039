//! Pictures: real clips of every codec that can be recorded.

use std::{fs::File, path::Path, process::Command, sync::Arc};

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, Codec, Rotation,
    cmaf::{CmafError, Framing, read_init, read_part, scan},
    libav::Demuxer,
};
use ocelli_model::TimeBase;
use ocelli_testkit::{Clip, ClipCodec, Container, Truth, probe, variety};

use super::{Recorded, ffprobe, record, units};

/// Our own reader gives back what was written.
fn check_own_reader(recorded: &Recorded, context: &str) {
    let file = Bytes::from(recorded.bytes());
    let found = scan(&file);
    assert_eq!((found.init, found.whole), (recorded.init.bytes.len(), file.len()), "{context}");
    let tracks = read_init(&file).unwrap();
    let (ours, theirs) = (&tracks.video, &recorded.parameters);
    assert_eq!((&ours.codec, &ours.extradata), (&theirs.codec, &theirs.extradata), "{context}");
    assert_eq!((ours.time_base, ours.rotation), (theirs.time_base, theirs.rotation), "{context}");
    assert_eq!((ours.width, ours.height), (theirs.width, theirs.height), "{context}");
    assert!(tracks.sound.is_none());
    let mut samples = Vec::new();
    for (at, range) in found.parts.iter().enumerate() {
        let part = read_part(&tracks, &file.slice(range.clone())).unwrap();
        assert_eq!((part.sequence as usize, part.sound.len()), (at + 1, 0), "{context}");
        samples.extend(part.video);
    }
    assert_eq!(samples, recorded.samples, "{context}");
}

/// `ffprobe` finds the same packets: PTS, DTS, keyframes, sizes.
fn check_packets(recorded: &Recorded, path: &Path, context: &str) {
    let found = ffprobe(path, &["-show_packets", "-show_streams"]);
    let stream = &found["streams"][0];
    let base = recorded.parameters.time_base;
    assert_eq!(stream["time_base"], format!("1/{}", base.den()), "{context}");
    let packets = found["packets"].as_array().unwrap();
    assert_eq!(packets.len(), recorded.samples.len(), "{context}");
    for (packet, sample) in packets.iter().zip(&recorded.samples) {
        let num = i64::from(base.num());
        let times = (packet["pts"].as_i64(), packet["dts"].as_i64());
        assert_eq!(times, (Some(sample.pts * num), Some(sample.dts * num)), "{context}");
        let key = packet["flags"].as_str().unwrap().starts_with('K');
        let size: usize = packet["size"].as_str().unwrap().parse().unwrap();
        assert_eq!((key, size), (sample.keyframe, sample.data.len()), "{context}, PTS {}", sample.pts);
    }
}

/// PTS, and what is shown then.
fn shown(truth: &Truth) -> Vec<(i64, &str, Option<u32>)> {
    let shown = truth.pictures.iter().filter_map(|picture| {
        let frame = picture.frame.as_ref()?;
        Some((picture.pts, frame.hash.as_str(), frame.number))
    });
    shown.collect()
}

/// Records a clip and checks it in every way; gives what was recorded.
fn check(source: &Path, context: &str) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let units = units(source);
    let recorded = record(&units);
    let (said, found) = (&units[0].parameters, &recorded.parameters);
    assert_eq!((found.width, found.height), (said.width, said.height), "{context}");
    check_own_reader(&recorded, context);
    let path = recorded.write(folder.path());
    check_packets(&recorded, &path, context);
    let (expected, found) = (probe(source), probe(&path));
    assert_eq!(shown(&found), shown(&expected), "{context}");
    assert!(!found.pictures.is_empty());
    recorded
}

fn recordable(codec: &Codec) -> bool {
    matches!(codec, Codec::H264 | Codec::H265 | Codec::Vp9 | Codec::Av1)
}

fn codec_of(path: &Path) -> Codec {
    let demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    demuxer.parameters().codec.clone()
}

#[test]
fn every_codec_from_every_container_is_read_back_exactly_or_refused() {
    let mut refused = 0;
    for (name, clip) in variety::containers() {
        let path = clip.cached();
        if recordable(&codec_of(&path)) {
            check(&path, &name);
        } else {
            let error = Framing::new(&units(&path)[0].parameters).unwrap_err();
            assert!(matches!(error, CmafError::Video(_)), "{name}: {error}");
            refused += 1;
        }
    }
    assert_eq!(refused, 9);
}

#[test]
fn no_time_changes() {
    for (name, clip) in variety::times() {
        let path = clip.cached();
        if recordable(&codec_of(&path)) {
            let recorded = check(&path, name);
            let times: Vec<i64> = units(&path).iter().map(|unit| unit.pts).collect();
            assert_eq!(times, recorded.samples.iter().map(|sample| sample.pts).collect::<Vec<_>>(), "{name}");
        }
    }
}

#[test]
fn turned_deep_and_odd_pictures_stay_what_they_are() {
    for (name, clip, degrees) in variety::shapes() {
        let path = clip.cached();
        if !recordable(&codec_of(&path)) {
            continue;
        }
        let recorded = check(&path, name);
        let turn = match degrees {
            90 => Rotation::Clockwise,
            180 => Rotation::Half,
            270 => Rotation::Counterclockwise,
            _ => Rotation::None,
        };
        assert_eq!(recorded.parameters.rotation, turn, "{name}");
        // And libavformat turns it the same way.
        let folder = tempfile::tempdir().unwrap();
        let file = File::open(recorded.write(folder.path())).unwrap();
        assert_eq!(Demuxer::open(Box::new(file)).unwrap().parameters().rotation, turn, "{name}");
    }
}

/// Reordered pictures that start far from 0.
fn far() -> Clip {
    let params = "keyint=20:bframes=3:b-adapt=0:b-pyramid=normal";
    let clip = Clip::new(192, 128).frames(50).rate(90_000, 3000).start_pts(90_126_000);
    clip.container(Container::Ts).params(params)
}

#[test]
fn decode_times_are_worked_out_where_a_source_has_none() {
    let path = far().cached();
    let with_times = record(&units(&path));
    let bare: Vec<AccessUnit> =
        units(&path).into_iter().map(|unit| AccessUnit { dts: None, ..unit }).collect();
    let recorded = record(&bare);
    assert!(recorded.samples.iter().all(|sample| sample.dts <= sample.pts));
    assert!(recorded.samples.is_sorted_by(|a, b| a.dts < b.dts));
    assert!(recorded.samples.iter().any(|sample| sample.dts < sample.pts), "pictures are reordered");
    assert_eq!(recorded.samples[0].pts, with_times.samples[0].pts);
    let folder = tempfile::tempdir().unwrap();
    let file = recorded.write(folder.path());
    check_packets(&recorded, &file, "no DTS");
    assert_eq!(shown(&probe(&file)), shown(&probe(&path)));
}

#[test]
fn ticks_of_any_fraction_of_a_second_survive() {
    // 1001/30000 s: libavformat's files have none, cameras and AVI do.
    let base = TimeBase::new(1001, 30_000).unwrap();
    let mut parameters = None;
    let mut units = units(&far().cached());
    for unit in &mut units {
        let shared = parameters.get_or_insert_with(|| {
            let mut parameters = (*unit.parameters).clone();
            parameters.time_base = base;
            Arc::new(parameters)
        });
        (unit.pts, unit.dts) = (unit.pts / 3000, None);
        unit.parameters = Arc::clone(shared);
    }
    let recorded = record(&units);
    check_own_reader(&recorded, "1001/30000");
    let folder = tempfile::tempdir().unwrap();
    check_packets(&recorded, &recorded.write(folder.path()), "1001/30000");
}

#[test]
fn one_segment_alone_is_a_file_that_plays() {
    let recorded = record(&units(&far().cached()));
    // Twenty pictures after the first keyframe there is another one.
    let from = recorded.samples.iter().skip(1).position(|sample| sample.keyframe).unwrap() + 1;
    let samples = recorded.samples[from..].to_vec();
    let parts = super::parts_of(&samples, recorded.parameters.time_base);
    let segment = Recorded { samples, parts, ..recorded };
    let folder = tempfile::tempdir().unwrap();
    let file = segment.write(folder.path());
    check_packets(&segment, &file, "second segment");
    let leading = segment.samples.iter().filter(|sample| sample.pts < segment.samples[0].pts).count();
    assert_eq!(shown(&probe(&file)).len(), segment.samples.len() - leading);
}

/// What FFmpeg writes into this box when it wraps the clip.
fn box_of_ffmpeg(source: &Path, name: [u8; 4]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrapped.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(source).args(["-c", "copy"]);
    if name == *b"hvcC" {
        command.args(["-tag:v", "hvc1"]);
    }
    assert!(command.arg(&path).status().unwrap().success());
    let file = std::fs::read(path).unwrap();
    let at = file.windows(4).position(|bytes| *bytes == name).unwrap();
    let size = u32::from_be_bytes(*file[at - 4..].first_chunk().unwrap());
    file[at + 4..at - 4 + size as usize].to_vec()
}

#[test]
fn configuration_records_and_names_are_those_that_ffmpeg_writes() {
    let clip = |codec, container| Clip::new(192, 128).frames(20).codec(codec).container(container);
    let x264 = |format| clip(ClipCodec::X264, Container::Ts).pixel_format(format);
    let x265 = |format| clip(ClipCodec::X265, Container::Ts).pixel_format(format);
    let cases = [
        (x264("yuv420p"), b"avcC", "avc1.64000b"),
        (x264("yuv422p10le"), b"avcC", "avc1.7a000b"),
        (x264("yuv420p").params("cabac=0:8x8dct=0:bframes=0:weightp=0"), b"avcC", "avc1.42c00b"),
        (x265("yuv420p"), b"hvcC", "hvc1.1.6.L60.90"),
        (x265("yuv420p10le"), b"hvcC", "hvc1.2.4.L60.90"),
        (clip(ClipCodec::Vp9, Container::WebM), b"vpcC", "vp09.00.10.08"),
        (clip(ClipCodec::Av1, Container::Raw), b"av1C", "av01.0.00M.08"),
    ];
    for (clip, name, codecs) in cases {
        let path = clip.cached();
        let recorded = record(&units(&path));
        assert_eq!(recorded.parameters.extradata, box_of_ffmpeg(&path, *name), "{codecs}");
        assert_eq!(recorded.init.codecs, codecs);
    }
}

#[test]
fn colours_and_the_shape_of_pixels_are_told_to_players() {
    let vui = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=tv:sar=4/3";
    let clip = Clip::new(192, 128).frames(10).container(Container::Ts).params(vui);
    let recorded = record(&units(&clip.cached()));
    let has = |name: [u8; 4], body: &[u8]| {
        let wanted = [&name[..], body].concat();
        recorded.init.bytes.windows(wanted.len()).any(|bytes| bytes == wanted)
    };
    assert!(has(*b"colr", b"nclx\0\x09\0\x10\0\x09\0"));
    assert!(has(*b"pasp", &[0, 0, 0, 4, 0, 0, 0, 3]));
}

/// Every place at which a write can end, and holes of what was never written.
#[test]
fn a_torn_or_holed_tail_is_cut_where_the_last_whole_part_ends() {
    let recorded = record(&units(&far().cached()));
    let mut file = recorded.bytes();
    let whole = scan(&file);
    let (last, before) = (whole.parts[whole.parts.len() - 1].clone(), whole.parts.len() - 1);
    for cut in (last.start..last.end).step_by(97).chain(last.start..last.start + 300) {
        let found = scan(&file[..cut]);
        assert_eq!((found.parts.len(), found.whole), (before, last.start), "cut at {cut}");
    }
    for cut in 0..=whole.init {
        let found = scan(&file[..cut]);
        let init = if cut == whole.init { whole.init } else { 0 };
        assert_eq!((found.init, found.parts.len(), found.whole), (init, 0, init), "cut at {cut}");
    }
    for hole in (last.start..last.end - 64).step_by(61) {
        let before_hole = file[hole..hole + 64].to_vec();
        file[hole..hole + 64].fill(0);
        if before_hole.iter().any(|&byte| byte != 0) {
            assert_eq!(scan(&file).whole, last.start, "hole at {hole}");
        }
        file[hole..hole + 64].copy_from_slice(&before_hole);
    }
    assert_eq!(scan(&file), whole);
}
