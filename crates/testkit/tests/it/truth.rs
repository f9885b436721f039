//! The oracle's premises, held against real streams: what it calls needed is enough.

use std::{
    collections::{BTreeSet, HashMap},
    io::Write as _,
};

use ocelli_testkit::{Clip, Truth, oracle, probe, ts, zoo};

fn types(truth: &Truth) -> String {
    truth.pictures.iter().filter_map(|picture| picture.frame.as_ref()).map(|frame| frame.pict_type).collect()
}

/// What `kept` of the stream decodes to, by PTS.
fn hashes(bytes: &[u8], kept: &BTreeSet<usize>) -> HashMap<i64, String> {
    let mut file = tempfile::Builder::new().suffix(".ts").tempfile().expect("a temporary file");
    file.write_all(&ts::select(bytes, |n| kept.contains(&n))).expect("room for a clip");
    let pictures = probe(file.path()).pictures.into_iter();
    pictures.filter_map(|picture| Some((picture.pts, picture.frame?.hash))).collect()
}

/// The packets that the oracle names, and only they, decoded again: each chosen picture comes out, bit-identical.
///
/// A decoder that is not flushed before a random access point may withhold a picture there (seen with H.264 open GOPs, where
/// it takes the gap for lost frames); so what is amiss is decoded once more from its own packets alone.
fn needed_is_enough(name: &str, clip: &Clip) {
    let path = clip.cached();
    let bytes = std::fs::read(&path).expect("a clip can be read");
    let truth = probe(&path);
    let pictures = truth.for_oracle();
    for plan in ["1", "4", "7.5", "29.97"] {
        let choice =
            oracle::choose(&pictures, truth.time_base, plan.parse().expect("a plan"), truth.reorder_depth());
        let [run] = &choice.runs[..] else { panic!("{name}: one run") };
        let again = hashes(&bytes, &choice.needed);
        for chosen in &run.chosen {
            let expected = truth.at(chosen.pts).and_then(|picture| picture.frame.as_ref()).map(|f| &f.hash);
            if again.get(&chosen.pts) != expected {
                let alone = hashes(&bytes, &oracle::needed_for(&pictures, run, chosen.index));
                assert_eq!(alone.get(&chosen.pts), expected, "{name} at {plan}: {chosen:?}");
            }
        }
    }
}

#[test]
fn what_the_oracle_calls_needed_gives_the_same_pictures_in_h264() {
    for (name, clip) in zoo::h264(60) {
        needed_is_enough(name, &clip);
    }
}

#[test]
fn what_the_oracle_calls_needed_gives_the_same_pictures_in_h265() {
    for (name, clip) in zoo::h265(60) {
        needed_is_enough(name, &clip);
    }
}

#[test]
fn the_zoo_holds_what_its_names_say() {
    let of = |name: &str| {
        let (_, clip) = zoo::all(75).into_iter().find(|(found, _)| *found == name).unwrap();
        let truth = probe(&clip.cached());
        assert_eq!(truth.output.len(), 75, "{name}");
        truth
    };
    let count =
        |truth: &Truth, f: fn(&oracle::Picture) -> bool| truth.for_oracle().iter().filter(|p| f(p)).count();
    let leading = |truth: &Truth| {
        let pictures = truth.for_oracle();
        let after = |i: usize| pictures[..i].iter().rev().find(|p| p.keyframe);
        (0..pictures.len()).filter(|&i| after(i).is_some_and(|k| pictures[i].pts < k.pts)).count()
    };
    let two = of("h264 two non-reference B");
    assert!(types(&two).starts_with("IPBBPBB"), "{}", types(&two));
    assert_eq!(count(&two, |p| !p.reference), types(&two).matches('B').count());
    let pyramid = of("h264 B-pyramid");
    assert!(count(&pyramid, |p| !p.reference) < types(&pyramid).matches('B').count());
    assert_eq!(leading(&pyramid), 0);
    assert!(leading(&of("h264 open GOP")) > 3);
    assert_eq!(count(&of("h264 intra refresh"), |p| p.keyframe), 1, "a refresh is no keyframe");
    assert_eq!(count(&of("h264 intra only"), |p| p.keyframe), 75);
    let (rasl, radl) = (of("h265 RASL"), of("h265 RADL"));
    assert!(leading(&rasl) > 3 && count(&rasl, |p| p.radl) == 0);
    assert!(leading(&radl) > 3 && count(&radl, |p| p.radl) == leading(&radl));
    assert!(types(&of("mpeg2 with B")).contains('B'));
    assert_eq!(count(&of("av1 with hidden references"), |p| p.reference), 75);
    for name in ["mpeg4 in avi", "mpeg4 with B", "mjpeg", "vp8", "vp9 with hidden references"] {
        assert!(count(&of(name), |p| p.keyframe) >= 3, "{name}");
    }
}
