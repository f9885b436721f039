//! The models that are known, where their files are, and whether those are the right ones.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

mod add;
mod entry;
mod file;
mod user;

pub use add::{AddError, Added, Adding, NewModel, remove};
pub use entry::{DEFAULT_MODEL, Family, ModelEntry, Origin};
pub use file::MOST_MODEL_BYTES;
pub use user::{EntryError, FILE as USER_FILE, UserCatalogueError};

/// Folder of the models below the product's data directory.
pub const FOLDER: &str = "models";

/// What is known about a model's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelStatus {
    /// There, with a checksum of the catalogue.
    Present {
        /// Size of the file.
        bytes: u64,
        /// Its SHA-256 in hexadecimal digits.
        sha256: String,
    },
    /// Not there.
    Missing,
    /// There, but another file.
    Mismatch {
        /// Size of the file.
        bytes: u64,
        /// Its SHA-256 in hexadecimal digits.
        sha256: String,
    },
    /// There, and cannot be read.
    Unreadable {
        /// What the system said.
        reason: String,
    },
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No such id.
    #[error("no model {word:?}; known are: {known}")]
    Unknown {
        /// As given.
        word: String,
        /// The ids there are.
        known: String,
    },
    /// The file is not there.
    #[error("no model file {}; {}", path.display(), remedy(*origin))]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// Who should have brought it.
        origin: Origin,
    },
    /// The file is another one, or damaged.
    #[error("{} is not model {id} (sha256 {sha256}); {}", path.display(), remedy(*origin))]
    Mismatch {
        /// What was read.
        path: PathBuf,
        /// Model that was expected.
        id: String,
        /// Checksum of the file.
        sha256: String,
        /// Who should have brought it.
        origin: Origin,
    },
    /// A file named by its path is none of the catalogue's.
    #[error("{} is no model of the catalogue (sha256 {sha256}); `ocelli models add` takes it in; known are: {known}", path.display())]
    Foreign {
        /// What was read.
        path: PathBuf,
        /// Checksum of the file.
        sha256: String,
        /// The ids there are.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read model file {}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The users' models are not known.
    #[error(transparent)]
    User(#[from] UserCatalogueError),
}

fn remedy(origin: Origin) -> &'static str {
    match origin {
        Origin::Setup => "`./dev setup` fetches it",
        Origin::Publisher => "download it from its publisher into that place",
        Origin::Added => "add it again with `ocelli models add ... --replace`",
    }
}

/// A model's file, read once and checked.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// What is known about it.
    pub entry: Arc<ModelEntry>,
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// The known models and their files below one data directory.
#[derive(Clone, Debug)]
pub struct Catalogue {
    folder: PathBuf,
    entries: Vec<Arc<ModelEntry>>,
}

impl Catalogue {
    /// The models of this release and those that the user of `home`, the product's data directory, added.
    pub fn open(home: &Path) -> Result<Self, UserCatalogueError> {
        let mut catalogue = Self::built_in(home);
        catalogue.entries.extend(user::read(&catalogue.folder)?.into_iter().map(Arc::new));
        Ok(catalogue)
    }

    /// The models of this release only.
    pub fn built_in(home: &Path) -> Self {
        let entries = entry::built_in().into_iter().map(Arc::new).collect();
        Self { folder: home.join(FOLDER), entries }
    }

    /// Where the files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every known model, the default first, with the state of its file. Reads whole files to compare checksums.
    pub fn list(&self) -> Vec<(Arc<ModelEntry>, ModelStatus)> {
        self.entries.iter().map(|entry| (Arc::clone(entry), self.status(entry))).collect()
    }

    /// Fails on the first model whose file is wrong, or is missing although it should be there.
    pub fn verify(&self) -> Result<(), CatalogueError> {
        self.entries.iter().try_for_each(|entry| match self.find_known(entry) {
            Err(CatalogueError::Missing { origin: Origin::Publisher, .. }) => Ok(()),
            other => other.map(drop),
        })
    }

    fn status(&self, entry: &Arc<ModelEntry>) -> ModelStatus {
        let bytes = || fs::metadata(self.folder.join(&entry.file)).map_or(0, |metadata| metadata.len());
        match self.find_known(entry) {
            Ok(file) => ModelStatus::Present { bytes: file.bytes, sha256: file.sha256 },
            Err(CatalogueError::Missing { .. }) => ModelStatus::Missing,
            Err(CatalogueError::Mismatch { sha256, .. }) => ModelStatus::Mismatch { bytes: bytes(), sha256 },
            Err(CatalogueError::Read { source, .. }) => {
                ModelStatus::Unreadable { reason: source.to_string() }
            }
            Err(error) => ModelStatus::Unreadable { reason: error.to_string() },
        }
    }

    /// The file of this id, or of this path (anything with a slash or ending in `.onnx`).
    pub fn find(&self, word: &str) -> Result<ModelFile, CatalogueError> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.id == word) {
            return self.find_known(entry);
        }
        let path = Path::new(word);
        if !word.contains('/') && path.extension().is_none_or(|extension| extension != "onnx") {
            return Err(CatalogueError::Unknown { word: word.to_owned(), known: self.ids() });
        }
        let (bytes, sha256) = digest(path, Origin::Publisher)?;
        let known = self.entries.iter().find(|entry| entry.sha256.contains(&sha256));
        let entry = known.cloned().ok_or_else(|| CatalogueError::Foreign {
            path: path.to_owned(),
            sha256: sha256.clone(),
            known: self.ids(),
        })?;
        Ok(ModelFile { entry, path: path.to_owned(), bytes, sha256 })
    }

    fn find_known(&self, entry: &Arc<ModelEntry>) -> Result<ModelFile, CatalogueError> {
        let path = self.folder.join(&entry.file);
        let (bytes, sha256) = digest(&path, entry.origin)?;
        if !entry.sha256.contains(&sha256) {
            return Err(CatalogueError::Mismatch {
                path,
                id: entry.id.clone(),
                sha256,
                origin: entry.origin,
            });
        }
        Ok(ModelFile { entry: Arc::clone(entry), path, bytes, sha256 })
    }

    fn ids(&self) -> String {
        self.entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn digest(path: &Path, origin: Origin) -> Result<(u64, String), CatalogueError> {
    file::digest(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CatalogueError::Missing { path: path.to_owned(), origin },
        _ => CatalogueError::Read { path: path.to_owned(), source },
    })
}

#[cfg(test)]
mod tests;
