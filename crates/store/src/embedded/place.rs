//! Where a store lies, and what the errors met there mean.

use std::{
    fs::{self, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::failure::Failure;
use crate::StoreError;

/// A folder with the database and the writer's lock.
#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
}

impl Place {
    /// Made absolute: a path that begins with `file:` would be taken for a URI.
    pub(super) fn new(folder: &Path) -> Result<Self, StoreError> {
        let folder = std::path::absolute(folder)
            .map_err(|error| StoreError::Invalid(format!("{}: {error}", folder.display())))?;
        if folder.to_str().is_none_or(|text| text.contains('\0')) {
            return Err(StoreError::Invalid(format!(
                "{}: the path of a store must be valid UTF-8",
                folder.display()
            )));
        }
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("ocelli.db")
    }

    /// What was committed and is not yet in the database file.
    pub(super) fn wal(&self) -> PathBuf {
        self.folder.join("ocelli.db-wal")
    }

    /// Index of the log, for the processes that have the store open.
    pub(super) fn shm(&self) -> PathBuf {
        self.folder.join("ocelli.db-shm")
    }

    /// A database in the making; renamed when it is whole, so that an empty one is always a damaged one.
    pub(super) fn unborn(&self) -> PathBuf {
        self.folder.join("ocelli.db.new")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.database(), reason: reason.into() }
    }

    /// What an error of the system while making or opening files means.
    pub(super) fn io(&self, error: io::Error) -> StoreError {
        match error.kind() {
            kind if no_room(kind) => StoreError::Full { path: self.database() },
            kind if refused(kind) => {
                StoreError::ReadOnly { path: self.database(), reason: error.to_string() }
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
                self.damaged(error.to_string())
            }
            _ => StoreError::Backend(Arc::new(error)),
        }
    }

    /// What a failure of a query or a transaction means.
    pub(super) fn error(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Sql(error) => self.sql(error),
            Failure::Damaged(reason) => self.damaged(reason),
            Failure::Store(error) => error,
        }
    }

    /// What an error of SQLite means. <https://www.sqlite.org/rescode.html>
    pub(super) fn sql(&self, error: sqlx::Error) -> StoreError {
        let path = self.database();
        let Some((code, message)) = database_error(&error) else {
            return StoreError::Backend(Arc::new(error));
        };
        match code & 0xff {
            5 | 6 => StoreError::InUse { path, holder: "another program".to_owned() },
            8 => StoreError::ReadOnly { path, reason: message },
            // SQLite says only which call failed: the system is asked again.
            10 | 14 => self.system(error),
            11 | 26 => StoreError::Damaged { path, reason: message },
            13 => StoreError::Full { path },
            // A row that names a run, ledger … that is not there.
            _ if code == 787 => {
                StoreError::Invalid(format!("an entry names what the store does not hold ({message})"))
            }
            _ => StoreError::Backend(Arc::new(error)),
        }
    }

    fn system(&self, error: sqlx::Error) -> StoreError {
        match self.probe() {
            Err(refusal) if no_room(refusal.kind()) || refused(refusal.kind()) => self.io(refusal),
            _ => StoreError::Backend(Arc::new(error)),
        }
    }

    /// Writes where the log would have grown to, in a file of its own: no room, a limit on the size of files and a
    /// quota show as they did there.
    fn probe(&self) -> io::Result<()> {
        let sizes = [self.wal(), self.database()].map(|path| fs::metadata(path).map_or(0, |file| file.len()));
        let path = self.folder.join(format!("room-{}", std::process::id()));
        let written =
            OpenOptions::new().write(true).create(true).truncate(true).open(&path).and_then(|mut file| {
                file.seek(SeekFrom::Start(sizes.into_iter().max().unwrap_or(0)))?;
                file.write_all(&[1; 1 << 14])?;
                file.sync_all()
            });
        fs::remove_file(&path).ok();
        written
    }
}

fn no_room(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(kind, StorageFull | FileTooLarge | QuotaExceeded)
}

fn refused(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Extended result code and message.
fn database_error(error: &sqlx::Error) -> Option<(i32, String)> {
    let error = error.as_database_error()?;
    Some((error.code()?.parse().ok()?, error.message().to_owned()))
}
