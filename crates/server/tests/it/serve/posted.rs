//! Pictures that browsers do not play, recorded: H.264 at the times that they were posted with.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use super::{
    asking::{Follower, ask},
    served::{Served, Site},
};

/// Colours that no two neighbours share.
const COLOURS: [&str; 7] =
    ["0xc03020", "0x20a040", "0x3050d0", "0xd0c030", "0x303030", "0xe0e0e0", "0x9030b0"];
/// Stream time of a picture, in milliseconds: unsteady, and far from zero.
fn pts(index: usize) -> i64 {
    500_000 + index as i64 * 190 + [0, 40, 11][index % 3]
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let said = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    said.stdout
}

fn pictures(folder: &Path, ending: &str) -> Vec<Vec<u8>> {
    let each = COLOURS.iter().map(|colour| {
        let path = folder.join(format!("{colour}.{ending}")).display().to_string();
        let source = format!("color=c={colour}:s=320x240");
        run("ffmpeg", &["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-frames:v", "1", &path]);
        std::fs::read(path).unwrap()
    });
    each.collect()
}

/// The mean colour of a picture.
fn colour(folder: &Path, picture: &[u8]) -> [u8; 3] {
    let path = folder.join("looked-at");
    std::fs::write(&path, picture).unwrap();
    let path = path.display().to_string();
    let scaled = "scale=1:1:flags=area,format=rgb24";
    let out = run("ffmpeg", &["-v", "error", "-i", &path, "-vf", scaled, "-f", "rawvideo", "pipe:1"]);
    out.try_into().unwrap()
}

/// PTS of pictures in what ffprobe plays, in milliseconds.
fn played(url: &str) -> Vec<i64> {
    let show =
        ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", url];
    let text = String::from_utf8(run("ffprobe", &show)).unwrap();
    let lines = text.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty());
    lines.map(|line| (line.parse::<f64>().unwrap() * 1000.0).round() as i64).collect()
}

/// Parts that a live playlist lists, with what they need, as a file.
fn live_parts(server: &Served, site: &Site, playlist: &str) -> String {
    let uri = |line: &str| line.split_once("URI=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let listed = ["#EXT-X-MAP:", "#EXT-X-PART:"].into_iter().flat_map(|tag| {
        playlist.lines().filter(move |line| line.starts_with(tag)).map(uri).collect::<Vec<_>>()
    });
    let bytes = listed.flat_map(|uri| server.get(&format!("/api/v1/streams/door/hls/{uri}")).is(200).body);
    let path = site.path("media").join("live.mp4");
    std::fs::write(&path, bytes.collect::<Vec<u8>>()).unwrap();
    path.display().to_string()
}

fn post(server: &Served, index: usize, (kind, picture): (&str, &[u8])) {
    let path = format!("/api/v1/streams/door/frames?pts_ms={}", pts(index));
    let sent = || ask(server.address, "POST", &path, &[("Content-Type", kind)], picture);
    let mut told = sent();
    // Its thread may still be on its way.
    while index == 0 && told.status == 409 {
        told = sent();
    }
    told.is(202);
}

#[test]
fn posted_pictures_are_recorded_as_they_were_posted() {
    for (ending, kind, codec) in [("jpg", "image/jpeg", "mjpeg"), ("png", "image/png", "png")] {
        let site = Site::new(&[]);
        let server = site.start();
        let spec =
            json!({"id": "door", "fps": "all", "frames": {}, "record": {}, "source": {"url": "frames:door"}});
        server.create(&spec).is(201);
        let mut follower = Follower::new(server.address);
        let pictures = pictures(&site.path("media"), ending);
        let count = 45;
        for index in 0..count {
            post(&server, index, (kind, &pictures[index % COLOURS.len()]));
            // Each is decided on when the next is there.
            if index > 0 {
                follower.frame("door", index as u64);
            }
        }
        let recording = server.get("/api/v1/streams/door/recording").is(200).json();
        assert_eq!((&recording["state"], &recording["encoded"]), (&json!("recording"), &json!([codec])));
        let live = server.get("/api/v1/streams/door/hls/live.m3u8").is(200).text();
        assert!(live.contains("#EXT-X-PART:") && live.contains("INDEPENDENT=YES"), "{live}");
        let index = server.get("/api/v1/streams/door/hls/index.m3u8").is(200).text();
        assert!(index.contains("CODECS=\"avc1."), "{index}");
        let now = played(&live_parts(&server, &site, &live));
        assert!(now.len() > 20 && now.windows(2).all(|pair| pair[0] < pair[1]), "it plays live: {now:?}");

        ask(server.address, "POST", "/api/v1/streams/door/stop", &[], b"").is(200);
        let recording = server.get("/api/v1/streams/door/recording").is(200).json();
        assert_eq!(recording["gaps"], json!([]), "{recording}");
        let expected: Vec<i64> = (0..count).map(pts).collect();
        let url = format!("{}/api/v1/streams/door/hls/archive.m3u8?run=0", server.url());
        let first = played(&url)[0];
        let found: Vec<i64> = played(&url).iter().map(|pts| pts - first + expected[0]).collect();
        assert_eq!(found, expected);
        for index in (0..count).step_by(4).chain([count - 1]) {
            let still =
                server.get(&format!("/api/v1/streams/door/frame.jpg?run=0&pts={}", pts(index))).is(200);
            let told = format!("x-media-time-pts: {}", pts(index));
            assert!(still.head.to_ascii_lowercase().contains(&told), "{}", still.head);
            let folder = site.path("media");
            let (shown, given) =
                (colour(&folder, &still.body), colour(&folder, &pictures[index % COLOURS.len()]));
            let apart = shown.iter().zip(given).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(apart <= 6, "{codec} {index}: {shown:?} {given:?}");
        }
        server.stop();
        super::killed::balanced(&site);
        site.check_archive().whole();
        assert!(!site.log().contains("panicked") && !site.log().contains("left out"), "{}", site.log());
    }
}
