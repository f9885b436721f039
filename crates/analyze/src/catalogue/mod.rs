//! The models this build knows, where their files are, and whether those are the right ones.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Folder of the models below the product's data directory.
pub const FOLDER: &str = "models";
/// Larger files are no models; also ends the reading of files that never do.
const MAX_MODEL_BYTES: u64 = 1 << 30;
/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// How outputs are turned into boxes; fixes preprocessing and label list as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Picture stretched to the tensor, RGB, -1 to 1; scores of 90 columns and boxes in fractions.
    Ssd,
    /// Picture letterboxed top left on grey 114, BGR, 0 to 255; grids at strides 8, 16 and 32.
    Yolox,
}

/// Who brings the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `./dev setup` fetches it.
    Setup,
    /// The user puts it into the models folder.
    User,
}

/// One known model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Word on the command line.
    pub id: &'static str,
    /// Name of its file in the models folder.
    pub file: &'static str,
    /// SHA-256 in hexadecimal digits; converters may write the same model in more than one way.
    pub sha256: &'static [&'static str],
    /// How its outputs are read.
    pub family: Family,
    /// Who brings the file.
    pub origin: Origin,
    /// SPDX identifier.
    pub licence: &'static str,
    /// One line for people.
    pub description: &'static str,
}

/// The model used when none is named.
pub const DEFAULT_MODEL: &str = "ssdlite-mobilenet-v2";

const KNOWN: &[ModelEntry] = &[
    ModelEntry {
        id: DEFAULT_MODEL,
        file: "ssdlite_mobilenet_v2_coco.onnx",
        sha256: &[
            "25ead98207c9afde8218535c41a672332ef73549e596acb68e59a89d5f936ab5",
            "1a63abded26474059d29fb508d6653de54300088b1c96a91cf61fbf800aab9b0",
        ],
        family: Family::Ssd,
        origin: Origin::Setup,
        licence: "Apache-2.0",
        description: "everyday objects (COCO), 300x300 pixels, fast",
    },
    ModelEntry {
        id: "yolox-nano",
        file: "yolox_nano.onnx",
        sha256: &["695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14"],
        family: Family::Yolox,
        origin: Origin::User,
        licence: "Apache-2.0",
        description: "everyday objects (COCO), 416x416 pixels, finds smaller ones",
    },
];

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
    #[error("no model {word:?}; known are: {}", ids())]
    Unknown {
        /// As given.
        word: String,
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
        id: &'static str,
        /// Checksum of the file.
        sha256: String,
        /// Who should have brought it.
        origin: Origin,
    },
    /// A file named by its path is none of the catalogue's.
    #[error("{} is no model of the catalogue (sha256 {sha256}); known are: {}", path.display(), ids())]
    Foreign {
        /// What was read.
        path: PathBuf,
        /// Checksum of the file.
        sha256: String,
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
}

fn ids() -> String {
    KNOWN.iter().map(|entry| entry.id).collect::<Vec<_>>().join(", ")
}

fn remedy(origin: Origin) -> &'static str {
    match origin {
        Origin::Setup => "`./dev setup` fetches it",
        Origin::User => "download it from its publisher into that place",
    }
}

/// A model's file, read once and checked.
pub(crate) struct ModelFile {
    pub(crate) entry: &'static ModelEntry,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// The known models and their files below one data directory.
#[derive(Clone, Debug)]
pub struct Catalogue {
    folder: PathBuf,
}

impl Catalogue {
    /// Looks below `home`, the product's data directory.
    pub fn new(home: &Path) -> Self {
        Self { folder: home.join(FOLDER) }
    }

    /// Where the files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every known model, the default first, with the state of its file. Reads whole files to compare checksums.
    pub fn list(&self) -> Vec<(&'static ModelEntry, ModelStatus)> {
        KNOWN.iter().map(|entry| (entry, self.status(entry))).collect()
    }

    /// Fails on the first model whose file is wrong, or is missing although set-up should have brought it.
    pub fn verify(&self) -> Result<(), CatalogueError> {
        KNOWN.iter().try_for_each(|entry| match self.find_known(entry) {
            Err(CatalogueError::Missing { origin: Origin::User, .. }) => Ok(()),
            other => other.map(drop),
        })
    }

    fn status(&self, entry: &'static ModelEntry) -> ModelStatus {
        let bytes = || fs::metadata(self.folder.join(entry.file)).map_or(0, |metadata| metadata.len());
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
    pub(crate) fn find(&self, word: &str) -> Result<ModelFile, CatalogueError> {
        if let Some(entry) = KNOWN.iter().find(|entry| entry.id == word) {
            return self.find_known(entry);
        }
        let path = Path::new(word);
        if !word.contains('/') && path.extension().is_none_or(|extension| extension != "onnx") {
            return Err(CatalogueError::Unknown { word: word.to_owned() });
        }
        let (bytes, sha256) = digest(path, Origin::User)?;
        let known = KNOWN.iter().find(|entry| entry.sha256.contains(&&*sha256));
        let entry =
            known.ok_or_else(|| CatalogueError::Foreign { path: path.to_owned(), sha256: sha256.clone() })?;
        Ok(ModelFile { entry, path: path.to_owned(), bytes, sha256 })
    }

    fn find_known(&self, entry: &'static ModelEntry) -> Result<ModelFile, CatalogueError> {
        let path = self.folder.join(entry.file);
        let (bytes, sha256) = digest(&path, entry.origin)?;
        if !entry.sha256.contains(&&*sha256) {
            return Err(CatalogueError::Mismatch { path, id: entry.id, sha256, origin: entry.origin });
        }
        Ok(ModelFile { entry, path, bytes, sha256 })
    }
}

/// Size and SHA-256. Reads in small pieces: the runtime maps the file itself, no copy of it is needed.
fn digest(path: &Path, origin: Origin) -> Result<(u64, String), CatalogueError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => CatalogueError::Missing { path: path.to_owned(), origin },
        _ => CatalogueError::Read { path: path.to_owned(), source },
    };
    let mut file = fs::File::open(path).map_err(failed)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hash.update(&piece[..read]);
        bytes += read as u64;
        if bytes > MAX_MODEL_BYTES {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 GiB")));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("a value below 16 is a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests;
