//! H.265: x265 with what changes the shape of a stream.

use std::collections::BTreeSet;

use ocelli_media::Codec;
use ocelli_media::bitstream::{Access, Field, PictureInfo};

use super::clip::{Clip, Trace, encode, values};

const CLIPS: [(&str, &str); 10] = [
    ("mp4", "bframes=0:open-gop=0"),
    ("mp4", "bframes=0:open-gop=1"),
    ("mp4", "bframes=4:b-adapt=0:open-gop=1"),
    ("mkv", "bframes=4:b-adapt=0:open-gop=0:b-pyramid=0"),
    ("hevc", "bframes=3:b-adapt=0:open-gop=1:aud=1:slices=2"),
    ("ts", "bframes=3:b-adapt=0:open-gop=1:repeat-headers=1"),
    ("mp4", "bframes=3:b-adapt=0:temporal-layers=1"),
    ("mp4", "bframes=3:b-adapt=0:radl=2:open-gop=0"),
    ("mp4", "intra-refresh=1:bframes=0"),
    (
        "mp4",
        "bframes=7:rc-lookahead=12:b-adapt=0:open-gop=1:idr-recovery-sei=1:hrd=1:vbv-maxrate=500:vbv-bufsize=500",
    ),
];

fn clips() -> impl Iterator<Item = (Clip, &'static str)> {
    CLIPS.into_iter().filter_map(|(container, case)| {
        let options = "-frames:v 50 -c:v libx265 -preset ultrafast -g 20 -x265-params log-level=0:scenecut=0";
        Some((encode(&Codec::H265, container, &format!("{options}:{case}"))?, case))
    })
}

/// The values in force for a clip whose parameter sets do not change.
fn last(extradata: &Trace, traces: &[Trace], name: &str) -> Option<i64> {
    let all = || traces.iter().chain([extradata]);
    let highest =
        all().flat_map(|trace| values(trace, "sps_max_sub_layers_minus1")).max().unwrap_or_default();
    let name = name.replace("[]", &format!("[{highest}]"));
    all().flat_map(|trace| values(trace, &name).collect::<Vec<_>>()).max()
}

/// What the specification makes of the syntax elements that FFmpeg reads.
fn expected(trace: &Trace, depth: u32, highest_layer: i64) -> PictureInfo {
    let kind = values(trace, "nal_unit_type").find(|kind| *kind < 32).unwrap();
    let layer = values(trace, "nuh_temporal_id_plus1")
        .zip(values(trace, "nal_unit_type"))
        .find(|(_, kind)| *kind < 32)
        .map(|(layer, _)| layer - 1);
    let access = match values(trace, "recovery_poc_cnt").next() {
        _ if kind == 21 => Access::Keyframe { leading: depth > 0 },
        _ if (16..=20).contains(&kind) => Access::Keyframe { leading: false },
        Some(count) if !(6..=9).contains(&kind) => Access::Recovery { after: count.max(0) as u32 },
        _ => Access::None,
    };
    let named_non_reference = [0, 2, 4, 6, 8, 10, 12, 14].contains(&kind);
    PictureInfo {
        access,
        reference: !named_non_reference || layer < Some(highest_layer),
        skipped_after_random_access: kind == 8 || kind == 9,
        reorder_depth: depth,
        references_lost: false,
        shown: true,
        field: Field::Whole,
    }
}

#[test]
fn every_picture_is_what_ffmpeg_reads_in_its_headers() {
    let mut kinds = BTreeSet::new();
    for (clip, case) in clips() {
        let infos = clip.pictures();
        let (extradata, traces) = clip.trace();
        let depth = last(&extradata, &traces, "sps_max_num_reorder_pics[]").unwrap() as u32;
        let layers = last(&extradata, &traces, "sps_max_sub_layers_minus1").unwrap();
        assert!(clip.reordering() <= depth, "{case}: {} {depth}", clip.reordering());
        for (at, (info, trace)) in infos.iter().zip(&traces).enumerate() {
            assert_eq!(*info, expected(trace, depth, layers), "{case} {at}");
            kinds.extend(values(trace, "nal_unit_type"));
        }
        if layers == 0 && clip.units.iter().any(|unit| unit.pts != 0) {
            assert_eq!(clip.pts_where(&infos, |info| info.reference), clip.decoded_references(), "{case}");
            let keyframes = clip.pts_where(&infos, |info| matches!(info.access, Access::Keyframe { .. }));
            assert!(keyframes.is_subset(&clip.decoded_keyframes()), "{case}");
        }
    }
    // Trailing, leading of both sorts, IDR and CRA pictures have all been seen.
    assert!(kinds.is_empty() || [0, 1, 8, 21].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}
