//! A local file, read once as fast as it is consumed.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read, Seek as _},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use ocelli_media::{AccessUnit, AudioUnit, CodecParameters, libav::Demuxer};
use sha2::{Digest as _, Sha256};

use crate::{Source, SourceError};

/// Bytes read at once for a digest.
const PIECE: usize = 1 << 18;

/// Any file that the system's FFmpeg reads. The file is opened here; libav only sees its bytes, but it sees them in this
/// process: for files that their user names. What somebody handed over is for [`ChildSource`](crate::child::ChildSource).
#[derive(Debug)]
pub struct FileSource {
    demuxer: Demuxer,
    /// The same open file, read by offset.
    bytes: File,
}

impl FileSource {
    /// Opens and probes.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::of(open_regular(path)?)
    }

    /// Probes a regular file that is open already.
    pub fn of(file: File) -> Result<Self, SourceError> {
        let file = checked(file)?;
        let bytes = file.try_clone().map_err(SourceError::Open)?;
        Ok(Self { demuxer: Demuxer::open_with_audio(Box::new(file))?, bytes })
    }

    /// Reads the whole file for its identity; `None` where `stopped` says so on the way. What is demuxed is not disturbed,
    /// and is the same file even where its name leads to another by now.
    pub fn identify(&self, stopped: impl Fn() -> bool) -> io::Result<Option<FileIdentity>> {
        identify(&self.bytes, stopped)
    }
}

/// A regular file that holds something and is no playlist.
pub(crate) fn checked(mut file: File) -> Result<File, SourceError> {
    let found = file.metadata().map_err(SourceError::Open)?;
    if found.is_dir() {
        return Err(SourceError::Directory);
    }
    if !found.is_file() {
        return Err(SourceError::Special);
    }
    if found.len() == 0 {
        return Err(SourceError::Empty);
    }
    let mut start = Vec::new();
    let read = Read::by_ref(&mut file).take(16).read_to_end(&mut start).and_then(|_| file.rewind());
    read.map_err(SourceError::Open)?;
    if is_playlist(&start) { Err(SourceError::Playlist) } else { Ok(file) }
}

/// Reads a file by offset; see [`FileSource::identify`].
pub(crate) fn identify(file: &File, stopped: impl Fn() -> bool) -> io::Result<Option<FileIdentity>> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    while !stopped() {
        match file.read_at(&mut piece, bytes) {
            Ok(0) => {
                let mut sha256 = String::with_capacity(64);
                for byte in hash.finalize() {
                    write!(sha256, "{byte:02x}").expect("a string takes all");
                }
                return Ok(Some(FileIdentity { sha256, bytes }));
            }
            Ok(read) => {
                hash.update(&piece[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What makes a file the same file, wherever it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Of its content, in 64 hexadecimal digits.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// Looked at before it is opened: opening a pipe would wait for its writer.
pub(crate) fn open_regular(path: &Path) -> Result<File, SourceError> {
    let found = path.metadata().map_err(SourceError::Open)?;
    if !(found.is_file() || found.is_dir()) {
        return Err(SourceError::Special);
    }
    File::open(path).map_err(SourceError::Open)
}

/// For a clear word only: the demuxer opens nothing that a file names, whatever its first bytes are.
pub(super) fn is_playlist(start: &[u8]) -> bool {
    // HLS, ffconcat, SDP as ffmpeg and as the RFC write it.
    const STARTS: [&[u8]; 4] = [b"#EXTM3U", b"ffconcat version", b"v=0\n", b"v=0\r\n"];
    STARTS.iter().any(|known| start.starts_with(known))
}

impl Source for FileSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.demuxer.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        Ok(self.demuxer.next_unit()?)
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.demuxer.next_audio()
    }

    fn damage(&self) -> Option<&str> {
        self.demuxer.damage()
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        let mut file = self.bytes.try_clone().map_err(SourceError::Open)?;
        file.rewind().map_err(SourceError::Open)?;
        self.demuxer = Demuxer::open_with_audio(Box::new(file))?;
        Ok(true)
    }
}
