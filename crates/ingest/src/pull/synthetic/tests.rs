use ocelli_media::{
    decode::Decoder as _,
    libav::{Frame, LibavDecoder},
};

use super::{scene::WHITE, *};

fn open(word: &str) -> SyntheticSource {
    let url: crate::SourceUrl = word.parse().unwrap();
    let crate::url::Place::Synthetic(options) = url.place() else { panic!("{word}") };
    SyntheticSource::open(*options, &Stop::default()).unwrap()
}

/// PTS and pictures of all units.
fn decoded(source: &mut SyntheticSource) -> Vec<(i64, Frame)> {
    let mut decoder = LibavDecoder::open(source.parameters()).unwrap();
    let mut seen = Vec::new();
    let mut take = |decoder: &mut LibavDecoder| {
        while let Some(decoded) = decoder.receive().unwrap() {
            seen.push((decoded.pts, decoded.frame.expect("wanted").unwrap()));
        }
    };
    while let Some(unit) = source.next_unit().unwrap() {
        decoder.send(&unit, true).unwrap();
        take(&mut decoder);
    }
    decoder.send_end();
    take(&mut decoder);
    seen
}

/// Where it is nearly white: the middle column, if anything is.
fn walker(frame: &Frame) -> Option<usize> {
    let picture = frame.picture();
    let (width, luma) = (picture.width as usize, picture.planes[0]);
    let rows = picture.height as usize / 4..picture.height as usize;
    let column = |x: &usize| rows.clone().any(|y| luma.data[y * luma.stride + x] > WHITE - 30);
    let columns: Vec<usize> = (0..width).filter(column).collect();
    columns.first().map(|first| usize::midpoint(*first, columns[columns.len() - 1]))
}

#[test]
fn pictures_follow_each_other_over_the_rounds() {
    // Twelve pictures a round.
    let mut source = open("synthetic:?size=320x180&fps=2.5&frames=30");
    assert_eq!((source.parameters.width, source.parameters.height), (320, 180));
    assert!((source.parameters.frame_rate - 2.5).abs() < 1e-9 && source.parameters.duration.is_none());
    for _ in 0..2 {
        let seen = decoded(&mut source);
        let times: Vec<i64> = seen.iter().map(|(pts, _)| *pts).collect();
        assert_eq!(times, (0..30).map(|n| n * 36_000).collect::<Vec<_>>());
        let places: Vec<usize> = seen.iter().map(|(_, frame)| walker(frame).unwrap()).collect();
        for (n, place) in places.iter().enumerate() {
            let round = (n % 12) as f64 / 12.0 * std::f64::consts::TAU;
            let expected = (0.5 + 0.35 * round.cos()) * 320.0;
            assert!((*place as f64 - expected).abs() < 4.0, "{n}: {place} instead of {expected}");
        }
        assert!(source.rewind().unwrap());
    }
}

#[test]
fn a_visit_leaves_the_picture_as_it_was() {
    let seen = decoded(&mut open("synthetic:?size=320x180&fps=2&motion=visits&frames=48"));
    for (n, (_, frame)) in seen.iter().enumerate() {
        assert_eq!(walker(frame).is_some(), (9..=15).contains(&(n % 24)), "{n}");
    }
}

#[test]
fn where_nothing_moves_nothing_changes() {
    let seen = decoded(&mut open("synthetic:?size=64x64&fps=60&motion=still&frames=500"));
    let luma = |frame: &Frame| frame.picture().to_owned_picture().planes[0].clone();
    let first = luma(&seen[0].1);
    assert_eq!(seen.len(), 500);
    for (_, frame) in &seen {
        let most = luma(frame).iter().zip(&first).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most < Some(12), "{most:?}");
    }
}

#[test]
fn rates_that_do_not_divide_the_clock_do_not_drift() {
    let rate = "30000/1001".parse().unwrap();
    assert_eq!((pts(rate, 1), pts(rate, 30_000)), (3003, 90_090_000));
    let rate = "7".parse().unwrap();
    assert_eq!((pts(rate, 1), pts(rate, 7_000_000_007)), (12_857, 90_000_000_090_000));
}

#[test]
fn opening_ends_when_it_is_told_to() {
    let stop = Stop::default();
    stop.stop();
    let refused = SyntheticSource::open(SyntheticOptions::default(), &stop);
    assert!(matches!(refused, Err(SourceError::Stopped)));
}
