//! The sampler on real streams, against a brute-force oracle that takes picture types, references and pixels from a
//! full decode by FFmpeg's own tools.

mod fields;
mod interest;
pub(crate) mod product;
mod random;

use std::path::Path;

use ocelli_media::sampler::Resume;
use ocelli_model::SamplingPlan;
use ocelli_testkit::{Clip, Truth, oracle, probe, ts, zoo};
use product::{Product, Units, run, units};

const RATES: [&str; 9] = ["0.1", "0.7", "1", "4", "7.5", "15", "29.97", "60", "all"];

/// One read returns all there is.
const WHOLE: usize = usize::MAX;

fn plan(text: &str) -> SamplingPlan {
    text.parse().unwrap()
}

/// Everything that is promised of a clean stream.
fn check(name: &str, truth: &Truth, input: &Units, fps: &str) -> Product {
    let name = format!("{name} at {fps} fps");
    let product = run(input, 0, plan(fps), None);
    let pictures = truth.for_oracle();
    let wanted = oracle::choose(&pictures, truth.time_base, plan(fps), truth.reorder_depth());
    assert_eq!(product.chosen, wanted.chosen(), "{name}: what is chosen");
    assert_eq!(product.fed, wanted.needed, "{name}: what the decoder is fed");
    let empty: usize = wanted.runs.iter().map(|run| run.empty.len()).sum();
    assert_eq!(product.empty, empty as u64, "{name}: slots without a picture");
    same_pictures(&name, truth, &product);
    product
}

/// Each chosen picture comes out, in order, to the bit what a full decode gives at its PTS.
fn same_pictures(name: &str, truth: &Truth, product: &Product) {
    let decoded: Vec<i64> = product.pictures.iter().map(|(pts, _)| *pts).collect();
    let chosen: Vec<i64> = product.chosen.iter().map(|(pts, _)| *pts).collect();
    assert_eq!(decoded, chosen, "{name}: pictures in PTS order, each once");
    for (pts, hash) in &product.pictures {
        let full = truth.at(*pts).and_then(|picture| picture.frame.as_ref()).map(|frame| frame.hash.clone());
        assert_eq!(hash.as_ref().ok(), full.as_ref(), "{name}: picture at {pts} ({hash:?})");
    }
}

fn check_clips(clips: Vec<(&'static str, Clip)>) {
    for (name, clip) in clips {
        let path = clip.cached();
        let truth = probe(&path);
        let input = units(&path, WHOLE);
        for fps in RATES {
            check(name, &truth, &input, fps);
        }
        resumes(name, &truth, &input);
    }
}

/// From every permitted start the same choice as from the beginning, and the same pixels.
fn resumes(name: &str, truth: &Truth, input: &Units) {
    let pictures = truth.for_oracle();
    for fps in ["1", "4", "7.5"] {
        let SamplingPlan::Rate(rate) = plan(fps) else { unreachable!("a number") };
        let whole = oracle::choose(&pictures, truth.time_base, plan(fps), truth.reorder_depth());
        let [one] = &whole.runs[..] else { panic!("{name}: one run") };
        let Some(t0) = one.t0 else { continue };
        for chosen in &one.chosen {
            let Some(start) = oracle::permitted_start(&pictures, one, truth.time_base, rate, chosen.slot)
            else {
                continue;
            };
            let resume = Resume { t0, first_slot: chosen.slot };
            let product = run(input, start, plan(fps), Some(resume));
            let rest = one.chosen.iter().filter(|later| later.slot >= chosen.slot);
            let rest: Vec<(i64, i64)> = rest.map(|later| (later.pts, later.slot)).collect();
            let name = format!("{name} at {fps} fps from slot {} (unit {start})", chosen.slot);
            assert_eq!(product.chosen, rest, "{name}");
            same_pictures(&name, truth, &product);
        }
    }
}

#[test]
fn h264_is_chosen_and_decoded_as_the_oracle_says() {
    check_clips(zoo::h264(130));
}

#[test]
fn h265_is_chosen_and_decoded_as_the_oracle_says() {
    check_clips(zoo::h265(130));
}

#[test]
fn other_codecs_are_chosen_and_decoded_as_the_oracle_says() {
    check_clips(zoo::others(110));
}

#[test]
fn the_size_of_reads_changes_nothing() {
    let path = Clip::new(192, 128).frames(60).params("keyint=20:bframes=2").cached();
    let whole = run(&units(&path, WHOLE), 0, plan("7.5"), None);
    for chunk in [1, 7, 188, 4096] {
        let dripped = run(&units(&path, chunk), 0, plan("7.5"), None);
        assert_eq!((dripped.pictures, dripped.fed), (whole.pictures.clone(), whole.fed.clone()), "{chunk}");
    }
}

#[test]
fn streams_that_start_late_or_lose_their_keyframes_are_chosen_as_the_oracle_says() {
    let clip = zoo::h264(130).into_iter().find(|(name, _)| *name == "h264 two non-reference B").unwrap().1;
    let bytes = std::fs::read(clip.cached()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lost = [
        ("joined in mid-GOP", 0..13),
        ("second keyframe lost with its GOP", 30..60),
        ("only the last GOPs", 0..60),
    ];
    for (name, lost) in lost {
        let path = folder.path().join("cut.ts");
        std::fs::write(&path, ts::select(&bytes, |index| !lost.contains(&index))).unwrap();
        let truth = probe(&path);
        let input = units(&path, WHOLE);
        for fps in RATES {
            check(name, &truth, &input, fps);
        }
    }
}

#[test]
fn undecided_units_wait_no_longer_than_the_rule_says() {
    let path = zoo_clip("h264 one endless GOP", 130);
    let input = units(&path, WHOLE);
    let bytes: usize = input.units.iter().map(|(unit, _)| unit.data.len()).sum();
    // Half a second of waiting at N = 1, and the references of one second that may still be needed.
    let product = run(&input, 0, plan("1"), None);
    assert!(product.most_held < bytes / 2, "{} of {bytes} bytes held", product.most_held);
    assert_eq!(run(&input, 0, plan("all"), None).most_held, 0);
}

fn zoo_clip(name: &str, frames: u32) -> std::path::PathBuf {
    let clip = zoo::all(frames).into_iter().find(|(known, _)| *known == name);
    clip.unwrap_or_else(|| panic!("no clip {name}")).1.cached()
}

/// For the random clips: probe, read and check in one go.
fn check_file(name: &str, path: &Path, rates: &[&str]) {
    let truth = probe(path);
    let input = units(path, WHOLE);
    for fps in rates {
        check(name, &truth, &input, fps);
    }
}
