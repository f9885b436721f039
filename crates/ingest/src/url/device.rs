//! Options of a local camera, as they are written.

use std::{path::PathBuf, str::FromStr};

use ocelli_model::Rate;

use super::SourceUrlError;

/// Pixels across and down.
const SIZES: std::ops::RangeInclusive<u32> = 16..=8192;
const MOST_RATE: f64 = 240.0;
const LEAST_RATE: f64 = 0.1;

/// A camera of this machine: `device:/dev/video0`, or with options as in `device:/dev/video0?size=1280x720&fps=30`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceOptions {
    /// `/dev/video` and a number, or a name in `/dev/v4l/by-id` or `/dev/v4l/by-path`, which stays when cameras are plugged
    /// in another order.
    pub path: PathBuf,
    /// `size=1280x720`: exactly that, or it is refused; the camera's own choice if `None`.
    pub size: Option<(u32, u32)>,
    /// `fps=30`: as near as the camera can.
    pub rate: Option<Rate>,
    /// `format=mjpeg`: what the camera sends; MJPEG if it can and `None`.
    pub format: Option<DeviceFormat>,
}

/// How a camera sends pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceFormat {
    /// `mjpeg`: each compressed by the camera.
    Mjpeg,
    /// `yuyv`: raw, 4:2:2; compressed here.
    Yuyv,
}

impl FromStr for DeviceOptions {
    type Err = SourceUrlError;

    /// What follows `device:`.
    fn from_str(rest: &str) -> Result<Self, SourceUrlError> {
        let (path, words) = rest.split_once('?').map_or((rest, None), |(path, words)| (path, Some(words)));
        if !is_camera(path) {
            return Err(usage());
        }
        let mut options = Self { path: PathBuf::from(path), size: None, rate: None, format: None };
        let mut seen = Vec::new();
        for word in words.into_iter().flat_map(|words| words.split('&')) {
            let (key, value) = word.split_once('=').ok_or_else(usage)?;
            if seen.contains(&key) {
                return Err(SourceUrlError("an option of the camera is given twice".to_owned()));
            }
            seen.push(key);
            match key {
                "size" => options.size = Some(size(value)?),
                "fps" => options.rate = Some(rate(value)?),
                "format" if value == "mjpeg" => options.format = Some(DeviceFormat::Mjpeg),
                "format" if value == "yuyv" => options.format = Some(DeviceFormat::Yuyv),
                _ => return Err(usage()),
            }
        }
        Ok(options)
    }
}

/// Other devices are no business of ours.
fn is_camera(path: &str) -> bool {
    if let Some(number) = path.strip_prefix("/dev/video") {
        return (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let name = path.strip_prefix("/dev/v4l/by-id/").or_else(|| path.strip_prefix("/dev/v4l/by-path/"));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:+-".contains(&byte);
    name.is_some_and(|name| !name.is_empty() && !name.starts_with('.') && name.bytes().all(allowed))
}

fn usage() -> SourceUrlError {
    SourceUrlError("write device:/dev/video0?size=1280x720&fps=30&format=mjpeg|yuyv".to_owned())
}

fn size(value: &str) -> Result<(u32, u32), SourceUrlError> {
    let side = |word: &str| word.parse().ok().filter(|side| SIZES.contains(side));
    let sides = value.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    let range = || format!("size is two numbers from {} to {}, as in 1280x720", SIZES.start(), SIZES.end());
    sides.ok_or_else(|| SourceUrlError(range()))
}

fn rate(value: &str) -> Result<Rate, SourceUrlError> {
    let rate = value.parse().ok().filter(|rate: &Rate| (LEAST_RATE..=MOST_RATE).contains(&rate.per_second()));
    let range =
        || format!("fps is a number from {LEAST_RATE} to {MOST_RATE}, or a fraction such as 30000/1001");
    rate.ok_or_else(|| SourceUrlError(range()))
}
