//! What was interrupted goes on: after kills, and after failures of the store.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use ocelli_engine::{News, RecordSpec, StreamState};
use ocelli_model::StreamId;
use ocelli_store::RunState;
use ocelli_testkit::Clip;

use super::{Does, Yard, frames_of, id};

/// Where the victim works, and whether its file begins anew at its end.
const YARD: &str = "OCELLI_TEST_YARD";
pub(super) const REPEAT: &str = "OCELLI_TEST_REPEAT";
pub(super) const RECORD: &str = "OCELLI_TEST_RECORD";

/// 8 s at 25 fps, with pictures that are held back and a group that is longer than a slot.
pub(super) fn clip() -> std::path::PathBuf {
    Clip::new(160, 120)
        .frames(200)
        .rate(25, 1)
        .params("keyint=40:min-keyint=40:scenecut=0:bframes=3")
        .cached()
}

pub(super) fn cam() -> StreamId {
    id("cam")
}

/// Tells of each frame of a stream until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the tests beside it start it in a process of its own, and kill that"]
async fn victim() {
    let Some(folder) = std::env::var_os(YARD) else { return };
    let yard = Yard::open(Path::new(&folder)).await;
    if yard.supervisor.list().is_empty() {
        let mut spec = frames_of(&clip(), "10");
        spec.source.repeat = std::env::var_os(REPEAT).is_some();
        spec.record = std::env::var_os(RECORD).map(|_asked| RecordSpec::default());
        yard.supervisor.create(cam(), spec, false).await.unwrap();
        yard.supervisor.start(&cam()).await.unwrap();
    }
    let mut updates = yard.supervisor.follow(&cam()).unwrap();
    loop {
        if let Some(Ok(update)) = updates.next().await
            && let News::Frame(_) = &update.news
        {
            writeln!(std::io::stderr(), "a frame").unwrap();
        }
    }
}

/// Runs a victim until it told of so many frames, then kills it.
pub(super) fn kill_after(folder: &Path, frames: usize, does: &[&str]) {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["streams::resume::victim", "--exact", "--ignored", "--nocapture"]).env(YARD, folder);
    victim.envs(does.iter().map(|name| (name, "1")));
    let mut victim = victim.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(victim.stderr.take().unwrap()).lines();
    let told = told.map_while(Result::ok).filter(|line| line == "a frame").take(frames).count();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(told, frames, "it was killed in its work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_killed_again_and_again_has_each_frame_once() {
    let folder = tempfile::tempdir().unwrap();
    for frames in [1, 2, 9, 20] {
        kill_after(folder.path(), frames, &[]);
    }
    let yard = Yard::open(folder.path()).await;
    let done = yard.until(&cam(), &[StreamState::Completed]).await;
    assert_eq!((done.frame_count, done.last_error), (81, None));
    let names: Vec<_> = (1..=81).map(|number| format!("frame_{number:04}.jpg")).collect();
    assert_eq!(yard.frame_names(&cam()), names);
    assert_eq!(yard.media_times(&cam()).len(), 81, "none is there twice");
    let ledger = yard.ledger(&cam()).await;
    assert_eq!(
        ledger.iter().map(|(run, due, tally)| (*run, *due, tally.analysed)).collect::<Vec<_>>(),
        [(0, 81, 81)]
    );
    assert!(yard.runs(&cam()).await.iter().all(|run| run.state == RunState::Whole));

    // Asked for once more, it begins anew, and numbers go on.
    yard.supervisor.start(&cam()).await.unwrap();
    let done = yard.until(&cam(), &[StreamState::Completed]).await;
    assert_eq!((done.frame_count, yard.ledger(&cam()).await.len()), (162, 2));
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_stream_keeps_its_frames_and_goes_on_in_a_new_run() {
    let folder = tempfile::tempdir().unwrap();
    kill_after(folder.path(), 5, &[REPEAT]);
    let yard = Yard::open(folder.path()).await;
    assert!(yard.frame_names(&cam()).len() >= 5, "they are still there");
    let before = yard.supervisor.status(&cam()).unwrap().frame_count;
    yard.until_frames(&cam(), before + 100).await;
    let stopped = yard.supervisor.stop(&cam()).await.unwrap();
    let names = yard.frame_names(&cam());
    assert_eq!(names.len() as u64, stopped.frame_count, "no gap, nothing overwritten");
    assert_eq!(yard.media_times(&cam()).len(), names.len());
    let runs = yard.runs(&cam()).await;
    assert_eq!(runs.iter().map(|run| run.run.ordinal).max(), Some(runs.len() as u32 - 1));
    assert!(runs.iter().any(|run| run.state == RunState::Unclean), "the one that was killed");
    yard.ledger(&cam()).await;
    yard.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_for_a_while_costs_no_frame_of_a_file() {
    for room in [0, 1] {
        let folder = tempfile::tempdir().unwrap();
        let yard = Yard::open(folder.path()).await;
        yard.log.fail_after(room, 3);
        yard.supervisor.create(cam(), frames_of(&clip(), "10"), true).await.unwrap();
        let done = yard.until(&cam(), &[StreamState::Completed]).await;
        assert_eq!(done.frame_count, 81, "after {room} commits: {done:?}");
        assert!(done.restart_count > 0, "it did fail: {done:?}");
        assert_eq!((yard.frame_names(&cam()).len(), yard.media_times(&cam()).len()), (81, 81));
        let ledger = yard.ledger(&cam()).await;
        assert_eq!(
            ledger.iter().map(|(_, due, tally)| (*due, tally.analysed)).collect::<Vec<_>>(),
            [(81, 81)]
        );
        yard.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_could_not_be_written_says_so_while_the_next_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::open(folder.path()).await;
    yard.log.fail_after(0, 1);
    yard.script(&[Does::BreaksAfter(100), Does::WaitsAfter(100)]);
    let mut spec = frames_of(&clip(), "10");
    spec.source.repeat = true;
    yard.supervisor.create(cam(), spec, true).await.unwrap();
    let mut updates = yard.supervisor.follow(&cam()).unwrap();
    while yard.supervisor.status(&cam()).unwrap().restart_count == 0
        || yard.supervisor.status(&cam()).unwrap().state != StreamState::Running
    {
        let _told = updates.next().await.unwrap();
    }
    let states = |runs: Vec<ocelli_store::RunRecord>| {
        let mut states: Vec<_> = runs.iter().map(|run| (run.run.ordinal, run.state)).collect();
        states.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        states
    };
    let status = yard.supervisor.status(&cam()).unwrap();
    assert!(status.last_error.is_some_and(|error| error.contains("results cannot be kept")));
    yard.supervisor.stop(&cam()).await.unwrap();
    assert_eq!(states(yard.runs(&cam()).await), [(0, RunState::Unclean), (1, RunState::Partial)]);
    yard.ledger(&cam()).await;
    yard.close().await;
}
