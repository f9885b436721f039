//! Sound beside pictures: from files, over HTTP and RTSP, on the pictures' timeline.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::Ordering,
};

use ocelli_ingest::{
    Source, SourceError, Transport,
    pull::{FileSource, HttpOptions, HttpSource, RtspError, RtspOptions},
};
use ocelli_media::{AudioCodec, AudioUnit};
use ocelli_net::Client;
use ocelli_testkit::{Clip, RtspServer};

use crate::{
    fake::{Packer, Script, Then},
    look::{drain, open, options},
    web::{Web, part},
};

/// Twelve seconds, long enough for a few sender reports. The sound sweeps: no two blocks are alike.
fn clip(folder: &Path, name: &str, codec: &[&str]) -> PathBuf {
    let silent = Clip::new(192, 128).rate(25, 1).frames(300).params("bframes=0:keyint=25").cached();
    let path = folder.join(name);
    let sweep = "aevalsrc='0.5*sin(2*PI*(200+40*t)*t)+0.2*(random(0)-0.5)':s=48000:d=12";
    let mut made = Command::new("ffmpeg");
    made.args(["-v", "error", "-y", "-i"]).arg(&silent).args(["-f", "lavfi", "-i", sweep]);
    made.args(["-map", "0:v", "-map", "1:a", "-c:v", "copy"]).args(codec).arg(&path);
    assert!(made.status().unwrap().success());
    path
}

/// Units, and the sound that came with each: never before the picture that was there when it came.
fn listen(source: &mut dyn Source) -> (Vec<i64>, Vec<AudioUnit>) {
    let (mut pictures, mut sound) = (Vec::new(), Vec::new());
    loop {
        let next = source.next_unit();
        sound.extend(std::iter::from_fn(|| source.next_audio()));
        match next {
            Ok(Some(unit)) => pictures.push(unit.pts),
            Ok(None) => return (pictures, sound),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn files_and_servers_give_the_same_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.mp4", &["-c:a", "aac", "-movflags", "+faststart"]);
    let (pictures, sound) = listen(&mut FileSource::open(&path).unwrap());
    assert_eq!(pictures.len(), 300);
    // 12 s in blocks of 1024, and what the encoder puts in front and behind.
    assert!((562..=565).contains(&sound.len()), "{}", sound.len());
    assert!(sound.windows(2).all(|pair| pair[1].pts - pair[0].pts == 1024));
    let body = fs::read(&path).unwrap();
    let server = Web::serve(move |head, _| part(head, "\"v1\"", &body));
    let options = HttpOptions::new(Client::new(options().policy).unwrap());
    let (_, far) = listen(&mut HttpSource::open(&server.url().parse().unwrap(), options).unwrap());
    let all =
        |sound: &[AudioUnit]| sound.iter().map(|unit| (unit.pts, unit.data.clone())).collect::<Vec<_>>();
    assert_eq!(all(&far), all(&sound));
}

#[test]
fn sound_over_rtsp_belongs_to_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let aac = clip(folder.path(), "a.mp4", &["-c:a", "aac"]);
    let (_, known) = listen(&mut FileSource::open(&aac).unwrap());
    let Some(server) = RtspServer::start_with_sound("aac", &[&aac]) else { return };
    let mut source = open(&server.url(0), options()).unwrap();
    let first = source.first_pts();
    let (pictures, sound) = listen(&mut source);
    assert_eq!(pictures, (0..300).map(|n| first + n * 3600).collect::<Vec<_>>());
    let parameters = &sound[0].parameters;
    assert_eq!(
        (&parameters.codec, parameters.sample_rate, parameters.channels),
        (&AudioCodec::Aac, 48_000, 1)
    );
    assert_eq!(parameters.extradata, known[0].parameters.extradata);
    assert!(sound.len() > 500, "{}", sound.len());
    assert!(sound.windows(2).all(|pair| pair[0].pts < pair[1].pts), "time is never repeated");
    // Each block by its bytes: when the file plays it, against when it was said to be heard.
    let times: HashMap<_, _> = known.iter().map(|unit| (unit.data.clone(), unit.pts)).collect();
    let late = |unit: &AudioUnit| {
        let since = unit.parameters.time_base.seconds(unit.pts) - first as f64 / 90_000.0;
        since - times[&unit.data] as f64 / 48_000.0
    };
    // By arrival at first; once there are reports, as exactly as is noticed.
    let last = late(sound.last().unwrap());
    assert!(last.abs() < 0.045, "{last} s");
    assert!(late(&sound[0]).abs() < 1.0);
}

#[test]
fn telephone_sound_over_rtsp() {
    let folder = tempfile::tempdir().unwrap();
    let law = clip(folder.path(), "law.mov", &["-c:a", "pcm_alaw", "-ar", "8000"]);
    let Some(server) = RtspServer::start_with_sound("alaw", &[&law]) else { return };
    let mut source = open(&server.url(0), options()).unwrap();
    let (pictures, sound) = listen(&mut source);
    assert_eq!(pictures.len(), 300);
    let parameters = &sound[0].parameters;
    assert_eq!(parameters.codec, AudioCodec::Other("pcm_alaw".to_owned()));
    assert_eq!((parameters.sample_rate, parameters.time_base.den(), parameters.channels), (8000, 8000, 1));
    let samples: usize = sound.iter().map(|unit| unit.data.len()).sum();
    assert!(
        (80_000..=96_000).contains(&samples),
        "{samples}: 12 s, but for what came before the first picture"
    );
}

#[test]
fn sound_comes_in_datagrams_too() {
    let folder = tempfile::tempdir().unwrap();
    let law = clip(folder.path(), "law.mov", &["-c:a", "pcm_alaw", "-ar", "8000"]);
    let Some(server) = RtspServer::start_with_sound("alaw", &[&law]) else { return };
    let datagrams = RtspOptions { transport: Transport::Udp, ..options() };
    let mut source = open(&server.url(0), datagrams).unwrap();
    let (pictures, sound) = listen(&mut source);
    assert_eq!((pictures.len(), source.damage()), (300, None));
    let samples: usize = sound.iter().map(|unit| unit.data.len()).sum();
    assert!((80_000..=96_000).contains(&samples), "{samples}");
}

/// Pictures, and beside them sound of 16 bit samples.
fn described(control: &str, media: Vec<u8>) -> Script {
    let sound = format!("m=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/8000\r\na=control:{control}\r\n");
    Script::described(&(crate::fake::H264.to_owned() + &sound), media, Then::Close)
}

fn pictures() -> Vec<u8> {
    let clip = Clip::new(192, 128).frames(20).container(ocelli_testkit::Container::Raw);
    Packer::new(90_000).file(&clip.params("bframes=0:keyint=10:slices=1:aud=0").cached()).out
}

/// One packet on the second stream's channel.
fn packet(sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![b'$', 2];
    packet.extend((12 + payload.len() as u16).to_be_bytes());
    packet.extend([0x80, 0xe1]);
    packet.extend(sequence.to_be_bytes());
    packet.extend([timestamp.to_be_bytes(), 7_u32.to_be_bytes()].concat());
    packet.extend(payload);
    packet
}

#[test]
fn sound_goes_on_from_the_picture_beside_it() {
    let media = [pictures(), packet(1, 500, &[0; 320]), packet(2, 660, &[1; 320])].concat();
    let server = described("sound", media).serve();
    let mut source = open(&server.url(), options()).unwrap();
    let mut sound = Vec::new();
    while source.next_unit().is_ok_and(|unit| unit.is_some()) {
        sound.extend(std::iter::from_fn(|| source.next_audio()));
    }
    sound.extend(std::iter::from_fn(|| source.next_audio()));
    // The 20th picture: 90 000 + 19 * 3000 ticks of 90 kHz are 13 066.7 of 8 kHz.
    assert_eq!(sound.iter().map(|unit| unit.pts).collect::<Vec<_>>(), [13_066, 13_226]);
    drop(source);
    let requests = server.requests();
    assert_eq!(requests.iter().filter(|request| request.starts_with("SETUP ")).count(), 2);
}

#[test]
fn a_server_without_its_sound_still_shows_pictures() {
    let server = described("refused", pictures()).serve();
    let mut source = open(&server.url(), options()).unwrap();
    assert_eq!(drain(&mut source).0.len(), 20);
    assert!(source.next_audio().is_none());
    drop(source);
    assert!(server.requests().iter().any(|request| request.contains("/refused ")));
}

#[test]
fn sound_that_breaks_the_protocol_is_left_out_the_next_time() {
    let options = options();
    // Half a sample.
    let broken = || described("sound", [packet(1, 0, &[1, 2, 3]), pictures()].concat()).serve();
    let (first, second) = (broken(), broken());
    let error = open(&first.url(), options.clone()).unwrap_err();
    assert!(matches!(error, SourceError::Rtsp(RtspError::Protocol(_))), "{error:?}");
    assert!(!options.sound.load(Ordering::Relaxed));
    let mut source = open(&second.url(), options).unwrap();
    assert_eq!(drain(&mut source).0.len(), 20);
    drop(source);
    assert_eq!(second.requests().iter().filter(|request| request.starts_with("SETUP ")).count(), 1);
}
