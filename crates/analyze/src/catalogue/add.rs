//! Taking in a user's model, and letting it go.
//!
//! The file is written under a hidden name, tried, and only then renamed and entered into `models.json`, which is
//! what makes it known. Whatever fails before leaves nothing behind.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    EntryError, FOLDER, Family, ModelEntry, Origin, UserCatalogueError,
    file::{MOST_MODEL_BYTES, PIECE, digest, too_large},
    user,
};
use crate::{
    detector::{DryRun, DryRunError, Labels, dry_run},
    lock::{self, LockEntry, LockError},
    whole,
};

/// What a user says about a model.
#[derive(Clone, Debug)]
pub struct NewModel {
    /// How its outputs are read.
    pub family: Family,
    /// What its class columns mean.
    pub labels: Labels,
    /// SPDX identifier, or what the user wrote.
    pub licence: String,
    /// One line for people.
    pub description: String,
    /// The checksum that the file must have, in hexadecimal digits.
    pub sha256: Option<String>,
}

/// A model that was taken in.
#[derive(Clone, Debug)]
pub struct Added {
    /// As it is known from now on.
    pub entry: ModelEntry,
    /// Size of its file.
    pub bytes: u64,
    /// How it was tried, and will be run.
    pub tried: DryRun,
}

/// Why a model was not taken in. Everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Something about its description.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The id is taken.
    #[error("there is a model {0} already; choose another id, or pass --replace")]
    Taken(String),
    /// No model of that id was added.
    #[error("no model {0:?} was added; `ocelli models list` shows those that were")]
    Unknown(String),
    /// The file to be copied cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The models folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process adds a model of the same id.
    #[error("another process adds model {0} now")]
    Busy(String),
    /// Not the file that was meant.
    #[error("the file has sha256 {found}, not {expected}; it is damaged or another one")]
    Checksum {
        /// As given.
        expected: String,
        /// As computed.
        found: String,
    },
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// The model does not do what its kind does.
    #[error("the model was tried and does not work")]
    Trial(#[from] DryRunError),
    /// The user's catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] UserCatalogueError),
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// A model on its way in. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Adding {
    home: PathBuf,
    id: String,
    replace: bool,
    aside: PathBuf,
    // Locked against other processes as long as it is open.
    out: File,
    /// Whether the file has its final name.
    kept: bool,
}

impl Adding {
    /// Makes room for a model `id` below `home`, the product's data directory; refused where there is one already,
    /// unless it is to be replaced.
    pub fn begin(home: &Path, id: &str, replace: bool) -> Result<Self, AddError> {
        user::check_id(id)?;
        let folder = home.join(FOLDER);
        if !replace && user::read(&folder)?.iter().any(|entry| entry.id == id) {
            return Err(AddError::Taken(id.to_owned()));
        }
        let write = |path: &Path| {
            let path = path.to_owned();
            move |source| AddError::Write { path, source }
        };
        fs::create_dir_all(&folder).map_err(write(&folder))?;
        clean(&folder);
        // No id begins with a dot. Runtimes look at the end of the name.
        let aside = folder.join(format!(".{id}.part.onnx"));
        let out = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&aside)
            .map_err(write(&aside))?;
        // A file system without locks has one writer at a time by agreement only. Whoever held the lock may just have
        // given the file its final name.
        let taken = matches!(out.try_lock(), Err(fs::TryLockError::WouldBlock));
        if taken || !is_at(&out, &aside) {
            return Err(AddError::Busy(id.to_owned()));
        }
        out.set_len(0).map_err(write(&aside))?;
        Ok(Self { home: home.to_owned(), id: id.to_owned(), replace, aside, out, kept: false })
    }

    /// Where the model's bytes go, from a download.
    pub fn out(&mut self) -> &mut File {
        &mut self.out
    }

    /// Copies the model from a file.
    pub fn copy(&mut self, from: &Path) -> Result<(), AddError> {
        let read = |source| AddError::Read { path: from.to_owned(), source };
        // A pipe or device may have no end.
        if !fs::metadata(from).map_err(read)?.is_file() {
            return Err(read(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
        }
        let mut limited = File::open(from).map_err(read)?.take(MOST_MODEL_BYTES + 1);
        let (mut piece, mut bytes) = (vec![0; PIECE], 0);
        loop {
            let count = limited.read(&mut piece).map_err(read)?;
            if count == 0 {
                return Ok(());
            }
            bytes += count as u64;
            if bytes > MOST_MODEL_BYTES {
                return Err(read(too_large()));
            }
            let write = |source| AddError::Write { path: self.aside.clone(), source };
            self.out.write_all(&piece[..count]).map_err(write)?;
        }
    }

    /// Checks and tries the model, and makes it known.
    pub fn keep(mut self, model: &NewModel) -> Result<Added, AddError> {
        user::check_text(&model.licence).and_then(|()| user::check_text(&model.description))?;
        let write = |source| AddError::Write { path: self.aside.clone(), source };
        self.out.sync_all().map_err(write)?;
        let (bytes, found) = digest(&self.aside).map_err(write)?;
        if bytes == 0 {
            return Err(AddError::Empty);
        }
        if let Some(expected) = model.sha256.as_ref().map(|digits| digits.to_lowercase()) {
            user::check_sha256(&expected)?;
            if expected != found {
                return Err(AddError::Checksum { expected, found });
            }
        }
        let tried = dry_run(&self.home, &self.aside, model.family, &model.labels)?;
        let entry = ModelEntry {
            id: self.id.clone(),
            file: user::file_name(&self.id, &found),
            sha256: vec![found],
            family: model.family,
            labels: model.labels.clone(),
            origin: Origin::Added,
            licence: model.licence.clone(),
            description: model.description.clone(),
        };
        self.settle(&entry, &tried)?;
        Ok(Added { entry, bytes, tried })
    }

    /// From here on it is known.
    fn settle(&mut self, entry: &ModelEntry, tried: &DryRun) -> Result<(), AddError> {
        let folder = self.home.join(FOLDER);
        let path = folder.join(&entry.file);
        let before = user::read(&folder)?.into_iter().find(|other| other.id == self.id);
        if before.is_some() && !self.replace {
            return Err(AddError::Taken(self.id.clone()));
        }
        let sha256 = entry.sha256.concat();
        let locked = lock::peek(&folder, &sha256)?;
        whole::rename(&self.aside, &path).map_err(|source| AddError::Write { path: path.clone(), source })?;
        self.kept = true;
        let same_file = before.as_ref().is_some_and(|before| before.file == entry.file);
        let undo = |_error: &_| {
            if !same_file {
                fs::remove_file(&path).ok();
            }
        };
        user::change(&folder, &self.id, Some(entry)).inspect_err(undo)?;
        if let Some(before) = before.filter(|_| !same_file) {
            // Unknown from now on: at worst it takes up space.
            fs::remove_file(folder.join(before.file)).ok();
        }
        // A choice that was made for these very bytes stays.
        if locked.is_none()
            && let Err(error) = lock::note(&folder, &sha256, tried.lock_entry(&self.id))
        {
            tracing::warn!(%error, "the choice of runtime and precision is not written down");
        }
        Ok(())
    }
}

impl Drop for Adding {
    fn drop(&mut self) {
        if !self.kept {
            fs::remove_file(&self.aside).ok();
        }
    }
}

/// Removes what killed processes left. What another one writes just now is locked.
fn clean(folder: &Path) {
    let left = |name: &str| name.starts_with('.') && name.ends_with(".part.onnx");
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let is_left = entry.file_name().to_str().is_some_and(left);
        let file = if is_left { File::open(entry.path()).ok() } else { None };
        if file.is_some_and(|file| file.try_lock().is_ok() && is_at(&file, &entry.path())) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Whether the open file is the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

/// Forgets a model that was added below `home`, and removes its file.
pub fn remove(home: &Path, id: &str) -> Result<(), AddError> {
    let folder = home.join(FOLDER);
    let unknown = || AddError::Unknown(id.to_owned());
    if !folder.join(user::FILE).is_file() {
        return Err(unknown());
    }
    let sha256 = user::change(&folder, id, None)?.ok_or_else(unknown)?;
    // A name that we did not make could lead anywhere.
    if user::check_id(id) == Err(EntryError::Id) || user::check_sha256(&sha256).is_err() {
        return Ok(());
    }
    let path = folder.join(user::file_name(id, &sha256));
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(AddError::Write { path, source }),
        _ => Ok(()),
    }
}

impl DryRun {
    fn lock_entry(&self, id: &str) -> LockEntry {
        LockEntry {
            model: id.to_owned(),
            runtime: self.runtime.name.to_string(),
            runtime_version: self.runtime.version.clone(),
            precision: self.precision,
            cpu_class: self.cpu_class.clone(),
        }
    }
}
