//! Readers begin anywhere, and come as far as there is anything.

use super::support::{clip, give, id, on, pictures, record, rows, store, units};
use crate::{Media, files::memory::Memory};

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_at_a_keyframe() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    let given = units(&clip(130).cached());
    record(&archive, "cam", 0, &given).await;
    record(&archive, "cam", 1, &given).await;
    let all: Vec<i64> = given.iter().map(|given| given.unit.pts).collect();
    let (least, most) = (*all.iter().min().unwrap(), *all.iter().max().unwrap());
    let step = (most - least) / 129;
    for from in (least - 2 * step..most + 3 * step).step_by((step / 2 + 1) as usize) {
        let opens = |given: &super::support::Given| given.opens && given.unit.pts <= from;
        let first = given.iter().rposition(opens).unwrap_or(0);
        let read: Vec<i64> = pictures(&archive, "cam", 1, from).await.iter().map(|unit| unit.pts).collect();
        assert_eq!(read, all[first..], "from {from}");
    }
    assert!(pictures(&archive, "cam", 2, 0).await.is_empty());
    assert!(pictures(&archive, "other", 0, 0).await.is_empty());
}

/// Into the segment that grows, and on as it does.
#[tokio::test(flavor = "multi_thread")]
async fn reading_follows_what_grows() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    let given = units(&clip(260).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let mut reader = archive.reader(&id("cam"), 0, i64::MIN);
    let mut read = Vec::new();
    for (n, piece) in given.chunks(7).enumerate() {
        give(&mut recorder, 0, piece);
        if n + 1 == given.chunks(7).len() {
            recorder.end_run();
        }
        (reader, read) = tokio::task::spawn_blocking(move || {
            while let Some(media) = reader.next().unwrap() {
                if let Media::Picture(unit) = media {
                    read.push(unit.pts);
                }
            }
            (reader, read)
        })
        .await
        .unwrap();
        // All but the part that grows, of six pictures at most.
        assert!(read.len() + 6 > n * 7, "{} of {}", read.len(), n * 7);
    }
    assert_eq!(read, given.iter().map(|given| given.unit.pts).collect::<Vec<_>>());
}

/// The same bytes by their place in the object.
#[tokio::test(flavor = "multi_thread")]
async fn objects_are_read_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    record(&archive, "cam", 0, &units(&clip(60).cached())).await;
    let row = rows(&archive).await.remove(0);
    let all = archive.read(&row, 0..u64::MAX).await.unwrap();
    assert_eq!(all.len() as u64, row.bytes);
    assert_eq!(archive.read(&row, 10..20).await.unwrap(), all[10..20]);
    assert!(archive.read(&row, row.bytes + 5..row.bytes + 9).await.unwrap().is_empty());
    for location in ["cam/0/77.mp4", "../../etc/passwd", "/etc/passwd", ""] {
        let gone = ocelli_store::SegmentRecord { location: location.to_owned(), ..row.clone() };
        assert!(archive.read(&gone, 0..9).await.is_err(), "{location}");
    }
}
