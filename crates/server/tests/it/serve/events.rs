//! What the default model sees in real footage marks the recording, and what is marked stays longer.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{
    asking::Follower,
    served::{Served, Site},
};
use crate::ocelli::{data_directory, home, skipped};

/// Grey for 6 s, then 6 s of a street: nothing is seen, then something in every picture.
fn film(folder: &Path) -> Option<PathBuf> {
    home()?;
    let street = data_directory().join("footage/bikes.mp4");
    if !street.try_exists().unwrap() {
        skipped(&format!("{} is not here; './dev setup' mends it", street.display()));
        return None;
    }
    let film = folder.join("film.mp4");
    let size = "scale=480:270,setsar=1,fps=25,format=yuv420p";
    let filter = format!("[0]{size}[a];[1]{size}[b];[a][b]concat=n=2[v]");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "color=gray:size=480x270:rate=25:duration=6",
        "-t",
        "6",
        "-i",
    ]);
    ffmpeg.arg(street).args([
        "-filter_complex",
        &filter,
        "-map",
        "[v]",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
    ]);
    ffmpeg.args(["-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-bf", "2"]).arg(&film);
    assert!(ffmpeg.status().unwrap().success());
    Some(film)
}

fn items(server: &Served, path: &str) -> Vec<Value> {
    server.get(path).is(200).json()["items"].as_array().unwrap().clone()
}

fn segments(server: &Served, stream: &str) -> Vec<Value> {
    items(server, &format!("/api/v1/streams/{stream}/recording/segments?limit=1000"))
}

/// Run and PTS of every result with a detection, in the runs that are recorded.
fn seen(server: &Served, stream: &str) -> BTreeSet<(u64, i64)> {
    let recorded = segments(server, stream);
    let runs: BTreeSet<u64> = recorded.iter().map(|segment| segment["run"].as_u64().unwrap()).collect();
    let of_run = |run| items(server, &format!("/api/v1/streams/{stream}/results?run={run}&limit=500"));
    let results = runs.into_iter().flat_map(of_run);
    let seen = results.filter(|result| result["detections"].as_array().is_some_and(|all| !all.is_empty()));
    seen.map(|result| (result["run"].as_u64().unwrap(), result["pts"].as_i64().unwrap())).collect()
}

/// A segment is an event where something was seen in it, and nowhere else; how many of each there are.
fn agree(server: &Served, stream: &str) -> (usize, usize) {
    let (seen, all) = (seen(server, stream), segments(server, stream));
    let mut events = 0;
    for segment in &all {
        let pts = |name: &str| segment[name].as_i64().unwrap();
        let run = segment["run"].as_u64().unwrap();
        let within = seen.range((run, pts("first_pts"))..(run, pts("end_pts"))).next().is_some();
        assert_eq!(segment["class"], if within { "event" } else { "other" }, "{segment} {seen:?}");
        events += usize::from(within);
    }
    (events, all.len() - events)
}

fn stream(id: &str, film: &str, events: &Value) -> Value {
    json!({"id": id, "fps": "5", "models": [{}], "gate": false, "record": {"events": events},
        "source": {"url": film, "pace": "real_time"}})
}

#[test]
fn what_is_seen_marks_the_recording_and_stays_longer() {
    let site = Site::new(&["archive.keep_age=1 h", "archive.keep_event_age=1 d"]);
    let Some(film) = film(&site.path("")) else { return };
    let film = site.media(&film, "film.mp4");
    let server = site.start();
    let mut follower = Follower::new(server.address);
    server.create(&stream("any", &film, &json!({}))).is(201);
    server.create(&stream("none", &film, &json!({"labels": ["unicorn"]}))).is(201);
    let refused = server.create(&stream("bad", &film, &json!({"labels": [""]}))).is(422).text();
    assert!(refused.contains("record.events.labels"), "{refused}");
    drop(follower);
    follower = Follower::new(server.address);
    let is_over = |status: &Value| status["status"]["state"] == "completed";
    for id in ["any", "none"] {
        while !is_over(&server.get(&format!("/api/v1/streams/{id}")).json()) {
            follower.until("news", |_| true);
        }
    }
    let (events, others) = agree(&server, "any");
    assert!(events >= 2 && others >= 2, "{events} with events, {others} without");
    let nothing = segments(&server, "none");
    assert!(!seen(&server, "none").is_empty() && nothing.iter().all(|segment| segment["class"] == "other"));
    server.stop();

    // Two hours later, as far as the archive knows: the clock was set back by that since.
    std::fs::write(site.path("recordings/clock"), "-7200000\n").unwrap();
    let server = site.start();
    // The first pass begins with the server.
    while segments(&server, "any").len() > events || !segments(&server, "none").is_empty() {}
    assert!(segments(&server, "any").iter().all(|segment| segment["class"] == "event"));
    assert_eq!(segments(&server, "any").len(), events);
    server.stop();
    site.check_archive().whole();
}

/// Whatever a kill takes from memory: what was seen before it, and is durable, marks what was recorded before it.
#[test]
fn a_kill_forgets_nothing_that_was_seen() {
    let site = Site::new(&[]);
    let Some(film) = film(&site.path("")) else { return };
    let film = site.media(&film, "film.mp4");
    let mut server = site.start();
    let mut spec = stream("any", &film, &json!({}));
    spec["source"]["repeat"] = json!(true);
    server.create(&spec).is(201);
    for results in [12, 40, 47] {
        let mut follower = Follower::new(server.address);
        follower.until("a result", |message| {
            let due = server.get("/api/v1/streams/any").json()["status"]["slots"]["due"].as_u64();
            message["type"] == "result" && due >= Some(results)
        });
        server.kill();
        server = site.start();
    }
    let mut follower = Follower::new(server.address);
    follower.until("a result", |message| message["type"] == "result");
    super::asking::ask(server.address, "POST", "/api/v1/streams/any/stop", &[], b"").is(200);
    server.stop();
    server = site.start();
    let (events, others) = agree(&server, "any");
    assert!(events >= 2 && others >= 2, "{events} with events, {others} without");
    server.stop();
    site.check_archive().whole();
    super::killed::balanced(&site);
}
