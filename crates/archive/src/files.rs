//! The files of an archive. Everything that must survive a crash goes through here, so that tests can end the world at any call.

mod disk;
#[cfg(test)]
pub(crate) mod memory;

use std::{fmt, io, ops::Range, sync::Arc};

pub(crate) use disk::Disk;

/// A folder of files. Keys are relative paths with `/`, of parts that are each a plain name.
pub(crate) trait Files: Send + Sync + fmt::Debug {
    /// Makes a file that was not there before, and its folders.
    fn create(&self, key: &str) -> io::Result<Arc<dyn Growing>>;

    /// Makes a whole file that is durable when this returns, in place of one that may be there.
    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file a second name, in place of another file that may have it; makes folders. Durable after [`Self::sync_folder`].
    fn link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name; one that is not there does not matter.
    fn remove(&self, key: &str) -> io::Result<()>;

    /// Removes a folder if there is nothing in it.
    fn remove_folder(&self, key: &str);

    /// Shortens a file to its first bytes. Durable when this returns.
    fn cut(&self, key: &str, bytes: u64) -> io::Result<()>;

    /// Names that were made in a folder, and the folder itself, are durable when this returns.
    fn sync_folder(&self, key: &str) -> io::Result<()>;

    /// Bytes of a file, up to its end at most.
    fn read(&self, key: &str, range: Range<u64>) -> io::Result<Vec<u8>>;

    /// Size of a file; nothing where there is none.
    fn size(&self, key: &str) -> io::Result<Option<u64>>;

    /// What is in a folder by name; nothing where there is none.
    fn list(&self, folder: &str) -> io::Result<Vec<Listed>>;

    /// Bytes that may still be written.
    fn free(&self) -> io::Result<u64>;
}

/// A file that grows at its end.
pub(crate) trait Growing: Send + Sync + fmt::Debug {
    /// Adds bytes in one write. Where it fails some of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// What was added is durable when this returns; its name need not be.
    fn sync(&self) -> io::Result<()>;
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// `None`: a folder.
    pub(crate) bytes: Option<u64>,
}

/// The folder that a key lies in.
pub(crate) fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _name)| folder)
}
