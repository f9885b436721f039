//! Sound beside pictures: exact as ffprobe sees it, and no picture differs for it.

use std::{
    fs::{self, File},
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
};

use ocelli_media::{
    AudioCodec, AudioUnit,
    libav::{DemuxError, Demuxer},
};
use ocelli_testkit::{Clip, Container};

/// What ffprobe prints for each packet of the sound: PTS and size.
fn probed(path: &Path) -> Vec<(i64, usize)> {
    let options =
        ["-v", "error", "-select_streams", "a:0", "-show_entries", "packet=pts,size,flags", "-of", "csv=p=0"];
    let said = Command::new("ffprobe").args(options).arg(path).output().unwrap();
    let lines = String::from_utf8(said.stdout).unwrap();
    let read = |line: &str| {
        let words: Vec<_> = line.split(',').collect();
        // Some lines are about what lies beside a packet.
        let [pts, size, flags, ..] = words[..] else { return None };
        (!flags.contains('D')).then(|| Some((pts.parse().ok()?, size.parse().ok()?)))?
    };
    lines.lines().filter_map(read).collect()
}

fn heard(demuxer: &mut Demuxer) -> Vec<AudioUnit> {
    let mut sound = Vec::new();
    while demuxer.next_unit().unwrap().is_some() {
        sound.extend(std::iter::from_fn(|| demuxer.next_audio()));
    }
    sound.extend(std::iter::from_fn(|| demuxer.next_audio()));
    sound
}

fn open(path: &Path) -> Demuxer {
    Demuxer::open_with_audio(Box::new(File::open(path).unwrap())).unwrap()
}

/// The clip with its streams in another container, its sound coded anew unless it is copied.
fn wrapped(clip: &Path, folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut made = Command::new("ffmpeg");
    made.args(["-v", "error", "-y", "-i"]).arg(clip).args(options).args(["-c:v", "copy"]).arg(&path);
    assert!(made.status().unwrap().success(), "{name}");
    path
}

/// Three seconds with a tone whose times are as its encoder gives them.
fn clip(folder: &Path) -> PathBuf {
    let silent = Clip::new(192, 128).frames(90).params("keyint=15:bframes=2").cached();
    let tone = ["-f", "lavfi", "-i", "sine=440:r=48000:d=3", "-map", "0:v", "-map", "1:a", "-c:a", "aac"];
    wrapped(&silent, folder, "tone.mp4", &tone)
}

#[test]
fn sound_is_what_the_container_holds() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path());
    let copied = ["-c:a", "copy"];
    let file = |name, options: &[&str]| wrapped(&clip, folder.path(), name, options);
    let cases = [
        (clip.clone(), AudioCodec::Aac),
        (file("copy.mkv", &copied), AudioCodec::Aac),
        (file("copy.flv", &copied), AudioCodec::Aac),
        (file("opus.mkv", &["-c:a", "libopus"]), AudioCodec::Opus),
        (file("opus.mp4", &["-c:a", "libopus"]), AudioCodec::Opus),
        (file("law.mov", &["-c:a", "pcm_alaw", "-ar", "8000"]), AudioCodec::Other("pcm_alaw".to_owned())),
        (file("two.ts", &["-c:a", "mp2"]), AudioCodec::Other("mp2".to_owned())),
    ];
    for (path, codec) in cases {
        let sound = heard(&mut open(&path));
        let seen: Vec<_> = sound.iter().map(|unit| (unit.pts, unit.data.len())).collect();
        assert!(seen.len() > 20, "{path:?}");
        assert_eq!(seen, probed(&path), "{path:?}");
        let parameters = &sound[0].parameters;
        assert_eq!((&parameters.codec, parameters.channels), (&codec, 1), "{path:?}");
        assert_eq!(parameters.sample_rate, if path.ends_with("law.mov") { 8000 } else { 48_000 });
        match codec {
            // Low complexity, 48 kHz, one channel.
            AudioCodec::Aac => assert_eq!(parameters.extradata[..2], [0x11, 0x88]),
            AudioCodec::Opus => assert!(parameters.extradata.starts_with(b"OpusHead")),
            AudioCodec::Other(_) => {}
        }
    }
}

#[test]
fn transport_streams_give_the_same_units_without_their_headers() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path());
    let transport = wrapped(&clip, folder.path(), "copy.ts", &["-c:a", "copy"]);
    let [plain, headed] = [&clip, &transport].map(|path| heard(&mut open(path)));
    let bytes = |sound: &[AudioUnit]| sound.iter().map(|unit| unit.data.clone()).collect::<Vec<_>>();
    // What an edit list cuts away in front is there in a transport stream.
    let (plain, headed_bytes) = (bytes(&plain), bytes(&headed));
    assert!(headed_bytes.ends_with(&plain) && headed_bytes.len() <= plain.len() + 1);
    let parameters = &headed[0].parameters;
    assert_eq!((parameters.sample_rate, parameters.channels), (48_000, 1));
    assert_eq!(parameters.extradata[..], [0x11, 0x88]);
    let steps: Vec<_> = headed.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
    assert!(steps.iter().all(|step| *step == 1920), "1024 samples at 90 kHz: {steps:?}");
}

/// PTS of the pictures, and how it ends.
fn pictures(opened: Result<Demuxer, DemuxError>) -> (Vec<i64>, Option<String>) {
    let mut demuxer = match opened {
        Ok(demuxer) => demuxer,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut seen = Vec::new();
    loop {
        match demuxer.next_unit() {
            Ok(Some(unit)) => seen.push(unit.pts),
            Ok(None) => return (seen, None),
            Err(error) => return (seen, Some(error.to_string())),
        }
    }
}

#[test]
fn pictures_do_not_depend_on_whether_anybody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path());
    let front = wrapped(&clip, folder.path(), "front.mp4", &["-c:a", "copy", "-movflags", "+faststart"]);
    let transport = Clip::new(192, 128).frames(90).audio().container(Container::Ts).cached();
    let matroska = Clip::new(192, 128).frames(90).audio().container(Container::Mkv).cached();
    for path in [front, transport, matroska] {
        let bytes = fs::read(&path).unwrap();
        // Whole, and cut at many places: in a picture, in sound, in between.
        for cut in (0..40).map(|n| bytes.len() - n * bytes.len() / 53) {
            let input = || Box::new(Cursor::new(bytes[..cut].to_vec()));
            let (deaf, listening) =
                (pictures(Demuxer::open(input())), pictures(Demuxer::open_with_audio(input())));
            assert_eq!(listening, deaf, "{path:?} cut at {cut}");
        }
    }
}

#[test]
fn sound_that_is_missing_takes_no_picture_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(clip(folder.path())).unwrap();
    // As in a file that keeps all sound behind all pictures, and is cut there: pieces of sound lie behind its end.
    let tables: Vec<_> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"stco")).collect();
    let [_, table] = tables[..] else { panic!("{tables:?}") };
    let entries = u32::from_be_bytes(bytes[table + 8..][..4].try_into().unwrap()) as usize;
    assert!(entries > 10);
    for entry in 5..entries {
        bytes[table + 12 + 4 * entry..][..4].copy_from_slice(&0x7fff_0000_u32.to_be_bytes());
    }
    let input = || Box::new(Cursor::new(bytes.clone()));
    let (deaf, listening) = (pictures(Demuxer::open(input())), pictures(Demuxer::open_with_audio(input())));
    assert_eq!((deaf.0.len(), &deaf.1), (90, &None));
    assert_eq!(listening, deaf);
}

#[test]
fn without_sound_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut demuxer = open(&Clip::new(192, 128).frames(30).cached());
    assert!(heard(&mut demuxer).is_empty());
    // Nobody asked for it.
    let mut demuxer = Demuxer::open(Box::new(File::open(clip(folder.path())).unwrap())).unwrap();
    assert!(heard(&mut demuxer).is_empty());
}
