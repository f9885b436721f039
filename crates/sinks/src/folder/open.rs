//! Making, locking, emptying and surveying a frame folder.

use std::{
    fs::{self, DirEntry, File, Permissions, TryLockError},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Existing, FolderError, kept::Kept, names};

/// Other containers must be able to pass through directories that are made here.
const FOLDER_MODE: u32 = 0o755;

/// Makes what is missing and takes the folder for this writer.
pub(super) fn lock(path: &Path) -> Result<File, FolderError> {
    make(path)?;
    let list = |cause| FolderError::List { path: path.to_owned(), cause };
    let folder = File::open(path).map_err(list)?;
    match folder.try_lock() {
        Err(TryLockError::WouldBlock) => Err(FolderError::Busy(path.to_owned())),
        // Some network file systems have no locks; they are no reason to refuse the folder.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(folder),
    }
}

fn make(path: &Path) -> Result<(), FolderError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(FolderError::NotAFolder(path.to_owned())),
        // A file above this path is found, and named, further up.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
        Err(cause) => return Err(FolderError::Create { path: path.to_owned(), cause }),
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make(parent)?;
    }
    let made = match fs::create_dir(path) {
        // A link to nowhere, or another process that was first; the latter is found below.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        other => other,
    };
    made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE)))
        .map_err(|cause| FolderError::Create { path: path.to_owned(), cause })
}

/// Removes what `existing` permits. All entries are judged before the first is removed.
pub(super) fn clear(path: &Path, existing: Existing) -> Result<(), FolderError> {
    let mut ours = Vec::new();
    for entry in entries(path)? {
        let entry = entry?;
        if existing == Existing::Refuse {
            return Err(FolderError::NotEmpty(path.to_owned()));
        }
        let name = entry.file_name();
        let is_frame = names::frame_number(&name).is_some();
        match (is_frame || names::is_part(&name), is_regular(&entry)?) {
            (true, true) => ours.push(entry.path()),
            (true, false) if is_frame => return Err(FolderError::InTheWay(entry.path())),
            _ => {}
        }
    }
    ours.into_iter().try_for_each(remove)
}

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The highest number; 0: none.
    pub(super) highest: u64,
    /// The latest modification time of any frame.
    pub(super) newest: Option<SystemTime>,
    /// Frames of exactly the name that a writer gives.
    pub(super) kept: Kept,
}

/// Looks at every frame; removes parts that a killed writer left.
pub(super) fn survey(path: &Path) -> Result<Found, FolderError> {
    let (mut highest, mut newest, mut frames) = (0, None, Vec::new());
    for entry in entries(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if names::is_part(&name) && is_regular(&entry)? {
            remove(entry.path())?;
        } else if let Some(number) = names::frame_number(&name) {
            if !is_regular(&entry)? {
                return Err(FolderError::InTheWay(entry.path()));
            }
            let found = match entry.metadata() {
                // Somebody else cleans up.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.and_then(|found| Ok((found.modified()?, found.len()))),
            };
            let (time, bytes) = found.map_err(|cause| FolderError::List { path: entry.path(), cause })?;
            newest = newest.max(Some(time));
            highest = highest.max(number);
            if name.to_str() == Some(&names::frame(number)) {
                frames.push((number, bytes));
            }
        }
    }
    Ok(Found { highest, newest, kept: Kept::of(frames) })
}

fn entries(path: &Path) -> Result<impl Iterator<Item = Result<DirEntry, FolderError>>, FolderError> {
    let list = |cause| FolderError::List { path: path.to_owned(), cause };
    Ok(fs::read_dir(path).map_err(list)?.map(move |entry| entry.map_err(list)))
}

fn is_regular(entry: &DirEntry) -> Result<bool, FolderError> {
    let kind = entry.file_type().map_err(|cause| FolderError::List { path: entry.path(), cause })?;
    Ok(kind.is_file())
}

fn remove(path: PathBuf) -> Result<(), FolderError> {
    match fs::remove_file(&path) {
        // A clean-up or a reader may have been first.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|cause| FolderError::Remove { path, cause }),
    }
}
