//! Who stays when there is no room for all.

use std::sync::Arc;

use ocelli_model::StreamId;

use super::FrameCache;

fn id(name: &str) -> StreamId {
    name.parse().unwrap()
}

/// Plays `put a 10`, `get a`, `remove a` …; each `get` says whether it was held. What is held in the end, by name.
fn check(most_bytes: usize, acts: &[(&str, &str, usize)], expected: &[&str]) {
    let cache = FrameCache::new(most_bytes);
    let names = ["a", "b", "c", "d", "e"];
    for (at, (act, stream, bytes)) in acts.iter().enumerate() {
        let stream = id(stream);
        match *act {
            "put" => cache.put(&stream, Arc::new(at), *bytes),
            "remove" => cache.remove(&stream),
            "hit" => assert!(cache.get(&stream).is_some(), "act {at}: {acts:?}"),
            "miss" => assert!(cache.get(&stream).is_none(), "act {at}: {acts:?}"),
            other => panic!("{other}"),
        }
        assert!(cache.bytes() <= most_bytes, "act {at}: {acts:?}");
    }
    let held: Vec<_> = names.into_iter().filter(|name| cache.get(&id(name)).is_some()).collect();
    assert_eq!(held, expected, "{acts:?}");
    assert_eq!(cache.frames(), expected.len());
}

#[test]
fn what_is_asked_for_stays() {
    let put = |stream, bytes| ("put", stream, bytes);
    check(30, &[put("a", 10), put("b", 10), put("c", 10)], &["a", "b", "c"]);
    // Nobody asked: the first goes.
    check(30, &[put("a", 10), put("b", 10), put("c", 10), put("d", 10)], &["b", "c", "d"]);
    // A newer frame of the same stream does not make it more wanted.
    check(30, &[put("a", 10), put("b", 10), put("c", 10), put("a", 10), put("d", 10)], &["b", "c", "d"]);
    check(30, &[put("a", 10), put("b", 10), put("c", 10), ("hit", "a", 0), put("d", 10)], &["a", "c", "d"]);
    // All are wanted but the new one.
    let wanted = [put("a", 10), put("b", 10), ("hit", "a", 0), ("hit", "b", 0)];
    check(20, &[&wanted[..], &[put("c", 10)]].concat(), &["a", "b"]);
    // Asked for in vain, it is held from its next frame on, in place of the one that was not asked for longest.
    check(20, &[&wanted[..], &[("miss", "c", 0), put("c", 10), put("a", 10)]].concat(), &["b", "c"]);
    check(20, &[&wanted[..], &[put("c", 10), ("miss", "c", 0), put("c", 10)]].concat(), &["b", "c"]);
}

#[test]
fn sizes_count() {
    let put = |stream, bytes| ("put", stream, bytes);
    // Of two that nobody asked for, the one that came first gives way, here to the other.
    check(30, &[put("a", 10), put("b", 10), put("a", 25)], &["b"]);
    check(30, &[put("a", 10), put("b", 10), ("hit", "a", 0), put("a", 25)], &["a"]);
    check(30, &[put("a", 10), put("b", 20), ("hit", "b", 0), put("c", 15)], &["b"]);
    // Too large for all of it: nor is the older one the newest any more.
    check(30, &[put("a", 10), put("b", 10), ("hit", "a", 0), put("a", 31)], &["b"]);
    check(30, &[put("a", 30), put("a", 30), put("a", 0), put("b", 30)], &["a", "b"]);
    check(30, &[put("b", 1), put("a", usize::MAX)], &["b"]);
    check(0, &[put("a", 1), put("b", 0)], &["b"]);
}

#[test]
fn what_is_removed_is_forgotten() {
    let put = |stream, bytes| ("put", stream, bytes);
    check(20, &[put("a", 10), ("hit", "a", 0), ("remove", "a", 0), ("remove", "x", 0)], &[]);
    // Also that it was asked for.
    let acts = [
        put("a", 10),
        ("hit", "a", 0),
        ("remove", "a", 0),
        put("a", 10),
        put("b", 10),
        ("hit", "b", 0),
        put("c", 10),
    ];
    check(20, &acts, &["b", "c"]);
}

#[test]
fn the_newest_frame_is_given() {
    let cache = FrameCache::new(100);
    for number in 0..5 {
        cache.put(&id("a"), Arc::new(number), 10);
        assert_eq!(cache.get(&id("a")).as_deref(), Some(&number));
    }
    assert_eq!((cache.frames(), cache.bytes()), (1, 10));
    let endless = FrameCache::new(usize::MAX);
    endless.put(&id("a"), Arc::new(0), usize::MAX - 1);
    endless.put(&id("b"), Arc::new(0), usize::MAX - 1);
    assert_eq!((endless.frames(), endless.bytes()), (1, usize::MAX - 1));
}

/// Many threads: sums stay true.
#[test]
fn threads_share_it() {
    let cache = FrameCache::new(500);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let cache = &cache;
            std::thread::Builder::new()
                .name(format!("cache-{thread}"))
                .spawn_scoped(scope, move || {
                    for step in 0..5_000_usize {
                        let stream = id(&format!("cam{}", (step * 7 + thread) % 20));
                        match step % 3 {
                            0 => drop(cache.get(&stream)),
                            1 if step % 50 == 1 => cache.remove(&stream),
                            _ => cache.put(&stream, Arc::new(step), step % 90),
                        }
                    }
                })
                .unwrap();
        }
    });
    let bytes: usize =
        (0..20).filter_map(|at| cache.get(&id(&format!("cam{at}")))).map(|step| *step % 90).sum();
    assert_eq!(cache.bytes(), bytes);
}
