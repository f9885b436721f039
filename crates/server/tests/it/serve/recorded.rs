//! Recordings of a server that dies: nothing that was acknowledged is lost, nothing lies about, the ledger balances.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use super::{asking::Follower, cameras::clip, killed::balanced, served::Site};

/// A measure of a test, larger in the long run (`./dev soak`).
pub(super) fn set(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |word| word.parse().expect("a number"))
}

/// Numbers by chance, the same for the same seed (Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(listed) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Segments that the index names, of all streams.
fn segments(server: &super::served::Served, stream: &str) -> Vec<Value> {
    let path = format!("/api/v1/streams/{stream}/recording/segments?limit=1000");
    let page = server.get(&path).is(200).json();
    page["items"].as_array().unwrap().clone()
}

#[test]
fn kills_at_any_moment_lose_nothing_that_was_sealed() {
    let (kills, streams) = (set("OCELLI_TEST_KILLS", 4), set("OCELLI_TEST_STREAMS", 3));
    let seed = set("OCELLI_TEST_SEED", 7);
    let mut chance = Chance(seed);
    let clip = clip().frames(500).cached();
    let site = Site::new(&[]);
    let looping = site.media(&clip, "loop.mp4");
    let mut server = site.start();
    let ids: Vec<String> = (0..streams).map(|index| format!("cam{index}")).collect();
    for id in &ids {
        let spec = json!({"id": id, "fps": "10", "frames": {}, "record": {},
            "source": {"url": looping, "repeat": true, "pace": "real_time"}});
        server.create(&spec).is(201);
    }
    let mut known: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); ids.len()];
    for kill in 0..kills {
        let mut follower = Follower::new(server.address);
        // Somewhere within the next seconds of media.
        let stream = &ids[chance.below(streams) as usize];
        let now = server.get(&format!("/api/v1/streams/{stream}")).json();
        let count = now["status"]["frame_count"].as_u64().unwrap();
        follower.frame(stream, count + 1 + chance.below(35));
        for (id, known) in ids.iter().zip(&mut known) {
            known.extend(segments(&server, id).iter().map(|segment| segment["number"].as_u64().unwrap()));
        }
        server.kill();
        server = site.start();
        for (id, known) in ids.iter().zip(&known) {
            let kept: BTreeSet<u64> =
                segments(&server, id).iter().map(|segment| segment["number"].as_u64().unwrap()).collect();
            let lost: Vec<_> = known.difference(&kept).collect();
            assert!(lost.is_empty(), "seed {seed}, kill {kill}: {id} lost segments {lost:?}");
        }
    }
    let mut follower = Follower::new(server.address);
    for id in &ids {
        let now = server.get(&format!("/api/v1/streams/{id}")).json();
        follower.frame(id, now["status"]["frame_count"].as_u64().unwrap() + 2);
    }
    server.stop();
    for id in &ids {
        let open = names(&site.path("recordings/open").join(id));
        assert!(open.is_empty(), "nothing of {id} lies open: {open:?}");
    }
    site.check_archive().whole();
    balanced(&site);
    let log = site.log();
    assert!(!log.contains("panicked") && !log.contains("is not caught up with"), "{log}");
}
