use proptest::prelude::*;

use super::*;

fn media(text: &str) -> Media {
    match Playlist::read(text.as_bytes()) {
        Ok(Playlist::Media(media)) => media,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn segments_have_what_was_said_before_them() {
    let text = "#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-MEDIA-SEQUENCE:17\r\n\
        # a remark\r\n#EXT-X-MAP:URI=\"init,1.mp4\",BYTERANGE=\"700@10\"\r\n#EXTINF:4.000,title, with = signs\r\na.m4s\r\n\r\n\
        #EXT-X-BYTERANGE:100@50\r\n#EXTINF:3.5\r\nb.m4s\r\n#EXTINF:3.5,\r\n#EXT-X-BYTERANGE:25\r\nb.m4s\r\n\
        #EXT-X-DISCONTINUITY\r\n#EXT-X-MAP:URI=\"init2.mp4\"\r\n#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\r\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:00:00Z\r\n#EXTINF:2,\r\nc.m4s\r\n#EXT-X-GAP\r\n#EXT-X-KEY:METHOD=NONE\r\n#EXTINF:2,\r\nd.m4s\r\n\
        #EXT-X-ENDLIST\r\n";
    let read = media(text);
    assert_eq!((read.target, read.first, read.ended), (Duration::from_secs(4), 17, true));
    let uris: Vec<_> = read.segments.iter().map(|segment| segment.uri.as_str()).collect();
    assert_eq!(uris, ["a.m4s", "b.m4s", "b.m4s", "c.m4s", "d.m4s"]);
    let ranges: Vec<_> = read.segments.iter().map(|segment| segment.range).collect();
    let range = |first, bytes| Some(Range { first, bytes });
    assert_eq!(ranges, [None, range(50, 100), range(150, 25), None, None]);
    let first = Map { uri: "init,1.mp4".to_owned(), range: range(10, 700) };
    assert_eq!(read.segments[0].map.as_deref(), Some(&first));
    assert_eq!(read.segments[4].map.as_ref().unwrap().uri, "init2.mp4");
    let flags: Vec<_> = read.segments.iter().map(|segment| (segment.discontinuity, segment.gap)).collect();
    assert_eq!(flags, [(false, false), (false, false), (false, false), (true, false), (false, true)]);
    assert_eq!(read.segments[3].encryption.as_deref(), Some("AES-128"));
    assert_eq!((&read.segments[2].encryption, &read.segments[4].encryption), (&None, &None));
    assert_eq!(read.segments[3].date.as_deref(), Some("2026-11-29T15:00:00Z"));
}

#[test]
fn variants_have_their_codecs() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500,CODECS=\"avc1.4d001f,mp4a.40.2\",RESOLUTION=1x1\nlow.m3u8\n\
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9,URI=\"i.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=900\nhigh.m3u8\n";
    let variant = |uri: &str, bandwidth, codecs: Option<&str>| Variant {
        uri: uri.to_owned(),
        bandwidth,
        codecs: codecs.map(str::to_owned),
    };
    let expected =
        vec![variant("low.m3u8", 500, Some("avc1.4d001f,mp4a.40.2")), variant("high.m3u8", 900, None)];
    assert_eq!(Playlist::read(text.as_bytes()), Ok(Playlist::Variants(expected)));
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let cases = [
        ("", "#EXTM3U"),
        ("<html>", "#EXTM3U"),
        ("#EXTM3U8\n", "#EXTM3U"),
        ("#EXTM3U\n", "TARGETDURATION"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:2\na.ts\n", "no EXTINF"),
        ("#EXTM3U\n#EXTINF:2\na.ts\n", "TARGETDURATION"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:-2\n", "duration"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:nan\n", "duration"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1e99\n", "duration"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:x\n", "duration"),
        ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n", "number"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2\n#EXT-X-BYTERANGE:5\na.ts\n", "begins nowhere"),
        (
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2\n#EXT-X-BYTERANGE:18446744073709551615@1\na.ts\n",
            "ends nowhere",
        ),
        (
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:2\na.ts\n",
            "overflow",
        ),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXTINF:2\nb\n", "both"),
        ("#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"1@1\"\n", "names nothing"),
        ("#EXTM3U\n#EXT-X-MAP:URI=\"i\",BYTERANGE=\"18446744073709551615@1\"\n", "ends nowhere"),
    ];
    for (text, expected) in cases {
        let error = Playlist::read(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(Playlist::read(b"#EXTM3U\n\xff").is_err());
    assert!(Playlist::read(&vec![b'#'; MOST_BYTES + 1]).is_err());
    let many = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}", "#EXTINF:1\na\n".repeat(MOST_SEGMENTS + 1));
    assert_eq!(Playlist::read(many.as_bytes()), Err(PlaylistError("it names too many segments")));
}

#[test]
fn a_list_without_segments_is_one_that_begins_soon() {
    assert_eq!(media("\u{feff}#EXTM3U\n#EXT-X-TARGETDURATION:2").segments, []);
}

proptest! {
    #[test]
    fn no_text_panics(lines in proptest::collection::vec("(#EXT(INF|-X-[A-Z-]{3,15})?:?)?[ -~]{0,30}", 0..20)) {
        let text = format!("#EXTM3U\n{}", lines.join("\n"));
        Playlist::read(text.as_bytes()).ok();
    }
}
