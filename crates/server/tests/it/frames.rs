//! What `ocelli extract` leaves in a folder.

use std::{path::Path, process::Command};

use ocelli_media::pixel::jpeg::comment;
use ocelli_testkit::read_number_rotated;

/// One JPEG of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) run: u32,
    pub(crate) pts: i64,
    pub(crate) time_base: (u32, u32),
    pub(crate) jpeg: Vec<u8>,
}

/// The frames of a folder, which holds nothing else: `frame_0001.jpg` and on without a gap, each with its media time.
pub(crate) fn frames(folder: &Path) -> Vec<Frame> {
    let count = std::fs::read_dir(folder).expect("the folder is there").count();
    let read = |n: usize| {
        let path = folder.join(format!("frame_{n:04}.jpg"));
        let jpeg = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        frame(jpeg).unwrap_or_else(|| panic!("no media time in {}", path.display()))
    };
    (1..=count).map(read).collect()
}

fn frame(jpeg: Vec<u8>) -> Option<Frame> {
    let text = str::from_utf8(comment(&jpeg)?).ok()?.strip_prefix("ocelli ")?;
    let field = |name: &str| text.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let (num, den) = field("time_base")?.split_once('/')?;
    let time_base: (u32, u32) = (num.parse().ok()?, den.parse().ok()?);
    let pts: i64 = field("pts")?.parse().ok()?;
    let seconds: f64 = field("seconds")?.parse().ok()?;
    let exact = pts as f64 * f64::from(time_base.0) / f64::from(time_base.1);
    assert!((seconds - exact).abs() < 1e-5, "{text}");
    Some(Frame { run: field("run")?.parse().ok()?, pts, time_base, jpeg })
}

/// The frame numbers that are seen in the JPEGs of a folder, decoded by ffmpeg, and by how far they are turned.
pub(crate) fn numbers(folder: &Path, (width, height): (usize, usize)) -> Vec<Option<(u32, u32)>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-xerror", "-start_number", "1", "-i"]);
    command.arg(folder.join("frame_%04d.jpg"));
    command.args(["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]);
    let out = command.output().expect("ffmpeg is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let read = |luma: &[u8]| read_number_rotated(luma, width, width, height);
    out.stdout.chunks(width * height).map(read).collect()
}
