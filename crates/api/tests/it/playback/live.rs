//! Live playlists and what they name.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, header},
};

use ocelli_api::{LiveSettings, access::AccessConfig};

use super::{
    camera::{Camera, FIRST_PTS, GROUP, TICKS},
    create, playlist, run, stand, uri, uris, values,
};
use crate::stand::{Answer, Stand, open};

const HLS: &str = "/api/v1/streams/cam1/hls";

async fn get(stand: &Stand, name: &str) -> Answer {
    stand.get(&format!("{HLS}/{name}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_stream_is_read_part_by_part() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 18);
    let text = playlist(get(&stand, "live.m3u8").await);
    assert_eq!(uris(&text), ["0.m4s", "1.m4s"], "{text}");
    assert_eq!(values(&text, "#EXT-X-TARGETDURATION"), ["2"]);
    let parts: Vec<_> = values(&text, "#EXT-X-PART").into_iter().map(uri).collect();
    assert!(parts.contains(&"0.0.m4s") && parts.contains(&"2.0.m4s"), "{parts:?}");

    // The parts of a segment are the segment.
    let whole = get(&stand, "0.m4s").await.with_status(200);
    assert_eq!(whole.header("content-type"), Some("video/mp4"));
    assert_eq!(whole.header("cache-control"), Some("private, max-age=31536000, immutable"));
    let mut joined = Vec::new();
    for part in parts.iter().filter(|part| part.starts_with("0.")) {
        joined.extend(get(&stand, part).await.with_status(200).bytes);
    }
    assert!(joined == whole.bytes, "{} and {} bytes", joined.len(), whole.bytes.len());

    let init = uri(values(&text, "#EXT-X-MAP")[0]);
    let init = get(&stand, init).await.with_status(200);
    assert_eq!(&init.bytes[4..8], b"ftyp");
    assert_eq!(init.header("content-type"), Some("video/mp4"));

    let index = playlist(get(&stand, "index.m3u8").await);
    assert_eq!(uris(&index), ["live.m3u8"]);
    assert!(index.contains("RESOLUTION=320x240") && index.contains("CODECS=\"avc1."), "{index}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_is_answered_when_there_is_something_new() {
    let stand = Arc::new(stand("cam1").await);
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    let before = playlist(get(&stand, "live.m3u8").await);
    let hint = uri(values(&before, "#EXT-X-PRELOAD-HINT")[0]).to_owned();
    let (msn, part) = hint.strip_suffix(".m4s").unwrap().split_once('.').unwrap();
    let ask = |path: String| {
        let stand = Arc::clone(&stand);
        tokio::spawn(async move { stand.get(&path).await })
    };
    let reload = ask(format!("{HLS}/live.m3u8?_HLS_msn={msn}&_HLS_part={part}"));
    let hinted = ask(format!("{HLS}/{hint}"));
    let whole = ask(format!("{HLS}/live.m3u8?_HLS_msn={msn}"));
    // They have been asked: nothing else holds a view of the stream.
    tokio::task::yield_now().await;
    assert!(!reload.is_finished() && !hinted.is_finished());
    camera.show(6);
    let after = playlist(reload.await.unwrap());
    assert!(values(&after, "#EXT-X-PART").iter().any(|tag| uri(tag) == hint), "{after}");
    assert!(hinted.await.unwrap().with_status(200).bytes.len() > 100);
    assert!(!whole.is_finished(), "the segment is not whole");
    camera.show(GROUP);
    assert!(uris(&playlist(whole.await.unwrap())).contains(&format!("{msn}.m4s").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn section_6_2_5_2_requests_that_make_no_sense_are_refused() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    get(&stand, "live.m3u8?_HLS_part=1").await.expect_problem(400, "needs _HLS_msn");
    get(&stand, "live.m3u8?_HLS_msn=99").await.expect_problem(400, "further ahead");
    get(&stand, "live.m3u8?_HLS_msn=2&_HLS_part=99").await.expect_problem(400, "further ahead");
    get(&stand, "live.m3u8?_HLS_msn=-1").await.expect_problem(422, "invalid digit");
    get(&stand, "live.m3u8?_HLS_unknown=1").await.with_status(200);
}

#[tokio::test(start_paused = true)]
async fn section_6_2_5_2_who_waits_in_vain_is_answered_after_three_target_durations() {
    let stand = stand("cam1").await;
    let mut camera = {
        // The clock stands still for what waits, not for threads.
        Camera::new(&stand, "cam1").await
    };
    camera.show(2 * GROUP + 8);
    let now = playlist(get(&stand, "live.m3u8").await);
    let began = tokio::time::Instant::now();
    let late = playlist(get(&stand, "live.m3u8?_HLS_msn=3").await);
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(late, now, "players go on with it; an error would end them");
    let late = get(&stand, "2.30.m4s").await.with_status(503);
    assert!(late.header("retry-after").is_some());
    get(&stand, "2.m4s").await.with_status(503);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_discontinuities_and_pts_are_kept() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(GROUP + 5);
    camera.reconnect(3);
    camera.show(GROUP + 20);
    let text = playlist(get(&stand, "live.m3u8").await);
    assert_eq!(values(&text, "#EXT-X-DISCONTINUITY-SEQUENCE"), ["0"]);
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    assert_eq!(values(&text, "#EXT-X-MAP").into_iter().map(run).collect::<Vec<_>>(), ["0", "3"]);
    let window = stand.archive.live(&"cam1".parse().unwrap()).unwrap().now();
    assert_eq!(window.segments[0].first_pts, FIRST_PTS);
    assert_eq!(window.segments[1].first_pts, FIRST_PTS + GROUP as i64 * TICKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_and_heads_are_answered() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    let whole = get(&stand, "0.m4s").await.with_status(200);
    let ask = async |method: Method, range: Option<&str>| {
        let mut request = Request::builder().method(method).uri(format!("{HLS}/0.m4s"));
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        stand.send(request.body(Body::empty()).unwrap()).await
    };
    let length = whole.bytes.len();
    assert_eq!(whole.header("content-length"), Some(&*length.to_string()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let check = async |range: &str, from: usize, to: usize| {
        let answer = ask(Method::GET, Some(range)).await.with_status(206);
        assert!(answer.bytes == whole.bytes[from..to], "{range}");
        assert_eq!(answer.header("content-range"), Some(&*format!("bytes {from}-{}/{length}", to - 1)));
    };
    check("bytes=0-99", 0, 100).await;
    check("bytes=100-", 100, length).await;
    check("bytes=-7", length - 7, length).await;
    // Across the borders of parts.
    check(&format!("bytes=5-{}", length - 6), 5, length - 5).await;
    let none = ask(Method::GET, Some(&format!("bytes={length}-"))).await;
    assert_eq!(none.header("content-range"), Some(&*format!("bytes */{length}")));
    none.expect_problem(416, "it has");
    let head = ask(Method::HEAD, None).await.with_status(200);
    assert!(head.bytes.is_empty());
    assert_eq!(head.header("content-length"), Some(&*length.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said() {
    let stand = stand("cam1").await;
    get(&stand, "live.m3u8").await.expect_problem(404, "nothing of stream cam1 is live");
    get(&stand, "index.m3u8").await.expect_problem(404, "nothing of stream cam1 is live");
    stand.get("/api/v1/streams/none/hls/live.m3u8").await.expect_problem(404, "no stream none");
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    get(&stand, "7.m4s").await.expect_problem(404, "no segment 7");
    get(&stand, "7.0.m4s").await.expect_problem(404, "no segment 7");
    get(&stand, "0.99.m4s").await.expect_problem(404, "no part 99");
    get(&stand, "init-0123456789abcdef.mp4").await.expect_problem(404, "no segment of stream cam1 begins");
    get(&stand, "gap-7-0.m4s").await.expect_problem(404, "is no file of a playlist");
    get(&stand, "%2e%2e%2fsecret").await.expect_problem(404, "is no file of a playlist");
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_3_reads_the_same_below_streaming() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    let native = playlist(get(&stand, "live.m3u8").await);
    let text = playlist(stand.get("/streaming/cam1.m3u8").await);
    assert_eq!(uris(&text), ["cam1/0.m4s", "cam1/1.m4s"]);
    assert_eq!(text.replace("cam1/", ""), native);
    let (init, segment) = (uri(values(&text, "#EXT-X-MAP")[0]), uris(&text)[1]);
    for (path, name) in [(init, uri(values(&native, "#EXT-X-MAP")[0])), (segment, "1.m4s")] {
        let found = stand.get(&format!("/streaming/{path}")).await.with_status(200);
        assert!(found.bytes == get(&stand, name).await.bytes, "{path}");
    }
    stand.get("/streaming/cam1.mpd").await.expect_error(400, "ends in .m3u8");
    stand.get("/streaming/none.m3u8").await.expect_error(404, "no stream none");
    stand.get("/streaming/cam1.m3u8?_HLS_msn=x").await.expect_error(400, "query");
    stand.get("/streaming/cam1/99.m4s").await.expect_error(404, "no segment 99");
}

/// CORS is open to the configured origins and to no other.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_configured_origins_may_read() {
    let config = AccessConfig { origins: vec!["https://dash.example".parse().unwrap()], ..open() };
    let stand = Stand::with(config, LiveSettings::default()).await;
    create(&stand, "cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP + 8);
    for path in ["/streaming/cam1.m3u8", "/streaming/cam1/0.m4s", "/api/v1/streams/cam1/hls/live.m3u8"] {
        for (origin, allowed) in [("https://dash.example", true), ("https://evil.example", false)] {
            let request = Request::get(path).header(header::ORIGIN, origin).body(Body::empty()).unwrap();
            let answer = stand.send(request).await.with_status(200);
            let expected = allowed.then_some(origin);
            assert_eq!(answer.header("access-control-allow-origin"), expected, "{path}");
        }
    }
}

/// A stream that was recorded before the server started, and not since, is not live.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_waited_for() {
    let stand = stand("cam1").await;
    let camera = Camera::new(&stand, "cam1").await;
    camera.end(&stand).await;
    get(&stand, "live.m3u8").await.expect_problem(404, "nothing of stream cam1 is live");
    get(&stand, "index.m3u8").await.expect_problem(404, "nothing of stream cam1 is live");
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(2 * GROUP);
    camera.end(&stand).await;
    let text = playlist(get(&stand, "live.m3u8?_HLS_msn=7").await);
    assert!(text.ends_with("1.m4s\n#EXT-X-ENDLIST\n"), "{text}");
}
