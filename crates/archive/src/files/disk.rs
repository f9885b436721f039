//! A folder on a local disk.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Files, Growing, Listed, folder_of};

/// Longest read in one piece.
const MOST: u64 = 1 << 30;

/// The folder, for this process alone.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    /// Folders whose own names are durable.
    known: Mutex<BTreeSet<String>>,
    _lock: File,
}

impl Disk {
    /// Makes the folder where it is missing. `None`: another process has it.
    pub(crate) fn open(root: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(root)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Some(Self { root: root.to_owned(), known: Mutex::default(), _lock: lock }))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Does what needs the folder of `key`, which is made where it is missing: it may be removed as empty at any time before.
    fn within<T>(&self, key: &str, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
        let path = self.path(key);
        match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(self.path(folder_of(key)))?;
                make(&path)
            }
            done => done,
        }
    }
}

/// For file systems without links.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let unborn = to.with_extension("new");
    fs::copy(from, &unborn)?;
    File::open(&unborn)?.sync_all()?;
    fs::rename(&unborn, to)
}

impl Files for Disk {
    fn create(&self, key: &str) -> io::Result<Arc<dyn Growing>> {
        let make = |path: &Path| OpenOptions::new().create_new(true).append(true).open(path);
        Ok(Arc::new(OnDisk(self.within(key, make)?)))
    }

    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        let unborn = self.path(key).with_extension("new");
        let mut file = self.within(key, |_path| File::create(&unborn))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unborn, self.path(key))?;
        self.sync_folder(folder_of(key))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let from = self.path(from);
        // Of an earlier attempt, or of an index that is older than the media.
        self.remove(to)?;
        match self.within(to, |to| fs::hard_link(&from, to)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound && !full(&error) => {
                self.within(to, |to| copy(&from, to))
            }
            done => done,
        }
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn remove_folder(&self, key: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        // One that is not empty stays.
        fs::remove_dir(self.path(key)).ok();
    }

    fn cut(&self, key: &str, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.path(key))?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn sync_folder(&self, key: &str) -> io::Result<()> {
        File::open(self.path(key))?.sync_all()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut folder = key;
        while !folder.is_empty() && !known.contains(folder) {
            let outer = folder_of(folder);
            File::open(self.path(outer))?.sync_all()?;
            known.insert(folder.to_owned());
            folder = outer;
        }
        Ok(())
    }

    fn read(&self, key: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(key))?;
        let end = range.end.min(file.metadata()?.len());
        let length = end.saturating_sub(range.start);
        if length > MOST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{length} bytes at once")));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        file.seek(SeekFrom::Start(range.start))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn size(&self, key: &str) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(key)) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let entries = match fs::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut listed = Vec::new();
        for entry in entries {
            let entry = entry?;
            // Names that are no text are none of ours.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let found = match entry.metadata() {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            listed.push(Listed { name, bytes: (!found.is_dir()).then_some(found.len()) });
        }
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn free(&self) -> io::Result<u64> {
        let found = rustix::fs::statvfs(&self.root)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

fn full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[derive(Debug)]
struct OnDisk(File);

impl Growing for OnDisk {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
