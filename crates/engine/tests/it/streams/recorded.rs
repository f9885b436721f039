//! What comes is recorded as it comes, and what a kill left open is read again from the recording.

use ocelli_archive::Media;
use ocelli_engine::{RecordSpec, StreamState, still};
use ocelli_ingest::{Source as _, pull::FileSource};
use ocelli_media::AccessUnit;
use ocelli_model::{SamplingPlan, SlotClock, StreamId};
use ocelli_store::{RunState, SegmentQuery};

use super::{
    Yard, frames_of,
    resume::{RECORD, REPEAT, cam, clip, kill_after},
};

/// Pictures of a run of the recording, in decode order.
async fn pictures(yard: &Yard, run: u32) -> Vec<AccessUnit> {
    let mut reader = yard.archive.reader(&cam(), run, i64::MIN);
    let read = move || {
        let mut units = Vec::new();
        while let Some(media) = reader.next().unwrap() {
            if let Media::Picture(unit) = media {
                units.push(unit);
            }
        }
        units
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// No run is unclean, and every slot of what is recorded has its frame.
async fn settled(yard: &Yard) {
    let runs = yard.runs(&cam()).await;
    let ledgers = yard.ledger(&cam()).await;
    for run in &runs {
        let ordinal = run.run.ordinal;
        let recorded = pictures(yard, ordinal).await;
        let Some(last) = recorded.iter().map(|unit| unit.pts).max() else {
            // Killed before its first part was whole.
            assert!(run.state == RunState::Unclean && ordinal == 0, "{run:?}");
            continue;
        };
        assert!(run.state != RunState::Unclean, "{run:?}");
        let SamplingPlan::Rate(rate) = "10".parse().unwrap() else { unreachable!() };
        let due = SlotClock::new(run.run.t0, run.run.time_base, rate).last_centre(last) + 1;
        let (_, found, tally) = ledgers.iter().find(|ledger| ledger.0 == ordinal).unwrap();
        assert!(*found as i64 >= due, "run {ordinal} has {found} slots of {due}");
        // Where a process ended, a slot may have had no picture yet.
        assert!(tally.empty <= 1, "run {ordinal}: {tally:?}");
        assert_eq!(
            tally.analysed + tally.empty,
            *found,
            "run {ordinal}: every slot has its frame: {tally:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_only_recorded_decodes_nothing_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let mut spec = frames_of(&clip(), "1");
    (spec.frames, spec.record) = (None, Some(RecordSpec::default()));
    yard.supervisor.create(cam(), spec, true).await.unwrap();
    yard.until(&cam(), &[StreamState::Completed]).await;

    let mut file = FileSource::open(&clip()).unwrap();
    let mut came = Vec::new();
    while let Some(unit) = file.next_unit().unwrap() {
        came.push((unit.pts, unit.data));
    }
    let kept = pictures(&yard, 0).await;
    assert_eq!(kept.iter().map(|unit| (unit.pts, unit.data.clone())).collect::<Vec<_>>(), came);
    let counts = yard.supervisor.counts();
    assert_eq!(counts.iter().map(|(_, counts)| counts.decoded).sum::<u64>(), 0);
    assert_eq!(yard.runs(&cam()).await[0].state, RunState::Whole);
    yard.close().await;
}

/// Whoever hears that a file is through finds all of it in the index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_completed_when_its_recording_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let mut file = FileSource::open(&clip()).unwrap();
    let mut last = i64::MIN;
    while let Some(unit) = file.next_unit().unwrap() {
        last = last.max(unit.pts);
    }
    for n in 0..6 {
        let id: StreamId = format!("cam{n}").parse().unwrap();
        let mut spec = frames_of(&clip(), "1");
        (spec.frames, spec.record) = (None, Some(RecordSpec::default()));
        yard.supervisor.create(id.clone(), spec, true).await.unwrap();
        yard.until(&id, &[StreamState::Completed]).await;
        let all = SegmentQuery { stream: Some(id), limit: 1000, ..SegmentQuery::default() };
        let rows = yard.archive.index().segments(&all).await.unwrap();
        assert!(rows.iter().any(|row| row.end_pts > last), "{n}: {rows:?}");
    }
    yard.close().await;
}

/// The disk does not take it: that is no completed stream, and says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_end_is_not_recorded_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    // Where the folder of its objects would be.
    let media = folder.path().join("archive/media");
    std::fs::create_dir_all(&media).unwrap();
    std::fs::write(media.join("cam1"), "a file").unwrap();
    let mut spec = frames_of(&clip(), "1");
    (spec.frames, spec.record) = (None, Some(RecordSpec::default()));
    let id: StreamId = "cam1".parse().unwrap();
    yard.supervisor.create(id.clone(), spec, true).await.unwrap();
    let status = yard.until(&id, &[StreamState::Completed, StreamState::Error]).await;
    assert_eq!(status.state, StreamState::Error);
    let error = status.last_error.unwrap();
    assert!(error.starts_with("its end is not recorded: it cannot be sealed"), "{error}");
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_kill_left_open_is_read_again_from_the_recording() {
    for frames in [1, 7, 23, 40, 58] {
        let folder = tempfile::tempdir().unwrap();
        kill_after(folder.path(), frames, &[REPEAT, RECORD]);
        let yard = Yard::open(folder.path()).await;
        let before = yard.supervisor.status(&cam()).unwrap().frame_count;
        // A new run begins once all that was open is closed.
        yard.until_frames(&cam(), before + 100).await;
        yard.supervisor.stop(&cam()).await.unwrap();
        yard.archive.settled().await;

        settled(&yard).await;
        let names = yard.frame_names(&cam());
        assert_eq!(yard.media_times(&cam()).len(), names.len(), "{frames}: none is there twice");
        yard.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_leaves_no_hole_in_what_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let mut spec = frames_of(&clip(), "10");
    (spec.source.repeat, spec.record) = (true, Some(RecordSpec::default()));
    yard.log.fail_after(1, 3);
    yard.supervisor.create(cam(), spec, true).await.unwrap();
    yard.until_frames(&cam(), 250).await;
    yard.supervisor.stop(&cam()).await.unwrap();
    yard.archive.settled().await;
    assert!(yard.supervisor.status(&cam()).unwrap().restart_count > 0, "the store failed");
    settled(&yard).await;
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_picture_of_a_recording_is_the_one_that_a_full_decode_gives() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    let mut spec = frames_of(&clip(), "all");
    spec.record = Some(RecordSpec::default());
    yard.supervisor.create(cam(), spec, true).await.unwrap();
    yard.until(&cam(), &[StreamState::Completed]).await;
    yard.archive.settled().await;
    let shown: Vec<i64> = {
        let mut shown: Vec<_> = pictures(&yard, 0).await.iter().map(|unit| unit.pts).collect();
        shown.sort_unstable();
        shown
    };
    for (index, pts) in shown.iter().enumerate() {
        // Until the next one it is on the screen.
        let end = shown.get(index + 1).map_or(*pts, |next| next - 1);
        let (archive, at) = (yard.archive.clone(), end);
        let found = tokio::task::spawn_blocking(move || still(&archive, (&cam(), 0), at, 90)).await.unwrap();
        let found = found.unwrap();
        assert_eq!(found.pts, *pts);
        let name = yard.frames.join("cam").join(format!("frame_{:04}.jpg", index + 1));
        assert_eq!(found.jpeg, std::fs::read(name).unwrap(), "picture {index}");
    }
    yard.close().await;
}
