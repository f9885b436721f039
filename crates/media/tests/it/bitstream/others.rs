//! Codecs in which every picture counts as a reference.

use std::collections::BTreeSet;

use ocelli_media::Codec;
use ocelli_media::bitstream::{Access, BitstreamError, PictureInfo, PictureReader};

use super::clip::{Clip, encode, encode_in_two_passes, values};

/// Encodes, reads, and checks keyframes and shown pictures against FFmpeg's decoder.
fn check(codec: &Codec, extension: &str, options: &str, leading: bool) -> Option<(Clip, Vec<PictureInfo>)> {
    let clip = encode(codec, extension, &format!("-frames:v 40 -g 15 {options}"))?;
    let infos = clip.pictures();
    assert!(infos.iter().all(|info| info.reference && !info.references_lost), "{options}");
    let keyframes = clip.pts_where(&infos, |info| info.access == Access::Keyframe { leading });
    assert_eq!(keyframes, clip.decoded_keyframes(), "{options}");
    assert!(keyframes.len() >= 3 && infos.iter().all(|info| !matches!(info.access, Access::Recovery { .. })));
    assert_eq!(clip.pts_where(&infos, |info| info.shown), clip.decoded(&[]), "{options}");
    assert!(infos.iter().all(|info| clip.reordering() <= info.reorder_depth), "{options}");
    Some((clip, infos))
}

#[test]
fn codecs_without_reordering() {
    for (codec, extension, options) in [
        (Codec::Mjpeg, "avi", "-c:v mjpeg"),
        (Codec::Mjpeg, "mov", "-c:v mjpeg -pix_fmt yuvj422p"),
        (Codec::Mpeg4, "avi", "-c:v mpeg4"),
        (Codec::Mpeg4, "mp4", "-c:v libxvid -bf 0"),
        (Codec::Vp8, "webm", "-c:v libvpx -deadline realtime -auto-alt-ref 0"),
        (Codec::Vp9, "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        (Codec::Vp9, "mp4", "-c:v libvpx-vp9 -cpu-used 8 -lag-in-frames 10 -auto-alt-ref 1 -b:v 60k"),
        (Codec::Vp9, "webm", "-c:v libvpx-vp9 -cpu-used 8 -pix_fmt yuv444p10"),
        (Codec::Av1, "mp4", "-c:v libaom-av1 -cpu-used 8 -usage realtime"),
        (Codec::Av1, "mkv", "-c:v libaom-av1 -cpu-used 8 -lag-in-frames 12 -auto-alt-ref 1 -keyint_min 15"),
        (Codec::Other("mpeg1video".to_owned()), "mkv", "-c:v mpeg1video"),
        (Codec::Other("mpeg2video".to_owned()), "ts", "-c:v mpeg2video"),
    ] {
        check(&codec, extension, options, false);
    }
}

#[test]
fn mpeg4_with_b_pictures_declares_its_reordering() {
    for (flags, leading) in [("", true), ("-flags +cgop -sc_threshold 1000000000", false)] {
        let clip = check(&Codec::Mpeg4, "mp4", &format!("-c:v mpeg4 -bf 2 {flags}"), leading);
        if let Some((clip, infos)) = clip {
            assert!(infos.iter().all(|info| info.reorder_depth == 1), "{flags}");
            assert_eq!(clip.reordering(), 1, "{flags}");
        }
    }
}

#[test]
fn packed_units_leave_placeholders_that_are_no_pictures() {
    let Some(clip) = encode(&Codec::Mpeg4, "avi", "-frames:v 20 -c:v libxvid -bf 2 -flags +cgop") else {
        return;
    };
    let placeholders = clip.read().iter().filter(|info| **info == Err(BitstreamError::NoPicture)).count();
    let short = clip.units.iter().filter(|unit| unit.data.len() < 8).count();
    assert!(placeholders > 0);
    assert_eq!(placeholders, short);
}

#[test]
fn hidden_vp8_references_are_not_shown() {
    let options = "-frames:v 60 -c:v libvpx -lag-in-frames 16 -auto-alt-ref 1 -b:v 100k";
    let Some(clip) = encode_in_two_passes(&Codec::Vp8, "webm", options) else { return };
    let infos = clip.pictures();
    let shown = infos.iter().filter(|info| info.shown).count();
    assert_eq!(shown, clip.decoded(&[]).len());
    assert!(shown < infos.len());
}

#[test]
fn av1_frames_are_what_ffmpeg_reads_in_their_headers() {
    let options = "-frames:v 40 -g 15 -c:v libsvtav1 -preset 10";
    let Some(clip) = encode(&Codec::Av1, "mkv", options) else { return };
    let (_, traces) = clip.trace();
    for (at, (info, trace)) in clip.pictures().iter().zip(&traces).enumerate() {
        let existing = values(trace, "show_existing_frame").next() == Some(1);
        let key =
            values(trace, "frame_type").next() == Some(0) && values(trace, "show_frame").next() == Some(1);
        let keyframe = info.access == Access::Keyframe { leading: false };
        assert_eq!(keyframe, !existing && key, "{at}");
    }
}

#[test]
fn closed_groups_of_mpeg2_have_no_leading_pictures() {
    for (flags, leading) in [("", true), ("-flags +cgop", false)] {
        let options = format!("-frames:v 40 -g 12 -c:v mpeg2video -bf 2 -sc_threshold 1000000000 {flags}");
        let Some(clip) = encode(&Codec::Other("mpeg2video".to_owned()), "ts", &options) else { return };
        let mut parameters = clip.parameters.clone();
        parameters.reorder_hint = 1;
        let mut reader = PictureReader::new(&parameters);
        let read = clip.units.iter().map(|unit| reader.read(&unit.data, false).unwrap().access);
        let keyframes: BTreeSet<bool> = read
            .skip(1)
            .filter_map(|access| if let Access::Keyframe { leading } = access { Some(leading) } else { None })
            .collect();
        assert_eq!(keyframes, BTreeSet::from([leading]), "{flags}");
        assert_eq!(clip.reordering(), 1);
    }
}
