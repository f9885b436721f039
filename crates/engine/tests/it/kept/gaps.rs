//! Parts of a video in any order make the whole, tracks included.

use std::path::PathBuf;

use ocelli_testkit::Clip;

use super::{How, Shop, untimed};

/// Four seconds with B-frames and a hole of two seconds after the first.
pub(super) fn clip() -> PathBuf {
    let pts: Vec<i64> = (0..120).map(|n| n * 3000 + if n < 30 { 0 } else { 180_000 }).collect();
    Clip::new(192, 128).timestamps(90_000, &pts).params("bframes=3:b-pyramid=normal:keyint=25").cached()
}

const SECOND: i64 = 90_000;

#[test]
fn parts_in_any_order_make_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let orders: [&[(i64, i64)]; 4] =
        [&[(0, 1), (4, 9), (1, 4)], &[(3, 4), (0, 9)], &[(4, 9), (3, 4), (0, 3)], &[(0, 1), (4, 5), (0, 9)]];
    for plan in ["all", "7.5", "0.7"] {
        let calm = Shop::open(&folder.path().join(format!("calm-{plan}")));
        let whole = calm.pass(&clip(), &How::new(plan));
        for (index, parts) in orders.iter().enumerate() {
            let shop = Shop::open(&folder.path().join(format!("parts-{plan}-{index}")));
            let mut looked = 0;
            for (start, end) in *parts {
                let passed =
                    shop.pass(&clip(), &How::new(plan).between(start * SECOND, end * SECOND - SECOND / 7));
                passed.ended.unwrap();
                looked += passed.looked;
                shop.contents();
            }
            let last = shop.pass(&clip(), &How::new(plan));
            looked += last.looked;
            assert_eq!(untimed(&last.told), untimed(&whole.told), "{plan} {parts:?}: as told");
            assert_eq!(shop.contents(), calm.contents(), "{plan} {parts:?}: as kept");
            assert_eq!(looked, whole.looked, "{plan} {parts:?}: each picture once");
            let again = shop.pass(&clip(), &How::new(plan));
            assert_eq!((again.looked, again.told), (0, last.told), "{plan} {parts:?}: the same again");
        }
    }
}

#[test]
fn tracks_can_come_later_and_stay_away() {
    let folder = tempfile::tempdir().unwrap();
    let calm = Shop::open(&folder.path().join("calm"));
    let whole = calm.pass(&clip(), &How::new("7.5"));
    let shop = Shop::open(&folder.path().join("seen"));
    let without = How { tracker: None, ..How::new("7.5") };
    shop.pass(&clip(), &without.clone().between(2 * SECOND, 4 * SECOND)).ended.unwrap();
    let tracked = shop.pass(&clip(), &How::new("7.5").between(0, 4 * SECOND));
    tracked.ended.unwrap();
    // Results that nobody tracks, behind the tracks and then among them.
    shop.pass(&clip(), &without).ended.unwrap();
    let last = shop.pass(&clip(), &How::new("7.5"));
    assert_eq!((untimed(&last.told), last.looked), (untimed(&whole.told), 0));
    assert_eq!(shop.contents(), calm.contents());
    // Another tracker follows the same results beside the first.
    let config = ocelli_analyze::TrackerConfig { confirm_hits: 4, ..Default::default() };
    let other = How { tracker: Some(config), ..How::new("7.5") };
    let (one, two) = (shop.pass(&clip(), &other), calm.pass(&clip(), &other));
    assert_eq!((untimed(&one.told), one.looked), (untimed(&two.told), 0));
    let again = shop.pass(&clip(), &How::new("7.5"));
    assert_eq!(untimed(&again.told), untimed(&whole.told));
}
