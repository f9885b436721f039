//! Uploads on disk: received under a name that nobody reads, kept under the camera's, removed when nothing reads them.

use std::{
    io,
    path::{Path, PathBuf},
};

use axum::http::StatusCode;
use ocelli_model::StreamId;
use tempfile::TempPath;
use tokio::{fs, io::AsyncWriteExt as _, task::spawn_blocking};

use crate::{failure::Failure, state::Shared};

/// Files that are being received begin with it; no camera's name does.
const INCOMING: &str = ".incoming-";
/// First bytes of a file that are looked at.
const SIGHT: usize = 512;

/// A file that came whole, and goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Upload {
    path: TempPath,
    extension: String,
}

/// A file while it comes.
#[derive(Debug)]
pub(super) struct Receiving {
    file: fs::File,
    path: TempPath,
    extension: String,
    /// The first bytes, until they are enough to be looked at.
    first: Option<Vec<u8>>,
}

impl Receiving {
    /// Opens a file for one that its client calls `name`.
    pub(super) fn begin(shared: &Shared, name: &str) -> Result<Self, Failure> {
        let folder = &shared.state.settings.uploads;
        let made = tempfile::Builder::new().prefix(INCOMING).rand_bytes(16).tempfile_in(folder);
        let (file, path) = made.map_err(|error| unwritten(&error))?.into_parts();
        let file = fs::File::from_std(file);
        Ok(Self { file, path, extension: extension(name), first: Some(Vec::new()) })
    }

    /// Takes what came, unless the file is no video at sight.
    pub(super) async fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(first) = &mut self.first {
            let room = SIGHT.saturating_sub(first.len()).min(bytes.len());
            first.extend_from_slice(&bytes[..room]);
            if first.len() >= SIGHT {
                self.look()?;
            }
        }
        self.file.write_all(bytes).await.map_err(|error| unwritten(&error))
    }

    pub(super) async fn end(mut self) -> Result<Upload, Failure> {
        self.look()?;
        self.file.flush().await.map_err(|error| unwritten(&error))?;
        Ok(Upload { path: self.path, extension: self.extension })
    }

    fn look(&mut self) -> Result<(), Failure> {
        let Some(what) = self.first.take().and_then(|first| no_video(&first)) else { return Ok(()) };
        let detail = format!("the file is {what}, not a video");
        Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not a video", detail))
    }
}

impl Upload {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its camera's folder. From then on it stays until [`forget_uploads`].
    pub(crate) async fn keep(self, shared: &Shared, id: &StreamId) -> Result<PathBuf, Failure> {
        let folder = shared.state.settings.uploads.join(id.as_str());
        fs::create_dir_all(&folder).await.map_err(|error| unwritten(&error))?;
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_prefix(INCOMING).unwrap_or(name);
        let place = folder.join(format!("{name}.{}", self.extension));
        self.path.persist(&place).map_err(|error| unwritten(&error.error))?;
        Ok(place)
    }
}

fn unwritten(error: &io::Error) -> Failure {
    tracing::error!(%error, "an upload cannot be written");
    if error.kind() == io::ErrorKind::StorageFull {
        Failure::unavailable("no room is left for uploads; ask the operator to free some")
    } else {
        Failure::unavailable("uploads cannot be written; the server's log says why")
    }
}

/// The extension of the client's name, if it is a plain one: for people, nothing is decided by it.
fn extension(name: &str) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let plain =
        (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { extension.to_ascii_lowercase() } else { "video".to_owned() }
}

/// What a file is that is certainly no video: spares receiving the rest, and examining it.
fn no_video(first: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 5] = [
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x7fELF", "a program"),
        (b"\x89PNG", "a PNG picture"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Some(what);
    }
    // Playlists too: they only name other files.
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    first.iter().all(is_text).then_some("text")
}

/// Removes the uploads of a camera, but for the one that is to stay. What cannot be removed is logged: it is tried again
/// with the next decode, and when the server starts.
pub(crate) async fn forget_uploads(shared: &Shared, id: &StreamId, but: Option<&Path>) {
    let folder = shared.state.settings.uploads.join(id.as_str());
    let but: Vec<_> = but.map(Path::to_owned).into_iter().collect();
    let removed = spawn_blocking(move || remove_all(&folder, &but)).await;
    if let Err(error) = removed.map_err(io::Error::other).flatten() {
        tracing::warn!(stream = %id, %error, "old uploads cannot be removed");
    }
}

/// Removes what a killed server left in the folder of uploads: files that were being received, and those that are not among
/// `read`, the files that streams read. To be called before requests are served.
pub fn remove_stale_uploads(uploads: &Path, read: &[PathBuf]) -> io::Result<()> {
    for entry in std::fs::read_dir(uploads)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let kind = entry.file_type()?;
        if kind.is_file() && name.starts_with(INCOMING) {
            std::fs::remove_file(entry.path())?;
        } else if kind.is_dir() && name.parse::<StreamId>().is_ok() {
            remove_all(&entry.path(), read)?;
        }
    }
    Ok(())
}

/// Removes the files of a folder but for those that are to stay; and the folder, if it is then empty.
fn remove_all(folder: &Path, but: &[PathBuf]) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut is_empty = true;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() && !but.contains(&entry.path()) {
            std::fs::remove_file(entry.path())?;
        } else {
            is_empty = false;
        }
    }
    if is_empty { std::fs::remove_dir(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_plain() {
        let check = |name: &str, expected: &str| assert_eq!(extension(name), expected, "{name:?}");
        check("a.MP4", "mp4");
        check("a.b.mkv", "mkv");
        for odd in ["", "a", "a.", "a.../../etc", "a.mp4/..", "a.ä", "a.123456789", "a. mp4", "a.\0"] {
            check(odd, "video");
        }
    }

    #[test]
    fn what_is_no_video_at_sight() {
        let check = |first: &[u8], expected: Option<&str>| assert_eq!(no_video(first), expected, "{first:?}");
        check(b"#EXTM3U\nhttp://169.254.169.254/\n", Some("text"));
        check(b"<!DOCTYPE html>", Some("text"));
        check(b"%PDF-1.7\n%\xe2\xe3", Some("a PDF document"));
        check(b"PK\x03\x04\x14\0", Some("a ZIP archive"));
        check(b"\x7fELF\x02", Some("a program"));
        let videos = [
            &b"\0\0\0\x20ftypisom"[..],
            b"RIFF\xa0\x01\0\0AVI LIST",
            b"\x1aE\xdf\xa3",
            b"G@\0\x10",
            b"\0\0\0\x01\x67",
            b"YUV4MPEG2 W2 H2 F25:1\nFRAME\n\x10\x10\x10\x10\x80\x80",
        ];
        for video in videos {
            check(video, None);
        }
    }
}
