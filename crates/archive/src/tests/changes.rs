//! Sound beside pictures, and what changes while a stream is recorded.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use bytes::Bytes;
use ocelli_media::{AudioCodec, AudioParameters, AudioUnit};
use ocelli_model::TimeBase;
use ocelli_store::Segments as _;
use tokio::runtime::Handle;

use super::support::{
    Given, clip, config, give, id, now, on, pictures, record, rows, store, units, with, written,
};
use crate::{Archive, ArchiveError, Media, Recorder, files::memory::Memory};

fn sound(codec: AudioCodec, extradata: &'static [u8]) -> Arc<AudioParameters> {
    Arc::new(AudioParameters {
        codec,
        extradata: Bytes::from_static(extradata),
        sample_rate: 48_000,
        channels: 2,
        time_base: TimeBase::new(1, 48_000).unwrap(),
    })
}

fn aac() -> Arc<AudioParameters> {
    sound(AudioCodec::Aac, &[0x11, 0x90])
}

/// Pictures with blocks of 1,024 samples between them, as they would come. PTS of the blocks.
fn give_both(
    recorder: &mut Recorder,
    run: u32,
    given: &[Given],
    parameters: &Arc<AudioParameters>,
) -> Vec<i64> {
    let base = given[0].unit.parameters.time_base;
    let start = (base.seconds(given[0].unit.pts) * 48_000.0) as i64;
    let mut times = Vec::new();
    for (n, unit) in (0..).zip(given) {
        give(recorder, run, std::slice::from_ref(unit));
        while (times.len() as i64) * 1024 < (n + 1) * 48_000 / 25 {
            let pts = start + times.len() as i64 * 1024;
            let data = Bytes::copy_from_slice(format!("block {pts}").as_bytes());
            recorder.audio(AudioUnit { pts, data, parameters: Arc::clone(parameters) });
            times.push(pts);
        }
    }
    times
}

async fn heard(archive: &Archive, run: u32, from: i64) -> Vec<i64> {
    let mut reader = archive.reader(&id("cam"), run, from);
    let read = move || {
        let mut heard = Vec::new();
        while let Some(media) = reader.next().unwrap() {
            if let Media::Sound(unit) = media {
                assert_eq!(unit.data, format!("block {}", unit.pts).as_bytes());
                heard.push(unit.pts);
            }
        }
        heard
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

fn probed(path: &Path) -> Vec<i64> {
    let arguments = ["-v", "quiet", "-select_streams", "a", "-show_entries", "packet=pts", "-of", "csv=p=0"];
    let output = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    // What hangs on a packet brings lines of its own.
    let lines = words.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty());
    lines.map(|line| line.parse().unwrap()).collect()
}

/// A publisher that sends its sound late: from the next keyframe that begins a segment on there is sound, and players are told of a
/// discontinuity within the run.
#[tokio::test(flavor = "multi_thread")]
async fn sound_that_begins_late_is_a_discontinuity() {
    let folder = tempfile::tempdir().unwrap();
    let archive = on(&Memory::default(), store(folder.path()).await).await.unwrap();
    let mut given = units(&clip(245).cached());
    // No keyframe begins the segments at 4 and 6 s.
    for (n, given) in given.iter_mut().enumerate() {
        given.opens &= n <= 50 || n >= 200;
    }
    let _live = archive.hold(&id("cam"));
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    give(&mut recorder, 0, &given[..80]);
    let times = give_both(&mut recorder, 0, &given[80..], &aac());
    let window = archive.live(&id("cam")).unwrap().now();
    drop(recorder);
    archive.settled().await;
    let mut seen: Vec<_> =
        window.segments.iter().map(|segment| (segment.run, segment.discontinuity)).collect();
    let codecs =
        |codecs: &str| window.segments.iter().filter(|segment| segment.init.codecs.contains(codecs)).count();
    assert_eq!((seen.len(), codecs("mp4a")), (5, 1), "{seen:?}");
    assert!(window.segments[4].keyframe && !window.segments[3].keyframe);
    assert_eq!(seen.pop(), Some((0, 1)));
    assert!(seen.iter().all(|seen| *seen == (0, 0)), "{seen:?}");
    let heard = heard(&archive, 0, i64::MIN).await;
    let base = given[0].unit.parameters.time_base;
    let from = base.seconds(window.segments[4].first_pts);
    assert!(
        times.ends_with(&heard) && (heard[0] as f64 / 48_000.0 - from).abs() < 0.25,
        "{} {from}",
        heard[0]
    );
}

/// AAC of a file begins before 0, with what its encoder needed. What is heard has the same PTS for every reader.
#[tokio::test(flavor = "multi_thread")]
async fn priming_moves_no_sound() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let given = units(&clip(60).start_pts(0).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let parameters = aac();
    let block = |n: i64| {
        let pts = (n - 2) * 1024;
        let data = Bytes::copy_from_slice(format!("block {pts}").as_bytes());
        AudioUnit { pts, data, parameters: Arc::clone(&parameters) }
    };
    (0..2).for_each(|n| recorder.audio(block(n)));
    for (n, unit) in (2..).zip(&given) {
        recorder.audio(block(n));
        give(&mut recorder, 0, std::slice::from_ref(unit));
    }
    drop(recorder);
    archive.settled().await;
    let expected: Vec<i64> = (0..60).map(|n| n * 1024).collect();
    let mut found = Vec::new();
    for row in rows(&archive).await {
        found.extend(probed(&folder.path().join("media").join(&row.location)));
    }
    assert_eq!(found, expected);
    assert_eq!(heard(&archive, 0, i64::MIN).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let given = units(&clip(130).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let times = give_both(&mut recorder, 0, &given, &aac());
    recorder.end_run();
    let state = recorder.state();
    assert_eq!((state.sounds, state.sounds_left_out), (times.len() as u64, 0));
    let init = archive.live(&id("cam")).unwrap().now().segments[0].init.codecs.clone();
    assert!(init.ends_with(",mp4a.40.2"), "{init}");
    drop(recorder);
    archive.settled().await;
    assert_eq!(heard(&archive, 0, i64::MIN).await, times);
    assert_eq!(pictures(&archive, "cam", 0, i64::MIN).await.len(), 130);
    let rows = rows(&archive).await;
    let path = |location: &str| folder.path().join("media").join(location);
    let found: Vec<i64> = rows.iter().flat_map(|row| probed(&path(&row.location))).collect();
    assert_eq!(found, times);
    // In a clip it begins with the picture: no more than a block ahead of it, after what decoders need.
    let (start, end) = (given[60].unit.pts, given[100].unit.pts);
    let clip = archive.clip(&id("cam"), 0, start..end).await.unwrap();
    let first = (clip.time_base.seconds(clip.first_pts) * 48_000.0) as i64;
    let file = written(clip, folder.path()).await;
    let in_clip: Vec<i64> = probed(&file).into_iter().map(|pts| pts + first).collect();
    let (ahead, last) = (in_clip.iter().filter(|pts| **pts < first).count(), *in_clip.last().unwrap());
    assert!(ahead <= 5 && in_clip.iter().all(|pts| times.contains(pts)), "{in_clip:?}");
    assert!(last < first + (end - start) * 1920 && last + 2 * 1024 > first + (end - start) * 1920);
}

/// Sound that no browser plays is left out; other sound has its own segments.
#[tokio::test(flavor = "multi_thread")]
async fn sound_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    let given = units(&clip(250).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    give(&mut recorder, 0, &given[..60]);
    // Comes in the midst of the second segment, and is in the third.
    let aac = give_both(&mut recorder, 0, &given[60..120], &aac());
    give_both(&mut recorder, 0, &given[120..170], &sound(AudioCodec::Other("pcm_alaw".to_owned()), &[]));
    give(&mut recorder, 0, &given[170..]);
    let state = recorder.state();
    drop(recorder);
    archive.settled().await;
    let rows = rows(&archive).await;
    let inits: Vec<_> = rows.iter().map(|row| row.init.as_str()).collect();
    assert_eq!(inits.len(), 5);
    assert!(inits[0] == inits[1] && inits[1] != inits[2] && inits[0] == inits[4], "{inits:?}");
    let heard = heard(&archive, 0, i64::MIN).await;
    assert!(heard.len() > 10 && heard.iter().all(|pts| aac.contains(pts)), "{heard:?}");
    assert!(state.sounds_left_out > 0 && pictures(&archive, "cam", 0, i64::MIN).await.len() == 250);
}

/// A track of sound is there from the first part on although its first block comes late.
#[tokio::test(flavor = "multi_thread")]
async fn sound_that_is_expected_has_its_track_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    let given = units(&clip(60).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let parameters = aac();
    recorder.expect_audio(&parameters);
    give(&mut recorder, 0, &given[..20]);
    let times = give_both(&mut recorder, 0, &given[20..], &parameters);
    recorder.leave_out_audio();
    let state = recorder.state();
    assert_eq!((state.sounds, state.sounds_left_out), (times.len() as u64 + 1, 1));
    drop(recorder);
    archive.settled().await;
    assert_eq!(heard(&archive, 0, i64::MIN).await, times);
}

/// Whatever is wrong with sound, pictures are recorded.
#[tokio::test(flavor = "multi_thread")]
async fn sound_that_makes_no_sense_stops_no_picture() {
    for (codec, extradata) in [
        (AudioCodec::Aac, &[][..]),
        (AudioCodec::Aac, &[7]),
        (AudioCodec::Opus, b"OpusHea"),
        (AudioCodec::Aac, &[0; 9]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::default();
        let archive = on(&memory, store(folder.path()).await).await.unwrap();
        let given = units(&clip(60).cached());
        let mut recorder = archive.recorder(&id("cam")).unwrap();
        give_both(&mut recorder, 0, &given, &sound(codec, extradata));
        recorder.end_run();
        let state = recorder.state();
        assert!(state.left_out == 0 && state.sounds_left_out > 0, "{state:?}");
        drop(recorder);
        archive.settled().await;
        assert_eq!(pictures(&archive, "cam", 0, i64::MIN).await.len(), 60);
    }
}

/// Another size in the midst of a run: another initialisation, so another segment at once.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = on(&memory, store(folder.path()).await).await.unwrap();
    let (small, mut large) = (
        units(&clip(30).cached()),
        units(&ocelli_testkit::Clip::new(256, 144).frames(30).rate(25, 1).cached()),
    );
    for given in &mut large {
        given.unit.pts += 90_200;
        given.unit.dts = given.unit.dts.map(|dts| dts + 90_200);
    }
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    give(&mut recorder, 0, &small);
    give(&mut recorder, 0, &large);
    drop(recorder);
    archive.settled().await;
    let rows = rows(&archive).await;
    assert!(
        rows.len() == 2 && rows[0].init != rows[1].init && rows.iter().all(|row| row.run == 0),
        "{rows:?}"
    );
    let read = pictures(&archive, "cam", 0, i64::MIN).await;
    let widths: Vec<_> = read.iter().map(|unit| unit.parameters.width).collect();
    assert_eq!(widths, [vec![192; 30], vec![256; 30]].concat());
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// A process that is gone without a word, on a real disk: its segments are whole after the next start, and nobody else gets in before.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let first = Archive::open(config(folder.path()), index.clone(), Handle::current()).await.unwrap();
    let second = Archive::open(config(folder.path()), index.clone(), Handle::current()).await;
    assert!(matches!(second, Err(ArchiveError::InUse { .. })));
    let given = units(&clip(60).cached());
    record(&first, "cam", 0, &given).await;
    let row = rows(&first).await.remove(0);
    drop(first);
    // As it lay while it grew, with half a part behind it.
    let object = std::fs::read(folder.path().join("media/cam/0/0.mp4")).unwrap();
    index.remove_segments(&id("cam"), &[0]).await.unwrap();
    std::fs::remove_file(folder.path().join("media/cam/0/0.mp4")).unwrap();
    std::fs::create_dir_all(folder.path().join("open/cam")).unwrap();
    let half = &object[row.init_bytes as usize..][..3000];
    let open = folder.path().join(format!("open/cam/0-0-{}.mp4", now()));
    std::fs::write(&open, [&object[..], half].concat()).unwrap();
    std::fs::write(folder.path().join(format!("open/cam/0-7-{}.mp4", now())), b"nothing yet").unwrap();
    std::fs::write(folder.path().join("open/cam/foreign"), b"is left alone").unwrap();
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let found: Vec<_> =
        archive.recovered().iter().map(|found| (found.number, found.parts, found.cut)).collect();
    assert_eq!(found, [(0, 10, 3000), (7, 0, 11)]);
    let again = rows(&archive).await.remove(0);
    assert_eq!(
        (again.first_pts, again.end_pts, again.bytes, again.began_ms),
        (row.first_pts, row.end_pts, row.bytes, row.began_ms)
    );
    assert_eq!(pictures(&archive, "cam", 0, i64::MIN).await.len(), 60);
    assert_eq!(archive.check(false).await.unwrap(), []);
    let left: Vec<_> =
        archive.shared().files.list("open/cam").unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(left, ["foreign"]);
    // A number that players may have seen is not used for something else.
    record(&archive, "cam", 1, &given).await;
    assert_eq!(rows(&archive).await.iter().map(|row| row.number).collect::<Vec<_>>(), [0, 1, 8, 9]);
}

/// What a power cut takes is not older than the time to the next sync and what that takes.
#[tokio::test(flavor = "multi_thread")]
async fn what_grew_is_durable_soon() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let index = store(folder.path()).await;
    let archive =
        with(&memory, index.clone(), |config| config.sync_every = Duration::from_millis(50)).await.unwrap();
    let given = units(&clip(40).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    give(&mut recorder, 0, &given);
    let lane = archive.shared().lane(&id("cam"));
    let durable = || {
        let cut = memory.after_power_cut(0);
        if cut.keys().len() == 1 { cut.bytes() } else { 0 }
    };
    let mut waited = 0;
    while durable() == 0 || durable() < memory.bytes() {
        waited += 1;
        assert!(waited < 400, "{} of {} bytes are durable", durable(), memory.bytes());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(lane.state().parts, 7);
    // All of it is there although nothing was sealed.
    let left = memory.after_power_cut(0);
    let next = on(&left, index).await.unwrap();
    assert_eq!(pictures(&next, "cam", 0, i64::MIN).await.len(), 35);
    drop(recorder);
}
