//! Why a frame folder could not be used.

use std::{io, path::PathBuf};

/// Why a frame folder could not be opened, emptied or written to.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file, device or pipe has the folder's name.
    #[error("{} is not a directory", .0.display())]
    NotAFolder(PathBuf),
    /// The folder, or one above it, could not be made.
    #[error("cannot create the directory {}", path.display())]
    Create {
        /// The directory that was missing.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Something is in the folder, and [`Existing::Refuse`](super::Existing::Refuse) was asked for.
    #[error(
        "{} is not empty; name another directory, or pass --overwrite to replace its frame_*.jpg files",
        .0.display()
    )]
    NotEmpty(PathBuf),
    /// A directory, link or device has the name of a frame; it is never removed.
    #[error("{} has the name of a frame but is not a regular file; move it away", .0.display())]
    InTheWay(PathBuf),
    /// Two writers would overwrite each other's frames.
    #[error("{} is being written by another process", .0.display())]
    Busy(PathBuf),
    /// The folder could not be read.
    #[error("cannot list {}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// An old frame could not be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The old frame, or the part of one.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A frame could not be read back.
    #[error("cannot read {}", path.display())]
    Read {
        /// The frame.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// This frame is not in the folder. The next write takes its number, and succeeds if the cause is gone.
    #[error("cannot write {}", path.display())]
    Write {
        /// The frame, by its final name.
        path: PathBuf,
        /// What the system says, such as a full disk.
        #[source]
        cause: io::Error,
    },
}
