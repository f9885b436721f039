//! Files are written aside and renamed when they are whole.

use std::{
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The name that `path` has until it is whole.
pub(super) fn name(path: &Path) -> Result<PathBuf> {
    let mut name = path.file_name().with_context(|| format!("{} names no file", path.display()))?.to_owned();
    name.push(".part");
    Ok(path.with_file_name(name))
}

/// Makes the file, in place of one that a killed run left. Never follows a link, and never takes a file that another
/// process writes: the lock goes with the file's owner.
pub(super) fn create(part: &Path) -> Result<File> {
    let shown = part.display();
    let file = match File::create_new(part) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !part.symlink_metadata()?.is_file() {
                bail!("{shown} is in the way");
            }
            if OpenOptions::new().write(true).open(part)?.try_lock().is_err() {
                bail!("another process writes {shown}");
            }
            fs::remove_file(part)?;
            File::create_new(part)?
        }
        made => made?,
    };
    // A file system without locks has one writer at a time by agreement only.
    file.try_lock().ok();
    Ok(file)
}

/// Whether both names, links of either kind included, lead to one file or folder.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|found| (found.dev(), found.ino()));
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_links_nor_files_in_use_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (input, part) = (folder.path().join("input"), folder.path().join("out.part"));
        fs::write(&input, "precious").unwrap();
        std::os::unix::fs::symlink(&input, &part).unwrap();
        assert!(create(&part).unwrap_err().to_string().contains("in the way"));
        assert_eq!(fs::read_to_string(&input).unwrap(), "precious");
        fs::remove_file(&part).unwrap();
        let first = create(&part).unwrap();
        assert!(create(&part).unwrap_err().to_string().contains("another process"));
        drop(first);
        fs::write(&part, "left over").unwrap();
        create(&part).unwrap();
        assert_eq!(fs::read(&part).unwrap(), b"");
    }
}
