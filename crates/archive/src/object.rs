//! Names of files, and what a segment file says of itself.

use bytes::Bytes;
use ocelli_media::cmaf::{self, CmafError, Scan, Tracks};
use ocelli_model::StreamId;
use sha2::{Digest as _, Sha256};

/// Folder of segments that grow.
pub(crate) const OPEN: &str = "open";
/// Folder of objects. Names of streams are free, so these two are folders of their own.
pub(crate) const MEDIA: &str = "media";
/// What a batch of retention is about to remove.
pub(crate) const REMOVING: &str = "removing";
/// Largest segment file that is read back: 10 s of 400 Mb/s.
pub(crate) const LARGEST: u64 = 512 << 20;

/// What the name of an open segment tells, which its media does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OpenName {
    pub(crate) number: u64,
    pub(crate) run: u32,
    pub(crate) began_ms: i64,
}

impl OpenName {
    pub(crate) fn key(&self, stream: &StreamId) -> String {
        format!("{OPEN}/{stream}/{}-{}-{}.mp4", self.run, self.number, self.began_ms)
    }

    pub(crate) fn read(name: &str) -> Option<Self> {
        let mut words = name.strip_suffix(".mp4")?.splitn(3, '-');
        let mut word = || words.next();
        let (run, number, began) = (word()?, word()?, word()?);
        let read =
            Self { run: run.parse().ok()?, number: number.parse().ok()?, began_ms: began.parse().ok()? };
        (format!("{}-{}-{}.mp4", read.run, read.number, read.began_ms) == name).then_some(read)
    }
}

/// Where the object of a segment lies: `<stream>/<run>/<number>.mp4` under [`MEDIA`].
pub(crate) fn location(stream: &StreamId, run: u32, number: u64) -> String {
    format!("{stream}/{run}/{number}.mp4")
}

/// Key of an object's file. Locations come from the index, which a person may have edited: they stay within the folder.
pub(crate) fn key(location: &str) -> Option<String> {
    let plain = |word: &str| !word.is_empty() && word != "." && word != ".." && !word.contains(['\0', '\\']);
    (location.split('/').count() == 3 && location.split('/').all(plain))
        .then(|| format!("{MEDIA}/{location}"))
}

/// Equal bytes, equal names: the first 64 bits of their SHA-256.
pub(crate) fn init_name(bytes: &[u8]) -> String {
    let first = Sha256::digest(bytes).iter().take(8).fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Times of a segment's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) first_pts: i64,
    pub(crate) end_pts: i64,
    pub(crate) keyframe: bool,
}

/// A segment file, read.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) scan: Scan,
    pub(crate) tracks: Tracks,
    pub(crate) init: String,
    /// `None`: there is no picture in it.
    pub(crate) extent: Option<Extent>,
}

impl Object {
    /// Reads all of it. Parts after the first that is damaged are not there.
    pub(crate) fn read(bytes: &Bytes) -> Result<Self, CmafError> {
        let scan = cmaf::scan(bytes);
        let tracks = cmaf::read_init(bytes)?;
        let init = init_name(&bytes[..scan.init]);
        let mut extent = None::<Extent>;
        for range in &scan.parts {
            let part = cmaf::read_part(&tracks, &bytes.slice(range.clone()))?;
            for sample in &part.video {
                let found = extent.get_or_insert(Extent {
                    first_pts: sample.pts,
                    end_pts: sample.pts,
                    keyframe: sample.keyframe,
                });
                found.first_pts = found.first_pts.min(sample.pts);
                found.end_pts = found.end_pts.max(sample.pts.saturating_add(i64::from(sample.ticks)));
            }
        }
        Ok(Self { scan, tracks, init, extent })
    }
}

#[cfg(test)]
mod tests;
