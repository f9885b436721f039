//! From created to deleted, over restarts of stream and server.

use ocelli_engine::{LookNews, ModelLook, ModelSpec, News, StreamError, StreamState};
use ocelli_store::RunState;
use ocelli_testkit::Clip;

use super::{Does, Yard, frames_of, id};

/// 4 s at 25 fps with a keyframe each second.
fn clip() -> std::path::PathBuf {
    Clip::new(160, 120).frames(100).rate(25, 1).params("keyint=25:min-keyint=25:scenecut=0").cached()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_decoded_to_its_end_and_a_new_decode_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let begun = yard.supervisor.decode(cam.clone(), frames_of(&clip(), "2")).await.unwrap();
    assert_eq!(begun.state, StreamState::Starting);
    let done = yard.until(&cam, &[StreamState::Completed, StreamState::Error]).await;
    assert_eq!((done.state, done.frame_count, done.last_error), (StreamState::Completed, 9, None));
    assert_eq!((done.width, done.height, done.codec.as_deref()), (Some(160), Some(120), Some("h264")));
    assert_eq!(yard.frame_names(&cam).len(), 9);
    let latest = yard.supervisor.latest(&cam).await.unwrap().expect("there are frames");
    assert_eq!(latest.number, Some(9));
    let (pts, base) = latest.media_time.unwrap();
    assert!((base.seconds(pts) - 3.9).abs() < 0.2, "{pts}");

    yard.supervisor.decode(cam.clone(), frames_of(&clip(), "1")).await.unwrap();
    let done = yard.until(&cam, &[StreamState::Completed]).await;
    assert_eq!(done.frame_count, 5);
    let names: Vec<_> = (1..=5).map(|number| format!("frame_{number:04}.jpg")).collect();
    assert_eq!(yard.frame_names(&cam), names, "of the first decode nothing is left");
    let ledger = yard.ledger(&cam).await;
    assert_eq!(ledger.iter().map(|(run, due, _)| (*run, *due)).collect::<Vec<_>>(), [(0, 9), (1, 5)]);
    assert!(yard.runs(&cam).await.iter().all(|run| run.state == RunState::Whole));
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_goes_cannot_be_decoded_anew_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let spec = frames_of(&clip(), "5");
    yard.script(&[Does::WaitsAfter(50)]);
    yard.supervisor.decode(cam.clone(), spec.clone()).await.unwrap();
    yard.until_frames(&cam, 9).await;
    let refused = yard.supervisor.decode(cam.clone(), spec.clone()).await.unwrap_err();
    assert!(matches!(refused, StreamError::Running(_)), "{refused:?}");
    let refused = yard.supervisor.create(cam.clone(), spec, true).await.unwrap_err();
    assert!(matches!(refused, StreamError::Exists(_)), "{refused:?}");
    let stopped = yard.supervisor.stop(&cam).await.unwrap();
    assert_eq!(stopped.state, StreamState::Stopped);
    // All that was received is decided and written.
    assert!((9..=11).contains(&stopped.frame_count), "{stopped:?}");
    assert!(yard.supervisor.latest(&cam).await.unwrap().is_some(), "its newest frame stays");
    assert_eq!(yard.supervisor.stop(&cam).await.unwrap().state, StreamState::Stopped, "twice is fine");
    yard.ledger(&cam).await;
    yard.supervisor.delete(&cam, true).await.unwrap();
    assert!(matches!(yard.supervisor.status(&cam), Err(StreamError::Unknown(_))));
    assert!(!yard.frames.join("cam").is_dir(), "its folder went along");
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_go_on_after_a_restart_of_the_server_and_numbers_continue() {
    let folder = tempfile::tempdir().unwrap();
    let (cam, still) = (id("cam"), id("still"));
    let yard = Yard::open(folder.path()).await;
    let spec = frames_of(&clip(), "5");
    yard.script(&[Does::WaitsAfter(50)]);
    yard.supervisor.create(cam.clone(), spec.clone(), true).await.unwrap();
    yard.supervisor.create(still.clone(), spec, false).await.unwrap();
    yard.until_frames(&cam, 9).await;
    yard.close().await;

    let yard = Yard::open(folder.path()).await;
    assert_eq!(yard.supervisor.list().len(), 2);
    let done = yard.until(&cam, &[StreamState::Completed]).await;
    assert_eq!(yard.supervisor.status(&still).unwrap().state, StreamState::Stopped, "not wanted");
    let names: Vec<_> = (1..=21).map(|number| format!("frame_{number:04}.jpg")).collect();
    assert_eq!((done.frame_count, yard.frame_names(&cam)), (21, names), "as if nothing had been");
    assert_eq!(yard.media_times(&cam).len(), 21, "each of its own");
    let ledger = yard.ledger(&cam).await;
    assert_eq!(ledger.iter().map(|(run, due, _)| (*run, *due)).collect::<Vec<_>>(), [(0, 21)]);
    assert!(yard.runs(&cam).await.iter().all(|run| run.state == RunState::Whole));
    yard.close().await;

    let yard = Yard::open(folder.path()).await;
    let status = yard.supervisor.status(&cam).unwrap();
    assert_eq!((status.state, status.frame_count), (StreamState::Completed, done.frame_count));
    assert!(yard.supervisor.latest(&cam).await.unwrap().is_some(), "read back from the folder");
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_look_and_followers_are_told_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let cam = id("cam");
    let mut spec = frames_of(&clip(), "all");
    spec.models = vec![ModelSpec::default()];
    yard.supervisor.create(cam.clone(), spec, false).await.unwrap();
    let mut follower = yard.supervisor.follow(&cam).unwrap();
    yard.supervisor.start(&cam).await.unwrap();
    let (mut seen, mut before) = (0, 0);
    loop {
        let update = follower.next().await.expect("the stream is there").expect("nothing was missed");
        assert_eq!(update.seq, before + 1);
        before = update.seq;
        match &update.news {
            News::Frame(frame) => {
                seen += 1;
                assert_eq!(frame.frame, Some(seen));
                let [ModelLook { model, news: LookNews::Seen(result, tracks), .. }] = &frame.looks[..] else {
                    panic!("{frame:?}")
                };
                assert_eq!((model.as_str(), result.detections.len(), tracks.len()), ("one-box", 1, 1));
            }
            News::Status(status) if status.state == StreamState::Completed => break,
            News::Status(_) => {}
        }
    }
    assert_eq!(seen, 100);
    let ledger = yard.ledger(&cam).await;
    assert_eq!(
        ledger.iter().map(|(_, due, tally)| (*due, tally.analysed)).collect::<Vec<_>>(),
        [(100, 100); 2]
    );
    yard.close().await;
}
