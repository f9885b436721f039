use ocelli_testkit::{Clip, ClipCodec, Container, Truth, clip, probe, probe::Frame, read_number_rotated, ts};

fn shown(truth: &Truth, pts: i64) -> &Frame {
    truth.at(pts).and_then(|picture| picture.frame.as_ref()).expect("what came out has a frame")
}

/// Every frame of the clip comes out once, at the PTS it was given, with its number readable.
fn check(name: &str, clip: &Clip) {
    let truth = probe(&clip.cached());
    assert_eq!(truth.time_base, clip.time_base(), "{name}");
    let seen: Vec<_> = truth.output.iter().map(|&pts| (pts, shown(&truth, pts).number)).collect();
    let expected: Vec<_> = (0..clip.len()).map(|n| (clip.pts(n), Some(clip.number(n)))).collect();
    assert_eq!(seen, expected, "{name}");
}

#[test]
fn numbers_and_times_survive_every_codec_and_container() {
    use ClipCodec::{Av1, Mjpeg, Mpeg2, Mpeg4, Vp8, Vp9, X264, X265};
    use Container::{Avi, Mkv, Mov, Mp4, Ts, WebM};
    let pairs: [(ClipCodec, &[Container]); 8] = [
        (X264, &[Mp4, Mkv, Ts, Mov]),
        (X265, &[Mp4, Mkv, Ts]),
        (Mpeg4, &[Mp4, Avi, Mkv]),
        (Mjpeg, &[Avi, Mov, Mkv]),
        (Mpeg2, &[Ts, Mkv]),
        (Vp8, &[WebM]),
        (Vp9, &[WebM, Mp4]),
        (Av1, &[Mp4, Mkv]),
    ];
    for (codec, containers) in pairs {
        for &container in containers {
            let clip = Clip::new(192, 128).frames(40).first_number(1000).codec(codec).container(container);
            check(&format!("{codec:?} in {container:?}"), &clip);
        }
    }
}

#[test]
fn any_list_of_timestamps_comes_back_exactly_with_b_frames_and_a_start() {
    // Jumps, jitter, a long pause; 1/90000 is finer than Matroska's milliseconds.
    let mut pts = vec![0_i64];
    for n in 1..50 {
        pts.push(pts[n - 1] + [3003, 1, 90_000, 2999, 3100, 45][n % 6]);
    }
    for codec in [ClipCodec::X264, ClipCodec::X265] {
        let clip = Clip::new(192, 128).codec(codec).timestamps(90_000, &pts).params("bframes=3:b-adapt=0");
        check("VFR from 0", &clip);
        check("VFR with a start", &clip.clone().start_pts(1_234_567));
        check("VFR in a transport stream", &clip.clone().container(Container::Ts));
        assert!(probe(&clip.cached()).reorder_depth() > 0);
    }
    let slow: Vec<i64> = (0..30).map(|n| n * 40 + n % 3 * 7).collect();
    for codec in [ClipCodec::Vp9, ClipCodec::Av1, ClipCodec::Mjpeg, ClipCodec::Mpeg4] {
        check(
            "VFR",
            &Clip::new(192, 128)
                .codec(codec)
                .timestamps(1000, &slow)
                .container(Container::Mkv)
                .start_pts(5000),
        );
    }
    check("1.1 fps", &Clip::new(192, 128).rate(11, 10).frames(20));
    check("29.97 fps", &Clip::new(192, 128).rate(30_000, 1001).start_pts(7 * 1001 + 3));
}

#[test]
fn clips_differ_by_settings_and_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clip = Clip::new(64, 48).frames(3);
    let first = clip.write(dir.path());
    let bytes = std::fs::read(&first).unwrap();
    assert_eq!(clip.write(dir.path()), first);
    assert_ne!(clip.clone().first_number(9).write(dir.path()), first);
    std::fs::remove_file(&first).unwrap();
    assert_eq!(std::fs::read(clip.write(dir.path())).unwrap(), bytes, "the same bytes again");
}

#[test]
fn special_files_are_what_they_claim() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [(2, 2), (16, 16), (97, 55)];
    for (width, height) in sizes {
        let clip = Clip::new(width, height).frames(5).codec(ClipCodec::Mpeg4);
        let truth = probe(&clip.write(dir.path()));
        let frame = truth.pictures[4].frame.as_ref().unwrap();
        assert_eq!((frame.width, frame.height, truth.output.len()), (width, height, 5));
    }
    let both = probe(&Clip::new(64, 48).frames(30).audio().write(dir.path()));
    assert_eq!(both.output.len(), 30);
}

#[test]
#[should_panic(expected = "no video stream in")]
fn sound_alone_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    probe(&clip::audio_only(dir.path()));
}

#[test]
fn an_edit_list_hides_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let clip = Clip::new(192, 128).params("keyint=10:scenecut=0");
    let whole = clip.cached();
    let trimmed = clip::trimmed(&whole, 0.5, dir.path());
    let bytes = std::fs::read(&trimmed).unwrap();
    assert!(bytes.windows(4).any(|tag| tag == b"elst"));
    let numbers: Vec<_> =
        probe(&trimmed).pictures.iter().map(|p| p.frame.as_ref().and_then(|f| f.number)).collect();
    assert!(numbers.contains(&Some(15)) && !numbers.contains(&Some(9)), "{numbers:?}");
}

#[test]
fn a_player_turns_the_picture_clockwise_as_asked() {
    for (degrees, width, height) in [(90, 128, 192), (180, 192, 128), (270, 128, 192)] {
        let clip = Clip::new(192, 128).frames(2).first_number(41).rotate(degrees).cached();
        let decode = ["-map", "0:v", "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"];
        let shown =
            std::process::Command::new("ffmpeg").arg("-i").arg(clip).args(decode).output().unwrap().stdout;
        assert_eq!(shown.len(), width * height, "{degrees}");
        assert_eq!(read_number_rotated(&shown, width, width, height), Some((41, degrees)));
    }
}

#[test]
fn transport_streams_are_cut_at_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let clip =
        Clip::new(192, 128).frames(30).container(Container::Ts).params("keyint=10:scenecut=0:bframes=0");
    let bytes = std::fs::read(clip.cached()).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        probe(&path)
    };
    let late = write("late.ts", &ts::select(&bytes, |n| n >= 4));
    assert_eq!(late.pictures.len(), 26);
    assert_eq!(late.pictures.iter().position(|p| p.flagged_key), Some(6));
    let missing = write("missing.ts", &ts::select(&bytes, |n| n != 10));
    assert_eq!(missing.pictures.iter().filter(|p| p.flagged_key).count(), 2);
    let larger = Clip::new(256, 144).frames(20).container(Container::Ts).start_pts(100);
    let joined = write("joined.ts", &ts::join(&[bytes, std::fs::read(larger.cached()).unwrap()]));
    let widths: Vec<usize> = joined.output.iter().map(|&pts| shown(&joined, pts).width).collect();
    assert_eq!(widths, [[192; 30].as_slice(), &[256; 20]].concat());
}
