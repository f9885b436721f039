//! A local file, read once as fast as it is consumed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
    sync::Arc,
};

use ocelli_media::{AccessUnit, CodecParameters, libav::Demuxer};

use crate::{Source, SourceError};

/// Any file that the system's FFmpeg reads. The file is opened here; libav only sees its bytes.
#[derive(Debug)]
pub struct FileSource {
    demuxer: Demuxer,
}

impl FileSource {
    /// Opens and probes.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        // Looked at before it is opened: opening a pipe would wait for its writer.
        let found = path.metadata().map_err(SourceError::Open)?;
        if found.is_dir() {
            return Err(SourceError::Directory);
        }
        if !found.is_file() {
            return Err(SourceError::Special);
        }
        if found.len() == 0 {
            return Err(SourceError::Empty);
        }
        let mut file = File::open(path).map_err(SourceError::Open)?;
        if is_playlist(&mut file).map_err(SourceError::Open)? {
            return Err(SourceError::Playlist);
        }
        Ok(Self { demuxer: Demuxer::open(Box::new(file))? })
    }
}

/// For a clear word only: the demuxer opens nothing that a file names, whatever its first bytes are.
fn is_playlist(file: &mut File) -> io::Result<bool> {
    // HLS, ffconcat, SDP as ffmpeg and as the RFC write it.
    const STARTS: [&[u8]; 4] = [b"#EXTM3U", b"ffconcat version", b"v=0\n", b"v=0\r\n"];
    let mut start = Vec::new();
    file.take(16).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(STARTS.iter().any(|known| start.starts_with(known)))
}

impl Source for FileSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.demuxer.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        Ok(self.demuxer.next_unit()?)
    }

    fn damage(&self) -> Option<&str> {
        self.demuxer.damage()
    }
}
