use super::super::bits::tests::bytes;
use super::*;

fn section(code: u8, text: &str) -> Vec<u8> {
    [&[0, 0, 1, code][..], &bytes(text)].concat()
}

/// A layer with 25 ticks a second; `control` is `vol_control_parameters` and what follows.
fn layer(control: &str) -> Vec<u8> {
    section(0x20, &format!("0 00000001 0 0001 {control} 00 1 0000000000011001 1 0"))
}

const NO_CONTROL: &str = "0";
const LOW_DELAY: &str = "1 01 1 0";
const REORDERED: &str = "1 01 0 0";

/// A VOP of this coding type, coded or a placeholder.
fn vop(kind: &str, coded: char) -> Vec<u8> {
    section(VOP, &format!("{kind} 10 1 00011 1 {coded} 0000000"))
}

fn check(extradata: &[u8], hint: u32, unit: &[u8], expected: Result<(Access, u32), BitstreamError>) {
    let info = Reader::new(extradata, hint).read(unit);
    assert_eq!(info.map(|info| (info.access, info.reorder_depth)), expected, "{unit:x?}");
    assert!(info.is_err() || info.is_ok_and(|info| info.reference && info.shown), "{unit:x?}");
}

#[test]
fn the_layer_says_whether_pictures_are_reordered() {
    for (control, hint, depth) in
        [(LOW_DELAY, 2, 0), (REORDERED, 0, 1), (NO_CONTROL, 0, 0), (NO_CONTROL, 2, 2)]
    {
        let keyframe = Access::Keyframe { leading: depth > 0 };
        check(&layer(control), hint, &vop("00", '1'), Ok((keyframe, depth)));
        // The same with the layer in the unit.
        check(&[], hint, &[layer(control), vop("00", '1')].concat(), Ok((keyframe, depth)));
    }
}

#[test]
fn pictures_are_told_by_their_coding_type_and_group() {
    let keyframe = |leading| Ok((Access::Keyframe { leading }, 1));
    let open = section(GROUP_OF_VOP, "000000000000000000 0 0 1000");
    let closed = section(GROUP_OF_VOP, "000000000000000000 1 0 1000");
    let layer = &layer(REORDERED);
    check(layer, 0, &[open, vop("00", '1')].concat(), keyframe(true));
    check(layer, 0, &[closed, vop("00", '1')].concat(), keyframe(false));
    for kind in ["01", "10", "11"] {
        check(layer, 0, &vop(kind, '1'), Ok((Access::None, 1)));
    }
}

#[test]
fn placeholders_and_headers_are_no_pictures() {
    let layer = &layer(REORDERED);
    check(layer, 0, &vop("01", '0'), Err(BitstreamError::NoPicture));
    check(layer, 0, layer, Err(BitstreamError::NoPicture));
    check(layer, 0, &[0, 0, 1, VOP], Err(BitstreamError::Truncated));
    check(layer, 0, &[0, 0, 1, VOP, 0x7f, 0xff], Err(BitstreamError::Truncated));
}
