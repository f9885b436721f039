//! What is really in a file, from a full decode by the installed `ffmpeg`, not from our parsers.
//!
//! Three runs: `ffprobe -show_packets -show_frames` (packets, picture types), `ffprobe -skip_frame noref` (the pictures missing
//! there are non-reference, H.264 and H.265 only), `ffmpeg` with two outputs (an MD5 per frame in its own pixel format, and grey pictures for
//! the frame numbers). All of them hold to the stream's own ticks: no frame-rate conversion, no rotation, no scaling before the hash,
//! timestamps copied, the encoder's time base taken from the demuxer.
//!
//! Pictures that the decoder itself withholds, because they lean on something never received, have no [`Picture::frame`]. `ffmpeg` hands
//! out concealed pictures without a word; a hash of a damaged stream says what a full decode shows, not what was coded.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use ocelli_model::TimeBase;
use serde_json::Value;

use crate::{cli, number, oracle};

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
    /// H.265 only: a leading picture that leans on nothing before its keyframe (`RADL_N`, `RADL_R`), as libavcodec's header tracer says.
    pub radl: bool,
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
    /// PTS of what came out, in the decoder's output order: that of PTS, unless packets are missing.
    pub output: Vec<i64>,
}

impl Truth {
    /// The picture with this PTS.
    pub fn at(&self, pts: i64) -> Option<&Picture> {
        self.pictures.iter().find(|picture| picture.pts == pts)
    }

    /// What the slot rule looks at. A keyframe is one that the decoder calls key and whose slices are intra, so an IDR, CRA or BLA
    /// picture or a recovery point without delay, and no step of an intra refresh.
    pub fn for_oracle(&self) -> Vec<oracle::Picture> {
        let intra = |frame: &Frame| frame.key_frame && frame.pict_type == 'I';
        let each = self.pictures.iter().map(|picture| oracle::Picture {
            pts: picture.pts,
            keyframe: picture.frame.as_ref().is_some_and(intra),
            reference: picture.reference,
            radl: picture.radl,
        });
        each.collect()
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
    let mut shown = frames_of(&described);
    let hashed = hashes(path, stream);
    assert_eq!(hashed.len(), shown.len(), "ffmpeg and ffprobe decode the same frames");
    for ((_, frame), (hash, number)) in shown.iter_mut().zip(hashed) {
        (frame.hash, frame.number) = (hash, number);
    }
    let output: Vec<i64> = shown.iter().map(|(pts, _)| *pts).collect();
    let mut frames = by_pts(shown);
    let exact = codec == "h264" || codec == "hevc";
    let kept = exact.then(|| by_pts(frames_of(&describe(path, &["-skip_frame", "noref"]))));
    let radl = if codec == "hevc" { radl(path) } else { HashSet::new() };
    let pictures = described["packets"].as_array().into_iter().flatten().map(|packet| {
        let dts = packet["dts"].as_i64();
        let pts = packet["pts"].as_i64().or(dts).expect("packets of a container have a PTS or a DTS");
        let frame = frames.remove(&pts);
        Picture {
            pts,
            dts,
            size: parsed(packet, "size"),
            radl: radl.contains(&pts),
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

/// In output order.
fn frames_of(described: &Value) -> Vec<(i64, Frame)> {
    let read = |frame: &Value| {
        // Not the best effort timestamp, which guesses when pictures come out of order.
        let pts = frame["pts"].as_i64().or(frame["pkt_dts"].as_i64()).expect("frames have a PTS or a DTS");
        let frame = Frame {
            key_frame: frame["key_frame"] == 1,
            pict_type: text(frame, "pict_type").chars().next().unwrap_or('?'),
            hash: String::new(),
            number: None,
            width: frame["width"].as_u64().unwrap_or(0) as usize,
            height: frame["height"].as_u64().unwrap_or(0) as usize,
        };
        (pts, frame)
    };
    described["frames"].as_array().into_iter().flatten().map(read).collect()
}

fn by_pts(frames: Vec<(i64, Frame)>) -> HashMap<i64, Frame> {
    let mut by_pts = HashMap::new();
    for (pts, frame) in frames {
        assert!(by_pts.insert(pts, frame).is_none(), "two frames at PTS {pts}");
    }
    by_pts
}

/// Hash and number of each frame in output order. What `ffmpeg` says of their PTS is not used: it is a guess when pictures come out of
/// order.
fn hashes(path: &Path, stream: &Value) -> Vec<(String, Option<u32>)> {
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
            let hash = row.rsplit(',').next().expect("a split has a last part").trim();
            (hash.to_owned(), number::read_number(luma, width, width, height))
        })
        .collect()
}

/// PTS of the packets whose first slice is of NAL unit type 6 or 7.
fn radl(path: &Path) -> HashSet<i64> {
    let mut command = cli::command("ffmpeg");
    command.args(["-copyts", "-loglevel", "trace", "-i"]).arg(path);
    command.args(["-map", "0:v:0", "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]);
    let said = cli::errors(&mut command);
    let (mut pts, mut found) = (None, HashSet::new());
    for line in said.lines().filter(|line| line.starts_with("[trace_headers")) {
        if let Some((_, rest)) = line.split_once("Packet: ").and_then(|(_, rest)| rest.split_once(" pts ")) {
            pts = rest.split(',').next().and_then(|pts| pts.parse::<i64>().ok());
        }
        if line.contains("(RADL_") {
            found.extend(pts);
        }
    }
    found
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
