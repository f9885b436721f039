//! From painted frames to a file, through the stdin of `ffmpeg`.

use std::{path::Path, process::Command};

use super::{Clip, ClipCodec, Container};
use crate::{cli, paint::Painter};

pub(super) fn encode(clip: &Clip, path: &Path) {
    let mut command = cli::command("ffmpeg");
    let size = format!("{}x{}", clip.width, clip.height);
    let rate = format!("{}/{}", clip.rate.0, clip.rate.1);
    command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &rate, "-i", "pipe:0"]);
    if clip.audio {
        let last = f64::from(clip.frames) * f64::from(clip.rate.1) / f64::from(clip.rate.0);
        command.args(["-f", "lavfi", "-i", &format!("sine=440:r=48000:d={last}")]);
        command.args(["-map", "0:v", "-map", "1:a", "-c:a", "aac"]);
    }
    timing(clip, &mut command);
    codec(clip, &mut command);
    container(clip, &mut command);
    command.args(&clip.options).arg(path);
    let painter = Painter::new(clip.width, clip.height);
    cli::run(&mut command, (0..clip.frames).map(|n| painter.frame(clip.number(n))));
    if let Some(degrees) = clip.rotate {
        turn(path, degrees, clip.ticks_per_second());
    }
}

/// Sets the display matrix, which `ffmpeg` 5.1 does only in a copy, and counts counter-clockwise.
fn turn(path: &Path, degrees: u32, ticks: u32) {
    let upright = path.with_extension("upright");
    std::fs::rename(path, &upright).expect("a file can be renamed within its folder");
    let mut command = cli::command("ffmpeg");
    let ticks = ticks.to_string();
    command.args(["-copyts", "-i"]).arg(upright).args(["-c", "copy", "-f", "mp4"]);
    command.args(["-video_track_timescale", &ticks, "-movie_timescale", &ticks, "-metadata:s:v:0"]);
    cli::run(command.arg(format!("rotate={}", (360 - degrees % 360) % 360)).arg(path), std::iter::empty());
}

/// Every frame once, at exactly the PTS that the clip says: passthrough, a table for `setpts`, and an encoder that counts
/// in the same ticks.
fn timing(clip: &Clip, command: &mut Command) {
    let pts: Vec<i64> = (0..clip.frames).map(|n| clip.own_pts(n)).collect();
    let ticks = clip.ticks_per_second();
    command.arg("-vf").arg(format!("settb=1/{ticks},setpts='{}'", table(&pts, 0, clip.rate.1)));
    command.args(["-fps_mode", "passthrough", "-enc_time_base"]);
    // MPEG-2 knows a few frame rates and no other clock.
    let frame = if clip.codec == ClipCodec::Mpeg2 { clip.rate.1 } else { 1 };
    command.arg(format!("{frame}:{ticks}"));
}

/// An expression of the frame's index `N` that yields `pts[N - first]`: a search tree whose leaves are runs of constant step.
fn table(pts: &[i64], first: usize, step: u32) -> String {
    let step = i64::from(step);
    match pts {
        [] => "0".to_owned(),
        [start, ..] if pts.iter().zip(0..).all(|(pts, n)| *pts == start + n * step) => {
            format!("{}+N*{step}", start - first as i64 * step)
        }
        _ => {
            let (low, high) = pts.split_at(pts.len() / 2);
            let middle = first + low.len();
            format!(
                "if(lt(N,{middle}),{},{})",
                table(low, first, step as u32),
                table(high, middle, step as u32)
            )
        }
    }
}

fn codec(clip: &Clip, command: &mut Command) {
    let defaults: &[&str] = match clip.codec {
        ClipCodec::X264 => &["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"],
        ClipCodec::X265 => &["-c:v", "libx265", "-preset", "ultrafast", "-crf", "20"],
        ClipCodec::Mpeg4 => &["-c:v", "mpeg4", "-q:v", "4"],
        ClipCodec::Mjpeg => &["-c:v", "mjpeg", "-q:v", "4", "-color_range", "pc"],
        ClipCodec::Mpeg2 => &["-c:v", "mpeg2video", "-q:v", "4"],
        ClipCodec::Vp8 => &["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "800k"],
        ClipCodec::Vp9 => &["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "8", "-b:v", "800k"],
        ClipCodec::Av1 => &["-c:v", "libaom-av1", "-usage", "good", "-cpu-used", "8", "-b:v", "800k"],
    };
    // One thread: the same bytes on every machine.
    command.args(defaults).args(["-threads", "1", "-pix_fmt", &clip.pixel_format]);
    let params = clip.params.join(":");
    match clip.codec {
        ClipCodec::X264 if !params.is_empty() => command.args(["-x264-params", &params]),
        ClipCodec::X265 => {
            let params = if params.is_empty() { params } else { format!(":{params}") };
            command.arg("-x265-params").arg(format!("log-level=error:pools=none:frame-threads=1{params}"))
        }
        _ => command,
    };
    if clip.codec == ClipCodec::X265 && matches!(clip.container, Container::Mp4 | Container::Mov) {
        command.args(["-tag:v", "hvc1"]);
    }
}

fn container(clip: &Clip, command: &mut Command) {
    let ticks = clip.ticks_per_second().to_string();
    match clip.container {
        Container::Mp4 | Container::Mov => {
            // The edit list that holds the start counts in the movie's time scale.
            command.args(["-video_track_timescale", &ticks, "-movie_timescale", &ticks]);
        }
        Container::Ts => {
            command.args(["-muxdelay", "0", "-muxpreload", "0"]);
        }
        Container::Mkv | Container::WebM | Container::Avi | Container::Raw => {}
    }
    let format = match (clip.container, clip.codec) {
        (Container::Mp4, _) => "mp4",
        (Container::Mov, _) => "mov",
        (Container::Mkv, _) => "matroska",
        (Container::WebM, _) => "webm",
        (Container::Ts, _) => "mpegts",
        (Container::Avi, _) => "avi",
        (Container::Raw, ClipCodec::X264) => "h264",
        (Container::Raw, ClipCodec::X265) => "hevc",
        (Container::Raw, ClipCodec::Mpeg4) => "m4v",
        (Container::Raw, ClipCodec::Mpeg2) => "mpeg2video",
        (Container::Raw, ClipCodec::Mjpeg) => "mjpeg",
        (Container::Raw, ClipCodec::Av1) => "obu",
        (Container::Raw, ClipCodec::Vp8 | ClipCodec::Vp9) => "ivf",
    };
    command.args(["-avoid_negative_ts", "disabled", "-f", format]);
}

pub(super) fn tone(path: &Path) {
    let mut command = cli::command("ffmpeg");
    command.args(["-f", "lavfi", "-i", "sine=440:d=1:r=48000", "-c:a", "aac"]).arg(path);
    cli::run(&mut command, std::iter::empty());
}

pub(super) fn trim(source: &Path, seconds: f64, path: &Path) {
    let mut command = cli::command("ffmpeg");
    command.args(["-ss", &seconds.to_string(), "-i"]).arg(source).args(["-c", "copy", "-f", "mp4"]).arg(path);
    cli::run(&mut command, std::iter::empty());
}
