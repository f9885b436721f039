//! One picture of a recording: decoded are the references that it needs, and itself.

use bytes::Bytes;
use ocelli_archive::{Archive, ArchiveError};
use ocelli_media::{
    AccessUnit,
    bitstream::PictureReader,
    decode::{DecodeError, Decoder as _},
    libav::{AvError, Frame, LibavDecoder},
};
use ocelli_model::{StreamId, TimeBase};

use crate::{JpegWork, Place, Work as _, WorkError, stream::next_picture};

/// Coded pictures that one picture may need at most: a group of two minutes at 60 frames a second.
const MOST_UNITS: usize = 7200;
/// H.264 and H.265 hold no more pictures back.
const MOST_REORDERED: u32 = 16;

/// A picture of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// It, with its media time in a comment segment.
    pub jpeg: Bytes,
    /// Its own PTS: at or before the one that was asked for.
    pub pts: i64,
    /// Seconds per tick.
    pub time_base: TimeBase,
}

/// Why there is no such picture.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// The recording cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Nothing is recorded there.
    #[error("no picture is recorded at this time")]
    Missing,
    /// It would need more than is reasonable.
    #[error("the picture lies too far behind the keyframe that it needs")]
    TooFar,
    /// It cannot be decoded.
    #[error("the picture cannot be decoded")]
    Decode(#[from] DecodeError),
    /// It cannot be made from what was decoded.
    #[error("the picture cannot be made ({0})")]
    Picture(AvError),
    /// Parts of it are missing or concealed: no picture is better than a wrong one.
    #[error("the picture is damaged")]
    Damaged,
    /// It cannot be encoded.
    #[error("the picture cannot be encoded: {}", .0.reason)]
    Jpeg(WorkError),
}

/// The picture that is shown at `pts` of a run: the last one that begins no later. `quality` is 1 to 100. Blocking.
pub fn still(
    archive: &Archive,
    (stream, run): (&StreamId, u32),
    pts: i64,
    quality: u8,
) -> Result<Still, StillError> {
    let (units, chosen) = needed(archive, (stream, run), pts)?;
    let time_base = chosen.parameters.time_base;
    let frame = decode(&units, &chosen)?;
    let place = Place { run, pts: chosen.pts, time_base, slot: None };
    let failed = |reason: String| StillError::Jpeg(WorkError { reason });
    let mut encoder = JpegWork::new(quality).map_err(|error| failed(error.to_string()))?;
    let jpeg = encoder.work(place, &frame).map_err(StillError::Jpeg)?;
    Ok(Still { jpeg: jpeg.into(), pts: chosen.pts, time_base })
}

/// What must be decoded for it, in decode order, itself last.
fn needed(
    archive: &Archive,
    (stream, run): (&StreamId, u32),
    pts: i64,
) -> Result<(Vec<AccessUnit>, AccessUnit), StillError> {
    let mut reader = archive.reader(stream, run, pts);
    let mut pictures: Option<PictureReader> = None;
    let mut units: Vec<AccessUnit> = Vec::new();
    let mut chosen: Option<usize> = None;
    // Pictures shown later that came already: of them no more than the reorder depth come before one that is shown earlier.
    let (mut later, mut depth) = (0, 0);
    while later <= depth
        && let Some(unit) = next_picture(&mut reader)?
    {
        let pictures = pictures.get_or_insert_with(|| PictureReader::new(&unit.parameters));
        let info = pictures.read(&unit.data, unit.container_keyframe);
        depth = depth.max(info.map_or(MOST_REORDERED, |info| info.reorder_depth));
        later += u32::from(unit.pts > pts);
        let is_better = unit.pts <= pts && chosen.is_none_or(|best| units[best].pts < unit.pts);
        chosen = if is_better { Some(units.len()) } else { chosen };
        units.push(unit);
        if units.len() > MOST_UNITS {
            return Err(StillError::TooFar);
        }
    }
    let chosen = chosen.ok_or(StillError::Missing)?;
    units.truncate(chosen + 1);
    let itself = units.pop().ok_or(StillError::Missing)?;
    // Whatever lies before the last keyframe is not needed, but for pictures that are shown before that.
    let start = units.iter().rposition(|unit| unit.container_keyframe && unit.pts <= itself.pts).unwrap_or(0);
    let start = if itself.container_keyframe { units.len() } else { start };
    units.drain(..start);
    Ok((units, itself))
}

fn decode(units: &[AccessUnit], chosen: &AccessUnit) -> Result<Frame, StillError> {
    let mut decoder = LibavDecoder::open(&chosen.parameters)?;
    let mut reader = PictureReader::new(&chosen.parameters);
    for unit in units {
        let info = reader.read(&unit.data, unit.container_keyframe);
        if info.is_ok_and(|info| !info.reference) {
            continue;
        }
        decoder.send(unit, false)?;
        drop(take(&mut decoder, chosen.pts)?);
    }
    decoder.send(chosen, true)?;
    if let Some(frame) = take(&mut decoder, chosen.pts)? {
        return Ok(frame);
    }
    decoder.send_end();
    take(&mut decoder, chosen.pts)?.ok_or(StillError::Missing)
}

/// What the decoder has ready; the picture that is wanted, if it is among it.
fn take(decoder: &mut LibavDecoder, pts: i64) -> Result<Option<Frame>, StillError> {
    let mut found = None;
    while let Some(decoded) = decoder.receive()? {
        if decoded.pts == pts
            && let Some(frame) = decoded.frame
        {
            if decoded.damaged {
                return Err(StillError::Damaged);
            }
            found = Some(frame.map_err(StillError::Picture)?);
        }
    }
    Ok(found)
}
