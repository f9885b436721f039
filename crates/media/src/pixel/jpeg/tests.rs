use proptest::prelude::*;
use turbojpeg::PixelFormat;

use super::*;
use crate::pixel::{OwnedPicture, reference};

const FORMATS: [(Range, Matrix); 4] = [
    (Range::Limited, Matrix::Bt601),
    (Range::Limited, Matrix::Bt709),
    (Range::Full, Matrix::Bt601),
    (Range::Full, Matrix::Bt709),
];

fn encode(picture: &Picture<'_>, quality: u8) -> Vec<u8> {
    JpegEncoder::new(quality)
        .expect("a valid quality")
        .encode(picture, None)
        .expect("a whole picture")
        .to_vec()
}

fn decode(jpeg: &[u8]) -> turbojpeg::Image<Vec<u8>> {
    turbojpeg::decompress(jpeg, PixelFormat::RGB).expect("a JPEG")
}

/// Mean over pixels and channels of the squared difference from the reference, as PSNR in dB. Chroma is compared as
/// JPEG places it, so it must be smooth.
fn psnr(picture: &Picture<'_>, quality: u8) -> f64 {
    let found = decode(&encode(picture, quality));
    let (width, height) = (picture.width as usize, picture.height as usize);
    assert_eq!((found.width, found.height), (width, height));
    let chroma = picture.plane_size(1).0;
    let mut sum = 0.0;
    for y in 0..height {
        for x in 0..width {
            let sample = |plane: usize| {
                let (x, y, width) = if plane == 0 { (x, y, width) } else { (x / 2, y / 2, chroma) };
                f64::from(picture.planes[plane].row(y, width)[x])
            };
            let wanted = reference::rgb(picture.range, picture.matrix, [sample(0), sample(1), sample(2)]);
            for (c, wanted) in wanted.into_iter().enumerate() {
                sum += (f64::from(found.pixels[y * found.pitch + 3 * x + c]) - wanted).powi(2);
            }
        }
    }
    10.0 * (255.0 * 255.0 * (3 * width * height) as f64 / sum).log10()
}

#[test]
fn colours_survive() {
    for (range, matrix) in FORMATS {
        for (width, height) in [(1, 1), (2, 2), (3, 3), (64, 48), (65, 47), (17, 130), (321, 181)] {
            let mut picture = reference::picture(width, height, range, matrix, 0);
            let chroma = width.div_ceil(2) as usize;
            for (plane, base) in [(1, 90), (2, 150)] {
                for (index, sample) in picture.planes[plane].iter_mut().enumerate() {
                    *sample = (base + (index % chroma) / 8 + (index / chroma) / 8) as u8;
                }
            }
            let found = psnr(&picture.as_picture(), 95);
            assert!(found > 43.0, "{range:?} {matrix:?} {width}x{height}: {found} dB");
        }
    }
}

#[test]
fn greys_stay_neutral_and_reach_the_ends() {
    for (range, matrix) in FORMATS {
        let (low, high) = if range == Range::Limited { (16, 235) } else { (0, 255) };
        for luma in low..=high {
            let mut picture = OwnedPicture::black(16, 16, range, matrix);
            picture.planes[0].fill(luma);
            let wanted = (f64::from(luma - low) * 255.0 / f64::from(high - low)).round() as u8;
            let found = decode(&encode(&picture.as_picture(), 100));
            for pixel in found.pixels.chunks_exact(3) {
                assert_eq!(pixel[0], pixel[1], "{range:?} {matrix:?} {luma}: not grey");
                assert_eq!(pixel[1], pixel[2], "{range:?} {matrix:?} {luma}: not grey");
                assert!(
                    pixel[0].abs_diff(wanted) <= 1,
                    "{range:?} {matrix:?} {luma}: {} not {wanted}",
                    pixel[0]
                );
                assert!(luma != low || pixel[0] == 0, "black of {range:?} is {}", pixel[0]);
                assert!(luma != high || pixel[0] == 255, "white of {range:?} is {}", pixel[0]);
            }
        }
    }
}

/// Every sample value against f64, without the losses of JPEG.
#[test]
fn planes_are_converted_to_the_nearest_value() {
    for (range, matrix) in FORMATS {
        for cb in (0..=255_u8).step_by(15) {
            for cr in (0..=255_u8).step_by(15) {
                let mut picture = OwnedPicture::black(256, 2, range, matrix);
                picture.planes[0].iter_mut().enumerate().for_each(|(x, sample)| *sample = x as u8);
                picture.planes[1].fill(cb);
                picture.planes[2].fill(cr);
                check_conversion(&picture);
            }
        }
    }
}

fn check_conversion(picture: &OwnedPicture) {
    let mut planes = Planes::default();
    Conversion::new(picture.range, picture.matrix).run(&picture.as_picture(), &mut planes);
    let (black, luma, chroma) = picture.range.expansion();
    let (cb, cr) = (f64::from(picture.planes[1][0]) - 128.0, f64::from(picture.planes[2][0]) - 128.0);
    let (cb, cr) = (cb * chroma, cr * chroma);
    for y in 0..=255_u8 {
        let level = (f64::from(y) - black) * luma;
        let (red, blue) = picture.matrix.luma_weights();
        let (r, b) = (level + 2.0 * (1.0 - red) * cr, level + 2.0 * (1.0 - blue) * cb);
        let g = (level - red * r - blue * b) / (1.0 - red - blue);
        let wanted_luma = 0.299 * r + 0.587 * g + 0.114 * b;
        let wanted = [wanted_luma, (b - wanted_luma) / 1.772 + 128.0, (r - wanted_luma) / 1.402 + 128.0];
        for (plane, wanted) in wanted.into_iter().enumerate() {
            let column = if plane == 0 { y as usize } else { y as usize / 2 };
            let error = f64::from(planes.samples[plane][column]) - wanted.clamp(0.0, 255.0);
            assert!(
                error.abs() <= 0.55,
                "{:?} {:?} Y {y} Cb {cb} Cr {cr}: plane {plane} off by {error}",
                picture.range,
                picture.matrix
            );
        }
    }
}

#[test]
fn comment_is_read_back_and_the_picture_is_the_same() {
    let picture = reference::picture(33, 20, Range::Limited, Matrix::Bt709, 0);
    let mut encoder = JpegEncoder::new(85).expect("a valid quality");
    let plain = encoder.encode(&picture.as_picture(), None).expect("a whole picture").to_vec();
    assert_eq!(comment(&plain), None);
    for text in [&b""[..], b"pts=90000 time_base=1/90000", &[0xFF; 4000], &vec![7; MAX_COMMENT]] {
        let jpeg = encoder.encode(&picture.as_picture(), Some(text)).expect("a whole picture");
        assert_eq!(comment(jpeg), Some(text));
        assert_eq!(jpeg.len(), plain.len() + 4 + text.len());
        assert_eq!(jpeg[..20], plain[..20], "JFIF wants its segment first");
        assert_eq!(decode(jpeg).pixels, decode(&plain).pixels);
    }
}

#[test]
fn planes_that_are_ready_are_coded_as_they_are() {
    let picture = reference::picture(32, 32, Range::Full, Matrix::Bt601, 0);
    let mut planes = Planes::default();
    let image = planes_for_jpeg(&picture.as_picture(), &mut planes);
    assert_eq!(image.y_plane.as_ptr(), picture.planes[0].as_ptr());
    Conversion::new(Range::Full, Matrix::Bt601).run(&picture.as_picture(), &mut planes);
    assert_eq!(planes.samples, picture.planes, "the conversion changes nothing");
}

#[test]
fn unusable_input_gets_an_error() {
    for quality in [0, 101, 255] {
        assert!(matches!(JpegEncoder::new(quality), Err(JpegError::Quality(found)) if found == quality));
    }
    let mut encoder = JpegEncoder::new(80).expect("a valid quality");
    let picture = OwnedPicture::black(65_501, 1, Range::Limited, Matrix::Bt601);
    let result = encoder.encode(&picture.as_picture(), None);
    assert!(matches!(result, Err(JpegError::TooLarge { width: 65_501, height: 1 })));
    let picture = OwnedPicture::black(65_500, 1, Range::Limited, Matrix::Bt601);
    assert!(encoder.encode(&picture.as_picture(), None).is_ok());
    let text = vec![0; MAX_COMMENT + 1];
    let result = encoder.encode(&picture.as_picture(), Some(&text));
    assert!(matches!(result, Err(JpegError::Comment(65_534))));
    let mut short = picture.as_picture();
    short.planes[0].data = &[];
    assert!(matches!(encoder.encode(&short, None), Err(JpegError::Picture(PictureError::Short { .. }))));
    assert!(encoder.encode(&picture.as_picture(), None).is_ok(), "usable after an error");
}

proptest! {
    #[test]
    fn any_size_is_coded(width in 1_u32..100, height in 1_u32..100, quality in 1_u8..=100, format in 0_usize..4) {
        let (range, matrix) = FORMATS[format];
        let picture = reference::picture(width, height, range, matrix, 1);
        let image = decode(&encode(&picture.as_picture(), quality));
        prop_assert_eq!((image.width, image.height), (width as usize, height as usize));
    }

    #[test]
    fn comment_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), jpeg in any::<bool>()) {
        let bytes = if jpeg { [&[0xFF, 0xD8, 0xFF][..], &bytes].concat() } else { bytes };
        if let Some(text) = comment(&bytes) {
            prop_assert!(text.len() < bytes.len());
        }
    }
}
