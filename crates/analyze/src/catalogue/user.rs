//! `models.json`: the models that users added.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Family, ModelEntry, Origin, entry::built_in};
use crate::{
    detector::{Labels, LabelsError},
    whole,
};

/// File name, beside the models.
pub const FILE: &str = "models.json";
/// Larger files are not ours.
const MOST_BYTES: u64 = 32 << 20;
/// Most models in it, so that it stays within its size.
const MOST_MODELS: usize = 30;
const FORMAT: u32 = 1;
/// Longest id.
const LONGEST_ID: usize = 64;
/// Longest licence or description.
const LONGEST_TEXT: usize = 500;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    /// By id.
    models: BTreeMap<String, Listed>,
}

/// The format decides what else may be in the file.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    sha256: String,
    kind: Family,
    licence: String,
    description: String,
    labels: Vec<String>,
}

/// Why the user's catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UserCatalogueError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The catalogue.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The catalogue.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not what was written there.
    #[error("{} is damaged; mend it, or remove it and add its models again", path.display())]
    Damaged {
        /// The catalogue.
        path: PathBuf,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// It was written by a later release.
    #[error("{} has format {format}, this release reads {FORMAT}; update, or remove it", path.display())]
    Format {
        /// The catalogue.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// An entry makes no sense.
    #[error("{} is damaged: model {id:?}: {reason}; mend it, or run `ocelli models remove {id}`", path.display())]
    Entry {
        /// The catalogue.
        path: PathBuf,
        /// The model.
        id: String,
        /// What is wrong with it.
        reason: EntryError,
    },
    /// There is no more room.
    #[error("{} holds {MOST_MODELS} models already; remove one with `ocelli models remove`", path.display())]
    Full {
        /// The catalogue.
        path: PathBuf,
    },
}

/// What is wrong with the description of a model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// Not of the grammar.
    #[error(
        "an id has 1 to {LONGEST_ID} lowercase letters, digits, - and ., begins with a letter or digit and does not end in .onnx"
    )]
    Id,
    /// A model that comes with this release.
    #[error("a model of this release has that id")]
    BuiltIn,
    /// Not 64 hexadecimal digits.
    #[error("a sha256 has 64 hexadecimal digits")]
    Sha256,
    /// Too long, or not on one line.
    #[error("licence and description are one line each, of at most {LONGEST_TEXT} bytes")]
    Text,
    /// Not a list of labels.
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

/// Name of the stored file: another file of the same id has another name, so that one is never half replaced.
pub(super) fn file_name(id: &str, sha256: &str) -> String {
    format!("{id}.{}.onnx", sha256.get(..12).unwrap_or(sha256))
}

/// Whether a new model could have this id.
pub(super) fn check_id(id: &str) -> Result<(), EntryError> {
    let ordinary = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = id.bytes().next().is_some_and(ordinary);
    let rest = id.bytes().all(|byte| ordinary(byte) || byte == b'-' || byte == b'.');
    if !first || !rest || id.len() > LONGEST_ID || Path::new(id).extension().is_some_and(|end| end == "onnx")
    {
        return Err(EntryError::Id);
    }
    if built_in().iter().any(|entry| entry.id == id) { Err(EntryError::BuiltIn) } else { Ok(()) }
}

/// Whether these are the digits of a SHA-256; lowercase.
pub(super) fn check_sha256(sha256: &str) -> Result<(), EntryError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if sha256.len() == 64 && sha256.bytes().all(digit) { Ok(()) } else { Err(EntryError::Sha256) }
}

/// Whether licence or description can be shown in a line.
pub(super) fn check_text(text: &str) -> Result<(), EntryError> {
    if text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(EntryError::Text)
    }
}

/// The users' models of a folder, by id.
pub(super) fn read(folder: &Path) -> Result<Vec<ModelEntry>, UserCatalogueError> {
    let path = folder.join(FILE);
    let listed = read_file(&path)?.models;
    let entry = |(id, listed): (String, Listed)| {
        let wrong = |reason| UserCatalogueError::Entry { path: path.clone(), id: id.clone(), reason };
        checked(&id, &listed).map_err(wrong)
    };
    listed.into_iter().map(entry).collect()
}

fn checked(id: &str, listed: &Listed) -> Result<ModelEntry, EntryError> {
    check_id(id)?;
    check_sha256(&listed.sha256)?;
    check_text(&listed.licence).and_then(|()| check_text(&listed.description))?;
    Ok(ModelEntry {
        id: id.to_owned(),
        file: file_name(id, &listed.sha256),
        sha256: vec![listed.sha256.clone()],
        family: listed.kind,
        labels: Labels::new(listed.labels.iter().map(String::as_str))?,
        origin: Origin::Added,
        licence: listed.licence.clone(),
        description: listed.description.clone(),
    })
}

/// Enters a model, or takes one out; gives the SHA-256 of the entry of that id that was there before. Waits for other
/// processes that do the same.
pub(super) fn change(
    folder: &Path,
    id: &str,
    entry: Option<&ModelEntry>,
) -> Result<Option<String>, UserCatalogueError> {
    let path = folder.join(FILE);
    let failed = |source| UserCatalogueError::Write { path: path.clone(), source };
    let _turn = whole::turn(folder).map_err(failed)?;
    let mut file = read_file(&path)?;
    let before = match entry {
        Some(entry) => file.models.insert(id.to_owned(), listed(entry)),
        None => file.models.remove(id),
    };
    if file.models.len() > MOST_MODELS {
        return Err(UserCatalogueError::Full { path });
    }
    let mut text = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    whole::replace(&path, &text).map_err(failed)?;
    Ok(before.map(|listed| listed.sha256))
}

fn listed(entry: &ModelEntry) -> Listed {
    Listed {
        sha256: entry.sha256.concat(),
        kind: entry.family,
        licence: entry.licence.clone(),
        description: entry.description.clone(),
        labels: entry.labels.names().map(str::to_owned).collect(),
    }
}

fn read_file(path: &Path) -> Result<File, UserCatalogueError> {
    let failed = |source| UserCatalogueError::Read { path: path.to_owned(), source };
    let text = match fs::metadata(path).map(|metadata| metadata.len()) {
        Ok(bytes) if bytes > MOST_BYTES => {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 32 MiB")));
        }
        Ok(_) => fs::read(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(File { format: FORMAT, models: BTreeMap::new() });
        }
        Err(error) => return Err(failed(error)),
    };
    let damaged = |source| UserCatalogueError::Damaged { path: path.to_owned(), source };
    let format = serde_json::from_slice::<Format>(&text).map_err(damaged)?.format;
    if format != FORMAT {
        return Err(UserCatalogueError::Format { path: path.to_owned(), format });
    }
    serde_json::from_slice(&text).map_err(damaged)
}

#[cfg(test)]
mod tests;
