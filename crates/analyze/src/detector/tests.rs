use std::sync::Arc;

use super::{nms::MAX_CANDIDATES, *};
use crate::detector::labels::Labels;

fn filter(classes: usize, confidence: f32) -> Filter {
    Filter { confidence, wanted: vec![true; classes] }
}

fn candidate(class: usize, score: f32, corners: [f32; 4], anchor: usize) -> Candidate {
    Candidate::new(class, score, corners, anchor).unwrap()
}

/// Decodes hand-made SSD outputs of three classes on a tensor of 100 x 200 pixels.
fn ssd(scores: &[[f32; 3]], boxes: &[[f32; 4]]) -> Vec<(u16, f32, [f32; 4])> {
    let mut found = Vec::new();
    ssd::decode(scores.as_flattened(), boxes.as_flattened(), (100.0, 200.0), &filter(3, 0.4), &mut found);
    found.into_iter().map(|one| (one.class, one.score, one.corners)).collect()
}

#[test]
fn ssd_boxes_come_as_top_left_bottom_right_fractions() {
    let place = [0.1, 0.2, 0.5, 0.4];
    let corners = [20.0, 20.0, 40.0, 100.0];
    assert_eq!(ssd(&[[0.1, 0.9, 0.4]], &[place]), [(1, 0.9, corners), (2, 0.4, corners)]);
    assert_eq!(ssd(&[[0.1, 0.39, 0.0]], &[place]), []);
}

#[test]
fn what_is_no_box_is_dropped() {
    let good = [0.1, 0.2, 0.5, 0.4];
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let cases: [([f32; 3], [f32; 4]); 8] = [
        ([nan, nan, nan], good),
        ([inf, 0.0, 0.0], good),
        ([-inf, -1.0, 0.0], good),
        ([0.9, 0.0, 0.0], [nan, 0.2, 0.5, 0.4]),
        ([0.9, 0.0, 0.0], [0.1, 0.2, inf, 0.4]),
        ([0.9, 0.0, 0.0], [0.1, -inf, 0.5, 0.4]),
        ([0.9, 0.0, 0.0], [0.5, 0.4, 0.1, 0.2]),
        ([0.9, 0.0, 0.0], [0.1, 0.2, 0.1, 0.2]),
    ];
    for (scores, place) in cases {
        assert_eq!(ssd(&[scores], &[place]), [], "{scores:?} {place:?}");
    }
    let huge = ssd(&[[7.0, 0.0, 0.0]], &[[-1e30, -1e9, 1e9, 1e30]]);
    assert_eq!(huge, [(0, 1.0, [-1e6, -1e6, 1e6, 1e6])], "clamped, not dropped");
}

/// A YOLOX output for a tensor of 64 x 32 pixels and two classes, silent except for `rows`.
fn yolox(rows: &[(usize, [f32; 7])]) -> Vec<Candidate> {
    let mut output = vec![[0.0; 7]; yolox::rows(64, 32)];
    for (row, values) in rows {
        output[*row] = *values;
    }
    let mut found = Vec::new();
    yolox::decode(output.as_flattened(), (64, 32), &filter(2, 0.4), &mut found);
    found
}

#[test]
fn yolox_cells_are_counted_stride_by_stride_and_row_by_row() {
    // 8 x 4 cells of 8 pixels, 4 x 2 of 16, 2 x 1 of 32.
    assert_eq!(yolox::rows(64, 32), 42);
    assert_eq!(yolox::rows(416, 416), 3549);
    let value = [0.5, 0.5, 0.0, 2f32.ln(), 0.8, 0.25, 1.0];
    let cases =
        [(0, 4.0, 4.0, 8.0), (9, 12.0, 12.0, 8.0), (32 + 5, 24.0, 24.0, 16.0), (41, 48.0, 16.0, 32.0)];
    for (row, x, y, stride) in cases {
        let found = yolox(&[(row, value)]);
        assert_eq!(found.len(), 1, "{row}");
        let Candidate { class, score, corners, anchor } = found[0];
        assert_eq!((class, score, anchor), (1, 0.8, row as u32));
        let expected = [x - stride / 2.0, y - stride, x + stride / 2.0, y + stride];
        let off = corners.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-4, "{row}: {corners:?} {expected:?}");
    }
}

#[test]
fn yolox_drops_what_is_no_box() {
    let cases = [
        [0.5, 0.5, 0.0, 0.0, f32::NAN, 1.0, 1.0],
        [0.5, 0.5, 0.0, 0.0, 0.9, f32::NAN, -1.0],
        [0.5, 0.5, 200.0, 0.0, 0.9, 1.0, 0.0],
        [f32::NAN, 0.5, 0.0, 0.0, 0.9, 1.0, 0.0],
        [0.5, 0.5, 0.0, -f32::INFINITY, 0.9, 1.0, 0.0],
        [0.5, 0.5, 0.0, 0.0, 0.9, 0.4, 0.0],
        [0.5, 0.5, 0.0, 0.0, 0.3, 1.0, 1.0],
    ];
    for values in cases {
        assert_eq!(yolox(&[(3, values)]), [], "{values:?}");
    }
}

#[test]
fn suppression_keeps_the_surest_of_each_class() {
    let square = |x: f32| [x, 0.0, x + 10.0, 10.0];
    // Neighbours 2 apart overlap by 8 / 12, 5 apart by 5 / 15.
    let mut candidates = vec![
        candidate(0, 0.6, square(2.0), 1),
        candidate(0, 0.9, square(0.0), 0),
        candidate(1, 0.5, square(1.0), 2),
        candidate(0, 0.7, square(5.0), 3),
        candidate(0, 0.7, square(20.0), 4),
    ];
    nms::suppress(&mut candidates, 0.5);
    let kept: Vec<_> = candidates.iter().map(|one| (one.class, one.score, one.anchor)).collect();
    assert_eq!(kept, [(0, 0.9, 0), (0, 0.7, 3), (0, 0.7, 4), (1, 0.5, 2)]);
}

#[test]
fn a_suppressed_box_suppresses_nothing() {
    let square = |x: f32| [x, 0.0, x + 10.0, 10.0];
    let chain = [(0.9, 0.0), (0.8, 3.0), (0.7, 6.0)];
    let mut candidates: Vec<_> =
        chain.iter().enumerate().map(|(at, (score, x))| candidate(0, *score, square(*x), at)).collect();
    nms::suppress(&mut candidates, 0.5);
    assert_eq!(candidates.iter().map(|one| one.anchor).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn suppression_looks_at_the_surest_candidates_only_in_any_order_of_arrival() {
    let many = 50 * MAX_CANDIDATES;
    let place = |at: usize| {
        let (x, y) = ((at % 300) as f32, (at / 300) as f32);
        [x, y, x + 0.9, y + 0.9]
    };
    let make = |at: usize| candidate(at % 7, 0.4 + (at * 31 % 97) as f32 / 200.0, place(at), at);
    let mut forwards: Vec<_> = (0..many).map(make).collect();
    let mut backwards: Vec<_> = (0..many).rev().map(make).collect();
    nms::suppress(&mut forwards, 0.5);
    nms::suppress(&mut backwards, 0.5);
    assert_eq!(forwards.len(), MAX_CANDIDATES);
    assert_eq!(forwards, backwards);
}

#[test]
fn detections_lie_in_the_picture() {
    let placement = Placement { scale_x: 0.5, scale_y: 0.5, left: 10, top: 0, width: 80, height: 40 };
    let check = |corners: [f32; 4], expected: Option<[f32; 4]>| {
        let expected = expected.map(|[x, y, width, height]| BoundingBox { x, y, width, height });
        assert_eq!(in_picture(&placement, corners), expected, "{corners:?}");
    };
    check([30.0, 10.0, 50.0, 30.0], Some([0.25, 0.25, 0.25, 0.5]));
    check([-1e6, -1e6, 1e6, 1e6], Some([0.0, 0.0, 1.0, 1.0]));
    check([0.0, 20.0, 50.0, 60.0], Some([0.0, 0.5, 0.5, 0.5]));
    check([0.0, 0.0, 9.0, 40.0], None);
    check([30.0, 40.0, 50.0, 60.0], None);
}

#[test]
fn detections_stand_in_one_order() {
    let one = |label: &str, confidence: f32, x: f32| Detection {
        label: Arc::from(label),
        confidence,
        bbox: BoundingBox { x, y: 0.0, width: 0.1, height: 0.1 },
    };
    let expected = [one("dog", 0.9, 0.5), one("car", 0.7, 0.1), one("car", 0.7, 0.2), one("dog", 0.7, 0.0)];
    let mut shuffled =
        vec![expected[3].clone(), expected[2].clone(), expected[0].clone(), expected[1].clone()];
    shuffled.sort_by(order);
    assert_eq!(shuffled, expected);
}

#[test]
fn label_lists_have_the_classes_of_coco() {
    let (short, long) = (Labels::coco80(), Labels::coco90());
    assert_eq!((short.len(), long.len()), (80, 90));
    assert_eq!((&*short.name(0), &*short.name(5), &*short.name(79)), ("person", "bus", "toothbrush"));
    assert_eq!((&*long.name(0), &*long.name(5), &*long.name(89)), ("person", "bus", "toothbrush"));
    assert_eq!(
        long.wanted(None).unwrap().iter().filter(|wanted| **wanted).count(),
        80,
        "holes are no classes"
    );
}

#[test]
fn classes_are_found_by_name() {
    let labels = Labels::coco90();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let wanted = labels.wanted(Some(&words(&["Person", " traffic light "]))).unwrap();
    let columns: Vec<_> = (0..wanted.len()).filter(|column| wanted[*column]).collect();
    assert_eq!(columns, [0, 9]);
    let near = |word: &str| labels.wanted(Some(&words(&[word]))).unwrap_err().near;
    assert_eq!(near("persn"), ["person"]);
    assert_eq!(near("light"), ["traffic light"]);
    assert_eq!(near("catt")[0], "cat");
    assert_eq!(near("xylophone"), Vec::<String>::new());
    assert_eq!(near(""), Vec::<String>::new());
    assert_eq!(near("n/a"), Vec::<String>::new());
}

#[test]
fn lists_of_labels_are_read_strictly() {
    let names = |text: &str| {
        Labels::parse(text.as_bytes()).map(|labels| labels.names().collect::<Vec<_>>().join("|"))
    };
    assert_eq!(names("Cat\n dog \r\nn/a\nn/a\nred panda\n"), Ok("Cat|dog|n/a|n/a|red panda".to_owned()));
    assert_eq!(names("\u{feff}Katze\nBär"), Ok("Katze|Bär".to_owned()));
    let cases = [
        ("", LabelsError::Empty),
        ("n/a\nn/a\n", LabelsError::Empty),
        ("cat\n\ndog\n", LabelsError::Blank(2)),
        ("cat\n  \n", LabelsError::Blank(2)),
        ("cat\nd\u{7}g\n", LabelsError::Name(2)),
        ("cat\ndog\nCAT", LabelsError::Repeated { line: 3, name: "CAT".to_owned() }),
    ];
    for (text, error) in cases {
        assert_eq!(names(text), Err(error), "{text:?}");
    }
    assert_eq!(names(&"x".repeat(101)), Err(LabelsError::Name(1)));
    let many = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>().join("\n");
    assert!(names(&many(4096)).is_ok());
    assert_eq!(names(&many(4097)), Err(LabelsError::Many));
    assert_eq!(Labels::parse(b"c\xffat"), Err(LabelsError::NotText));
    let wanted = Labels::parse(b"Cat\nn/a\nDog").unwrap();
    assert_eq!(wanted.wanted(Some(&["dOG".to_owned()])), Ok(vec![false, false, true]));
    assert_eq!(wanted.wanted(Some(&["Caat".to_owned()])).unwrap_err().near, ["Cat"]);
}
