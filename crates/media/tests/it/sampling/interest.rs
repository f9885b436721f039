//! Choices that nobody wants are told in their place, change no other choice, and are decoded only for others.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ocelli_media::sampler::{Interest, Sampler};
use ocelli_testkit::{Clip, oracle, probe, zoo};

use super::{
    WHOLE, plan,
    product::{run_with, units},
    run, same_pictures,
};

/// Wants some pictures, chosen by their PTS so that runs of both kinds occur.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    None,
    Scattered,
    Late(i64),
}

impl Interest for Wanted {
    fn wants(&self, _run: u32, _slot: Option<i64>, pts: i64) -> bool {
        match self {
            Self::None => false,
            Self::Scattered => pts.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) >> 62 == 0,
            Self::Late(from) => pts >= *from,
        }
    }
}

const RATES: [&str; 4] = ["0.7", "7.5", "29.97", "all"];

fn check(name: &str, path: &Path) {
    let (truth, input) = (probe(path), units(path, WHOLE));
    let pictures = truth.for_oracle();
    let middle = pictures[pictures.len() / 2].pts;
    for (fps, interest) in RATES.iter().flat_map(|fps| {
        [Wanted::None, Wanted::Scattered, Wanted::Late(middle)].map(|interest| (*fps, interest))
    }) {
        let name = format!("{name} at {fps} fps, {interest:?} wanted");
        let all = run(&input, 0, plan(fps), None);
        let sampler =
            Sampler::new(plan(fps), input.parameters.time_base).with_interest(Some(Arc::new(interest)));
        let mut product = run_with(&input, 0, plan(fps), sampler);
        assert_eq!(product.chosen, all.chosen, "{name}: the choice");
        let order: Vec<i64> = all.pictures.iter().map(|(pts, _)| *pts).collect();
        assert_eq!(product.order, order, "{name}: each choice in its place, once");
        let wanted = |pts: &i64| interest.wants(0, None, *pts);
        assert!(product.passed.iter().all(|pts| !wanted(pts)), "{name}");
        product.chosen.retain(|(pts, _)| wanted(pts));
        same_pictures(&name, &truth, &product);
        let chosen = oracle::choose(&pictures, truth.time_base, plan(fps), truth.reorder_depth());
        let needed = chosen.runs.iter().flat_map(|run| {
            let of = run.chosen.iter().filter(|chosen| wanted(&chosen.pts));
            of.flat_map(|chosen| oracle::needed_for(&pictures, run, chosen.index))
        });
        assert_eq!(product.fed, needed.collect::<BTreeSet<_>>(), "{name}: what the decoder is fed");
    }
}

#[test]
fn unwanted_choices_are_passed_over() {
    for (name, clip) in zoo::h264(130).into_iter().chain(zoo::h265(70)) {
        check(name, &clip.cached());
    }
    check("no references known", &Clip::new(192, 128).frames(60).cached());
}
