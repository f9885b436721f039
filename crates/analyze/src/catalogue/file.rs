//! Reading a model's file: its size and checksum.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

/// Larger files are no models; also ends the reading of files that never do.
pub const MOST_MODEL_BYTES: u64 = 1 << 30;
/// Bytes read at once.
pub(super) const PIECE: usize = 1 << 16;

/// Size and SHA-256. Reads in small pieces: the runtime maps the file itself, no copy of it is needed.
pub(super) fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = fs::File::open(path)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&piece[..read]);
        bytes += read as u64;
        if bytes > MOST_MODEL_BYTES {
            return Err(too_large());
        }
    }
}

pub(super) fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 GiB")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("a value below 16 is a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
