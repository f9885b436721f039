//! Several runs in one file, and how each of them stands afterwards.

use std::path::{Path, PathBuf};

use ocelli_store::RunState::{self, Partial, Whole};
use ocelli_testkit::{Clip, Container, ts};

use super::{How, Shop, gaps, untimed};

#[test]
fn a_run_that_a_pass_does_not_come_to_has_no_ledger_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let input = three(folder.path());
    let shop = Shop::open(&folder.path().join("seen"));
    shop.pass(&input, &How::new("5")).ended.unwrap();
    let other = How { analyzers: &["other"], ..How::new("5") };
    shop.pass(&input, &other.between(0, 180_000)).ended.unwrap();
    let ledgers: Vec<usize> = shop.contents().iter().map(|run| run.ledgers.len()).collect();
    assert_eq!(ledgers, [2, 1, 1]);
}

/// One after the other: media time steps back twice.
fn three(folder: &Path) -> PathBuf {
    let clip = Clip::new(192, 128).frames(60).container(Container::Ts).params("keyint=15:bframes=2");
    let bytes = std::fs::read(clip.cached()).unwrap();
    let path = folder.join("three.ts");
    std::fs::write(&path, ts::join(&[bytes.clone(), bytes.clone(), bytes])).unwrap();
    path
}

fn states(shop: &Shop) -> Vec<RunState> {
    shop.contents().iter().map(|run| run.state).collect()
}

#[test]
fn runs_that_are_broken_off_go_on_where_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    let input = three(folder.path());
    let calm = Shop::open(&folder.path().join("calm"));
    let whole = calm.pass(&input, &How::new("7.5"));
    assert_eq!(states(&calm), [Whole; 3]);
    let frames = whole.told.len();
    for stop in [1, frames / 3, frames / 3 + 1, frames / 2, frames - 1] {
        let shop = Shop::open(&folder.path().join(format!("stop-{stop}")));
        let first = shop.pass(&input, &How { stop_after: Some(stop), ..How::new("7.5") });
        let stopped = first.ended.unwrap().stopped;
        assert!(stopped || stop > frames / 2, "{stop}: there was more to read");
        let begun = states(&shop);
        let (last, before) = begun.split_last().unwrap();
        assert!(before.iter().all(|state| *state == Whole), "{stop}: {begun:?}");
        assert!(!stopped || *last == Partial, "{stop}: {begun:?}");
        let second = shop.pass(&input, &How::new("7.5"));
        assert_eq!(first.looked + second.looked, whole.looked, "{stop}: each picture once");
        assert_eq!(untimed(&second.told), untimed(&whole.told), "{stop}");
        assert_eq!(shop.contents(), calm.contents(), "{stop}");
    }
}

#[test]
fn a_run_is_whole_once_it_was_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let input = gaps::clip();
    let shop = Shop::open(&folder.path().join("seen"));
    let part = How::new("5").between(0, 90_000);
    shop.pass(&input, &part);
    assert_eq!(states(&shop), [Partial], "ended before the file did");
    shop.pass(&input, &How::new("5").between(180_000, 90_000_000));
    assert_eq!(states(&shop), [Whole], "a window that the file ends in");
    shop.pass(&input, &part);
    assert_eq!(states(&shop), [Whole], "a part of it does not undo that");
    shop.pass(&input, &How { stop_after: Some(1), ..How::new("all") });
    assert_eq!(states(&shop), [Whole], "nor does a stop");
}

#[test]
fn a_file_that_is_cut_short_gives_a_partial_run() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(three(folder.path())).unwrap();
    let input = folder.path().join("cut.ts");
    std::fs::write(&input, &bytes[..bytes.len() * 5 / 6 / 188 * 188 + 100]).unwrap();
    let shop = Shop::open(&folder.path().join("seen"));
    for _again in 0..2 {
        let damage = shop.pass(&input, &How::new("5")).ended.unwrap().damage;
        assert!(damage.is_some());
        assert_eq!(states(&shop), [Whole, Whole, Partial]);
    }
}
