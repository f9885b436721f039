//! What can go wrong, whose fault it is, and what to do.

use std::{path::PathBuf, sync::Arc};

/// Why the store did not do what it was asked. Nothing of a failed write is there.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes this store.
    #[error("the store {} is in use by {holder}; wait for it to end, or name another store (reading commands work meanwhile)", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// Such as "process 4711".
        holder: String,
    },
    /// There is none, and it was not to be made.
    #[error("there is no store {}; `ocelli analyze --store` makes one", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Written by a later release.
    #[error("the store {} has schema {found}, this release knows up to {known}; use the release that wrote it, or a newer one", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest of this release.
        known: i64,
    },
    /// Not a store, or damaged.
    #[error("{} is no store or is damaged ({reason}); keep a copy, then restore a backup or name another store", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// May be read only.
    #[error("the store {} cannot be written ({reason}); check its permissions and those of its folder", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No room.
    #[error("no room left for the store {}; what was acknowledged is kept: free some space and run the same command again", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The same run is stored with other properties.
    #[error(
        "the store holds this run with another {what} ({stored}, now {given}); it was written by another build: name another store"
    )]
    Conflict {
        /// Which property.
        what: &'static str,
        /// As stored.
        stored: String,
        /// As given.
        given: String,
    },
    /// An argument that no caller should pass.
    #[error("{0}")]
    Invalid(String),
    /// The store was closed, or nothing more is written after what failed before: that was told to whoever wrote it.
    #[error("the store is closed after an earlier failure")]
    Closed,
    /// Anything else the backend said.
    #[error("the store failed")]
    Backend(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// Whose fault an error is, and whether trying again is useful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller asked for what cannot be.
    Caller,
    /// The environment: try again when it is mended.
    Environment,
    /// The store itself.
    Store,
}

impl StoreError {
    /// See [`Fault`].
    pub fn fault(&self) -> Fault {
        match self {
            Self::Missing { .. } | Self::Conflict { .. } | Self::Invalid(_) => Fault::Caller,
            Self::InUse { .. } | Self::ReadOnly { .. } | Self::Full { .. } => Fault::Environment,
            Self::Newer { .. } | Self::Damaged { .. } | Self::Closed | Self::Backend(_) => Fault::Store,
        }
    }
}
