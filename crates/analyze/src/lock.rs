//! `models.lock.json`: how each model runs on this machine, chosen once and obeyed from then on.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{runtime::Precision, whole};

/// File name, beside the models.
pub const FILE: &str = "models.lock.json";
/// Larger files are not ours.
const MAX_BYTES: u64 = 1 << 20;
const FORMAT: u32 = 1;

/// How one model runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockEntry {
    /// Id in the catalogue, for people.
    pub model: String,
    /// Name of the runtime; obeyed.
    pub runtime: String,
    /// Its version at the time of the choice; a record only, another one makes another analyzer version.
    pub runtime_version: String,
    /// Obeyed.
    pub precision: Precision,
    /// CPU class at the time of the choice; a record only.
    pub cpu_class: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockFile {
    format: u32,
    /// By SHA-256 of the model: another file of the same name is another choice.
    models: BTreeMap<String, LockEntry>,
}

/// Why the lock file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not what was written there.
    #[error("{} is damaged; mend or remove it (it is written anew, results may get another version)", path.display())]
    Damaged {
        /// The lock file.
        path: PathBuf,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It was written by a later release.
    #[error("{} has format {format}, this release reads {FORMAT}; update, or remove it", path.display())]
    Format {
        /// The lock file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// The entry of the model with this checksum; `choose` makes one where there is none, which is then written down.
/// A folder that cannot be written is no error: the same machine chooses the same again, and a warning is logged.
pub(crate) fn obey_or_choose<E: From<LockError>>(
    folder: &Path,
    sha256: &str,
    choose: impl FnOnce() -> Result<LockEntry, E>,
) -> Result<LockEntry, E> {
    if let Some(entry) = peek(folder, sha256)? {
        return Ok(entry);
    }
    let entry = choose()?;
    if let Err(error) = note(folder, sha256, entry.clone()) {
        let path = folder.join(FILE);
        tracing::warn!(path = %path.display(), %error, "the choice of runtime and precision is not written down");
    }
    Ok(entry)
}

/// The entry of the model with this checksum, if there is one.
pub fn peek(folder: &Path, sha256: &str) -> Result<Option<LockEntry>, LockError> {
    Ok(read(&folder.join(FILE))?.models.remove(sha256))
}

/// Writes down how the model with this checksum runs, in place of what was decided before.
pub fn note(folder: &Path, sha256: &str, entry: LockEntry) -> Result<(), LockError> {
    let path = folder.join(FILE);
    let failed = |source| LockError::Write { path: path.clone(), source };
    let _turn = whole::turn(folder).map_err(failed)?;
    let mut lock = read(&path)?;
    lock.models.insert(sha256.to_owned(), entry);
    let mut text = serde_json::to_vec_pretty(&lock).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    whole::replace(&path, &text).map_err(failed)
}

fn read(path: &Path) -> Result<LockFile, LockError> {
    let failed = |source| LockError::Read { path: path.to_owned(), source };
    let text = match fs::metadata(path).map(|metadata| metadata.len()) {
        Ok(bytes) if bytes > MAX_BYTES => {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB")));
        }
        Ok(_) => fs::read(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(LockFile { format: FORMAT, models: BTreeMap::new() });
        }
        Err(error) => return Err(failed(error)),
    };
    let lock: LockFile = serde_json::from_slice(&text)
        .map_err(|source| LockError::Damaged { path: path.to_owned(), source })?;
    if lock.format != FORMAT {
        return Err(LockError::Format { path: path.to_owned(), format: lock.format });
    }
    Ok(lock)
}

#[cfg(test)]
mod tests;
