//! Many who want different things of one stream at once, and parts of it that panic.

use std::sync::Arc;

use ocelli_engine::{ModelSpec, Pace, StreamState};
use ocelli_store::{AnchorOrigin, Streams as _};
use ocelli_testkit::Clip;

use super::{Does, Yard, frames_of, id};

fn clip() -> std::path::PathBuf {
    Clip::new(160, 120).frames(50).rate(25, 1).params("keyint=10:min-keyint=10:scenecut=0").cached()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wins_what_is_kept_is_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Arc::new(Yard::open(folder.path()).await);
    let cam = id("cam");
    for _round in 0..10 {
        let mut tasks = Vec::new();
        for who in 0..8 {
            let (yard, cam) = (Arc::clone(&yard), cam.clone());
            yard.script(&[Does::WaitsAfter(20)]);
            tasks.push(tokio::spawn(async move {
                let supervisor = &yard.supervisor;
                // Each may come too late, or too early, for what it wants: that is no fault.
                match who % 4 {
                    0 => drop(supervisor.create(cam, frames_of(&clip(), "5"), true).await),
                    1 => drop(supervisor.decode(cam, frames_of(&clip(), "all")).await),
                    2 => drop(supervisor.start(&cam).await),
                    _ => drop(supervisor.delete(&cam, true).await),
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let kept: Vec<_> = yard.store.streams().await.unwrap().into_iter().map(|record| record.id).collect();
        let known: Vec<_> = yard.supervisor.list().into_iter().map(|status| status.id).collect();
        assert_eq!(kept, known, "none comes back from the dead");
    }
    assert_eq!(yard.most_open(), 1, "of one stream, one source");
    Arc::into_inner(yard).unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_while_a_stream_stops_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    yard.script(&[Does::WaitsAfter(30); 40]);
    yard.supervisor.create(cam.clone(), frames_of(&clip(), "all"), true).await.unwrap();
    for _client in 0..10 {
        // The stop of the client before may come after its start.
        while yard.until(&cam, &[StreamState::Running, StreamState::Stopped]).await.state
            != StreamState::Running
        {
            yard.supervisor.start(&cam).await.unwrap();
        }
        // Asked, and gone at once.
        tokio::time::timeout(std::time::Duration::ZERO, yard.supervisor.stop(&cam)).await.ok();
        yard.supervisor.start(&cam).await.unwrap();
    }
    assert_eq!(yard.most_open(), 1);
    yard.supervisor.delete(&cam, true).await.unwrap();
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_decode_is_told_when_its_folder_is_empty_and_none_is_left_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    for _decode in 0..5 {
        yard.supervisor.decode(cam.clone(), frames_of(&clip(), "all")).await.unwrap();
        yard.until(&cam, &[StreamState::Completed]).await;
        assert_eq!(yard.frame_names(&cam).len(), 50);
        yard.script(&[Does::WaitsAfter(0)]);
        yard.supervisor.decode(cam.clone(), frames_of(&clip(), "all")).await.unwrap();
        assert_eq!(yard.frame_names(&cam), Vec::<String>::new());
        assert!(yard.supervisor.latest(&cam).await.unwrap().is_none());
        yard.supervisor.stop(&cam).await.unwrap();
    }
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_an_attempt_and_takes_nothing_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let (other, cam) = (id("other"), id("cam"));
    let mut spec = frames_of(&clip(), "all");
    // Panics five times, then sees; there are two instances, and `other` holds on to them.
    spec.models = vec![ModelSpec { model: Some("jumpy".to_owned()), ..ModelSpec::default() }];
    yard.script(&[Does::WaitsAfter(1)]);
    yard.supervisor.create(other.clone(), spec.clone(), true).await.unwrap();
    yard.until(&other, &[StreamState::Running]).await;
    yard.script(&[Does::Panics(30), Does::Panics(0)]);
    yard.supervisor.create(cam.clone(), spec, true).await.unwrap();
    let done = yard.until(&cam, &[StreamState::Completed]).await;
    assert!(done.restart_count >= 5, "{done:?}");
    assert_eq!(done.frame_count, 50);
    let verdicts: Vec<_> =
        yard.ledger(&cam).await.iter().map(|(_, due, tally)| (*due, tally.analysed)).collect();
    assert_eq!(verdicts, [(50, 50), (50, 50)]);
    assert_eq!(yard.supervisor.stop(&other).await.unwrap().state, StreamState::Stopped);
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_frames_gives_its_last_picture_at_once_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let mut spec = frames_of(&clip(), "5");
    (spec.frames, spec.models) = (None, vec![ModelSpec::default()]);
    yard.supervisor.create(cam.clone(), spec, false).await.unwrap();
    let latest = || tokio::time::timeout(std::time::Duration::ZERO, yard.supervisor.latest(&cam));
    assert!(latest().await.expect("nothing to wait for").unwrap().is_none(), "there never was one");
    yard.supervisor.start(&cam).await.unwrap();
    yard.until(&cam, &[StreamState::Completed]).await;
    let last = latest().await.expect("nothing to wait for").unwrap().expect("there is one");
    assert_eq!((last.number, last.size), (None, Some((160, 120))));
    yard.supervisor.delete(&cam, false).await.unwrap();
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_knows_when_it_came_and_what_its_sender_said() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let mut spec = frames_of(&clip(), "5");
    spec.source.pace = Pace::RealTime;
    yard.supervisor.create(cam.clone(), spec, true).await.unwrap();
    yard.until(&cam, &[StreamState::Completed]).await;
    let runs = yard.runs(&cam).await;
    let anchors = yard.store.anchors(runs[0].id).await.unwrap();
    let origins: Vec<_> = anchors.iter().map(|anchor| anchor.origin).collect();
    assert_eq!(anchors.len(), 2, "a clock that runs evenly is noted once a minute: {anchors:?}");
    assert!(origins.contains(&AnchorOrigin::SenderReport) && origins.contains(&AnchorOrigin::Arrival));
    let arrival = anchors.iter().find(|anchor| anchor.origin == AnchorOrigin::Arrival).unwrap();
    assert_eq!(arrival.pts, runs[0].run.t0, "of the first picture");
    let second = 1_000_000_000;
    let at = 1_700_000_000 * second;
    assert!((at - 10 * second..=at).contains(&arrival.unix_ns), "{arrival:?}");
    yard.close().await;
}
