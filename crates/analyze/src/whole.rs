//! Small files that are written as a whole, one writer at a time.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Waits until no other process of ours changes files of `folder`; others wait while the value lives.
/// A file system without locks has one writer at a time by agreement only.
pub(crate) fn turn(folder: &Path) -> io::Result<File> {
    let folder = File::open(folder)?;
    folder.lock().ok();
    Ok(folder)
}

/// Written aside, synced and renamed: readers see the old file or the new one, also after a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = Path::new(&aside);
    let written = File::create(aside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| rename(aside, path)).inspect_err(|_| drop(fs::remove_file(aside)))
}

/// Renames and makes the new name last.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
