//! Pictures that somebody posts, made of anything: what is said of them is within bounds, and stands in their bytes.
//!
//! Input: bytes of a picture; with a first byte of 1 or 2 without the signature of a JPEG or PNG, which is put before them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli_ingest::push::frames::picture::{Kind, PictureError, look};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let bytes = match choice {
        1 => [b"\xff\xd8", rest].concat(),
        2 => [b"\x89PNG\r\n\x1a\n", rest].concat(),
        _ => data.to_vec(),
    };
    let found = look(&bytes);
    assert_eq!(found, look(&bytes), "the same again");
    match found {
        Ok(seen) => {
            assert!((1..=8192).contains(&seen.width) && (1..=8192).contains(&seen.height));
            assert!(u64::from(seen.width) * u64::from(seen.height) <= 7680 * 4320);
            let (width, height) = (seen.width as u16, seen.height as u16);
            let says = match seen.kind {
                Kind::Jpeg => [height.to_be_bytes(), width.to_be_bytes()].concat(),
                Kind::Png => [seen.width.to_be_bytes(), seen.height.to_be_bytes()].concat(),
            };
            assert!(bytes.windows(says.len()).any(|window| window == says), "its size stands in it");
            let end: &[u8] = if seen.kind == Kind::Jpeg { b"\xff\xd9" } else { b"IEND" };
            assert!(bytes.windows(end.len()).any(|window| window == end), "it is there to its end");
            // Cut before its end it is none.
            let at = bytes.windows(end.len()).rposition(|window| window == end).unwrap_or(0);
            let first = bytes.windows(end.len()).position(|window| window == end);
            assert!(first != Some(at) || look(&bytes[..at]).is_err(), "cut at {at}");
        }
        Err(PictureError::Size { width, height }) => {
            let pixels = u64::from(width) * u64::from(height);
            assert!(pixels == 0 || width > 8192 || height > 8192 || pixels > 7680 * 4320);
        }
        Err(PictureError::Empty | PictureError::Large) => unreachable!("it is neither"),
        Err(_) => {}
    }
});
