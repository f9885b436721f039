//! Reading back, beside a writer or without one.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{FolderError, FrameFolder, names};

/// Most bytes of a frame that is read back: several times the largest JPEG of 8192 x 8192.
const LARGEST: u64 = 64 << 20;
/// Times that the folder is looked through again because what was found had gone.
const TRIES: u32 = 8;

impl FrameFolder {
    /// The frame with the highest number, with that, whoever writes there meanwhile; `None` where there is no frame, or no
    /// folder. Lists the whole folder: for streams that are not going. Links and what is no regular file are passed over; a
    /// frame of more than 64 MiB is an error.
    pub fn newest(path: impl AsRef<Path>) -> Result<Option<(u64, Vec<u8>)>, FolderError> {
        let folder = path.as_ref();
        for _try in 0..TRIES {
            // None may have been listed because the one there was gave way to the next meanwhile.
            let Some((number, name)) = highest(folder)? else { continue };
            let path = folder.join(name);
            match read(&path) {
                Ok(Some(jpeg)) => return Ok(Some((number, jpeg))),
                // A clean-up or a new decode was faster.
                Ok(None) => {}
                Err(cause) => return Err(FolderError::Read { path, cause }),
            }
        }
        Ok(None)
    }
}

fn highest(folder: &Path) -> Result<Option<(u64, OsString)>, FolderError> {
    let list = |cause| FolderError::List { path: PathBuf::from(folder), cause };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(list)?,
    };
    let mut highest = None;
    for entry in entries {
        let entry = entry.map_err(list)?;
        let name = entry.file_name();
        let Some(number) = names::frame_number(&name) else { continue };
        if highest.as_ref().is_none_or(|(known, _)| *known < number)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            highest = Some((number, name));
        }
    }
    Ok(highest)
}

/// `None`: it is gone, or something else is there now.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let found = file.metadata()?;
    // What was opened is what the name means, not what a link of that name leads to.
    let named = fs::symlink_metadata(path);
    if !named.is_ok_and(|named| named.is_file() && (named.dev(), named.ino()) == (found.dev(), found.ino())) {
        return Ok(None);
    }
    if found.len() > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {LARGEST} bytes"),
        ));
    }
    let mut jpeg = Vec::with_capacity(found.len() as usize);
    file.take(LARGEST).read_to_end(&mut jpeg)?;
    Ok(Some(jpeg))
}
