use super::super::bits::tests::{annex_b, nal, ue};
use super::*;

const TRAIL_N: u8 = 0;
const TRAIL_R: u8 = 1;
const TSA_N: u8 = 2;
const BLA: u8 = 16;
const IDR: u8 = 19;

fn header(kind: u8, temporal_id: u8) -> [u8; 2] {
    [kind << 1, temporal_id + 1]
}

/// Sub-layers with their own profile and level, and a depth each.
fn sps(depths: &[u32]) -> Vec<u8> {
    let last = depths.len() - 1;
    let sub_layers = if last == 0 {
        String::new()
    } else {
        [&"11".repeat(last), &"00".repeat(8 - last), "0".repeat(96 * last).as_str()].concat()
    };
    let size = [ue(0), ue(1), ue(176), ue(144)].concat();
    let cropping_and_depths = ["1", &ue(0).repeat(4), &ue(0), &ue(0), &ue(4)].concat();
    let ordering: String = depths.iter().map(|depth| [ue(15), ue(*depth), ue(0)].concat()).collect();
    let general = "01".repeat(48);
    let text = format!("0000{last:03b}1{general}{sub_layers}{size}{cropping_and_depths}1{ordering}");
    nal(&header(SPS, 0), &text)
}

fn reader(depths: &[u32]) -> Box<Reader> {
    Reader::new(&annex_b(&[&sps(depths), &nal(&header(PPS, 0), &format!("{}{}", ue(0), ue(0)))]))
}

fn picture(kind: u8, temporal_id: u8) -> Vec<u8> {
    let irap = if (FIRST_IRAP..=LAST_IRAP).contains(&kind) { "0" } else { "" };
    nal(&header(kind, temporal_id), &format!("1{irap}{}", ue(0)))
}

fn read(reader: &mut Reader, nals: &[&[u8]]) -> PictureInfo {
    reader.read(&annex_b(nals)).unwrap()
}

#[test]
fn access_follows_the_nal_unit_type() {
    let keyframe = |leading| Access::Keyframe { leading };
    for (kind, depth, access) in [
        (IDR, 2, keyframe(false)),
        (20, 2, keyframe(false)),
        (BLA, 2, keyframe(false)),
        (CRA, 2, keyframe(true)),
        (CRA, 0, keyframe(false)),
        (TRAIL_R, 2, Access::None),
        (RASL_R, 2, Access::None),
    ] {
        let info = read(&mut reader(&[depth]), &[&picture(kind, 0)]);
        assert_eq!((info.access, info.reorder_depth), (access, depth), "{kind} {depth}");
        assert_eq!(info.skipped_after_random_access, kind == RASL_R, "{kind}");
    }
}

#[test]
fn only_the_highest_sub_layer_has_non_references() {
    for (kind, temporal_id, reference) in [
        (TRAIL_R, 0, true),
        (TRAIL_R, 2, true),
        (TRAIL_N, 0, true),
        (TSA_N, 1, true),
        (TSA_N, 2, false),
        (RASL_N, 2, false),
        (RADL_N, 2, false),
        (CRA, 0, true),
    ] {
        let info = read(&mut reader(&[0, 1, 3]), &[&picture(kind, temporal_id)]);
        assert_eq!(info.reference, reference, "{kind} {temporal_id}");
        assert_eq!(info.reorder_depth, 3);
    }
}

#[test]
fn leading_pictures_of_broken_links_are_never_shown() {
    let end = header(END_OF_SEQUENCE, 0);
    let shown = |units: &[&[&[u8]]]| {
        let mut reader = reader(&[2]);
        units.iter().map(|nals| read(&mut reader, nals).shown).collect::<Vec<_>>()
    };
    let (cra, bla, rasl, trail) = (picture(CRA, 0), picture(BLA, 0), picture(RASL_N, 0), picture(TRAIL_R, 0));
    assert_eq!(shown(&[&[&cra], &[&rasl], &[&trail], &[&cra], &[&rasl]]), [true; 5]);
    assert_eq!(shown(&[&[&bla], &[&rasl], &[&trail], &[&cra], &[&rasl]]), [true, false, true, true, true]);
    // The end of a sequence stands at the end of its last unit, or at the start of the next.
    assert_eq!(
        shown(&[&[&trail, &end], &[&cra], &[&rasl], &[&cra], &[&rasl]]),
        [true, true, false, true, true]
    );
    assert_eq!(shown(&[&[&trail], &[&end, &cra], &[&rasl]]), [true, true, false]);
}

#[test]
fn recovery_points_wait_and_leading_pictures_start_nothing() {
    let sei = nal(&header(PREFIX_SEI, 0), &format!("00000110 00000001 {}100", "00110"));
    for (kind, access) in [
        (TRAIL_R, Access::Recovery { after: 3 }),
        (RASL_R, Access::None),
        (IDR, Access::Keyframe { leading: false }),
    ] {
        assert_eq!(read(&mut reader(&[2]), &[&sei, &picture(kind, 0)]).access, access, "{kind}");
    }
    let negative = nal(&header(PREFIX_SEI, 0), "00000110 00000001 011 10000");
    assert_eq!(read(&mut reader(&[2]), &[&negative, &picture(1, 0)]).access, Access::Recovery { after: 0 });
}

#[test]
fn other_layers_and_missing_parameter_sets() {
    let mut reader = reader(&[0]);
    let other_layer = [IDR << 1, 1 << 3 | 1, 0xff];
    assert_eq!(reader.read(&annex_b(&[&other_layer])), Err(BitstreamError::NoPicture));
    assert!(read(&mut reader, &[&other_layer, &picture(TRAIL_N, 0)]).access == Access::None);
    let missing = Reader::new(&[]).read(&annex_b(&[&picture(IDR, 0)]));
    assert_eq!(missing, Err(BitstreamError::MissingParameterSet { set: "picture", id: 0 }));
    assert_eq!(reader.read(&annex_b(&[&[IDR << 1, 1]])), Err(BitstreamError::Truncated));
}
