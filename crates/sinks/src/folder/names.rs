//! The names in a frame folder.

use std::ffi::OsStr;

/// More digits than any run can reach: longer names were not written by us.
const MOST_DIGITS: usize = 15;

/// `frame_%04d.jpg`: four digits at least, five after 9999.
pub(super) fn frame(number: u64) -> String {
    format!("frame_{number:04}.jpg")
}

/// Where a frame grows. Neither `*.jpg` nor, for a shell, `*` matches it.
pub(super) fn part(number: u64) -> String {
    format!(".frame_{number:04}.part")
}

/// The number in `frame_<digits>.jpg`.
pub(super) fn frame_number(name: &OsStr) -> Option<u64> {
    digits(name.to_str()?.strip_prefix("frame_")?.strip_suffix(".jpg")?)
}

/// Whether the name is one that [`part`] gives.
pub(super) fn is_part(name: &OsStr) -> bool {
    let number = |name: &str| digits(name.strip_prefix(".frame_")?.strip_suffix(".part")?);
    name.to_str().and_then(number).is_some()
}

fn digits(text: &str) -> Option<u64> {
    let plain = (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
