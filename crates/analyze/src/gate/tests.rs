use ocelli_media::pixel::{PictureError, Plane};

use super::{Gate, GateConfig, MotionGate, Why};

const SIZE: (usize, usize) = (160, 90);

fn gate() -> MotionGate {
    MotionGate::new(GateConfig::default()).unwrap()
}

/// One look at a grey picture with a square of `side` pixels at `left`.
fn look(gate: &mut MotionGate, seconds: f64, (grey, side, left): (u8, usize, usize)) -> Option<Why> {
    let mut data = vec![grey; SIZE.0 * SIZE.1];
    for row in data.chunks_exact_mut(SIZE.0).skip(40).take(side) {
        row[left..left + side].fill(grey + 60);
    }
    match gate.look(seconds, &Plane { data: &data, stride: SIZE.0 }, SIZE).unwrap() {
        Gate::Open { why, .. } => Some(why),
        Gate::Closed => None,
    }
}

/// A gate that has seen 4 s of nothing, to which the last look at 3.8 s belongs.
fn warm() -> MotionGate {
    let mut gate = gate();
    for index in 0..20 {
        let why = look(&mut gate, f64::from(index) * 0.2, (100, 0, 0));
        assert_eq!(why, (index < 10).then_some(Why::Warming), "{index}");
    }
    gate
}

#[test]
fn it_opens_for_what_moves_and_holds_and_closes() {
    let mut gate = warm();
    for index in 0..10 {
        assert_eq!(
            look(&mut gate, 4.0 + f64::from(index) * 0.2, (100, 4, 20 + 2 * index as usize)),
            Some(Why::Motion)
        );
    }
    for index in 0..10 {
        assert_eq!(
            look(&mut gate, 6.0 - 0.2 + f64::from(index + 1) * 0.2, (100, 0, 0)).is_some(),
            index <= 9,
            "{index}"
        );
    }
    assert_eq!(look(&mut gate, 8.0, (100, 0, 0)), None);
}

#[test]
fn a_few_cells_must_be_there_twice() {
    let mut gate = warm();
    assert_eq!(look(&mut gate, 4.0, (100, 2, 20)), None);
    assert_eq!(look(&mut gate, 4.2, (100, 2, 21)), Some(Why::Motion));
    let mut gate = warm();
    assert_eq!(look(&mut gate, 4.0, (100, 2, 20)), None);
    assert_eq!(look(&mut gate, 4.2, (100, 2, 120)), None);
}

#[test]
fn what_stands_becomes_background_and_is_seen_now_and_then() {
    let mut gate = warm();
    let whys: Vec<_> =
        (0..200).map(|index| look(&mut gate, 4.0 + f64::from(index) * 0.2, (100, 6, 50))).collect();
    assert!(whys[..40].iter().all(|&why| why == Some(Why::Motion)), "{whys:?}");
    let regular = whys[60..].iter().filter(|&&why| why == Some(Why::Regular)).count();
    let closed = whys[60..].iter().filter(|why| why.is_none()).count();
    assert_eq!((regular, regular + closed), (2, 140), "{whys:?}");
    // That it goes is motion, and its place is background again at once or after a while.
    assert_eq!(look(&mut gate, 44.0, (100, 0, 0)), Some(Why::Motion));
}

#[test]
fn another_picture_is_learned_anew() {
    let mut gate = warm();
    let scramble: Vec<u8> = (0..SIZE.0 * SIZE.1).map(|index| (index * 7919 % 251) as u8).collect();
    let plane = Plane { data: &scramble, stride: SIZE.0 };
    assert!(
        matches!(gate.look(4.0, &plane, SIZE), Ok(Gate::Open { why: Why::Upheaval, area }) if area > 0.5)
    );
    assert!(matches!(gate.look(4.2, &plane, SIZE), Ok(Gate::Open { why: Why::Warming, .. })));
    for index in 2..30 {
        let seconds = 4.0 + f64::from(index) * 0.2;
        let closed = gate.look(seconds, &plane, SIZE) == Ok(Gate::Closed);
        assert_eq!(closed, index >= 10, "{index}");
    }
}

#[test]
fn brightness_of_all_is_no_motion() {
    let mut gate = warm();
    for (index, grey) in [160, 60, 61, 62, 190, 100].into_iter().enumerate() {
        assert_eq!(look(&mut gate, 4.0 + index as f64 * 0.2, (grey, 0, 0)), None, "{grey}");
    }
}

#[test]
fn times_and_sizes_that_do_not_follow_begin_anew() {
    for seconds in [3.8, 1.0, 20.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut gate = warm();
        assert_eq!(look(&mut gate, seconds, (100, 0, 0)), Some(Why::Warming), "{seconds}");
        assert_eq!(look(&mut gate, 4.0, (100, 0, 0)), Some(Why::Warming), "{seconds}");
    }
    let mut gate = warm();
    let other = Plane { data: &[100; 50 * 40], stride: 50 };
    assert!(matches!(gate.look(4.0, &other, (50, 40)), Ok(Gate::Open { why: Why::Warming, .. })));
    let refused = gate.look(4.2, &other, (51, 40));
    assert_eq!(refused, Err(PictureError::Stride { plane: 0, stride: 50, row: 51 }));
    for size in [(1, 1), (3, 1), (1, 3), (2, 2), (7, 5)] {
        for index in 0..40 {
            let plane = Plane { data: &[(index * 6) as u8; 64], stride: 8 };
            gate.look(5.0 + f64::from(index), &plane, size).unwrap();
        }
    }
}

#[test]
fn parameters_have_ranges_and_a_version() {
    let usual = GateConfig::default();
    assert_eq!(usual.check(), Ok(()));
    let check = |parameter: &str, config: GateConfig| {
        assert_eq!(MotionGate::new(config.clone()).unwrap_err().parameter, parameter);
        assert_ne!(config.version(), GateConfig::default().version(), "{parameter}");
    };
    check("longest", GateConfig { longest: 15, ..usual.clone() });
    check("contrast", GateConfig { contrast: f64::NAN, ..usual.clone() });
    check("deviations", GateConfig { deviations: 0.0, ..usual.clone() });
    check("shake", GateConfig { shake: 1.1, ..usual.clone() });
    check("least_cells", GateConfig { least_cells: 0, ..usual.clone() });
    check("at_once_cells", GateConfig { at_once_cells: 2, ..usual.clone() });
    check("upheaval", GateConfig { upheaval: 0.0, ..usual.clone() });
    check("adapt_seconds", GateConfig { adapt_seconds: 0.0, ..usual.clone() });
    check("settle_seconds", GateConfig { settle_seconds: -1.0, ..usual.clone() });
    check("warm_seconds", GateConfig { warm_seconds: f64::INFINITY, ..usual.clone() });
    check("hold_seconds", GateConfig { hold_seconds: -0.1, ..usual.clone() });
    check("look_every_seconds", GateConfig { look_every_seconds: 0.0, ..usual });
}
