//! The tokens of a running server: read again when the file changes.

use std::{
    collections::HashMap,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt as _,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;

use super::{TokenFile, TokenFileError, TokenHash, TokenRecord};
use crate::access::grant::Grant;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The tokens that hold, for looking up.
#[derive(Debug)]
pub(crate) struct TokenTable {
    file: TokenFile,
    tokens: RwLock<Shelves>,
    looked: Mutex<Looked>,
}

/// By the first bytes of their hashes; the rest is compared in constant time.
type Shelves = HashMap<u64, Vec<Token>>;

#[derive(Clone, Debug)]
struct Token {
    record: Arc<TokenRecord>,
    grant: Arc<Grant>,
}

#[derive(Debug)]
struct Looked {
    at: Instant,
    stamp: Option<Stamp>,
}

/// What changes when the file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
    /// Changes with permissions and owner too, so that a file that was mended is read again.
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What a token turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Valid(Arc<TokenRecord>, Arc<Grant>),
    Expired,
    Unknown,
}

impl TokenTable {
    pub(crate) fn open(file: TokenFile, now: Instant) -> Result<Self, TokenFileError> {
        let (metadata, tokens) = file.read()?;
        let looked = Looked { at: now, stamp: metadata.as_ref().map(Stamp::of) };
        Ok(Self { file, tokens: RwLock::new(shelves(tokens)), looked: Mutex::new(looked) })
    }

    /// Looks a token up, after a look at the file where the last was a second ago.
    pub(crate) fn find(&self, token: &str, now: Instant, now_ms: i64) -> Found {
        self.look(now);
        let hash = TokenHash::of(token);
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let shelf = tokens.get(&hash.shelf()).map_or(&[][..], Vec::as_slice);
        match shelf.iter().find(|token| token.record.hash == hash) {
            None => Found::Unknown,
            Some(Token { record, .. }) if record.has_expired(now_ms) => Found::Expired,
            Some(Token { record, grant }) => Found::Valid(Arc::clone(record), Arc::clone(grant)),
        }
    }

    /// Whether the token with this id is still there, for connections that outlive their first request.
    pub(crate) fn holds(&self, id: &str, now: Instant) -> bool {
        self.look(now);
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.values().flatten().any(|token| token.record.id == id)
    }

    /// Reads the file again if it changed. One caller looks, others go on with what is there; a look costs some
    /// microseconds, and a small file little more, so nobody is sent to another thread for it.
    fn look(&self, now: Instant) {
        let Ok(mut looked) = self.looked.try_lock() else { return };
        if now.saturating_duration_since(looked.at) < LOOK {
            return;
        }
        looked.at = now;
        let stamp = match self.file.path().metadata() {
            Ok(metadata) => Some(Stamp::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!(%error, file = %self.file.path().display(), "cannot look at the tokens; those read before hold");
                return;
            }
        };
        if stamp == looked.stamp {
            return;
        }
        // Taken down before reading, so that a broken file is complained of once.
        looked.stamp = stamp;
        match self.file.read() {
            Ok((metadata, tokens)) => {
                looked.stamp = metadata.as_ref().map(Stamp::of);
                tracing::info!(tokens = tokens.len(), "tokens read again");
                *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = shelves(tokens);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(%error, cause, "tokens are as they were read before");
            }
        }
    }
}

fn shelves(tokens: Vec<TokenRecord>) -> Shelves {
    let mut shelves = Shelves::new();
    for record in tokens {
        let grant = Arc::new(record.grant());
        let token = Token { record: Arc::new(record), grant };
        shelves.entry(token.record.hash.shelf()).or_default().push(token);
    }
    shelves
}
