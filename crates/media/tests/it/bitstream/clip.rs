//! Clips coded by the FFmpeg command line, cut into access units, with what FFmpeg itself reads in their headers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ocelli_media::bitstream::{BitstreamError, PictureInfo, PictureReader};
use ocelli_media::{Codec, CodecParameters};
use ocelli_model::TimeBase;

/// A coded clip and its access units in decode order.
pub(super) struct Clip {
    pub(super) parameters: CodecParameters,
    pub(super) units: Vec<Unit>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

/// One access unit as the demuxer gives it.
pub(super) struct Unit {
    pub(super) pts: i64,
    pub(super) data: Vec<u8>,
}

/// Syntax elements as FFmpeg's `trace_headers` prints them, in order.
pub(super) type Trace = Vec<(String, i64)>;

/// Codes a clip, options separated by spaces, in a container named by its file extension. Nothing, and a line that says
/// so, where FFmpeg or one of its encoders is not installed.
pub(super) fn encode(codec: &Codec, extension: &str, options: &str) -> Option<Clip> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("clip.{extension}"));
    run_encoder(&path, options).then(|| open(codec, path, folder))
}

/// The same with a first pass that lets the encoder plan ahead.
pub(super) fn encode_in_two_passes(codec: &Codec, extension: &str, options: &str) -> Option<Clip> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("clip.{extension}"));
    let log = folder.path().join("passes");
    let pass =
        |number| run_encoder(&path, &format!("{options} -pass {number} -passlogfile {}", log.display()));
    (pass(1) && pass(2)).then(|| open(codec, path, folder))
}

/// Whether the encoder is there; a failure of one that is there is the test's.
fn run_encoder(path: &Path, options: &str) -> bool {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=176x144:rate=25"]);
    command.args(options.split_whitespace()).args(["-threads", "1"]).arg(path);
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("Unknown encoder") => skip(options),
        Ok(output) => panic!("{options}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => skip("everything that needs ffmpeg (apt-get install ffmpeg)"),
    }
    false
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skip(what: &str) {
    eprintln!("skipped, FFmpeg cannot code it here: {what}");
}

fn open(codec: &Codec, path: PathBuf, folder: tempfile::TempDir) -> Clip {
    let packets = probe(&path, &["-show_entries", "packet=pts,size"]);
    // Raw packets one after the other; `-c copy` to this muxer leaves the framing alone.
    let raw = run("ffmpeg", &path, &["-map", "0:v", "-c", "copy", "-copyts", "-f", "data", "-"]).0;
    let mut rest = raw.as_slice();
    let units = packets
        .iter()
        .map(|line| {
            let (pts, size) = line.split_once(',').unwrap();
            let (data, tail) = rest.split_at(size.trim_end_matches(',').parse().unwrap());
            rest = tail;
            Unit { pts: pts.parse().unwrap_or_default(), data: data.to_vec() }
        })
        .collect();
    assert!(rest.is_empty(), "packets do not add up");
    let base = TimeBase::new(1, 90_000).unwrap();
    let parameters = CodecParameters::new(codec.clone(), extradata(&path).into(), base);
    Clip { parameters, units, path, _folder: folder }
}

/// The bytes of ffprobe's hex dump: `00000000: 0164 000b ffe1  .d....`.
fn extradata(path: &Path) -> Vec<u8> {
    let lines = probe(path, &["-show_data", "-show_entries", "stream=extradata"]);
    let dump = lines.iter().filter_map(|line| line.split_once(": "));
    let words = dump.flat_map(|(_, row)| row.split("  ").next().unwrap().split_whitespace());
    let bytes = words.flat_map(|word| word.as_bytes().chunks(2));
    bytes.map(|hex| u8::from_str_radix(str::from_utf8(hex).unwrap(), 16).unwrap()).collect()
}

/// The lines of ffprobe's answer, in CSV without names.
fn probe(path: &Path, options: &[&str]) -> Vec<String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-select_streams", "v", "-of", "csv=p=0"]).args(options).arg(path);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn run(program: &str, path: &Path, options: &[&str]) -> (Vec<u8>, String) {
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostats", "-nostdin", "-i"]).arg(path).args(options);
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    (output.stdout, log)
}

impl Clip {
    /// A reader that has seen nothing but the extradata.
    pub(super) fn reader(&self) -> PictureReader {
        PictureReader::new(&self.parameters)
    }

    /// What our reader says of every access unit, in decode order.
    pub(super) fn read(&self) -> Vec<Result<PictureInfo, BitstreamError>> {
        let mut reader = self.reader();
        self.units.iter().map(|unit| reader.read(&unit.data, false)).collect()
    }

    /// The same, where all of them are pictures.
    pub(super) fn pictures(&self) -> Vec<PictureInfo> {
        self.read()
            .into_iter()
            .enumerate()
            .map(|(at, info)| info.unwrap_or_else(|err| panic!("{at}: {err}")))
            .collect()
    }

    /// Headers of the extradata, and those of every access unit.
    pub(super) fn trace(&self) -> (Trace, Vec<Trace>) {
        let options = ["-map", "0:v", "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"];
        let log = run("ffmpeg", &self.path, &options).1;
        let mut traces = vec![Trace::new()];
        for line in log.lines().filter_map(|line| line.strip_prefix("[trace_headers @ ")) {
            let (_, line) = line.split_once("] ").unwrap_or_default();
            if line.starts_with("Packet: ") {
                traces.push(Trace::new());
            } else if let Some((head, value)) = line.rsplit_once(" = ")
                && let (Some(name), Ok(value)) = (head.split_whitespace().nth(1), value.trim().parse())
            {
                let trace: &mut Trace = traces.last_mut().unwrap();
                trace.push((name.to_owned(), value));
            }
        }
        let extradata = traces.remove(0);
        assert_eq!(traces.len(), self.units.len());
        (extradata, traces)
    }

    /// PTS of the pictures that FFmpeg decodes when it passes over those it thinks no reference.
    pub(super) fn decoded_references(&self) -> BTreeSet<i64> {
        self.decoded(&["-skip_frame", "noref"])
    }

    /// PTS of the pictures that FFmpeg calls keyframes.
    pub(super) fn decoded_keyframes(&self) -> BTreeSet<i64> {
        let lines = probe(&self.path, &["-show_entries", "frame=key_frame,pts"]);
        lines.iter().filter_map(|line| line.strip_prefix("1,")).filter_map(first_number).collect()
    }

    /// PTS of the pictures that FFmpeg decodes with these options.
    pub(super) fn decoded(&self, options: &[&str]) -> BTreeSet<i64> {
        let lines = probe(&self.path, &[options, &["-show_entries", "frame=pts"]].concat());
        lines.iter().filter_map(|line| first_number(line)).collect()
    }

    /// PTS of the access units for which `is` holds.
    pub(super) fn pts_where(
        &self,
        infos: &[PictureInfo],
        is: impl Fn(&PictureInfo) -> bool,
    ) -> BTreeSet<i64> {
        self.units.iter().zip(infos).filter(|(_, info)| is(info)).map(|(unit, _)| unit.pts).collect()
    }

    /// The most pictures that really precede one in decode order and follow it in output order.
    pub(super) fn reordering(&self) -> u32 {
        let earlier =
            |at: usize| self.units[..at].iter().filter(move |unit| unit.pts > self.units[at].pts).count();
        (0..self.units.len()).map(earlier).max().unwrap_or_default() as u32
    }
}

fn first_number(line: &str) -> Option<i64> {
    line.split(',').next()?.parse().ok()
}

/// All values of a syntax element.
pub(super) fn values<'a>(trace: &'a Trace, name: &'a str) -> impl Iterator<Item = i64> + 'a {
    trace.iter().filter(move |(element, _)| element == name).map(|(_, value)| *value)
}
