//! Interlaced H.264 with one packet per field: what is sampled and decoded are frames.

use ocelli_testkit::{Truth, paff::Paff, probe};

use super::{
    WHOLE, plan,
    product::{Units, run, units},
};

const PLAIN: Paff =
    Paff { pictures: 50, bottom_first: false, droppable: false, two_idr: false, lost: Vec::new() };

fn read(paff: &Paff) -> (Truth, Units) {
    let folder = tempfile::tempdir().unwrap();
    let path = paff.write(folder.path());
    (probe(&path), units(&path, WHOLE))
}

/// PTS and hash of what a full decode gives.
fn decoded(truth: &Truth) -> Vec<(i64, String)> {
    let frames =
        truth.pictures.iter().filter_map(|picture| Some((picture.pts, picture.frame.as_ref()?.hash.clone())));
    frames.collect()
}

#[test]
fn each_frame_of_two_fields_is_one_picture() {
    let cases = [
        PLAIN,
        Paff { bottom_first: true, ..PLAIN },
        Paff { droppable: true, ..PLAIN },
        Paff { two_idr: true, bottom_first: true, ..PLAIN },
    ];
    for paff in cases {
        let (truth, input) = read(&paff);
        let full = decoded(&truth);
        assert_eq!((truth.pictures.len(), full.len()), (100, 50), "{paff:?}: packets and frames of ffmpeg");
        assert_eq!(input.units.len(), 50, "{paff:?}: units");
        // From 0 to 1.96 s; the last slot, at 2 s, takes the last picture.
        for (fps, count) in [("all", 50), ("5", 11), ("2.5", 6)] {
            let product = run(&input, 0, plan(fps), None);
            assert_eq!(product.pictures.len(), count, "{paff:?} at {fps}");
            for (pts, hash) in product.pictures {
                let hash = hash.unwrap_or_else(|error| panic!("{paff:?} at {fps}, {pts}: {error}"));
                assert!(full.contains(&(pts, hash)), "{paff:?} at {fps}: the picture at {pts}");
            }
        }
    }
}

#[test]
fn a_field_without_its_other_half_costs_one_picture() {
    // The first field of picture 7 is 14. Picture 3 is a reference in both.
    for (lost, droppable) in [(15, false), (14, false), (49, false), (7, true), (99, false)] {
        let paff = Paff { lost: vec![lost], droppable, ..PLAIN };
        let (truth, input) = read(&paff);
        let full = decoded(&truth);
        assert_eq!(input.units.len(), 50, "{paff:?}");
        let product = run(&input, 0, plan("all"), None);
        let right = product
            .pictures
            .iter()
            .filter(|(pts, hash)| hash.as_ref().is_ok_and(|hash| full.contains(&(*pts, hash.clone()))));
        assert_eq!((right.count(), product.pictures.len()), (49, 50), "{paff:?}: {:?}", product.pictures);
    }
}
