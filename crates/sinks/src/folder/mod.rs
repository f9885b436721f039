//! The frame folder: `frame_0001.jpg`, `frame_0002.jpg`, … for readers in other processes.

mod error;
mod kept;
mod names;
mod newest;
mod open;
mod retention;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, FileTimes, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use self::kept::Kept;
pub use self::{error::FolderError, retention::Retention};

/// Steps between the modification times of two frames, tried in turn until the file system keeps them apart. The
/// first is the finest that readers who hold seconds in a 64-bit float can tell apart; the last is FAT's tick.
const STEPS: [Duration; 4] =
    [Duration::from_micros(1), Duration::from_millis(1), Duration::from_secs(1), Duration::from_secs(2)];

/// Readable by whoever mounts the volume, whatever the process's umask says: other containers run as other users.
const FILE_MODE: u32 = 0o644;

/// What to do with a folder that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and say so.
    Refuse,
    /// Remove its frames (regular files named `frame_<digits>.jpg`) and their unfinished parts, nothing else.
    Overwrite,
}

/// Writes numbered JPEGs without gaps. A frame is written aside and renamed, so that no reader, and no kill, finds a
/// half-written one; modification times rise strictly. The data is not synced: a power cut may lose recent frames.
///
/// Holds a lock on the folder (where the file system has locks) until dropped.
#[derive(Debug)]
pub struct FrameFolder {
    path: PathBuf,
    count: u64,
    newest: Option<SystemTime>,
    /// Frames that are there.
    kept: Kept,
    retention: Retention,
    /// The oldest frame and its time, if it was looked at.
    looked_at: Option<(u64, SystemTime)>,
    _lock: File,
}

impl FrameFolder {
    /// An empty folder that starts at frame 1. Makes missing directories, readable by everyone.
    pub fn create(path: impl Into<PathBuf>, existing: Existing) -> Result<Self, FolderError> {
        let path = path.into();
        let lock = open::lock(&path)?;
        open::clear(&path, existing)?;
        Ok(Self::over(path, lock, open::Found::default()))
    }

    /// Goes on after the highest frame of the folder, which need not exist; unfinished parts are removed.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        Self::resume_after(path, 0)
    }

    /// As [`resume`](Self::resume), after `at_least` where that is higher: frames may have been removed by anyone, and their
    /// numbers are not given again.
    pub fn resume_after(path: impl Into<PathBuf>, at_least: u64) -> Result<Self, FolderError> {
        let path = path.into();
        let lock = open::lock(&path)?;
        let mut found = open::survey(&path)?;
        found.highest = found.highest.max(at_least);
        Ok(Self::over(path, lock, found))
    }

    fn over(path: PathBuf, lock: File, found: open::Found) -> Self {
        let open::Found { highest, newest, kept } = found;
        let retention = Retention::default();
        Self { path, count: highest, newest, kept, retention, looked_at: None, _lock: lock }
    }

    /// Adds one frame, visible when this returns, and gives its number.
    pub fn write(&mut self, jpeg: &[u8]) -> Result<u64, FolderError> {
        self.write_at(jpeg, wall_time())
    }

    /// The highest number so far: frames written since [`create`](Self::create), also after a resume, whether or not they are
    /// still there.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Where a frame is, or will be.
    pub fn path_of(&self, number: u64) -> PathBuf {
        self.path.join(names::frame(number))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write_at(&mut self, jpeg: &[u8], now: SystemTime) -> Result<u64, FolderError> {
        let number = self.count + 1;
        let (part, path) = (self.path.join(names::part(number)), self.path_of(number));
        let written = write_part(&part, jpeg, now, self.newest)
            .and_then(|time| fs::rename(&part, &path).map(|()| time));
        match written {
            Ok(time) => {
                self.newest = Some(time);
                self.count = number;
                self.kept.push(number, jpeg.len() as u64);
                Ok(number)
            }
            Err(cause) => {
                // Nothing to add to the cause: what cannot be removed is removed by the next write or resume.
                drop(fs::remove_file(&part));
                Err(FolderError::Write { path, cause })
            }
        }
    }
}

/// Writes a whole frame, with its mode and time, under a name nobody looks for.
fn write_part(
    part: &Path,
    jpeg: &[u8],
    now: SystemTime,
    newest: Option<SystemTime>,
) -> io::Result<SystemTime> {
    // Never through a link, never into something that is there: the folder may be shared.
    let open = || OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(part);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(part)?;
            open()?
        }
        other => other?,
    };
    file.write_all(jpeg)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    stamp(&file, now, newest)
}

/// Sets a modification time that is not before `now` and, as the file system keeps it, after `newest`.
fn stamp(file: &File, now: SystemTime, newest: Option<SystemTime>) -> io::Result<SystemTime> {
    for step in STEPS {
        let after = newest.and_then(|newest| newest.checked_add(step));
        file.set_times(FileTimes::new().set_modified(after.map_or(now, |after| now.max(after))))?;
        let kept = file.metadata()?.modified()?;
        if newest.is_none_or(|newest| kept > newest) {
            return Ok(kept);
        }
    }
    Err(io::Error::other("the file system cannot keep a later modification time than the last frame's"))
}

#[expect(clippy::disallowed_methods, reason = "the edge: a file's time is the wall time of its writing")]
fn wall_time() -> SystemTime {
    SystemTime::now()
}
