//! `--annotate`: the analysed frames, with their boxes, at their own media times.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use ocelli_engine::Place;
use ocelli_media::{
    libav::{EncodeError, VideoSettings, VideoWriter},
    pixel::OwnedPicture,
};
use ocelli_model::TimeBase;

use super::super::aside;

/// A video under construction beside its final name; it takes that name when it is whole.
#[derive(Debug)]
pub(super) struct Annotated {
    path: PathBuf,
    part: PathBuf,
    writer: Option<VideoWriter>,
    /// Pictures whose media time does not follow the one before: MP4 has no place for them.
    left_out: u64,
}

impl Annotated {
    /// Refuses an existing file unless it may be replaced, and the input in any case.
    pub(super) fn create(path: &Path, overwrite: bool, input: Option<&Path>) -> Result<Self> {
        let existing = path.try_exists().with_context(|| format!("cannot write {}", path.display()))?;
        if input.is_some_and(|input| aside::is_same(input, path)) {
            bail!("{} is the input itself; name another file", path.display());
        }
        if path.is_dir() {
            bail!("{} is a directory; name a file in it", path.display());
        }
        if existing && !overwrite {
            bail!("{} exists; name another file, or give --overwrite", path.display());
        }
        let part = aside::name(path)?;
        Ok(Self { path: path.to_owned(), part, writer: None, left_out: 0 })
    }

    /// Opens the file. Times count in `base`.
    pub(super) fn start(&mut self, base: TimeBase) -> Result<()> {
        let shown = || format!("cannot write {}", self.path.display());
        let file = aside::create(&self.part).with_context(shown)?;
        let writer = VideoWriter::create(Box::new(file), VideoSettings::new(base)).with_context(shown)?;
        self.writer = Some(writer);
        Ok(())
    }

    pub(super) fn write(&mut self, place: Place, picture: &OwnedPicture) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match writer.write(&picture.as_picture(), place.pts) {
            Err(EncodeError::NotIncreasing { .. } | EncodeError::Gap { .. }) => {
                self.left_out += 1;
                Ok(())
            }
            written => written.with_context(|| format!("cannot write {}", self.path.display())),
        }
    }

    /// Ends the file and gives it its name. An error says what is missing of it.
    pub(super) fn finish(self) -> Result<()> {
        let shown = self.path.display();
        let Some(writer) = self.writer else { return Ok(()) };
        match writer.finish() {
            Ok(()) => fs::rename(&self.part, &self.path).with_context(|| format!("cannot write {shown}"))?,
            Err(error) => {
                // What was written so far plays; without a picture there is nothing to keep.
                let kept = matches!(error, EncodeError::Empty)
                    .then(|| fs::remove_file(&self.part))
                    .is_none_or(|removed| removed.is_err());
                let place = if kept {
                    format!("; {} holds what was written", self.part.display())
                } else {
                    String::new()
                };
                return Err(error).with_context(|| format!("no annotated video {shown}{place}"));
            }
        }
        if self.left_out > 0 {
            bail!("{shown}: {} frames are left out, where media time steps back", self.left_out);
        }
        Ok(())
    }
}
