use proptest::prelude::*;

use super::*;
use crate::{
    Codec, CodecParameters,
    bitstream::{Access, Field},
};
use ocelli_model::TimeBase;

fn parameters() -> Arc<CodecParameters> {
    let base = TimeBase::new(1, 90_000).unwrap();
    Arc::new(CodecParameters::new(Codec::H264, Bytes::new(), base))
}

fn info(field: Field) -> PictureInfo {
    PictureInfo {
        access: Access::None,
        reference: false,
        skipped_after_random_access: false,
        reorder_depth: 0,
        references_lost: false,
        shown: true,
        field,
    }
}

fn unit(at: usize, parameters: &Arc<CodecParameters>) -> AccessUnit {
    AccessUnit::new(at as i64, vec![at as u8].into(), Arc::clone(parameters))
}

/// W, 1, 2: whole, first and second field; -: without a picture; |: other parameters from here on.
fn paired(kinds: &str) -> Vec<ReadUnit> {
    let (mut pairs, mut current) = (FieldPairs::default(), parameters());
    let mut out = Vec::new();
    for (at, kind) in kinds.chars().enumerate() {
        let read = match kind {
            'W' => Some(info(Field::Whole)),
            '1' => Some(info(Field::First)),
            '2' => Some(info(Field::Second)),
            '-' => None,
            _ => {
                current = parameters();
                continue;
            }
        };
        pairs.push(unit(at, &current), read);
        out.extend(std::iter::from_fn(|| pairs.next_unit()));
        assert!(pairs.first.is_some() || pairs.between.is_none());
    }
    pairs.flush();
    out.extend(std::iter::from_fn(|| pairs.next_unit()));
    out
}

#[test]
fn only_fields_that_follow_each_other_are_joined() {
    // Places of the units' bytes.
    let cases: [(&str, &[&[u8]]); 10] = [
        ("WWW", &[&[0], &[1], &[2]]),
        ("1212", &[&[0, 1], &[2, 3]]),
        ("W12W", &[&[0], &[1, 2], &[3]]),
        ("112", &[&[0], &[1, 2]]),
        ("1W2", &[&[0], &[1], &[2]]),
        ("121", &[&[0, 1], &[2]]),
        // Parameter sets go to the front; a second unit of them ends the wait.
        ("1-2W", &[&[1], &[0, 2], &[3]]),
        ("1--2", &[&[0], &[1], &[2], &[3]]),
        ("1-", &[&[0], &[1]]),
        ("1|2", &[&[0], &[2]]),
    ];
    for (kinds, expected) in cases {
        let data: Vec<Vec<u8>> = paired(kinds).iter().map(|(unit, _)| unit.data.to_vec()).collect();
        assert_eq!(data, expected, "{kinds}");
    }
}

#[test]
fn a_frame_has_the_times_of_its_first_field_and_the_worst_of_both() {
    let cases = [(false, false), (true, false), (false, true), (true, true)];
    for (first, second) in cases {
        let (mut pairs, parameters) = (FieldPairs::default(), parameters());
        for (at, bad, field) in [(7, first, Field::First), (8, second, Field::Second)] {
            let info = PictureInfo { reference: bad, references_lost: bad, ..info(field) };
            pairs.push(AccessUnit { damaged: bad, ..unit(at, &parameters) }, Some(info));
        }
        let (unit, info) = pairs.next_unit().unwrap();
        let info = info.unwrap();
        let any = first || second;
        assert_eq!((unit.pts, &unit.data[..], unit.damaged), (7, &[7, 8][..], any));
        assert_eq!((info.reference, info.references_lost, info.field), (any, any, Field::Whole));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_frames_pass_at_once(kinds in "[W12-]{0,40}") {
        let out = paired(&kinds);
        let mut bytes: Vec<u8> = out.iter().flat_map(|(unit, _)| unit.data.to_vec()).collect();
        bytes.sort_unstable();
        prop_assert_eq!(bytes, (0..kinds.len() as u8).collect::<Vec<_>>());
        let times: Vec<i64> = out.iter().filter(|(_, info)| info.is_some()).map(|(unit, _)| unit.pts).collect();
        prop_assert!(times.is_sorted());
        let frames: String = kinds.chars().filter(|kind| matches!(kind, 'W' | '-')).collect();
        let (mut pairs, parameters) = (FieldPairs::default(), parameters());
        for (at, kind) in frames.chars().enumerate() {
            let pushed = unit(at, &parameters);
            let place = pushed.data.as_ptr();
            let read = (kind == 'W').then(|| info(Field::Whole));
            pairs.push(pushed, read);
            let (unit, passed) = pairs.next_unit().expect("it passes at once");
            prop_assert_eq!((unit.data.as_ptr(), passed), (place, read), "not even copied");
        }
    }
}
