//! Files to write to, and what ffprobe and ffmpeg find in them.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    process::Command,
};

use ocelli_model::TimeBase;
use tempfile::NamedTempFile;

use crate::{
    libav::{EncodeError, VideoSettings, VideoWriter, encoder::codec::Name},
    pixel::OwnedPicture,
};

/// Times as ffprobe prints them, in seconds per tick as it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) time_base: (i128, i128),
    pub(super) pts: Vec<i128>,
}

pub(super) fn writer(path: &Path, codec: Name, time_base: (u32, u32)) -> VideoWriter {
    let settings = VideoSettings::new(TimeBase::new(time_base.0, time_base.1).unwrap());
    let file = File::create(path).unwrap();
    VideoWriter::with_codecs(Box::new(file), settings, vec![codec]).unwrap()
}

/// Encodes one picture per PTS and closes the file.
pub(super) fn encode(pictures: &[OwnedPicture]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let mut writer = writer(file.path(), Name::X264, (1, 25));
    for (pts, picture) in (0..).zip(pictures) {
        writer.write(&picture.as_picture(), pts).unwrap();
    }
    writer.finish().unwrap();
    file
}

/// `what` is `packet` or `frame`.
pub(super) fn times(path: &Path, what: &str) -> Found {
    let text = probe(path, &format!("{what}=pts:stream=time_base"));
    let mut lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let base = lines.pop().unwrap().split_once('/').unwrap();
    let number = |text: &str| text.trim_end_matches('|').parse().unwrap();
    Found { time_base: (number(base.0), number(base.1)), pts: lines.into_iter().map(number).collect() }
}

pub(super) fn probe(path: &Path, entries: &str) -> String {
    let args = ["-v", "error", "-show_entries", entries, "-of", "compact=p=0:nk=1"];
    run(Command::new("ffprobe").args(args).arg(path), |bytes| String::from_utf8(bytes).unwrap())
}

/// Every decoded picture as planar 4:2:0, one after the other, without any conversion.
pub(super) fn decode(path: &Path) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(path).args(["-fps_mode", "passthrough", "-f", "rawvideo", "-"]);
    run(&mut command, |bytes| bytes)
}

fn run<T>(command: &mut Command, read: impl FnOnce(Vec<u8>) -> T) -> T {
    let output = command.output().expect("FFmpeg's tools are installed by ./dev setup");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    read(output.stdout)
}

/// A disk with `room` bytes left.
pub(super) struct Narrow {
    pub(super) file: File,
    pub(super) room: usize,
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(self.room);
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= fits;
        self.file.write(&bytes[..fits])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Narrow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

pub(super) fn is_full(error: &EncodeError) -> bool {
    matches!(error, EncodeError::Output(cause) if cause.kind() == io::ErrorKind::StorageFull)
}
