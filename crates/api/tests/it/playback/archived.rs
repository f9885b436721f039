//! Playlists of the archive, clips and pictures of it.

use super::{
    camera::{BEGAN_MS, Camera, FIRST_PTS, GROUP, TICKS},
    playlist, stand, uri, uris, values,
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
    assert_eq!(both.matches("#EXT-X-DISCONTINUITY\n").count(), 2, "{both}");
    assert_eq!(values(&both, "#EXT-X-DISCONTINUITY-SEQUENCE"), ["0"]);
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
