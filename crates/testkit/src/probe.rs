//! What is really in a file, from a full decode by the installed `ffmpeg`, not from our parsers.
//!
//! Three runs: `ffprobe -show_packets -show_frames` (packets, picture types), `ffprobe -skip_frame noref` (the pictures missing
//! there are non-reference, H.264 and H.265 only), `ffmpeg` with two outputs (an MD5 per frame in its own pixel format, and grey pictures for
//! the frame numbers). All of them hold to the stream's own ticks: no frame-rate conversion, no rotation, no scaling before the hash,
//! timestamps copied, the encoder's time base taken from the demuxer.
//!
//! Pictures that the decoder itself withholds, because they lean on something never received, have no [`Picture::frame`]. `ffmpeg` hands
//! out concealed pictures without a word; a hash of a damaged stream says what a full decode shows, not what was coded.

use std::{collections::HashMap, path::Path};

use ocelli_model::TimeBase;
use serde_json::Value;

use crate::{cli, number};

/// A frame that the full decode handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The decoder's key flag: an IRAP picture in H.265; in H.264 an IDR picture or a recovery point, *also one whose
    /// recovery takes more frames* (intra refresh), which [`Self::pict_type`] gives away.
    pub key_frame: bool,
    /// `I`, `P`, `B` (or codec-specific others) of the first slice.
    pub pict_type: char,
    /// MD5 of the picture's planes without padding, in the decoder's pixel format.
    pub hash: String,
    /// The painted number, if it can be read; of upright pictures only.
    pub number: Option<u32>,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
}

/// One coded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In the stream's ticks. Where the container has none (AVI), the DTS.
    pub pts: i64,
    /// In the stream's ticks.
    pub dts: Option<i64>,
    /// Bytes.
    pub size: usize,
    /// The container's or parser's keyframe flag, which may lie.
    pub flagged_key: bool,
    /// Whether other pictures may lean on it: H.264 and H.265 as read by the decoder, true elsewhere and where it was withheld.
    ///
    /// H.265: every sub-layer non-reference picture counts as non-reference; right as long as these sit in the highest temporal
    /// layer, where x265 puts them.
    pub reference: bool,
    /// What came out; `None` when the decoder withheld it.
    pub frame: Option<Frame>,
}

/// The first video stream of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// In ffmpeg's words: `h264`, `hevc`, …
    pub codec: String,
    /// Seconds per tick.
    pub time_base: TimeBase,
    /// In decode order.
    pub pictures: Vec<Picture>,
    /// PTS in output order: a subsequence of the PTS of `pictures`.
    pub output: Vec<i64>,
}

impl Truth {
    /// The picture with this PTS.
    pub fn at(&self, pts: i64) -> Option<&Picture> {
        self.pictures.iter().find(|picture| picture.pts == pts)
    }

    /// Largest number of pictures that are decoded before one, yet shown after it.
    pub fn reorder_depth(&self) -> usize {
        let depth = |(i, picture): (usize, &Picture)| {
            self.pictures[..i].iter().filter(|earlier| earlier.pts > picture.pts).count()
        };
        self.pictures.iter().enumerate().map(depth).max().unwrap_or(0)
    }
}

/// Decodes all of `path`. Panics when there is no video stream or a PTS occurs twice.
pub fn probe(path: &Path) -> Truth {
    let described = describe(path, &[]);
    let stream = &described["streams"][0];
    let codec = text(stream, "codec_name");
    let mut frames = frames_by_pts(&described);
    let mut output = Vec::new();
    for (pts, hash, number) in hashes(path, stream) {
        let frame = frames.get_mut(&pts).unwrap_or_else(|| panic!("ffprobe has no frame at PTS {pts}"));
        (frame.hash, frame.number) = (hash, number);
        output.push(pts);
    }
    assert_eq!(output.len(), frames.len(), "ffmpeg and ffprobe decode the same frames");
    let exact = codec == "h264" || codec == "hevc";
    let kept = exact.then(|| frames_by_pts(&describe(path, &["-skip_frame", "noref"])));
    let pictures = described["packets"].as_array().into_iter().flatten().map(|packet| {
        let dts = packet["dts"].as_i64();
        let pts = packet["pts"].as_i64().or(dts).expect("packets of a container have a PTS or a DTS");
        let frame = frames.remove(&pts);
        Picture {
            pts,
            dts,
            size: parsed(packet, "size"),
            flagged_key: text(packet, "flags").starts_with('K'),
            reference: frame.is_none() || kept.as_ref().is_none_or(|kept| kept.contains_key(&pts)),
            frame,
        }
    });
    let pictures: Vec<Picture> = pictures.collect();
    let left: Vec<_> = output.iter().filter(|pts| frames.contains_key(pts)).collect();
    assert!(left.is_empty(), "frames without a packet of their PTS: {left:?}");
    Truth { time_base: time_base(stream), codec, pictures, output }
}

fn describe(path: &Path, options: &[&str]) -> Value {
    let mut command = cli::command("ffprobe");
    command.args(options).args(["-select_streams", "v:0", "-show_streams", "-show_packets", "-show_frames"]);
    let json = cli::output(command.args(["-of", "json"]).arg(path));
    let mut described: Value = serde_json::from_slice(&json).expect("ffprobe writes JSON");
    assert!(described["streams"][0].is_object(), "no video stream in {}", path.display());
    // With both asked for, one mixed list arrives.
    if let Some(mixed) = described.get_mut("packets_and_frames").map(Value::take) {
        for kind in ["packet", "frame"] {
            let of_kind = mixed.as_array().into_iter().flatten().filter(|entry| entry["type"] == kind);
            described[format!("{kind}s")] = of_kind.cloned().collect();
        }
    }
    described
}

fn frames_by_pts(described: &Value) -> HashMap<i64, Frame> {
    let mut frames = HashMap::new();
    for frame in described["frames"].as_array().into_iter().flatten() {
        let pts =
            frame["pts"].as_i64().or(frame["best_effort_timestamp"].as_i64()).expect("frames have a PTS");
        let read = Frame {
            key_frame: frame["key_frame"] == 1,
            pict_type: text(frame, "pict_type").chars().next().unwrap_or('?'),
            hash: String::new(),
            number: None,
            width: frame["width"].as_u64().unwrap_or(0) as usize,
            height: frame["height"].as_u64().unwrap_or(0) as usize,
        };
        assert!(frames.insert(pts, read).is_none(), "two frames at PTS {pts}");
    }
    frames
}

/// PTS, hash and number of each frame in output order.
fn hashes(path: &Path, stream: &Value) -> Vec<(i64, String, Option<u32>)> {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let list = dir.path().join("hashes");
    let mut command = cli::command("ffmpeg");
    command.args(["-noautorotate", "-copyts", "-i"]).arg(path);
    let exact = ["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "-1"];
    command.args(exact).args(["-autoscale", "0", "-f", "framehash", "-hash", "md5"]).arg(&list);
    // Scaled to the first picture's size, which the number survives.
    command.args(exact).args(["-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]);
    let grey = cli::output(&mut command);
    let (width, height): (usize, usize) = (parsed(stream, "width"), parsed(stream, "height"));
    let list = std::fs::read_to_string(list).expect("ffmpeg writes a list of hashes");
    let rows = list.lines().filter(|line| !line.starts_with('#'));
    rows.zip(grey.chunks(width * height))
        .map(|(row, luma)| {
            let fields: Vec<&str> = row.split(',').map(str::trim).collect();
            let [_, _, pts, _, _, hash] = fields[..] else { panic!("unknown row of framehash: {row}") };
            let pts = pts.parse().unwrap_or_else(|_| panic!("no PTS in {row}"));
            (pts, hash.to_owned(), number::read_number(luma, width, width, height))
        })
        .collect()
}

fn time_base(stream: &Value) -> TimeBase {
    let fraction = text(stream, "time_base");
    let (num, den) = fraction.split_once('/').expect("a time base is a fraction");
    let part = |digits: &str| digits.parse().expect("a time base has whole parts");
    TimeBase::new(part(num), part(den)).expect("time bases are positive")
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// `ffprobe` writes some numbers as text.
fn parsed(value: &Value, key: &str) -> usize {
    let number = value[key].as_u64().or_else(|| value[key].as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {key} in {value}")) as usize
}
