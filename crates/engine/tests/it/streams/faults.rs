//! Sources that die, folders that are full, models that are not there.

use ocelli_engine::{ModelSpec, StreamError, StreamState};
use ocelli_testkit::Clip;

use super::{Does, Yard, frames_of, id};

fn clip() -> std::path::PathBuf {
    Clip::new(160, 120).frames(50).rate(25, 1).params("keyint=10:min-keyint=10:scenecut=0").cached()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_dies_a_hundred_times_leaves_no_gap_in_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let mut spec = frames_of(&clip(), "5");
    spec.source.repeat = true;
    let script: Vec<_> =
        (0..100).map(|n| if n % 5 == 4 { Does::Refuses } else { Does::BreaksAfter(n % 40) }).collect();
    yard.script(&script);
    yard.script(&[Does::WaitsAfter(30)]);
    yard.supervisor.create(cam.clone(), spec, true).await.unwrap();
    let mut updates = yard.supervisor.follow(&cam).unwrap();
    while yard.supervisor.status(&cam).unwrap().restart_count < 100 {
        let _told = updates.next().await.unwrap();
    }
    let running = yard.until(&cam, &[StreamState::Running]).await;
    assert_eq!(running.restart_count, 100);
    assert!(running.last_error.is_some(), "what happened last is still told: {running:?}");
    let stopped = yard.supervisor.stop(&cam).await.unwrap();
    let names = yard.frame_names(&cam);
    assert_eq!(names.len() as u64, stopped.frame_count);
    assert_eq!(names.last().unwrap(), &format!("frame_{:04}.jpg", names.len()));
    // A run begins with the first decodable picture; attempts without one have none.
    assert!(yard.ledger(&cam).await.len() >= 70);
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_written_do_not_stop_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    // In the way of the folder.
    std::fs::create_dir_all(&yard.frames).unwrap();
    std::fs::write(yard.frames.join("cam"), b"a file").unwrap();
    let mut spec = frames_of(&clip(), "all");
    spec.models = vec![ModelSpec::default()];
    yard.script(&[Does::WaitsAfter(49)]);
    yard.supervisor.create(cam.clone(), spec, true).await.unwrap();
    let mut updates = yard.supervisor.follow(&cam).unwrap();
    while yard.supervisor.status(&cam).unwrap().tally.analysed < 20 {
        let _told = updates.next().await.unwrap();
    }
    let status = yard.supervisor.status(&cam).unwrap();
    assert_eq!((status.state, status.frame_count), (StreamState::Running, 0));
    assert!(
        status.last_error.as_deref().is_some_and(|error| error.contains("cannot be written")),
        "{status:?}"
    );
    yard.supervisor.stop(&cam).await.unwrap();
    let dropped: u64 = yard.ledger(&cam).await.iter().map(|(_, _, tally)| tally.dropped).sum();
    assert!(dropped >= 20, "the folder's ledger says so");

    std::fs::remove_file(yard.frames.join("cam")).unwrap();
    yard.supervisor.start(&cam).await.unwrap();
    let done = yard.until(&cam, &[StreamState::Completed]).await;
    assert_eq!((done.frame_count, done.last_error), (50, None), "it recovers by itself");
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_is_told_and_harms_no_other_stream() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let (good, bad, gone) = (id("good"), id("bad"), id("gone"));
    let mut spec = frames_of(&clip(), "5");
    spec.models = vec![ModelSpec { model: Some("missing".to_owned()), ..ModelSpec::default() }];
    yard.supervisor.create(bad.clone(), spec, true).await.unwrap();
    yard.supervisor
        .create(gone.clone(), frames_of(&folder.path().join("gone.mp4"), "5"), true)
        .await
        .unwrap();
    yard.supervisor.create(good.clone(), frames_of(&clip(), "5"), true).await.unwrap();
    let failed = yard.until(&bad, &[StreamState::Error]).await;
    assert_eq!(failed.last_error.as_deref(), Some("there is no model missing"));
    let failed = yard.until(&gone, &[StreamState::Error]).await;
    assert!(failed.last_error.is_some(), "{failed:?}");
    assert_eq!(yard.until(&good, &[StreamState::Completed]).await.frame_count, 11);

    let mut nothing = frames_of(&clip(), "5");
    nothing.frames = None;
    let refused = yard.supervisor.create(id("nothing"), nothing, true).await.unwrap_err();
    assert!(matches!(refused, StreamError::Invalid(_)), "{refused:?}");
    assert!(yard.supervisor.status(&id("nothing")).is_err());
    yard.close().await;
}
