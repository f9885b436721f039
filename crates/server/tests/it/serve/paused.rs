//! A disk that is full under the recordings, with nothing that may go: live view goes on from memory, all is said, and recording goes on
//! when there is room.

use std::{collections::BTreeMap, fs, net::TcpStream, path::PathBuf};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client, client::IntoClientRequest as _};

use super::{
    asking::{Follower, ask, connect},
    cameras::clip,
    disk::{fill, prefix},
    served::{Served, Site},
    viewers::Player,
};

const STREAM: &str = "/api/v1/streams/cam";
/// Room for the first segments of the clip, with 1 MB for others.
const SIZE: &str = "4M";

/// What RFC 8216bis asks of a live playlist from one reload to the next.
#[derive(Default)]
struct Reloads {
    media: u64,
    discontinuity: u64,
    /// Durations by number, as they were first listed.
    segments: BTreeMap<u64, String>,
    target: Option<String>,
}

impl Reloads {
    /// Takes the next state of the playlist; gives the number and part that it hints at.
    fn check(&mut self, text: &str) -> (u64, usize) {
        let value = |tag: &str| text.lines().find_map(|line| line.strip_prefix(tag)?.strip_prefix(':'));
        let number = |tag: &str| value(tag).map_or(0, |word| word.parse::<u64>().unwrap());
        assert!(text.starts_with("#EXTM3U\n") && !text.contains("#EXT-X-ENDLIST"), "{text}");
        // 4.4.3.1: does not change. 6.2.2: numbers only rise.
        let target = value("#EXT-X-TARGETDURATION").unwrap().to_owned();
        assert_eq!(self.target.get_or_insert_with(|| target.clone()), &target);
        let (media, discontinuity) =
            (number("#EXT-X-MEDIA-SEQUENCE"), number("#EXT-X-DISCONTINUITY-SEQUENCE"));
        assert!(media >= self.media && discontinuity >= self.discontinuity, "{text}");
        (self.media, self.discontinuity) = (media, discontinuity);
        let target: f64 = target.parse().unwrap();
        let part_target: f64 =
            value("#EXT-X-PART-INF").unwrap().strip_prefix("PART-TARGET=").unwrap().parse().unwrap();
        let mut next = media;
        for line in text.lines() {
            if let Some(word) = line.strip_prefix("#EXTINF:") {
                let word = word.trim_end_matches(',');
                assert!(word.parse::<f64>().unwrap().round() <= target, "{text}");
                // What was listed once stays as it was.
                assert_eq!(
                    self.segments.entry(next).or_insert_with(|| word.to_owned()),
                    word,
                    "{next}: {text}"
                );
            } else if let Some(rest) = line.strip_prefix("#EXT-X-PART:DURATION=") {
                assert!(
                    rest.split(',').next().unwrap().parse::<f64>().unwrap() <= part_target + 1e-6,
                    "{text}"
                );
                assert!(
                    rest.contains(&format!("URI=\"cam/{next}.")) || rest.contains(&format!("URI=\"{next}.")),
                    "{text}"
                );
            } else if !line.starts_with('#') {
                assert!(line.ends_with(&format!("{next}.m4s")), "{line}: {text}");
                next += 1;
            }
        }
        let hint = value("#EXT-X-PRELOAD-HINT").unwrap().rsplit(['"', '/']).nth(1).unwrap();
        let (number, rest) = hint.split_once('.').unwrap();
        assert_eq!(number.parse::<u64>().unwrap(), next, "{text}");
        (next, rest.strip_suffix(".m4s").unwrap().parse().unwrap())
    }
}

/// As many reloads, each waiting for the part that was hinted at, which is there then.
fn followed(player: &mut Player, reloads: &mut Reloads, count: usize) {
    let mut query = String::new();
    for _ in 0..count {
        let (status, text) = player.get(&format!("live.m3u8{query}"));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&text));
        let (number, part) = reloads.check(std::str::from_utf8(&text).unwrap());
        if part > 0 {
            let (status, media) = player.get(&format!("{number}.{}.m4s", part - 1));
            assert_eq!((status, &media[4..8]), (200, &b"moof"[..]));
        }
        query = format!("?_HLS_msn={number}&_HLS_part={part}");
    }
}

fn recording(server: &Served) -> Value {
    server.get(&format!("{STREAM}/recording")).is(200).json()
}

/// All that is recorded now stays.
fn pin(server: &Served) {
    let headers = [("Content-Type", "application/json")];
    let told = recording(server);
    let wall = |name: &str, later: i64| (told[name].as_i64().unwrap() + later).to_string();
    let all = json!({"start": wall("oldest_ms", 0), "end": wall("newest_ms", 1)}).to_string();
    ask(server.address, "POST", &format!("{STREAM}/recording/pin"), &headers, all.as_bytes()).is(200);
}

/// Why recording is paused, as a viewer is told, who then gets part after part.
fn watched(socket: &mut WebSocket<TcpStream>) -> String {
    let (mut told, mut newest, mut after) = (None, None, 0);
    while after < 15 {
        match socket.read().unwrap() {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                assert_ne!(message["type"], "missed", "{message}");
                told = told.or((message["type"] == "paused").then(|| message["reason"].clone()));
            }
            Message::Binary(bytes) if bytes[4..8] == *b"ftyp" => {}
            Message::Binary(bytes) => {
                let pts = i64::from_be_bytes(*bytes[16..].first_chunk().unwrap());
                assert!(newest.is_none_or(|newest| newest < pts), "{newest:?} {pts}");
                newest = Some(pts);
                after += usize::from(told.is_some());
            }
            _ => {}
        }
    }
    told.unwrap().as_str().unwrap().to_owned()
}

#[test]
fn live_view_goes_on_while_recording_is_paused() {
    let site = Site::new(&[]);
    let folder = site.path("recordings");
    fs::create_dir(&folder).unwrap();
    let Some(prefix) = prefix(&folder, SIZE) else { return };
    let server = site.start_behind(&prefix);
    let disk = PathBuf::from(format!("/proc/{}/root{}", server.id(), folder.display()));
    let film = site.media(&clip().frames(3000).cached(), "film.mp4");
    let spec = json!({"id": "cam", "fps": "5", "frames": {}, "record": {},
        "source": {"url": film, "pace": "real_time"}});
    server.create(&spec).is(201);
    let mut follower = Follower::new(server.address);
    // Each look follows something that happened.
    let mut until = |what: &str, holds: &dyn Fn(&Value) -> bool| loop {
        let told = recording(&server);
        if holds(&told) {
            return told;
        }
        follower.until(what, |message| message["type"] == "result");
    };
    until("a segment", &|told| told["segments"].as_u64() >= Some(2));
    let mut player = Player::new(server.address, STREAM);
    let mut reloads = Reloads::default();
    followed(&mut player, &mut reloads, 8);
    let request = format!("ws://{}{STREAM}/media", server.address).into_client_request().unwrap();
    let (mut socket, _answer) = client(request, connect(server.address)).unwrap();

    pin(&server);
    fill(&disk.join("filler"));
    let paused = until("the pause", &|told| told["state"] == "paused");
    let reason = paused["reason"].as_str().unwrap();
    assert!(
        reason.contains("nothing is left that may be removed") || reason.contains("No space left"),
        "{paused}"
    );
    // Three segments long nothing can be kept, and nobody who watches sees any of it.
    followed(&mut player, &mut reloads, 32);
    assert_eq!(recording(&server)["state"], "paused");
    assert!(watched(&mut socket).len() > 10);
    let gaps = recording(&server)["gaps"].clone();
    assert_eq!((gaps.as_array().unwrap().len(), &gaps[0]["end_pts"]), (1, &Value::Null), "{gaps}");

    fs::remove_file(disk.join("filler")).unwrap();
    until("the recording", &|told| told["state"] == "recording");
    followed(&mut player, &mut reloads, 8);
    let told = until("its end", &|told| !told["gaps"][0]["end_pts"].is_null());
    ask(server.address, "POST", &format!("{STREAM}/stop"), &[], b"").is(200);
    let all = server.get(&format!("{STREAM}/recording/segments?limit=1000")).is(200).json();
    let all = all["items"].as_array().unwrap();
    let (first, end) = (&told["gaps"][0]["first_pts"], &told["gaps"][0]["end_pts"]);
    assert!(
        all.iter().any(|segment| segment["first_pts"] == *end && segment["keyframe"] == true),
        "{told} {all:?}"
    );
    assert!(end.as_i64() > first.as_i64(), "{told}");
    for pair in all.windows(2) {
        let joined = pair[0]["end_pts"] == pair[1]["first_pts"];
        assert!(joined || pair[1]["first_pts"] == *end, "{told} {pair:?}");
    }
    assert_eq!(recording(&server)["gaps"].as_array().unwrap().len(), 1);
    server.stop();
    super::killed::balanced(&site);
    assert!(!site.log().contains("panicked"), "{}", site.log());
}
