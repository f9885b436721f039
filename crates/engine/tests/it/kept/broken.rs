//! A store that fails in the middle of a pass: what was told is kept, and the next pass finishes the work.

use std::sync::Arc;

use ocelli_engine::RecordError;
use ocelli_store::StoreError;

use super::{How, Shop, gaps::clip, untimed};
use crate::failing::Failing;

const SECOND: i64 = 90_000;

/// Passes that break off at their first commit, their second, and so on, until one ends; then all is as in a calm store.
fn broken_everywhere(before: &[(i64, i64)]) {
    let folder = tempfile::tempdir().unwrap();
    let how = How::new("7.5");
    let calm = Shop::open(&folder.path().join("calm"));
    let whole = calm.pass(&clip(), &how);
    for room in 0.. {
        let shop = Shop::open(&folder.path().join(format!("room-{room}")));
        let mut looked = 0;
        for (start, end) in before {
            looked += shop.pass(&clip(), &how.clone().between(start * SECOND, end * SECOND)).looked;
        }
        let log = Arc::new(Failing::new(Arc::clone(&shop.store)));
        log.fail_after(room, u64::MAX);
        let broken = shop.pass_through(&clip(), &how, log);
        looked += broken.looked;
        let kept = shop.contents();
        let ended = match broken.ended {
            Ok(_) => true,
            Err(RecordError::Store(StoreError::Full { .. })) => false,
            Err(other) => panic!("{room}: {other:?} hides that there is no room"),
        };
        assert_eq!(untimed(&broken.told), untimed(&whole.told)[..broken.told.len()], "{room}");
        let frames = kept.first().and_then(|run| run.ledgers.first()).map_or(0, |ledger| ledger.frames.len());
        assert!(broken.told.len() <= frames, "{room}: what was told is kept");
        let last = shop.pass(&clip(), &how);
        assert_eq!(untimed(&last.told), untimed(&whole.told), "{room}");
        assert_eq!(shop.contents(), calm.contents(), "{room}");
        assert!(looked + last.looked >= whole.looked, "{room}");
        if ended {
            return;
        }
    }
}

#[test]
fn a_first_pass() {
    broken_everywhere(&[]);
}

#[test]
fn a_pass_that_fills_a_gap_and_derives_the_tracks_anew() {
    broken_everywhere(&[(0, 1), (4, 9)]);
}
