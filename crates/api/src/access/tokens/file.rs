//! The file that tokens are kept in, changed by the command line while the server reads it.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{NoRandom, TokenHash, TokenRecord, draw, draw_id};
use crate::access::{
    grant::{Role, StreamScope},
    secret::Secret,
};

/// Most bytes that are read: many times what [`MOST_TOKENS`] need.
const MOST_BYTES: u64 = 16 << 20;
/// Most tokens of one server.
const MOST_TOKENS: usize = 10_000;
/// Most characters of a name.
const MOST_NAME: usize = 64;
/// The form of the file.
const VERSION: u32 = 1;

/// The file of tokens. It need not exist before the first is created.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// What a token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What people call it: 1 to 64 characters; no two tokens that hold have the same.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// On which streams.
    pub streams: StreamScope,
    /// When it ends, in milliseconds since 1970; `None`: never.
    pub expires_ms: Option<i64>,
}

/// Why tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The system says no.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file, or its folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not a file of tokens.
    #[error("{} is no file of tokens; restore it, or remove it and create the tokens anew", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A form that this program does not know.
    #[error("{} has version {found}, and this program knows version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Too large.
    #[error("{} is larger than {MOST_BYTES} bytes", path.display())]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// Others could add tokens of their own.
    #[error("{} can be written by others; run `chmod 600` on it", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
    },
    /// A name nobody can read.
    #[error("a token's name has 1 to {MOST_NAME} characters and no line breaks or other control characters")]
    Name,
    /// A name that is taken.
    #[error("there is a token named {0:?}; revoke it, or choose another name")]
    Taken(String),
    /// Ends before it begins.
    #[error("the token would have expired before anybody could use it")]
    Expired,
    /// Too many.
    #[error("there are {MOST_TOKENS} tokens; revoke some")]
    Many,
    /// No such token.
    #[error("no token has the id or name {0:?}; `ocelli token list` shows them")]
    Unknown(String),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// The file as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    tokens: Vec<TokenRecord>,
}

impl TokenFile {
    /// Reads the file once, so that what is wrong with it shows at once. No file is no tokens.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TokenFileError> {
        let file = Self { path: path.into() };
        file.list()?;
        Ok(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tokens, the oldest first.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenFileError> {
        Ok(self.read()?.1)
    }

    /// Makes a token and keeps its hash. The token itself is nowhere but in the answer.
    pub fn create(&self, new: NewToken, now_ms: i64) -> Result<(TokenRecord, Secret), TokenFileError> {
        let NewToken { name, role, streams, expires_ms } = new;
        if name.trim().is_empty() || name.chars().count() > MOST_NAME || name.chars().any(char::is_control) {
            return Err(TokenFileError::Name);
        }
        let (token, id) = (draw()?, draw_id()?);
        let hash = TokenHash::of(token.reveal());
        let record = TokenRecord { id, name, role, streams, created_ms: now_ms, expires_ms, hash };
        if record.has_expired(now_ms) {
            return Err(TokenFileError::Expired);
        }
        self.change(|tokens| {
            // The name of one that has expired is free again.
            tokens.retain(|other| other.name != record.name || !other.has_expired(now_ms));
            if tokens.iter().any(|other| other.name == record.name) {
                return Err(TokenFileError::Taken(record.name.clone()));
            }
            if tokens.len() >= MOST_TOKENS {
                return Err(TokenFileError::Many);
            }
            tokens.push(record.clone());
            Ok(())
        })?;
        Ok((record, token))
    }

    /// Forgets the token with this id or name. A running server refuses it within a second.
    pub fn revoke(&self, id_or_name: &str) -> Result<TokenRecord, TokenFileError> {
        self.change(|tokens| {
            let named = |token: &TokenRecord| token.id == id_or_name || token.name == id_or_name;
            let place = tokens.iter().position(named);
            Ok(tokens.remove(place.ok_or_else(|| TokenFileError::Unknown(id_or_name.to_owned()))?))
        })
    }

    /// The tokens and which file they are from; no file, no tokens.
    pub(super) fn read(&self) -> Result<(Option<Metadata>, Vec<TokenRecord>), TokenFileError> {
        let failed = |source| self.failed("read", source);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, Vec::new())),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.permissions().mode() & 0o022 != 0 {
            return Err(TokenFileError::Writable { path: self.path.clone() });
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(TokenFileError::Large { path: self.path.clone() });
        }
        let kept: Kept = serde_json::from_slice(&bytes)
            .map_err(|source| TokenFileError::Form { path: self.path.clone(), source })?;
        if kept.version != VERSION {
            return Err(TokenFileError::Version { path: self.path.clone(), found: kept.version });
        }
        Ok((Some(metadata), kept.tokens))
    }

    /// Changes the tokens, one process at a time; readers see the old file or the new one.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<TokenRecord>) -> Result<T, TokenFileError>,
    ) -> Result<T, TokenFileError> {
        // A lock on the file itself would be lost with it: the new one takes its place.
        let mut lock_path = self.path.clone().into_os_string();
        lock_path.push(".lock");
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&lock_path);
        let held = |lock: File| {
            keep_owner(&self.path, self.folder(), &lock, lock_path.as_ref())?;
            lock.lock().map(|()| lock)
        };
        let _lock = lock.and_then(held).map_err(|source| self.failed("lock", source))?;
        let mut tokens = self.list()?;
        let done = change(&mut tokens)?;
        self.write(&Kept { version: VERSION, tokens }).map_err(|source| self.failed("write", source))?;
        Ok(done)
    }

    fn write(&self, kept: &Kept) -> io::Result<()> {
        let folder = self.folder();
        // Mode 0600 from its first moment.
        let mut aside = NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut aside, kept)?;
        aside.write_all(b"\n")?;
        keep_owner(&self.path, folder, aside.as_file(), aside.path())?;
        aside.as_file().sync_all()?;
        aside.persist(&self.path)?;
        File::open(folder)?.sync_all()
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> TokenFileError {
        TokenFileError::Io { doing, path: self.path.clone(), source }
    }
}

/// A file that root replaces belongs to whom it belonged before, else the server, which is not root, could not read it.
fn keep_owner(old: &Path, folder: &Path, new: &File, new_path: &Path) -> io::Result<()> {
    let before = old.metadata().or_else(|_missing| folder.metadata())?;
    let now = new.metadata()?;
    let same = before.uid() == now.uid();
    if same || now.uid() != 0 { Ok(()) } else { chown(new_path, Some(before.uid()), Some(before.gid())) }
}
