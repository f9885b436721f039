//! Files are written aside and renamed when they are whole.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The name that `path` has until it is whole.
pub(super) fn name(path: &Path) -> Result<PathBuf> {
    let mut name = path.file_name().with_context(|| format!("{} names no file", path.display()))?.to_owned();
    name.push(".part");
    Ok(path.with_file_name(name))
}

/// Whether both names lead to one file, links followed.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
