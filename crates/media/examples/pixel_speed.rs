//! Milliseconds per pixel operation on one thread:
//! `cargo run --release -p ocelli-media --example pixel_speed`,
//! with part of a name to run only that.
#![expect(clippy::print_stdout, reason = "a report for people")]

use std::time::{Duration, Instant};

use ocelli_media::pixel::jpeg::JpegEncoder;
use ocelli_media::pixel::tensor::{ChannelOrder, Fit, TensorSpec, TensorWriter};
use ocelli_media::pixel::{Matrix, OwnedPicture, Range};

/// Neither flat nor pure noise: gradients with some texture, moving with `seed`.
fn picture(width: u32, height: u32, range: Range, matrix: Matrix) -> OwnedPicture {
    let mut picture = OwnedPicture::black(width, height, range, matrix);
    let mut state = 1_u32;
    for (plane, samples) in picture.planes.iter_mut().enumerate() {
        let row = if plane == 0 { width } else { width.div_ceil(2) } as usize;
        for (index, sample) in samples.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (index % row, index / row);
            *sample = (60 + (x / 16 + y / 8) % 100 + (state >> 30) as usize) as u8;
        }
    }
    picture
}

/// Prints the best and the median of many runs; the best is what the CPU can do, the median what it does here.
fn measure(name: &str, mut operation: impl FnMut()) {
    if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let mut times: Vec<Duration> = (0..200).map(|_| timed(&mut operation)).collect();
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{name:<44} best {:7.3} ms   median {:7.3} ms", ms(times[0]), ms(times[times.len() / 2]));
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this is")]
fn timed(operation: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    operation();
    start.elapsed()
}

fn tensors() {
    let picture = picture(1920, 1080, Range::Limited, Matrix::Bt709);
    let specs = [
        ("1080p to 640x640 letterbox", 640, 640, Fit::LetterboxTopLeft { pad: 114 }),
        ("1080p to 416x416 letterbox", 416, 416, Fit::LetterboxTopLeft { pad: 114 }),
        ("1080p to 300x300 stretch", 300, 300, Fit::Stretch),
        ("1080p to 64x64 stretch", 64, 64, Fit::Stretch),
    ];
    for (name, width, height, fit) in specs {
        let (order, scale, offset) = (ChannelOrder::Bgr, [1.0; 3], [0.0; 3]);
        let spec = TensorSpec { width, height, fit, order, scale, offset };
        let mut out = vec![0.0; spec.len()];
        let mut writer = TensorWriter::new(spec);
        measure(name, || {
            writer.write(&picture.as_picture(), &mut out).expect("a whole picture");
        });
    }
}

fn jpegs() {
    let formats = [
        ("1080p to JPEG, limited BT.709", Range::Limited, Matrix::Bt709),
        ("1080p to JPEG, limited BT.601", Range::Limited, Matrix::Bt601),
        ("1080p to JPEG, full BT.601 (no conversion)", Range::Full, Matrix::Bt601),
    ];
    for (name, range, matrix) in formats {
        let picture = picture(1920, 1080, range, matrix);
        let mut encoder = JpegEncoder::new(85).expect("a valid quality");
        measure(name, || {
            encoder.encode(&picture.as_picture(), Some(b"pts=1")).expect("a whole picture");
        });
    }
}

fn main() {
    tensors();
    jpegs();
}
