//! What can go wrong.

use std::{io, path::PathBuf};

use ocelli_media::cmaf::CmafError;
use ocelli_model::StreamId;
use ocelli_store::StoreError;

/// Why the archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The folder cannot be used.
    #[error("the archive {} cannot be used", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process records there.
    #[error("the archive {} is in use by another process", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// Two at once.
    #[error("stream {0} is being recorded already")]
    Recording(StreamId),
    /// Not in the archive, or not any more.
    #[error("the archive does not hold {0}")]
    Missing(String),
    /// An argument that no caller should pass.
    #[error("{0}")]
    Invalid(String),
    /// The media is there and cannot be read.
    #[error("{location} cannot be read")]
    Read {
        /// Key of the object.
        location: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The media is there and makes no sense.
    #[error("{location} is damaged")]
    Damaged {
        /// Key of the object.
        location: String,
        /// What does not fit.
        #[source]
        source: CmafError,
    },
    /// The index.
    #[error(transparent)]
    Index(#[from] StoreError),
}
