//! Lists that are whole.

use std::{fs, sync::Arc};

use ocelli_ingest::{
    OpenSource as _, Source as _, SourceSpec, Stop,
    pull::{Opener, OpenerOptions},
};

use super::{list, open, options, segmented, serve, truth, url, whole};
use crate::{
    look::{drain, numbers},
    web::answer,
};

#[test]
fn every_picture_and_all_sound_of_every_kind_of_segment() {
    let fragmented = ["-hls_segment_type", "fmp4"];
    let single = ["-hls_flags", "single_file"];
    let both = [fragmented, single].concat();
    let segments = ["list0.ts", "list1.ts", "list2.ts", "list3.ts"];
    let pieces = ["init.mp4", "list0.m4s", "list1.m4s", "list2.m4s", "list3.m4s"];
    let cases: [(&[&str], &[&str]); 4] =
        [(&[], &segments), (&fragmented, &pieces), (&single, &["list.ts"]), (&both, &["list.m4s"])];
    for (options_of, names) in cases {
        let (folder, _) = segmented(0, options_of);
        let expected = truth(folder.path(), names);
        assert!(expected.0.len() == 120 && expected.1.len() > 180, "{options_of:?}");
        let server = serve(folder.path(), |_, _| None);
        let mut source = open(&url(&server, "list.m3u8"), options()).unwrap();
        assert_eq!(whole(&mut source), expected, "{options_of:?}");
        assert_eq!(source.damage(), None, "{options_of:?}");
        assert!(source.rewind().unwrap());
        assert_eq!(whole(&mut source).0.len(), 120, "{options_of:?} again");
    }
}

#[test]
fn the_best_variant_is_found_where_redirects_lead() {
    let (folder, _) = segmented(0, &[]);
    let expected = truth(folder.path(), &["list0.ts", "list1.ts", "list2.ts", "list3.ts"]);
    let server = serve(folder.path(), |path, _| match path {
        "live" => Some(answer("302 Found", "Location: /deep/down/main.m3u8?x=canary\r\n", b"")),
        "deep/down/main.m3u8" => Some(list(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS=\"mp4a.40.2\"\nsound.m3u8\n\
             #EXT-X-STREAM-INF:BANDWIDTH=5,CODECS=\"avc1.640015,mp4a.40.2\"\nhigh/list.m3u8\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"avc1.640015,mp4a.40.2\"\nlow/list.m3u8\n",
        )),
        _ => None,
    });
    let mut source = open(&url(&server, "live"), options()).unwrap();
    assert_eq!(whole(&mut source), expected);
    let heads = server.heads();
    assert!(heads.iter().any(|head| head.starts_with("GET /deep/down/high/list3.ts ")), "{heads:?}");
    assert!(!heads.iter().any(|head| head.contains("low") || head.contains("sound")), "{heads:?}");
}

#[test]
fn what_does_not_go_on_begins_anew() {
    let (folder, _) = segmented(0, &[]);
    let (other, _) = segmented(120, &[]);
    for n in 0..4 {
        fs::copy(other.path().join(format!("list{n}.ts")), folder.path().join(format!("other{n}.ts")))
            .unwrap();
    }
    let segment = |name: &str| format!("#EXTINF:1,\n{name}.ts\n");
    let text = ["list0", "list1", "other2", "other3", "list0"].map(segment);
    let date = "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:04:05.5Z\n";
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}{}{date}{}{}#EXT-X-DISCONTINUITY\n{}#EXT-X-ENDLIST\n",
        text[0], text[1], text[2], text[3], text[4]
    );
    let stretches: [&[&str]; 3] = [&["list0.ts", "list1.ts"], &["other2.ts", "other3.ts"], &["list0.ts"]];
    let sound: Vec<_> = stretches.iter().flat_map(|names| truth(folder.path(), names).1).collect();
    let server = serve(folder.path(), move |path, _| (path == "list.m3u8").then(|| list(&text)));
    assert_eq!(whole(&mut open(&url(&server, "list.m3u8"), options()).unwrap()).1, sound);
    let mut source = open(&url(&server, "list.m3u8"), options()).unwrap();
    let (units, error) = drain(&mut source);
    assert!(error.is_none() && source.damage().is_none(), "{error:?} {:?}", source.damage());
    let changes =
        units.windows(2).filter(|pair| !Arc::ptr_eq(&pair[0].parameters, &pair[1].parameters)).count();
    assert_eq!(changes, 2);
    // Each picture at the time that its segment gives it: those of ffmpeg begin at 1.4 s, and B-frames at their first keyframe.
    let pts = |n: u32| 133_500 + i64::from(n) * 3000;
    let mut seen: Vec<_> =
        numbers(&units).into_iter().map(|(pts, number, _)| (number.unwrap(), pts)).collect();
    seen.sort_unstable();
    let zero = seen[0].1 - pts(0);
    let expected = (0..30).flat_map(|n| [n, n]).chain(30..60).map(|n| (n, pts(n) + zero));
    let expected: Vec<_> = expected.chain((180..240).map(|n| (n, pts(n - 120) + zero))).collect();
    assert_eq!(seen, expected);
    let first = units.iter().find(|unit| unit.pts >= pts(60) + zero).unwrap();
    let anchor = source.anchor().unwrap();
    assert_eq!((anchor.pts, anchor.unix_ns), (first.pts, 1_795_964_645_500_000_000));
}

#[test]
fn a_url_of_a_playlist_is_opened_as_one() {
    let (folder, _) = segmented(0, &[]);
    let server = serve(folder.path(), |path, _| (path == "live").then(|| list("#EXTM3U\n")));
    let opener = Opener::new(OpenerOptions::new(crate::look::options().policy)).unwrap();
    let spec = SourceSpec::new(url(&server, "list.m3u8").parse().unwrap());
    let mut source = opener.open(&spec, &Stop::default()).unwrap();
    assert_eq!(whole(&mut *source).0.len(), 120);
    let refused =
        |url: String| opener.open(&SourceSpec::new(url.parse().unwrap()), &Stop::default()).unwrap_err();
    let plain = refused(url(&server, "live"));
    assert!(matches!(plain, ocelli_ingest::SourceError::Playlist), "{plain:?}");
    let meant = refused(format!("hls+{}", url(&server, "live")));
    assert!(matches!(meant, ocelli_ingest::SourceError::Hls(_)), "{meant:?}");
    let untrusted = SourceSpec { untrusted: true, ..spec };
    assert!(matches!(opener.open(&untrusted, &Stop::default()), Err(ocelli_ingest::SourceError::NoSandbox)));
    // Of a file it stays refused.
    let path = folder.path().join("list.m3u8");
    let opened = ocelli_ingest::pull::FileSource::open(&path);
    assert!(matches!(opened, Err(ocelli_ingest::SourceError::Playlist)));
}
