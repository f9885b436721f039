//! The rules of RFC 8216bis (`draft-pantos-hls-rfc8216bis`) that apply, by its sections.

use std::sync::Arc;

use ocelli_archive::{LiveSegment, LiveWindow};
use ocelli_model::TimeBase;
use ocelli_store::{SegmentClass, SegmentRecord};

use super::{
    Asked, Begin, Playlist, Standing, live, multivariant,
    sample::{init, segment, window, with},
    standing, tail, vod,
};

fn text(playlist: &Playlist) -> String {
    String::from_utf8(playlist.with_query(None).to_vec()).unwrap()
}

fn lines(window: &LiveWindow) -> Vec<String> {
    text(&live(window, "", false)).lines().map(str::to_owned).collect()
}

/// Values of a tag, in order.
fn values(lines: &[String], tag: &str) -> Vec<String> {
    let of_tag = lines.iter().filter_map(|line| line.strip_prefix(tag)?.strip_prefix(':'));
    of_tag.map(str::to_owned).collect()
}

fn count(lines: &[String], line: &str) -> usize {
    lines.iter().filter(|found| *found == line).count()
}

#[test]
fn a_live_playlist_is_this() {
    let window = with(window(2, 2), 1, |segment| {
        segment.run = 2;
        segment.discontinuity = 1;
        segment.init = init('b');
        segment.parts.truncate(1);
        segment.stated = 18_000;
    });
    let window = with(window, 2, |segment| {
        segment.run = 2;
        segment.discontinuity = 1;
        segment.init = init('b');
    });
    let expected = "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.600,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.200
#EXT-X-MEDIA-SEQUENCE:10
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI=\"init-aaaaaaaaaaaaaaaa.mp4?run=0\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:11:13.000Z
#EXT-X-PART:DURATION=0.200000,URI=\"10.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200000,URI=\"10.1.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.2.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.3.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.4.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.5.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.6.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.7.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.8.m4s\"
#EXT-X-PART:DURATION=0.200000,URI=\"10.9.m4s\"
#EXTINF:2.000000,
10.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"init-bbbbbbbbbbbbbbbb.mp4?run=2\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:11:15.000Z
#EXT-X-PART:DURATION=0.200000,URI=\"11.0.m4s\",INDEPENDENT=YES
#EXTINF:0.200000,
11.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:11:17.000Z
#EXT-X-PART:DURATION=0.200000,URI=\"12.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200000,URI=\"12.1.m4s\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"12.2.m4s\"
";
    assert_eq!(text(&live(&window, "", false)), expected);
}

/// Readers that know nothing of parts read it as well.
#[test]
fn another_reader_reads_it() {
    let window = window(5, 3);
    let text = text(&live(&window, "", false));
    let (rest, read) = m3u8_rs::parse_media_playlist(text.as_bytes()).unwrap();
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!((read.media_sequence, read.discontinuity_sequence, read.target_duration), (10, 0, 2));
    assert!(read.independent_segments && !read.end_list);
    let uris: Vec<_> = read.segments.iter().map(|segment| segment.uri.as_str()).collect();
    assert_eq!(uris, ["10.m4s", "11.m4s", "12.m4s", "13.m4s", "14.m4s"]);
    assert_eq!(read.segments[0].map.as_ref().unwrap().uri, "init-aaaaaaaaaaaaaaaa.mp4?run=0");
    assert!(read.segments.iter().all(|segment| (segment.duration - 2.0).abs() < 1e-6));
    assert!(read.segments.iter().all(|segment| segment.program_date_time.is_some()));
}

#[test]
fn section_4_4_3_1_no_segment_is_longer_than_the_target() {
    for parts in [1, 7, 10, 12] {
        let window = with(window(3, 1), 1, |longer| *longer = segment(11, 0, 10, parts));
        let lines = lines(&window);
        for duration in values(&lines, "#EXTINF") {
            let seconds: f64 = duration.trim_end_matches(',').parse().unwrap();
            assert!(seconds.round() <= 2.0, "{seconds}");
        }
    }
}

/// A picture of 3 s in parts of 200 ms: told as long as it may be, in the part and in the segment.
#[test]
fn section_4_4_4_9_no_part_is_longer_than_the_target() {
    let window = with(window(3, 1), 1, |segment| {
        let last = segment.parts.last_mut().unwrap();
        last.ticks = 270_000;
        segment.end_pts += 252_000;
    });
    let lines = lines(&window);
    for part in values(&lines, "#EXT-X-PART") {
        assert!(part.starts_with("DURATION=0.200000,"), "{part}");
    }
    assert_eq!(values(&lines, "#EXTINF"), ["2.000000,"; 3]);
}

/// All ended before a segment was whole that anything could be promised of.
#[test]
fn section_4_4_3_7_without_a_promise_the_longest_part_is_told() {
    let ended = LiveWindow { ended: true, target_seconds: 0, part_target_ms: 0, ..window(1, 3) };
    assert_eq!(values(&lines(&ended), "#EXT-X-PART-INF"), ["PART-TARGET=0.200"]);
    assert_eq!(values(&lines(&ended), "#EXT-X-TARGETDURATION"), ["2"]);
}

#[test]
fn section_4_4_3_2_and_3_sequence_numbers_are_those_of_the_first_segment() {
    for (first, run) in [(0, 0), (7, 3), (u64::from(u32::MAX) + 9, 4_000_000_000_u32)] {
        let mut window = window(0, 0);
        window.segments =
            vec![Arc::new(segment(first, run, 0, 10)), Arc::new(segment(first + 1, run, 10, 10))];
        let lines = lines(&window);
        assert_eq!(values(&lines, "#EXT-X-MEDIA-SEQUENCE"), [first.to_string()]);
        assert_eq!(values(&lines, "#EXT-X-DISCONTINUITY-SEQUENCE"), [run.to_string()]);
        assert_eq!(count(&lines, "#EXT-X-DISCONTINUITY"), 0, "none before the first segment");
    }
}

/// The count of a segment stays, also after those before it are gone.
#[test]
fn section_4_4_4_3_discontinuities_are_counted() {
    let counts = [7, 7, 8, 9, 9, 10];
    let segment = |(place, count): (usize, &u64)| {
        let segment = segment(place as u64, 3, 0, 10);
        Arc::new(LiveSegment { discontinuity: *count, ..segment })
    };
    let whole: Vec<_> = counts.iter().enumerate().map(segment).collect();
    for gone in 0..counts.len() {
        let window = LiveWindow {
            segments: whole[gone..].to_vec(),
            target_seconds: 2,
            part_target_ms: 200,
            ..LiveWindow::default()
        };
        let lines = lines(&window);
        let mut sequence: u64 = values(&lines, "#EXT-X-DISCONTINUITY-SEQUENCE")[0].parse().unwrap();
        let mut found = Vec::new();
        for line in &lines {
            match line.as_str() {
                "#EXT-X-DISCONTINUITY" => sequence += 1,
                uri if !uri.starts_with('#') => found.push(sequence),
                _ => {}
            }
        }
        assert_eq!(found, counts[gone..], "{gone} are gone");
    }
}

#[test]
fn section_4_4_4_5_a_map_stands_where_another_begins_and_after_each_discontinuity() {
    let mut window = window(0, 0);
    let (mut changed, mut second) = (segment(12, 4, 10, 10), segment(11, 4, 0, 10));
    (changed.init, changed.discontinuity, second.discontinuity) = (init('b'), 2, 1);
    window.segments = [segment(10, 0, 0, 10), second, changed].into_iter().map(Arc::new).collect();
    let lines = lines(&window);
    let maps = values(&lines, "#EXT-X-MAP");
    let named = |map: &String| map.split("?run=").nth(1).unwrap().trim_end_matches('"').to_owned();
    assert_eq!(maps.iter().map(named).collect::<Vec<_>>(), ["0", "4", "4"], "{maps:?}");
    assert_eq!(count(&lines, "#EXT-X-DISCONTINUITY"), 2, "tracks that change within a run are one");
    let place = |wanted: &str| lines.iter().position(|line| line == wanted).unwrap();
    assert!(place("#EXT-X-DISCONTINUITY") < place("11.m4s"));
    let last = lines.iter().rposition(|line| line.starts_with("#EXT-X-MAP")).unwrap();
    assert!(place("11.m4s") < last && last < place("12.m4s"));
}

#[test]
fn section_4_4_2_1_segments_are_called_independent_where_all_are() {
    let tag = "#EXT-X-INDEPENDENT-SEGMENTS";
    assert_eq!(count(&lines(&window(3, 2)), tag), 1);
    assert_eq!(count(&lines(&with(window(3, 2), 1, |segment| segment.keyframe = false)), tag), 0);
    assert_eq!(
        count(&lines(&with(window(3, 2), 3, |segment| segment.keyframe = false)), tag),
        0,
        "the open one"
    );
}

#[test]
fn section_4_4_3_8_players_are_told_how_far_to_stay_and_what_may_be_skipped() {
    for (target, part, expected) in
        [(2, 200, "0.600,CAN-SKIP-UNTIL=12.0"), (10, 1_001, "3.003,CAN-SKIP-UNTIL=60.0")]
    {
        let window = LiveWindow { target_seconds: target, part_target_ms: part, ..window(3, 2) };
        let expected = format!("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={expected}");
        assert_eq!(values(&lines(&window), "#EXT-X-SERVER-CONTROL"), [expected]);
    }
}

#[test]
fn section_4_4_4_9_parts_are_listed_for_three_target_durations() {
    let listed = |window: &LiveWindow| -> Vec<u64> {
        let parts = values(&lines(window), "#EXT-X-PART");
        let mut numbers: Vec<u64> = parts
            .iter()
            .map(|part| part.split("URI=\"").nth(1).unwrap().split('.').next().unwrap().parse().unwrap())
            .collect();
        numbers.dedup();
        numbers
    };
    // Of the open segment there are 0.4 s: segment 18 ends 2.4 s before the end, 17 4.4 s, 16 6.4 s.
    assert_eq!(listed(&window(10, 2)), [17, 18, 19, 20]);
    let without = with(window(10, 2), 8, |segment| segment.parts.clear());
    assert_eq!(listed(&without), [17, 19, 20], "those that left memory are not listed");
    for part in values(&lines(&window(10, 2)), "#EXT-X-PART") {
        assert_eq!(part.contains("INDEPENDENT=YES"), part.contains(".0.m4s"), "{part}");
    }
}

#[test]
fn section_4_4_4_7_what_is_nowhere_is_a_gap() {
    let lost = with(window(4, 1), 1, |segment| {
        segment.parts.clear();
        segment.sealed = false;
    });
    let lines = lines(&lost);
    let place = lines.iter().position(|line| line == "11.m4s").unwrap();
    assert_eq!(lines[place - 2..place], ["#EXT-X-GAP", "#EXTINF:2.000000,"]);
    assert_eq!(count(&lines, "#EXT-X-GAP"), 1);
}

#[test]
fn section_4_4_5_3_the_next_part_is_hinted_at() {
    let check = |window: &LiveWindow, expected: &[&str]| {
        assert_eq!(values(&lines(window), "#EXT-X-PRELOAD-HINT"), expected);
    };
    check(&window(2, 3), &["TYPE=PART,URI=\"12.3.m4s\""]);
    check(&window(2, 0), &["TYPE=PART,URI=\"12.0.m4s\""]);
    check(&with(window(2, 9), 2, |segment| segment.sealed = true), &["TYPE=PART,URI=\"13.0.m4s\""]);
    check(&LiveWindow { ended: true, ..window(2, 3) }, &[]);
}

#[test]
fn section_6_2_2_numbers_have_no_hole() {
    let mut hole = window(5, 1);
    hole.segments.remove(2);
    assert_eq!(tail(&hole).iter().map(|segment| segment.number).collect::<Vec<_>>(), [13, 14, 15]);
    assert_eq!(values(&lines(&hole), "#EXT-X-MEDIA-SEQUENCE"), ["13"]);
    let back = with(window(5, 1), 2, |segment| segment.discontinuity = 7);
    assert_eq!(tail(&back)[0].number, 13, "a run that is older than the one before it");
    assert!(tail(&LiveWindow::default()).is_empty());
}

#[test]
fn section_4_4_3_4_what_has_ended_says_so() {
    let ended = lines(&LiveWindow { ended: true, ..window(2, 3) });
    assert_eq!(ended.last().unwrap(), "#EXT-X-ENDLIST");
    assert_eq!(
        ended[ended.len() - 3..ended.len() - 1],
        ["#EXTINF:0.600000,", "12.m4s"],
        "the last is complete"
    );
    assert_eq!(count(&lines(&window(2, 3)), "#EXT-X-ENDLIST"), 0);
}

#[test]
fn section_6_2_5_1_a_delta_leaves_out_what_lies_beyond_the_skip_boundary() {
    let delta = |window: &LiveWindow| -> Vec<String> {
        text(&live(window, "", true)).lines().map(str::to_owned).collect()
    };
    let whole = window(12, 5);
    let (all, some) = (lines(&whole), delta(&whole));
    // The open segment has 1 s: segment 16 ends 11 s before the end, segment 15 13 s.
    assert_eq!(values(&some, "#EXT-X-SKIP"), ["SKIPPED-SEGMENTS=6"]);
    let uris = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| !line.starts_with('#')).cloned().collect()
    };
    assert_eq!(uris(&some), uris(&all)[6..]);
    // What remains is as it stands in the whole playlist.
    let place = some.iter().position(|line| line.starts_with("#EXT-X-SKIP")).unwrap();
    assert!(all.ends_with(&some[place + 1..]));
    assert_eq!(some[..place], all[..place]);
    assert!(delta(&window(5, 5)) == lines(&window(5, 5)), "there is nothing to skip");
    let runs = with(whole, 0, |segment| (segment.run, segment.discontinuity) = (0, 0));
    let mut later = runs.clone();
    for place in 3..13 {
        later = with(later, place, |segment| (segment.run, segment.discontinuity) = (1, 1));
    }
    assert_eq!(delta(&later), lines(&later), "a discontinuity is never skipped: players count them");
}

#[test]
fn section_6_2_5_2_a_reload_waits_for_what_it_names() {
    // Sealed: 10, 11, 12; open: 13 with three parts.
    let window = window(3, 3);
    let check = |msn: u64, part: Option<u64>, expected: Standing| {
        assert_eq!(standing(&window, Asked { msn, part }), expected, "{msn} {part:?}");
    };
    check(0, None, Standing::Ready);
    check(12, None, Standing::Ready);
    check(13, None, Standing::Later);
    check(14, None, Standing::Later);
    check(15, None, Standing::TooFar);
    check(u64::MAX, None, Standing::TooFar);
    check(11, Some(99), Standing::Ready);
    check(12, Some(9), Standing::Ready);
    check(12, Some(10), Standing::Ready);
    check(13, Some(2), Standing::Ready);
    check(13, Some(3), Standing::Later);
    // The last part is number 2; the advance part limit of 200 ms parts is 15.
    check(13, Some(17), Standing::Later);
    check(13, Some(18), Standing::TooFar);
    check(13, Some(u64::MAX - 1), Standing::TooFar);
    check(14, Some(0), Standing::Later);
    check(15, Some(0), Standing::TooFar);
}

#[test]
fn section_6_2_5_2_a_part_beyond_the_last_of_its_segment_is_the_first_of_the_next() {
    let empty = window(3, 0);
    let check = |window: &LiveWindow, part: u64, expected: Standing| {
        assert_eq!(standing(window, Asked { msn: 12, part: Some(part) }), expected, "{part}");
    };
    check(&empty, 9, Standing::Ready);
    check(&empty, 10, Standing::Later);
    check(&window(3, 1), 10, Standing::Ready);
    let forgotten = with(empty, 2, |segment| segment.parts.clear());
    check(&forgotten, 10, Standing::Ready);
}

#[test]
fn section_6_2_5_2_long_parts_have_a_limit_of_three() {
    let window = LiveWindow { part_target_ms: 1_200, ..window(3, 1) };
    let check = |part: u64, expected: Standing| {
        assert_eq!(standing(&window, Asked { msn: 13, part: Some(part) }), expected, "{part}");
    };
    check(3, Standing::Later);
    check(4, Standing::TooFar);
}

#[test]
fn section_6_2_5_2_what_has_ended_waits_for_nothing() {
    let ended = LiveWindow { ended: true, ..window(3, 1) };
    assert_eq!(standing(&ended, Asked { msn: 99, part: Some(7) }), Standing::Ready);
    assert_eq!(standing(&LiveWindow::default(), Asked { msn: 0, part: None }), Standing::Later);
}

#[test]
fn a_query_is_hung_on_every_uri() {
    let plain = text(&live(&window(3, 2), "cam1/", false));
    let signed = live(&window(3, 2), "cam1/", false).with_query(Some("expires=1&signature=x"));
    let signed = String::from_utf8(signed.to_vec()).unwrap();
    assert_eq!(signed.replace("?expires=1&signature=x", "").replace("&expires=1&signature=x", ""), plain);
    let names = |line: &str| line.contains(".m4s") || line.contains(".mp4");
    for line in signed.lines().filter(|line| names(line)) {
        assert!(
            line.contains("?expires=1&signature=x") || line.contains("?run=0&expires=1&signature=x\""),
            "{line}"
        );
        assert!(line.contains("\"cam1/") || line.starts_with("cam1/"), "{line}");
    }
    assert!(signed.lines().any(names));
    let vod = vod(&[record(3, 0, 0)], None).unwrap().with_query(Some("a=b"));
    assert!(String::from_utf8(vod.to_vec()).unwrap().contains("?segment=3&run=0&a=b\""));
}

#[test]
fn a_multivariant_playlist_says_what_there_is() {
    let text = text(&multivariant(&window(3, 2), "live.m3u8").unwrap());
    let read = m3u8_rs::parse_master_playlist_res(text.as_bytes()).unwrap();
    let variant = &read.variants[0];
    assert_eq!(variant.codecs.as_deref(), Some("avc1.64001f,mp4a.40.2"));
    assert_eq!(variant.resolution.map(|size| (size.width, size.height)), Some((1280, 720)));
    assert_eq!(variant.uri, "live.m3u8");
    // Ten parts of six bytes in two seconds.
    assert!(
        variant.bandwidth >= 240 && variant.average_bandwidth.unwrap() <= variant.bandwidth,
        "{variant:?}"
    );
    assert!(multivariant(&LiveWindow::default(), "live.m3u8").is_none());
}

/// A segment of the archive: 2 s at 90 kHz, `at` seconds into its run.
fn record(number: u64, run: u32, at: i64) -> SegmentRecord {
    SegmentRecord {
        stream: "cam1".parse().unwrap(),
        number,
        run,
        time_base: TimeBase::new(1, 90_000).unwrap(),
        first_pts: 90_126_000 + at * 90_000,
        end_pts: 90_126_000 + (at + 2) * 90_000,
        keyframe: true,
        began_ms: 1_795_965_053_000 + at * 1_000,
        ended_ms: 1_795_965_055_000 + at * 1_000,
        init: "a".repeat(16),
        init_bytes: 700,
        bytes: 1_000_000,
        location: String::new(),
        class: SegmentClass::Other,
    }
}

#[test]
fn a_playlist_of_the_archive_is_this() {
    let segments = [record(7, 1, 0), record(8, 1, 2), record(20, 4, 0), record(24, 4, 7)];
    let expected = "\
#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=1.500000,PRECISE=YES
#EXT-X-MAP:URI=\"init-aaaaaaaaaaaaaaaa.mp4?segment=7&run=1\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:10:53.000Z
#EXTINF:2.000000,
7.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:10:55.000Z
#EXTINF:2.000000,
8.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"init-aaaaaaaaaaaaaaaa.mp4?segment=20&run=4\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:10:53.000Z
#EXTINF:2.000000,
20.m4s
#EXT-X-GAP
#EXTINF:1.666667,
gap-24-0.m4s
#EXT-X-GAP
#EXTINF:1.666667,
gap-24-1.m4s
#EXT-X-GAP
#EXTINF:1.666667,
gap-24-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-29T15:11:00.000Z
#EXTINF:2.000000,
24.m4s
#EXT-X-ENDLIST
";
    assert_eq!(text(&vod(&segments, Some(Begin(1.5))).unwrap()), expected);
}

#[test]
fn a_playlist_is_no_longer_than_anybody_needs() {
    let far = [record(1, 0, 0), record(2, 0, 400_000)];
    assert!(vod(&far, None).is_err(), "200,000 gaps");
    let runs = [record(1, 0, 0), record(2, 4_000_000_000, 0)];
    assert!(vod(&runs, None).is_ok(), "runs without media are none of its lines");
    let back = [
        SegmentRecord { first_pts: i64::MIN, end_pts: i64::MIN, ..record(1, 0, 0) },
        SegmentRecord { first_pts: i64::MAX, end_pts: i64::MAX, ..record(2, 0, 0) },
    ];
    assert!(vod(&back, None).is_err(), "all of time");
    assert!(vod(&[record(1, 0, 4), record(2, 0, 0)], None).is_ok(), "times that overlap are no gap");
}

/// Sound that begins, or pictures of another size.
#[test]
fn section_4_4_4_3_tracks_that_change_are_a_discontinuity() {
    let changed = SegmentRecord { init: "b".repeat(16), ..record(2, 1, 2) };
    let text = text(&vod(&[record(1, 1, 0), changed], None).unwrap());
    assert_eq!(
        text.matches("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-bbbbbbbbbbbbbbbb.mp4?segment=2&run=1\"\n")
            .count(),
        1,
        "{text}"
    );
}

/// The bench table has this to reach in 50 ms, reading the index included.
#[test]
fn an_hour_is_written_at_once() {
    let hour: Vec<_> = (0..1_800).map(|place| record(place, 0, place as i64 * 2)).collect();
    let text = text(&vod(&hour, None).unwrap());
    assert_eq!(text.matches("#EXTINF").count(), 1_800);
}
