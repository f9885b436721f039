//! One writing process per store.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use super::place::Place;
use crate::StoreError;

/// The right to write. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a process that is being started holds a copy of the file for a moment. What fails here
        // is left to the end of the process.
        self.file.unlock().ok();
    }
}

impl Lock {
    /// Takes it, or says who holds it.
    pub(super) fn take(place: &Place) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(place.lock())
            .map_err(|error| place.io(error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Not yet written, or not text: then only that there is one is known.
                let read = (&file).take(256).read_to_string(&mut holder);
                let known = read.is_ok() && !holder.trim().is_empty();
                let holder = if known { holder.trim().to_owned() } else { "another process".to_owned() };
                return Err(StoreError::InUse { path: place.database(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(place.io(error)),
        }
        let mut mark = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder().as_bytes())
        };
        mark().map_err(|error| place.io(error))?;
        Ok(Self { file })
    }
}

/// The program's name only: arguments may hold credentials.
fn holder() -> String {
    let program = std::env::args_os().next();
    let name = program.as_deref().map(Path::new).and_then(Path::file_name);
    let name = name.map_or_else(String::new, |name| format!(" ({})", name.to_string_lossy()));
    format!("process {}{name}", std::process::id())
}
