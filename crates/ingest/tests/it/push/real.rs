//! The real `ffmpeg` publishes.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use ocelli_ingest::push::Ending;
use ocelli_media::{AudioCodec, Codec};
use ocelli_testkit::Clip;
use sha2::{Digest as _, Sha256};

use super::stand::{Read, SECRET, Stand};
use crate::look::numbers;

/// A publisher in a process of its own; it ends with its handle.
struct Ffmpeg(Child);

impl Ffmpeg {
    /// Publishes a file as it is, in real time.
    fn publish(file: &Path, port: u16, key: &str) -> Self {
        Self::run(&["-re", "-i", file.to_str().unwrap(), "-c", "copy"], port, key)
    }

    fn run(options: &[&str], port: u16, key: &str) -> Self {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]).args(options);
        command.args(["-f", "flv", &format!("rtmp://127.0.0.1:{port}/live/{key}?secret={SECRET}")]);
        Self(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("ffmpeg is installed"))
    }

    /// How it ended, and what it said.
    fn done(&mut self) -> (bool, String) {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut said).unwrap();
        (self.0.wait().unwrap().success(), said)
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // A process of ours.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A packet as `ffprobe` has it: PTS and DTS from the first DTS on, in milliseconds, and the hash of its bytes.
type Packet = (i64, i64, String);

/// Of one kind of a file; milliseconds must be exact.
fn packets(file: &Path, kind: &str, ticks: i64) -> Vec<Packet> {
    let mut command = Command::new("ffprobe");
    command.args(["-loglevel", "error", "-select_streams", kind, "-show_packets"]);
    command.args(["-show_data_hash", "sha256", "-of", "json"]).arg(file);
    let output = command.output().expect("ffprobe is installed").stdout;
    let json: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let read = |packet: &serde_json::Value| {
        let time = |name: &str| (packet[name].as_i64().unwrap() * 1000).div_euclid(ticks);
        let hash = packet["data_hash"].as_str().unwrap().to_ascii_lowercase();
        (time("pts"), time("dts"), hash.trim_start_matches("sha256:").to_owned())
    };
    from_first(json["packets"].as_array().unwrap().iter().map(read).collect())
}

fn from_first(mut packets: Vec<Packet>) -> Vec<Packet> {
    let first = packets[0].1;
    for packet in &mut packets {
        packet.0 -= first;
        packet.1 -= first;
    }
    packets
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn received(read: &Read) -> Vec<Packet> {
    from_first(read.units.iter().map(|unit| (unit.pts, unit.dts.unwrap(), hash(&unit.data))).collect())
}

/// 25 a second: whole milliseconds.
fn clip(frames: u32) -> Clip {
    Clip::new(192, 128).rate(25, 1).frames(frames).params("bframes=2:keyint=25")
}

#[test]
fn every_unit_arrives_byte_for_byte_at_its_time() {
    let file = clip(50).audio().cached();
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let mut ffmpeg = Ffmpeg::publish(&file, stand.port, "cam1");
    assert_eq!(ffmpeg.done(), (true, String::new()));
    let read = reading.done();
    assert_eq!((read.end(), &read.damage), (Ending::Left, &None));
    assert_eq!(received(&read), packets(&file, "v:0", 25));
    let parameters = &read.units[0].parameters;
    assert_eq!((parameters.codec.clone(), parameters.width, parameters.height), (Codec::H264, 192, 128));
    assert!(read.units.iter().all(|unit| std::sync::Arc::ptr_eq(&unit.parameters, parameters)));
    assert!(read.units[0].container_keyframe && !read.units.iter().any(|unit| unit.damaged));
    let seen: Vec<_> = numbers(&read.units).iter().map(|(_, number, _)| number.unwrap()).collect();
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    // Sound: the same bytes in the same order, and within a millisecond of its time.
    let expected = packets(&file, "a:0", 48_000);
    assert_eq!(read.sounds.len(), expected.len());
    let first = read.sounds[0].pts;
    for (sound, (pts, _, bytes)) in read.sounds.iter().zip(&expected) {
        assert_eq!(&hash(&sound.data), bytes);
        assert!((sound.pts - first - pts).abs() <= 1, "{} {pts}", sound.pts);
    }
    let sound = &read.sounds[0].parameters;
    assert_eq!((sound.codec.clone(), sound.sample_rate, sound.channels), (AudioCodec::Aac, 48_000, 1));
    stand.log.wait_for(&["INFO", "stream=cam1", "a publisher begins"]);
    stand.log.wait_for(&[
        "INFO",
        "stream=cam1",
        "pictures=50",
        "unexplained=0 unreadable=0",
        "the publisher left",
    ]);
}

#[test]
fn a_stream_of_many_hours_stays_exact() {
    let file = clip(50).cached();
    let stand = Stand::start();
    let reading = stand.read("cam1");
    // Within it, times outgrow the 24 bits of a header.
    let start = 0xff_ffff - 1000;
    let offset = format!("{start}ms");
    let options = ["-re", "-i", file.to_str().unwrap(), "-c", "copy", "-output_ts_offset", &offset];
    assert_eq!(Ffmpeg::run(&options, stand.port, "cam1").done(), (true, String::new()));
    let read = reading.done();
    assert_eq!((received(&read), read.end()), (packets(&file, "v:0", 25), Ending::Left));
    let times = (read.units[0].dts.unwrap(), read.units[0].pts, read.units[49].dts.unwrap());
    // Two pictures are reordered: decoding begins that much earlier.
    assert_eq!(times, (start - 80, start, start - 80 + 49 * 40));
}

#[test]
fn pictures_that_are_made_as_they_are_sent_arrive() {
    let stand = Stand::start();
    let reading = stand.read("cam1");
    let camera = "testsrc=size=320x240:rate=30:duration=1";
    let options = [
        "-re",
        "-f",
        "lavfi",
        "-i",
        camera,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
    ];
    let mut ffmpeg = Ffmpeg::run(&options, stand.port, "cam1");
    assert_eq!(ffmpeg.done(), (true, String::new()));
    let read = reading.done();
    assert_eq!((read.units.len(), read.sounds.len(), read.end()), (30, 0, Ending::Left));
    assert_eq!(numbers(&read.units).len(), 30, "every picture decodes");
}

#[test]
fn eight_publish_at_once() {
    let stand = Stand::start();
    let files: Vec<_> = (0..8_u32).map(|index| clip(50).first_number(1000 * index).cached()).collect();
    let readings: Vec<_> = (0..8).map(|index| stand.read(&format!("cam{index}"))).collect();
    let mut publishers: Vec<_> =
        (0..8).map(|index| Ffmpeg::publish(&files[index], stand.port, &format!("cam{index}"))).collect();
    for ffmpeg in &mut publishers {
        assert_eq!(ffmpeg.done(), (true, String::new()));
    }
    for (reading, file) in readings.into_iter().zip(&files) {
        let read = reading.done();
        assert_eq!((received(&read), read.end()), (packets(file, "v:0", 25), Ending::Left));
    }
}

#[test]
fn a_publisher_that_is_killed_comes_back_in_a_new_run() {
    let file = clip(750).cached();
    let stand = Stand::start();
    let (seen, ten) = std::sync::mpsc::sync_channel(1);
    let reading = stand.read_with("cam1", move |source| {
        for _ in 0..10 {
            assert!(source.next_unit().unwrap().is_some());
        }
        seen.send(()).unwrap();
        Read::whole(source)
    });
    let mut ffmpeg = Ffmpeg::publish(&file, stand.port, "cam1");
    ten.recv().unwrap();
    ffmpeg.0.kill().unwrap();
    assert_eq!(reading.done().end(), Ending::Broken);
    stand.log.wait_for(&["WARN", "stream=cam1", "connection broke"]);
    let reading = stand.read("cam1");
    let short = clip(10).cached();
    assert!(Ffmpeg::publish(&short, stand.port, "cam1").done().0);
    let read = reading.done();
    assert_eq!((received(&read), read.end()), (packets(&short, "v:0", 25), Ending::Left));
}

#[test]
fn whoever_may_not_publish_is_told_why() {
    let stand = Stand::start();
    let (ok, said) = Ffmpeg::publish(&clip(10).cached(), stand.port, "cam1").done();
    assert!(!ok && said.contains("the stream is not running; start it"), "{said}");
    let (ok, said) = Ffmpeg::publish(&clip(10).cached(), stand.port, "none").done();
    assert!(!ok && said.contains("check stream key and secret"), "{said}");
}
