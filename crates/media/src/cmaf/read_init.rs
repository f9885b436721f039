//! The initialisation segment read back.

use std::sync::Arc;

use ocelli_model::TimeBase;

use super::{
    CmafError, SOUND_TRACK, Tracks, VIDEO_TRACK,
    boxes::{self, Fields, RATE, TICK, child, children},
    entry, sound,
};
use crate::{AudioParameters, CodecParameters, Rotation};

/// One `trak`.
struct Track<'a> {
    id: u32,
    rotation: Rotation,
    time_base: TimeBase,
    /// Samples a second, where the sample entry cannot say it.
    rate: Option<u32>,
    /// Name and body of the only sample entry.
    entry: ([u8; 4], &'a [u8]),
}

/// Reads the initialisation segment at the head of `bytes`, which may run on: that of a segment file, too.
pub fn read_init(bytes: &[u8]) -> Result<Tracks, CmafError> {
    let ftyp = boxes::first(bytes).ok_or(CmafError::Truncated("ftyp"))?;
    if ftyp.name != *b"ftyp" {
        return Err(CmafError::Foreign("ftyp"));
    }
    let moov = boxes::first(&bytes[ftyp.len()..]).ok_or(CmafError::Truncated("moov"))?;
    if moov.name != *b"moov" {
        return Err(CmafError::Foreign("moov"));
    }
    let (mut video, mut audio) = (None, None);
    for atom in children(moov.body, "moov") {
        let atom = atom?;
        if atom.name != *b"trak" {
            continue;
        }
        let track = read_track(atom.body)?;
        match track.id {
            VIDEO_TRACK if video.is_none() => video = Some(read_video(&track)?),
            SOUND_TRACK if audio.is_none() => audio = Some(read_sound(&track)?),
            _ => return Err(CmafError::Foreign("trak")),
        }
    }
    let video = Arc::new(video.ok_or(CmafError::Foreign("moov"))?);
    Ok(Tracks { video, sound: audio.map(Arc::new) })
}

fn read_video(track: &Track<'_>) -> Result<CodecParameters, CmafError> {
    let (codec, record, [width, height]) = entry::read(track.entry.0, track.entry.1)?;
    let mut video = CodecParameters::new(codec, record, track.time_base);
    (video.width, video.height) = (u32::from(width), u32::from(height));
    video.rotation = track.rotation;
    Ok(video)
}

fn read_sound(track: &Track<'_>) -> Result<AudioParameters, CmafError> {
    let (codec, extradata, channels) = sound::read_entry(track.entry.0, track.entry.1)?;
    let mut fields = Fields::new(track.entry.1, "sample entry of sound");
    fields.slice(24)?;
    let rate = fields.u32()? >> 16;
    let sample_rate = track.rate.unwrap_or(rate);
    Ok(AudioParameters { codec, extradata, sample_rate, channels, time_base: track.time_base })
}

fn read_track(trak: &[u8]) -> Result<Track<'_>, CmafError> {
    let mut tkhd = Fields::new(child(trak, *b"tkhd", "trak")?, "tkhd");
    tkhd.slice(12)?;
    let id = tkhd.u32()?;
    tkhd.slice(24)?;
    let rotation = read_rotation(&mut tkhd)?;
    let (mut num, mut rate) = (1, None);
    for atom in children(trak, "trak") {
        let atom = atom?;
        num = boxes::ours(&atom, TICK).unwrap_or(num);
        rate = boxes::ours(&atom, RATE).or(rate);
    }
    let mdia = child(trak, *b"mdia", "trak")?;
    let mut mdhd = Fields::new(child(mdia, *b"mdhd", "mdia")?, "mdhd");
    mdhd.slice(12)?;
    let time_base =
        TimeBase::new(num, mdhd.u32()?).map_err(|_no_fraction| CmafError::Foreign("timescale"))?;
    let minf = child(mdia, *b"minf", "mdia")?;
    let stbl = child(minf, *b"stbl", "minf")?;
    let mut stsd = Fields::new(child(stbl, *b"stsd", "stbl")?, "stsd");
    stsd.expect_version(0, 0)?;
    stsd.u32()?;
    let entry = boxes::first(stsd.rest()).ok_or(CmafError::Truncated("stsd"))?;
    Ok(Track { id, rotation, time_base, rate, entry: (entry.name, entry.body) })
}

/// The turn of a display matrix of ours.
fn read_rotation(tkhd: &mut Fields<'_>) -> Result<Rotation, CmafError> {
    let mut matrix = [0_i32; 5];
    for value in &mut matrix {
        *value = tkhd.u32()?.cast_signed();
    }
    let [a, b, _, c, d] = matrix.map(i32::signum);
    match (a, b, c, d) {
        (1, 0, 0, 1) => Ok(Rotation::None),
        (0, 1, -1, 0) => Ok(Rotation::Clockwise),
        (-1, 0, 0, -1) => Ok(Rotation::Half),
        (0, -1, 1, 0) => Ok(Rotation::Counterclockwise),
        _ => Err(CmafError::Foreign("tkhd")),
    }
}
