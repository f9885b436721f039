use super::super::bits::tests::{annex_b, nal, ue};
use super::*;

/// A sequence parameter set to be filled in.
#[derive(Clone, Copy)]
struct SpsFields {
    profile: u8,
    constraints: u8,
    level: u8,
    order_type: u32,
    gaps_allowed: bool,
    frames_only: bool,
    /// In macroblocks.
    size: (u32, u32),
    /// `max_num_reorder_frames`, in a VUI.
    declared: Option<u32>,
}

const MAIN: SpsFields = SpsFields {
    profile: 77,
    constraints: 0,
    level: 30,
    order_type: 2,
    gaps_allowed: false,
    frames_only: true,
    size: (22, 18),
    declared: None,
};

impl SpsFields {
    fn nal(&self) -> Vec<u8> {
        let order = match self.order_type {
            0 => format!("{}{}", ue(0), ue(0)),
            1 => format!("{}0{}{}{}{}{}", ue(1), ue(3), ue(4), ue(2), ue(1), ue(1)),
            _ => ue(2),
        };
        let chroma =
            if self.profile >= 100 { format!("{}{}{}00", ue(1), ue(0), ue(0)) } else { String::new() };
        let (width, height) = (ue(self.size.0 - 1), ue(self.size.1 - 1));
        let frames = if self.frames_only { "1" } else { "00" };
        let vui = self.declared.map_or("0".to_owned(), |depth| {
            format!("1 0 0 0 0 0 0 0 0 1 1{}{}{}{}{}{}", ue(0), ue(0), ue(0), ue(0), ue(depth), ue(depth))
        });
        let gaps = u8::from(self.gaps_allowed);
        // Four bits of frame_num, four references.
        let text =
            format!("{}{chroma}{}{order}{}{gaps}{width}{height}{frames}1 0 {vui}", ue(0), ue(0), ue(4));
        nal(&[0x67, self.profile, self.constraints, self.level], &text)
    }
}

fn pps() -> Vec<u8> {
    nal(&[0x68], &format!("{}{}00{}{}{}000{}{}{}000", ue(0), ue(0), ue(0), ue(0), ue(0), ue(0), ue(0), ue(0)))
}

const I: u32 = 7;
const P: u32 = 5;

/// A slice of a frame, order count type 2; a reference where `idc` is not 0.
fn slice(idc: u8, kind: u32, frame_num: u32, operations: &[u32]) -> Vec<u8> {
    let lists = if kind == P { "0 0" } else { "" };
    let marking = match operations {
        [] => "0".to_owned(),
        operations => format!("1{}{}", operations.iter().map(|op| ue(*op)).collect::<String>(), ue(0)),
    };
    let marking = if idc == 0 { String::new() } else { marking };
    nal(&[idc << 5 | SLICE], &format!("{}{}{}{frame_num:04b}{lists}{marking}", ue(0), ue(kind), ue(0)))
}

fn idr() -> Vec<u8> {
    nal(&[0x65], &format!("{}{}{}0000{}00", ue(0), ue(I), ue(0), ue(0)))
}

fn reader(sps: &SpsFields) -> Box<Reader> {
    Reader::new(&annex_b(&[&sps.nal(), &pps()]))
}

fn recovery_sei(count: u32) -> Vec<u8> {
    [&[6, 6, 1], super::super::bits::tests::bytes(&format!("{}100 0", ue(count))).as_slice(), &[0x80]]
        .concat()
}

#[test]
fn the_depth_is_declared_or_follows_from_profile_level_and_size() {
    let reordered = SpsFields { order_type: 0, ..MAIN };
    let cases = [
        (MAIN, 0),
        (reordered, 16),
        (SpsFields { declared: Some(2), ..reordered }, 2),
        (SpsFields { declared: Some(99), ..reordered }, 16),
        (SpsFields { order_type: 1, ..MAIN }, 16),
        // 1080p at level 4: four frames; at level 5.1, sixteen.
        (SpsFields { profile: 100, level: 40, size: (120, 68), ..reordered }, 4),
        (SpsFields { profile: 100, level: 51, size: (120, 68), ..reordered }, 16),
        // Field pairs count the height twice.
        (SpsFields { profile: 100, level: 40, size: (120, 34), frames_only: false, ..reordered }, 4),
        (SpsFields { profile: 110, level: 40, size: (120, 68), constraints: 0x10, ..reordered }, 0),
        (SpsFields { profile: 66, ..reordered }, 0),
        // Level 1b against 1.1.
        (SpsFields { level: 11, size: (11, 9), constraints: 0x10, ..reordered }, 4),
        (SpsFields { level: 11, size: (11, 9), ..reordered }, 9),
        (SpsFields { level: 199, ..reordered }, 16),
    ];
    for (at, (sps, depth)) in cases.iter().enumerate() {
        let (_, parsed) = Sps::parse(&sps.nal()[1..]).unwrap();
        assert_eq!(parsed.reorder_depth, *depth, "case {at}");
    }
}

#[test]
fn gaps_in_frame_num_are_losses_only_where_sure() {
    type Step = (Vec<u8>, bool);
    let p = |frame_num| slice(1, P, frame_num, &[]);
    let b = |frame_num| slice(0, P, frame_num, &[]);
    let reset = |frame_num| slice(1, P, frame_num, &[5]);
    let cut = |frame_num| {
        let mut slice = slice(1, P, frame_num, &[1, 0]);
        slice.truncate(3);
        slice
    };
    let cases: [(&str, Vec<Step>); 8] = [
        ("in order", vec![(idr(), false), (p(1), false), (b(2), false), (b(2), false), (p(2), false)]),
        ("wrap", vec![(p(14), false), (p(15), false), (p(0), false), (p(1), false)]),
        ("gap", vec![(idr(), false), (p(2), true), (p(3), false)]),
        ("gap at a non-reference picture", vec![(idr(), false), (p(1), false), (b(3), true), (p(3), false)]),
        ("an IDR picture needs nothing", vec![(p(9), false), (idr(), false), (p(1), false)]),
        ("start in the middle", vec![(p(9), false), (p(10), false), (p(12), true)]),
        ("operation 5", vec![(p(7), false), (reset(8), false), (p(1), false)]),
        ("marking not readable", vec![(p(7), false), (cut(8), false), (p(3), false), (p(5), true)]),
    ];
    for (name, steps) in cases {
        let mut reader = reader(&MAIN);
        for (at, (nal, lost)) in steps.iter().enumerate() {
            let info = reader.read(&annex_b(&[nal])).unwrap();
            assert_eq!(info.references_lost, *lost, "{name} {at}");
        }
    }
    let mut allowed = reader(&SpsFields { gaps_allowed: true, ..MAIN });
    for frame_num in [0, 4, 9] {
        assert!(!allowed.read(&annex_b(&[&p(frame_num)])).unwrap().references_lost, "{frame_num}");
    }
    let mut jumped = reader(&MAIN);
    jumped.read(&annex_b(&[&p(3)])).unwrap();
    jumped.forget_pictures();
    assert!(!jumped.read(&annex_b(&[&p(9)])).unwrap().references_lost);
}

#[test]
fn recovery_points_are_keyframes_where_nothing_is_to_wait_for() {
    let keyframe = |leading| Access::Keyframe { leading };
    let cases = [
        (0, Some(0), I, keyframe(false)),
        (2, Some(0), I, keyframe(true)),
        (2, Some(0), P, Access::Recovery { after: 0 }),
        (2, Some(7), I, Access::Recovery { after: 7 }),
        (2, None, I, Access::None),
    ];
    for (depth, recovery, kind, access) in cases {
        let sps = SpsFields { order_type: 1, declared: Some(depth), ..MAIN };
        let sei = recovery.map(recovery_sei);
        let unit = annex_b(&[sei.as_deref().unwrap_or(&[9, 0x10]), &slice(1, kind, 3, &[])]);
        let info = reader(&sps).read(&unit).unwrap();
        assert_eq!(info.access, access, "{depth} {recovery:?} {kind}");
    }
}

/// A slice of a field.
fn field(idc: u8, kind: u32, bottom: bool) -> Vec<u8> {
    let text = format!("{}{}{}0011 1{}", ue(0), ue(kind), ue(0), u8::from(bottom));
    nal(&[idc << 5 | SLICE], &format!("{text}{}", if kind == P { "0 0 0" } else { "0" }))
}

#[test]
fn a_unit_is_a_reference_if_either_field_is() {
    let sps = SpsFields { frames_only: false, ..MAIN };
    for (top, bottom, reference) in [(0, 0, false), (1, 0, true), (0, 1, true), (1, 1, true)] {
        // Each field in two slices.
        let nals =
            [field(top, I, false), field(top, I, false), field(bottom, P, true), field(bottom, P, true)];
        let unit = annex_b(&[&nals[0], &nals[1], &nals[2], &nals[3]]);
        assert_eq!(reader(&sps).read(&unit).map(|info| info.reference), Ok(reference), "{top} {bottom}");
    }
}

#[test]
fn parameter_sets_come_from_either_place_and_their_lack_is_named() {
    let picture = annex_b(&[&idr()]);
    let missing = |set| Err(BitstreamError::MissingParameterSet { set, id: 0 });
    let access = |reader: &mut Reader, unit: &[u8]| reader.read(unit).map(|info| info.access);
    let mut bare = Reader::new(&[]);
    assert_eq!(access(&mut bare, &picture), missing("picture"));
    assert_eq!(access(&mut bare, &annex_b(&[&pps()])), Err(BitstreamError::NoPicture));
    assert_eq!(access(&mut bare, &picture), missing("sequence"));
    let whole = annex_b(&[&MAIN.nal(), &pps(), &idr()]);
    assert_eq!(access(&mut bare, &whole), Ok(Access::Keyframe { leading: false }));

    let (sps, pps) = (MAIN.nal(), pps());
    let head = [1, 77, 0, 30, 0xff, 0xe1, 0, sps.len() as u8];
    let avcc = [&head, sps.as_slice(), &[1, 0, pps.len() as u8], &pps].concat();
    let with_length = [&(idr().len() as u32).to_be_bytes(), idr().as_slice()].concat();
    for unit in [&with_length, &picture] {
        assert_eq!(
            access(&mut Reader::new(&avcc), unit),
            Ok(Access::Keyframe { leading: false }),
            "{unit:x?}"
        );
    }
    for cut in 0..avcc.len() {
        assert!(access(&mut Reader::new(&avcc[..cut]), &with_length).is_err(), "{cut}");
    }
    assert_eq!(access(&mut Reader::new(&avcc), &[0, 0, 0, 1, 0x65]), Err(BitstreamError::Truncated));
}

#[test]
fn fields_are_halves_of_a_frame_where_parity_number_and_use_agree() {
    // Header, frame_num, field_pic_flag with bottom_field_flag; what it is behind the one before.
    type Step = (u8, u32, &'static str, Field);
    let (top, bottom, frame) = ("10", "11", "0");
    let (first, second, whole) = (Field::First, Field::Second, Field::Whole);
    let cases: [(&str, &[Step]); 9] = [
        ("pairs", &[(0x65, 0, top, first), (0x61, 0, bottom, second), (0x61, 1, top, first)]),
        ("bottom first", &[(0x65, 0, bottom, first), (0x61, 0, top, second)]),
        ("two IDR", &[(0x65, 0, top, first), (0x65, 0, bottom, second)]),
        ("IDR behind another", &[(0x61, 0, top, first), (0x65, 0, bottom, first)]),
        ("same parity", &[(0x61, 1, top, first), (0x61, 1, top, first), (0x61, 1, bottom, second)]),
        ("another number", &[(0x61, 1, top, first), (0x61, 2, bottom, first), (0x61, 2, top, second)]),
        ("other use", &[(0x61, 1, top, first), (0x01, 1, bottom, first)]),
        ("frames between", &[(0x61, 1, top, first), (0x61, 2, frame, whole), (0x61, 1, bottom, first)]),
        ("three", &[(0x61, 1, top, first), (0x61, 1, bottom, second), (0x61, 1, top, first)]),
    ];
    let interlaced = SpsFields { frames_only: false, ..MAIN };
    for (case, steps) in cases {
        let mut reader = reader(&interlaced);
        for (at, (header, number, parity, expected)) in steps.iter().enumerate() {
            let idr = if header & 0x1f == IDR_SLICE { ue(0) + "00" } else { "0".to_owned() };
            let text = format!("{}{}{}{number:04b}{parity}{idr}", ue(0), ue(I), ue(0));
            let info = reader.read(&annex_b(&[&nal(&[*header], &text)])).unwrap();
            assert_eq!(info.field, *expected, "{case}, {at}");
            // Parameter sets do not part the halves.
            assert_eq!(reader.read(&annex_b(&[&pps()])), Err(BitstreamError::NoPicture), "{case}, {at}");
        }
    }
}

#[test]
fn both_fields_in_one_unit_are_whole_and_a_cut_one_waits_for_nothing() {
    let field = |parity: &str| nal(&[0x61], &format!("{}{}{}0001{parity}0", ue(0), ue(I), ue(0)));
    let lengths = |nal: &[u8], more: u32| [&(nal.len() as u32 + more).to_be_bytes(), nal].concat();
    let (top, bottom) = (field("10"), field("11"));
    let cases = [
        (annex_b(&[&top, &bottom]), Field::Whole),
        (annex_b(&[&top]), Field::First),
        ([lengths(&top, 0), lengths(&bottom, 0)].concat(), Field::Whole),
        (lengths(&top, 0), Field::First),
        (lengths(&top, 1), Field::Whole),
    ];
    for (unit, expected) in cases {
        let mut reader = reader(&SpsFields { frames_only: false, ..MAIN });
        reader.length_size = (!unit.starts_with(&[0, 0, 0, 1])).then_some(4);
        assert_eq!(reader.read(&unit).unwrap().field, expected);
    }
}
