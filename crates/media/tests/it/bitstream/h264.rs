//! H.264: x264 with what changes the shape of a stream.

use ocelli_media::Codec;
use ocelli_media::bitstream::{Access, PictureInfo};

use super::clip::{Clip, Trace, encode, values};

const CLIPS: [(&str, &str); 15] = [
    ("mp4", "-x264-params bframes=0"),
    ("mp4", "-x264-params bframes=3:b-pyramid=none:b-adapt=0"),
    ("mp4", "-x264-params bframes=7:b-pyramid=strict:b-adapt=0"),
    ("mp4", "-x264-params bframes=3:b-pyramid=normal:b-adapt=0:open-gop=1"),
    ("mkv", "-x264-params bframes=3:b-adapt=0:open-gop=1:ref=4:weightb=1:weightp=2"),
    ("h264", "-x264-params bframes=3:b-adapt=0:open-gop=1:aud=1"),
    ("ts", "-x264-params bframes=2:slices=4:ref=3"),
    ("mp4", "-x264-params intra-refresh=1:bframes=0"),
    ("mp4", "-x264-params intra-refresh=1:bframes=2"),
    ("mp4", "-x264-params interlaced=1:bframes=2"),
    ("mp4", "-x264-params cabac=0:sliced-threads=1:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500"),
    ("mp4", "-profile:v baseline"),
    ("mp4", "-pix_fmt yuv444p -x264-params bframes=2:cqm=jvt"),
    ("avi", "-pix_fmt yuv420p10 -x264-params bframes=0:keyint=1"),
    ("flv", "-x264-params bframes=2:stitchable=1"),
];

fn clips() -> impl Iterator<Item = (Clip, &'static str)> {
    CLIPS.into_iter().filter_map(|(container, case)| {
        let options = format!("-frames:v 50 -c:v libx264 -preset veryfast -g 20 -bf 3 {case}");
        Some((encode(&Codec::H264, container, &options)?, case))
    })
}

/// What the specification makes of the syntax elements that FFmpeg reads.
fn expected_access(trace: &Trace, depth: u32) -> Access {
    let intra = values(trace, "slice_type").all(|kind| matches!(kind % 5, 2 | 4));
    match values(trace, "recovery_frame_cnt").next() {
        _ if values(trace, "nal_unit_type").any(|kind| kind == 5) => Access::Keyframe { leading: false },
        Some(0) if intra => Access::Keyframe { leading: depth > 0 },
        Some(count) => Access::Recovery { after: count as u32 },
        None => Access::None,
    }
}

fn expected_reference(trace: &Trace) -> bool {
    let mut nals = values(trace, "nal_ref_idc").zip(values(trace, "nal_unit_type"));
    nals.any(|(idc, kind)| matches!(kind, 1 | 5) && idc > 0)
}

#[test]
fn every_picture_is_what_ffmpeg_reads_in_its_headers() {
    let (mut pictures, mut recoveries, mut open_groups) = (0, 0, 0);
    for (clip, case) in clips() {
        let infos = clip.pictures();
        let (extradata, traces) = clip.trace();
        let declared =
            traces.iter().chain([&extradata]).flat_map(|trace| values(trace, "max_num_reorder_frames"));
        // x264 declares a depth except for intra profiles, where it is 0.
        let depth = declared.max().unwrap_or_default() as u32;
        assert!(clip.reordering() <= depth, "{case:?}: {} {depth}", clip.reordering());
        for (at, (info, trace)) in infos.iter().zip(&traces).enumerate() {
            assert_eq!(info.access, expected_access(trace, depth), "{case:?} {at}");
            assert_eq!(info.reference, expected_reference(trace), "{case:?} {at}");
            assert_eq!(info.reorder_depth, depth, "{case:?} {at}");
            assert!(
                info.shown && !info.references_lost && !info.skipped_after_random_access,
                "{case:?} {at}"
            );
        }
        for info in &infos {
            pictures += 1;
            recoveries += usize::from(matches!(info.access, Access::Recovery { .. }));
            open_groups += usize::from(info.access == Access::Keyframe { leading: true });
        }
        check_decoder(&clip, &infos, case);
    }
    assert!(
        pictures == 0 || recoveries > 0 && open_groups > 0,
        "{recoveries} {open_groups}: not all kinds were seen"
    );
}

/// References and keyframes of FFmpeg's decoder; elementary streams have no times to tell pictures apart.
fn check_decoder(clip: &Clip, infos: &[PictureInfo], case: &str) {
    if clip.units.iter().all(|unit| unit.pts == 0) {
        return;
    }
    assert_eq!(clip.pts_where(infos, |info| info.reference), clip.decoded_references(), "{case:?}");
    let keyframes = clip.pts_where(infos, |info| matches!(info.access, Access::Keyframe { .. }));
    assert!(keyframes.is_subset(&clip.decoded_keyframes()), "{case:?}");
}

#[test]
fn each_lost_reference_is_reported_once_and_nothing_else_is() {
    for (clip, case) in clips() {
        let infos = clip.pictures();
        for lost in 1..clip.units.len() {
            let mut reader = clip.reader();
            let mut reports = Vec::new();
            for (at, unit) in clip.units.iter().enumerate().filter(|(at, _)| *at != lost) {
                if reader.read(&unit.data, false).unwrap().references_lost {
                    reports.push(at);
                }
            }
            let is_idr = |at: usize| infos[at].access == Access::Keyframe { leading: false };
            // An IDR picture needs nothing; a picture after a lost one in the same group tells, unless none follows.
            let next = lost + 1;
            let silent = !infos[lost].reference || next == clip.units.len() || is_idr(next);
            // After a lost IDR picture the numbers start again: the loss may show late, but shows at most once.
            if silent {
                assert_eq!(reports, [0; 0], "{case:?} {lost}");
            } else if !is_idr(lost) {
                assert_eq!(reports, [next], "{case:?} {lost}");
            }
            assert!(reports.len() <= 1, "{case:?} {lost}: {reports:?}");
        }
    }
}
