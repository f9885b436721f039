//! Playlists of the archive, clips and pictures of it.

use std::time::Duration;

use ocelli_model::TimeBase;
use ocelli_store::{SegmentClass, SegmentRecord};
use tokio::time::Instant;

use super::{
    camera::{BEGAN_MS, Camera, FIRST_PTS, GROUP, RATE, TICKS, film, path},
    playlist, run, stand, tools, uri, uris, values,
};
use crate::stand::Stand;

const STREAM: &str = "/api/v1/streams/cam1";

/// Five segments of run 0 and one of run 2.
async fn recorded() -> Stand {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(250);
    camera.reconnect(2);
    camera.show(GROUP);
    camera.end(&stand).await;
    stand
}

#[tokio::test(flavor = "multi_thread")]
async fn any_stretch_is_a_playlist() {
    let stand = recorded().await;
    let ask = async |query: &str| playlist(stand.get(&format!("{STREAM}/hls/archive.m3u8?{query}")).await);
    let all = ask("run=0").await;
    assert_eq!(uris(&all), ["0.m4s", "1.m4s", "2.m4s", "3.m4s", "4.m4s"]);
    assert!(all.ends_with("#EXT-X-ENDLIST\n") && all.contains("#EXT-X-PLAYLIST-TYPE:VOD"));
    assert!(!all.contains("#EXT-X-START") && !all.contains("#EXT-X-GAP"), "{all}");

    // Two pictures before the second segment ends, up to the third.
    let from = FIRST_PTS + (2 * GROUP as i64 - 2) * TICKS;
    let some = ask(&format!("run=0&start_pts={from}&end_pts={}", from + 3 * TICKS)).await;
    assert_eq!(uris(&some), ["1.m4s", "2.m4s"]);
    assert_eq!(values(&some, "#EXT-X-START"), ["TIME-OFFSET=1.920000,PRECISE=YES"]);
    assert_eq!(values(&some, "#EXT-X-MEDIA-SEQUENCE"), ["1"]);

    let wall = |seconds: i64| (BEGAN_MS + seconds * 1_000).to_string();
    let both = ask(&format!("start={}&end={}", wall(7), wall(11))).await;
    assert_eq!(uris(&both), ["3.m4s", "4.m4s", "5.m4s"]);
    assert_eq!(both.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{both}");
    let runs = values(&both, "#EXT-X-MAP").into_iter().map(run).collect::<Vec<_>>();
    assert_eq!(runs, ["0", "2"]);
    let same = ask("start=2026-11-29T15:11:00Z&end=2026-11-29T16:11:04%2B01:00").await;
    assert_eq!(same, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_archived_playlist_names_is_there() {
    let stand = recorded().await;
    let text = playlist(stand.get(&format!("{STREAM}/hls/archive.m3u8?run=0")).await);
    let init =
        stand.get(&format!("{STREAM}/hls/{}", uri(values(&text, "#EXT-X-MAP")[0]))).await.with_status(200);
    assert_eq!(&init.bytes[4..8], b"ftyp");
    // Segment 0 has left memory; its parts are found in it.
    let live = stand.archive.live(&"cam1".parse().unwrap()).unwrap().now();
    assert!(live.segments.iter().all(|segment| segment.number != 0 || segment.parts.is_empty()));
    let segment = stand.get(&format!("{STREAM}/hls/0.m4s")).await.with_status(200);
    assert_eq!(&segment.bytes[4..8], b"moof", "the initialisation segment is not repeated");
    let mut joined = Vec::new();
    for part in 0.. {
        let found = stand.get(&format!("{STREAM}/hls/0.{part}.m4s")).await;
        if found.status.as_u16() == 404 {
            break;
        }
        joined.extend(found.with_status(200).bytes);
    }
    assert!(joined == segment.bytes, "{} and {} bytes", joined.len(), segment.bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_is_said_with_what_is() {
    let stand = recorded().await;
    let check = async |path: &str, status: u16, words: &str| {
        stand.get(&format!("{STREAM}/{path}")).await.expect_problem(status, words);
    };
    let reaches = "reaches from 2026-11-29T15:10:53.000Z to 2026-11-29T15:11:04.";
    for route in ["hls/archive.m3u8", "clip.mp4"] {
        check(&format!("{route}?start=1000&end=2000"), 404, reaches).await;
        check(&format!("{route}?run=1"), 404, reaches).await;
        check(&format!("{route}?run=0&start_pts=0&end_pts=5"), 404, "from PTS 90126000 to 91026000").await;
        check(route, 422, "give start and end").await;
        check(&format!("{route}?start=soon&end=2000"), 422, "is no moment").await;
    }
    check("clip.mp4?start=2026-11-29T15:11:00Z&end=2026-11-29T15:11:04Z", 422, "spans several runs, each with media time of its own: run 0 from 2026-11-29T15:10:59.000Z, run 2 from 2026-11-29T15:11:03.000Z").await;
    check("frame.jpg", 422, "give at").await;
    check("frame.jpg?at=1000", 404, reaches).await;
    check("frame.jpg?at=2026-11-29T15:12:00Z", 404, reaches).await;
    check("frame.jpg?run=0", 422, "give at").await;
    check("frame.jpg?run=0&pts=90126000&quality=0", 422, "quality").await;
    stand
        .get("/api/v1/streams/none/hls/archive.m3u8?run=0")
        .await
        .expect_problem(404, "nothing of stream none");
}

/// Times of an hour that came twice are found twice, and a clip by them would be neither; by media time nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_comes_twice() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP);
    camera.set_clock(-4_000);
    camera.show(2 * GROUP);
    camera.set_clock(86_400_000);
    camera.show(GROUP);
    camera.end(&stand).await;
    let wall = |seconds: i64| (BEGAN_MS + seconds * 1_000).to_string();
    let text =
        playlist(stand.get(&format!("{STREAM}/hls/archive.m3u8?start={}&end={}", wall(0), wall(4))).await);
    assert_eq!(uris(&text), ["0.m4s", "1.m4s", "2.m4s", "3.m4s"]);
    let dates = values(&text, "#EXT-X-PROGRAM-DATE-TIME");
    assert_eq!((dates[0], dates[1]), (dates[2], dates[3]), "each segment says when it began: {dates:?}");
    assert!(!text.contains("DISCONTINUITY\n") && !text.contains("GAP"), "media goes on: {text}");
    let clip = async |window: &str| stand.get(&format!("{STREAM}/clip.mp4?{window}")).await;
    let twice = clip(&format!("start={}&end={}", wall(0), wall(4))).await;
    twice.expect_problem(
        422,
        "set back in this stretch, from after 2026-11-29T15:10:55.000Z to 2026-11-29T15:10:53.000Z",
    );
    let (start, end) = (FIRST_PTS, FIRST_PTS + 4 * GROUP as i64 * TICKS);
    let both = clip(&format!("run=0&start_pts={start}&end_pts={end}")).await.with_status(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.mp4");
    std::fs::write(&file, &both.bytes).unwrap();
    let truth = tools::hashes(&path()).await;
    assert_eq!(tools::hashes(&file).await, truth[..4 * GROUP]);
    // The newest of two; and a day later is a day later.
    let seen = async |at: String| {
        let frame = stand.get(&format!("{STREAM}/frame.jpg?at={at}")).await.with_status(200);
        frame.header("x-media-time-pts").unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(seen(wall(1)).await, FIRST_PTS + (2 * GROUP as i64 + RATE) * TICKS);
    assert_eq!(seen(wall(86_400 + 4)).await, FIRST_PTS + 4 * GROUP as i64 * TICKS);
}

/// What decodes is the very pictures of the source, however the stretch lies to keyframes and B-frames.
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_shows_exactly_its_pictures() {
    let stand = recorded().await;
    let folder = tempfile::tempdir().unwrap();
    let truth = tools::hashes(&path()).await;
    assert_eq!(truth.len(), 250);
    let at = |picture: usize| film().pts(picture as u32);
    for (first, end) in [(0, 250), (37, 111), (50, 100), (99, 101), (3, 4), (249, 250)] {
        let query = format!(
            "run=0&start_pts={}&end_pts={}",
            at(0) + first as i64 * TICKS,
            at(0) + end as i64 * TICKS
        );
        let answer = stand.get(&format!("{STREAM}/clip.mp4?{query}")).await.with_status(200);
        let field = |name: &str| answer.header(name).unwrap().to_owned();
        assert_eq!(field("content-type"), "video/mp4");
        assert_eq!(field("x-media-time-pts"), at(first).to_string());
        assert_eq!(field("x-media-end-pts"), (at(0) + end as i64 * TICKS).to_string());
        assert_eq!((field("x-run"), field("x-media-time-base")), ("0".to_owned(), "1/90000".to_owned()));
        assert_eq!(field("content-length"), answer.bytes.len().to_string());
        let file = folder.path().join(format!("{first}-{end}.mp4"));
        std::fs::write(&file, &answer.bytes).unwrap();
        assert!(tools::hashes(&file).await == truth[first..end], "pictures {first} to {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_cut_by_wall_time_too() {
    let stand = recorded().await;
    // Between picture 60 and 61, which came in 40 ms later: 60 is shown.
    let query = format!("start={}&end={}", BEGAN_MS + 60 * 40 + 39, BEGAN_MS + 70 * 40);
    let answer = stand.get(&format!("{STREAM}/clip.mp4?{query}")).await.with_status(200);
    assert_eq!(answer.header("x-media-time-pts"), Some(&*film().pts(60).to_string()));
    assert_eq!(answer.header("x-media-end-pts"), Some(&*film().pts(70).to_string()));
}

/// The number is read from the picture itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_the_one_that_is_shown() {
    let stand = recorded().await;
    let check = async |query: &str, run: u32, picture: u32| {
        let answer = stand.get(&format!("{STREAM}/frame.jpg?{query}")).await.with_status(200);
        assert_eq!(answer.header("content-type"), Some("image/jpeg"));
        let field = |name: &str| answer.header(name).unwrap().to_owned();
        assert_eq!(field("x-media-time-pts"), film().pts(picture).to_string(), "{query}");
        assert_eq!((field("x-run"), field("x-media-time-base")), (run.to_string(), "1/90000".to_owned()));
        assert_eq!(tools::number(&answer.bytes).await, Some(film().number(picture)), "{query}");
    };
    for picture in [0, 1, 2, 49, 50, 51, 98, 99, 123, 248, 249] {
        let pts = film().pts(picture);
        check(&format!("run=0&pts={pts}"), 0, picture).await;
        check(&format!("run=0&pts={}", pts + TICKS - 1), 0, picture).await;
    }
    check(&format!("run=2&pts={}", FIRST_PTS + 7 * TICKS), 2, 7).await;
    check(&format!("at={}", BEGAN_MS + 130 * 40 + 20), 0, 130).await;
    check(&format!("at={}&quality=30", BEGAN_MS + 253 * 40), 2, 3).await;
    let beyond = format!("{STREAM}/frame.jpg?run=0&pts={}", FIRST_PTS - 1);
    stand.get(&beyond).await.expect_problem(404, "from PTS 90126000 to 91026000");
    stand.get(&format!("{STREAM}/frame.jpg?run=9&pts=0")).await.expect_problem(404, "reaches from");
}

/// What is not sealed yet is recorded all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_the_open_segment_is_there() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(20);
    let pts = film().pts(8);
    let answer = stand.get(&format!("{STREAM}/frame.jpg?run=0&pts={pts}")).await.with_status(200);
    assert_eq!(answer.header("x-media-time-pts"), Some(&*pts.to_string()));
    assert_eq!(tools::number(&answer.bytes).await, Some(film().number(8)));
}

/// To reach: 50 ms, which the figure is held against where the build is optimised.
#[expect(clippy::print_stdout, reason = "a figure for people")]
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_a_playlist_at_once() {
    let stand = stand("cam1").await;
    for number in 0..1_800 {
        let first_pts = FIRST_PTS + number * 2 * 90_000;
        let record = SegmentRecord {
            stream: "cam1".parse().unwrap(),
            number: number as u64,
            run: 0,
            time_base: TimeBase::new(1, 90_000).unwrap(),
            first_pts,
            end_pts: first_pts + 2 * 90_000,
            keyframe: true,
            began_ms: BEGAN_MS + number * 2_000,
            ended_ms: BEGAN_MS + number * 2_000 + 1_960,
            init: "a".repeat(16),
            init_bytes: 700,
            bytes: 1_000_000,
            location: format!("cam1/0/{number}.mp4"),
            class: SegmentClass::Other,
        };
        stand.archive.index().put_segment(&record).await.unwrap();
    }
    let path = format!("{STREAM}/hls/archive.m3u8?start={BEGAN_MS}&end={}", BEGAN_MS + 3_600_000);
    let mut best = Duration::MAX;
    for _turn in 0..5 {
        let began = Instant::now();
        let text = playlist(stand.get(&path).await);
        best = best.min(began.elapsed());
        assert_eq!(uris(&text).len(), 1_800);
    }
    println!("an hour of archive as a playlist: {:.1} ms", best.as_secs_f64() * 1e3);
    assert!(cfg!(debug_assertions) || best < Duration::from_millis(50), "{best:?}");
}
