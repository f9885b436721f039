//! Which frames stay in a folder.

use std::{
    fs, io,
    time::{Duration, SystemTime},
};

use super::{FolderError, FrameFolder, wall_time};

/// Most frames that one call removes, so that a folder which was left behind by a stricter rule does not hold up its stream.
const AT_ONCE: u64 = 32;

/// What is more, older or larger goes, the oldest first. The newest frame always stays. All `None`: everything stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Most frames.
    pub count: Option<u64>,
    /// Longest time since a frame was written.
    pub age: Option<Duration>,
    /// Most bytes of all frames together.
    pub bytes: Option<u64>,
}

impl FrameFolder {
    /// Sets what stays. [`clean_up`](Self::clean_up) sees to it.
    pub fn retain(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Removes what is no longer to stay, 32 frames at most, and says how many; to be called after each write, whatever came of
    /// it, and from time to time where nothing is written. Only frames that this folder counts go: regular files of exactly
    /// the name that a frame has. An error is for people to read: writing goes on, and so does the clean-up, without frames
    /// that may not be removed; those are tried again after the next resume.
    pub fn clean_up(&mut self) -> Result<u64, FolderError> {
        self.clean_up_at(wall_time())
    }

    /// Bytes of the frames that are in the folder, as far as this writer knows: what others remove is still counted.
    pub fn bytes(&self) -> u64 {
        self.kept.bytes()
    }

    pub(super) fn clean_up_at(&mut self, now: SystemTime) -> Result<u64, FolderError> {
        let (mut removed, mut refused) = (0, None);
        for _frame in 0..AT_ONCE {
            let oldest = self.kept.oldest().filter(|_| self.kept.frames() > 1);
            let Some(oldest) = oldest else { break };
            if !self.is_due(oldest, now)? {
                break;
            }
            match self.remove(oldest) {
                Ok(there) => removed += u64::from(there),
                Err(error) if is_refused(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
            self.kept.pop();
        }
        refused.map_or(Ok(removed), Err)
    }

    fn is_due(&mut self, oldest: u64, now: SystemTime) -> Result<bool, FolderError> {
        let Retention { count, age, bytes } = self.retention;
        if count.is_some_and(|count| self.kept.frames() > count)
            || bytes.is_some_and(|bytes| self.kept.bytes() > bytes)
        {
            return Ok(true);
        }
        let Some(age) = age else { return Ok(false) };
        if self.looked_at.is_none_or(|(number, _)| number != oldest) {
            let path = self.path_of(oldest);
            match fs::symlink_metadata(&path).and_then(|found| found.modified()) {
                Ok(time) => self.looked_at = Some((oldest, time)),
                // Removed by somebody else: nothing is to be kept of it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
                Err(cause) => return Err(FolderError::Remove { path, cause }),
            }
        }
        // A time ahead of the clock is as young as can be.
        let passed = |time| now.duration_since(time).unwrap_or_default();
        Ok(self.looked_at.is_some_and(|(_, time)| passed(time) > age))
    }

    /// Whether it was there.
    fn remove(&self, number: u64) -> Result<bool, FolderError> {
        let path = self.path_of(number);
        let removed = match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => return Err(FolderError::InTheWay(path)),
            Ok(_) => fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(FolderError::Remove { path, cause }),
        }
    }
}

/// Whether it is this one file that may not be removed; others may.
fn is_refused(error: &FolderError) -> bool {
    match error {
        FolderError::InTheWay(_) => true,
        FolderError::Remove { cause, .. } => cause.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    }
}
