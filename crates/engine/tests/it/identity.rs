//! The PTS on each result is that of the frame whose number is seen.

use std::{collections::BTreeMap, path::Path};

use ocelli_testkit::{Clip, Container, ts, variety};

use crate::look::look;

/// Some rates, below, near and above those of the clips.
const PLANS: [&str; 4] = ["all", "0.7", "7.3", "500"];

/// Looks at a clip with each plan: every number at its PTS, every picture once with `all` and far above the clip's rate.
fn check(name: &str, path: &Path, expected: &BTreeMap<i64, u32>, degrees: u32) {
    for plan in PLANS {
        let (seen, report) = look(path, plan);
        let mut found = Vec::new();
        for one in &seen {
            let number =
                one.result.as_ref().unwrap_or_else(|e| panic!("{name} at {plan}: {:?}: {e:?}", one.place));
            assert_eq!(number.degrees, degrees, "{name} at {plan}: {:?}", one.place);
            assert_eq!(
                expected.get(&one.place.pts),
                Some(&number.shown),
                "{name} at {plan}: {:?}",
                one.place
            );
            assert_eq!(one.place.slot.is_none(), plan == "all", "{name} at {plan}");
            found.push(one.place.pts);
        }
        assert!(found.is_sorted_by(|a, b| a < b), "{name} at {plan}: in order of media time");
        assert!(!found.is_empty(), "{name} at {plan}");
        assert_eq!(report.tally.analysed, found.len() as u64, "{name} at {plan}");
        assert_eq!((report.tally.failed, report.damage.as_deref()), (0, None), "{name} at {plan}");
        if plan == "all" {
            assert!(found.iter().eq(expected.keys()), "{name}: every picture");
        }
    }
}

fn check_clip(name: &str, clip: &Clip, degrees: u32) {
    check(name, &clip.cached(), &variety::numbers(clip), degrees);
}

#[test]
fn every_codec_in_every_container() {
    for (name, clip) in variety::containers() {
        check_clip(&name, &clip, 0);
    }
}

#[test]
fn any_time() {
    for (name, clip) in variety::times() {
        check_clip(name, &clip, 0);
    }
}

#[test]
fn any_shape() {
    for (name, clip, degrees) in variety::shapes() {
        check_clip(name, &clip, degrees);
    }
}

#[test]
fn a_size_that_changes_in_mid_stream_is_followed() {
    let small = Clip::new(192, 128).container(Container::Ts).frames(30).first_number(300);
    let large = Clip::new(256, 144).container(Container::Ts).frames(30).first_number(700).start_pts(100);
    let parts = [&small, &large].map(|clip| std::fs::read(clip.cached()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("joined.ts");
    std::fs::write(&path, ts::join(&parts)).unwrap();
    let mut expected = variety::numbers(&small);
    expected.append(&mut variety::numbers(&large));
    check("joined", &path, &expected, 0);
    let sizes: Vec<_> = look(&path, "all").0.iter().map(|one| one.result.as_ref().unwrap().size).collect();
    assert_eq!(sizes, [[(192, 128); 30], [(256, 144); 30]].concat());
}

#[test]
fn a_gapless_file_yields_its_length_times_the_rate() {
    for (frames, num, den) in [(60, 30, 1), (45, 25, 1), (50, 30_000, 1001), (20, 11, 10), (90, 60, 1)] {
        let clip = Clip::new(192, 128).frames(frames).rate(num, den).params("keyint=20:bframes=2");
        let seconds = f64::from(frames) * f64::from(den) / f64::from(num);
        for rate in [0.3_f64, 0.5, 1.0, 2.5, 5.0, 10.0, 24.0, 29.97, 60.0, 1000.0] {
            let (seen, _) = look(&clip.cached(), &rate.to_string());
            let due = (seconds * rate).round().min(f64::from(frames));
            let found = seen.len() as f64;
            assert!((found - due).abs() <= 1.0, "{frames} at {num}/{den}, plan {rate}: {found} for {due}");
            if rate >= 1.01 * f64::from(num) / f64::from(den) {
                assert_eq!(seen.len(), frames as usize, "{num}/{den}, plan {rate}: each picture once");
            }
        }
    }
}
