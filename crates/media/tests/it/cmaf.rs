//! Recorded clips: read back by our own reader and by FFmpeg, they are what was recorded, picture for picture and tick for tick.

mod clips;
mod sound;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, CodecParameters,
    bitstream::{Access, PictureReader},
    cmaf::{DecodeTimes, Framing, InitSegment, Sample, init, part},
    libav::Demuxer,
};
use ocelli_model::TimeBase;

/// Pictures in a part.
const PART: usize = 6;

/// A clip as the archive would write it into one file.
struct Recorded {
    parameters: Arc<CodecParameters>,
    init: InitSegment,
    samples: Vec<Sample>,
    parts: Vec<Bytes>,
}

fn units(path: &Path) -> Vec<AccessUnit> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap())).unwrap();
    std::iter::from_fn(|| demuxer.next_unit().unwrap()).collect()
}

fn record(units: &[AccessUnit]) -> Recorded {
    let source = &units[0].parameters;
    let mut reader = PictureReader::new(source);
    let mut framing = Framing::new(source).unwrap();
    let mut times = DecodeTimes::new(source.time_base, source.frame_rate);
    let mut samples: Vec<Sample> = Vec::new();
    for unit in units {
        let info = reader.read(&unit.data, unit.container_keyframe).unwrap();
        let keyframe = matches!(info.access, Access::Keyframe { .. });
        let framed = framing.sample(unit, keyframe).unwrap();
        assert!(!framed.changed || samples.is_empty(), "one initialisation segment for all");
        assert!(!framed.data.is_empty());
        let dts = times.push(unit.pts, unit.dts, info.reorder_depth);
        if let Some(last) = samples.last_mut() {
            last.ticks = (dts - last.dts).try_into().unwrap();
        }
        samples.push(Sample { pts: unit.pts, dts, ticks: 1, keyframe, data: framed.data });
    }
    let parameters = Arc::clone(framing.parameters().unwrap());
    let parts = parts_of(&samples, source.time_base);
    Recorded { init: init(&parameters, None).unwrap(), parameters, samples, parts }
}

fn parts_of(samples: &[Sample], time_base: TimeBase) -> Vec<Bytes> {
    let pieces = (1..).zip(samples.chunks(PART));
    pieces
        .map(|(sequence, piece)| part(sequence, (piece, time_base), (&[], TimeBase::SECOND)).unwrap())
        .collect()
}

impl Recorded {
    fn bytes(&self) -> Vec<u8> {
        let parts = self.parts.iter().map(|part| &part[..]);
        std::iter::once(&self.init.bytes[..]).chain(parts).flatten().copied().collect()
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("recorded.mp4");
        std::fs::write(&path, self.bytes()).unwrap();
        path
    }
}

/// What `ffprobe` says of the file, in JSON.
fn ffprobe(path: &Path, options: &[&str]) -> serde_json::Value {
    let mut command = Command::new("ffprobe");
    let output =
        command.args(["-v", "error"]).args(options).args(["-of", "json"]).arg(path).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
