//! Lists that grow, and lose what is old.

use std::{fmt::Write as _, thread};

use ocelli_ingest::{
    Source as _, SourceError, Stop,
    pull::{HlsError, HttpError, HttpOptions},
};

use super::{impatient, list, open, options, segmented, serve, truth, url, whole};
use crate::{
    look::drain,
    web::{Answer, answer},
};

/// The segments from `first` on, so many.
fn window(first: usize, count: usize, ended: bool) -> Answer {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for n in first..first + count {
        writeln!(text, "#EXTINF:1,\nlist{n}.ts").unwrap();
    }
    list(&(text + if ended { "#EXT-X-ENDLIST\n" } else { "" }))
}

#[test]
fn a_window_that_slides_is_followed_without_a_gap() {
    let (folder, _) = segmented(0, &[]);
    let expected = truth(folder.path(), &["list0.ts", "list1.ts", "list2.ts", "list3.ts"]);
    // Each look shows one more; one look fails.
    let server = serve(folder.path(), |path, before| {
        (path == "list.m3u8").then(|| match before {
            0 => window(0, 1, false),
            1 => window(0, 2, false),
            2 => answer("503 Service Unavailable", "", b""),
            3 => window(1, 2, false),
            _ => window(1, 3, true),
        })
    });
    let mut source = open(&url(&server, "list.m3u8"), options()).unwrap();
    assert_eq!(whole(&mut source), expected);
    assert_eq!(source.damage(), None);
}

#[test]
fn what_is_gone_before_it_is_read_is_told() {
    let (folder, _) = segmented(0, &[]);
    std::fs::remove_file(folder.path().join("list2.ts")).unwrap();
    let left_the_list = |path: &str, before| {
        (path == "list.m3u8").then(|| if before == 0 { window(0, 1, false) } else { window(3, 1, true) })
    };
    let left_the_server = |path: &str, before| {
        (path == "list.m3u8").then(|| if before == 0 { window(0, 4, false) } else { window(0, 4, true) })
    };
    for (server, missed) in
        [(serve(folder.path(), left_the_list), 2), (serve(folder.path(), left_the_server), 1)]
    {
        let mut source = open(&url(&server, "list.m3u8"), options()).unwrap();
        let (units, error) = drain(&mut source);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(units.len(), 60);
        let told = format!("segments that were gone before they were read: {missed}");
        assert_eq!(source.damage(), Some(told.as_str()));
        assert!(units.iter().all(|unit| !unit.damaged), "what is there is whole");
    }
}

#[test]
fn a_list_that_never_grows_is_a_stall() {
    let (folder, _) = segmented(0, &[]);
    let server = serve(folder.path(), |path, _| (path == "list.m3u8").then(|| window(0, 4, false)));
    let mut source = open(&url(&server, "list.m3u8"), impatient()).unwrap();
    let (units, error) = drain(&mut source);
    // Three target durations before the end; the last picture waits for what follows it.
    assert!((88..=90).contains(&units.len()), "{}", units.len());
    assert!(matches!(error, Some(SourceError::Http(HttpError::Stalled(_)))), "{error:?}");
    let looks = server.heads().iter().filter(|head| head.contains("list.m3u8")).count();
    assert!((2..20).contains(&looks), "{looks} looks");
}

#[test]
fn a_server_that_counts_anew_ends_the_run() {
    let (folder, _) = segmented(0, &[]);
    let server = serve(folder.path(), |path, before| match path {
        "list.m3u8" if before == 0 => Some(list(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:500\n#EXTINF:1,\nlist0.ts\n#EXTINF:1,\nlist1.ts\n",
        )),
        "list.m3u8" => Some(window(0, 2, false)),
        _ => None,
    });
    let mut source = open(&url(&server, "list.m3u8"), options()).unwrap();
    let (units, error) = drain(&mut source);
    assert!(units.len() > 55, "{}", units.len());
    assert!(matches!(error, Some(SourceError::Hls(HlsError::Restarted))), "{error:?}");
}

#[test]
fn a_wait_ends_when_it_is_told_to() {
    let (folder, _) = segmented(0, &[]);
    let server = serve(folder.path(), |path, _| (path == "list.m3u8").then(|| window(0, 4, false)));
    let stop = Stop::default();
    let mut source =
        open(&url(&server, "list.m3u8"), HttpOptions { stop: stop.clone(), ..options() }).unwrap();
    for _ in 0..80 {
        source.next_unit().unwrap().unwrap();
    }
    thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        let (_, error) = drain(&mut source);
        assert!(matches!(error, Some(SourceError::Stopped)), "{error:?}");
    });
}
