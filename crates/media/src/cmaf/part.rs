//! Parts: one `moof` and its `mdat`.

use bytes::{BufMut as _, Bytes};
use ocelli_model::TimeBase;

use super::{
    CmafError, SOUND_TRACK, Sample, SoundSample, Tracks, VIDEO_TRACK,
    boxes::{HEAD, put, put_full, put_ours},
    layout::{CHECK_BYTES, Layout, Run, checksum},
};

/// A picture that needs no other, and one that does (`sample_flags`, ISO/IEC 14496-12 8.8.3.1).
const KEYFRAME: u32 = 0x0200_0000;
const OTHER: u32 = 0x0101_0000;
/// The bit of the flags that tells them apart: `sample_is_non_sync_sample`.
const NON_SYNC: u32 = 0x0001_0000;

// Flags of `trun` (8.8.8.1).
pub(super) const DATA_OFFSET: u32 = 0x1;
pub(super) const DURATION: u32 = 0x100;
pub(super) const SIZE: u32 = 0x200;
pub(super) const FLAGS: u32 = 0x400;
pub(super) const OFFSET: u32 = 0x800;
/// `default-base-is-moof` of `tfhd` (8.8.7.1).
pub(super) const BASE_IS_MOOF: u32 = 0x02_0000;

/// A part read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `sequence_number` of its `mfhd`.
    pub sequence: u32,
    /// Pictures in decode order.
    pub video: Vec<Sample>,
    /// Sound.
    pub sound: Vec<SoundSample>,
}

/// One track's entry in `moof`, in ticks of the file.
struct Written<'a> {
    track: u32,
    /// `baseMediaDecodeTime`.
    base: u64,
    /// Flags of each sample, else those of all.
    sync: Option<Vec<bool>>,
    ticks: Vec<u32>,
    /// Composition offsets, where any is not 0.
    offsets: Option<Vec<i32>>,
    data: Vec<&'a Bytes>,
}

/// One `moof` and its `mdat`. `sequence` is `mfhd`'s. An empty list leaves its track out. The DTS of each picture, and the PTS of each
/// block of sound, are where the one before it ends.
pub fn part(
    sequence: u32,
    video: (&[Sample], TimeBase),
    sound: (&[SoundSample], TimeBase),
) -> Result<Bytes, CmafError> {
    let tracks = [of_video(video)?, of_sound(sound)?];
    let tracks: Vec<Written<'_>> = tracks.into_iter().flatten().collect();
    if tracks.is_empty() {
        return Err(CmafError::Empty);
    }
    let media: u64 = tracks.iter().flat_map(|track| &track.data).map(|data| data.len() as u64).sum();
    let count: u64 = tracks.iter().map(|track| track.data.len() as u64).sum();
    // Generous: offsets from the start of `moof` are signed.
    let size = media.saturating_add(count * 16 + 1024);
    if size > i32::MAX as u64 {
        return Err(CmafError::TooLarge(media));
    }
    let mut out = Vec::with_capacity(size as usize);
    let mut places = Vec::with_capacity(tracks.len());
    put(&mut out, *b"moof", |out| {
        put_full(out, *b"mfhd", (0, 0), |out| out.put_u32(sequence));
        for track in &tracks {
            places.push(put_track(out, track));
        }
        put_ours(out, super::boxes::CHECK, 0);
    });
    let check = out.len() - CHECK_BYTES;
    let mut offset = out.len() + HEAD;
    for (place, track) in places.into_iter().zip(&tracks) {
        out[place..place + 4].copy_from_slice(&(offset as u32).to_be_bytes());
        offset += track.data.iter().map(|data| data.len()).sum::<usize>();
    }
    put(&mut out, *b"mdat", |out| {
        tracks.iter().flat_map(|track| &track.data).for_each(|data| out.put_slice(data));
    });
    let sum = checksum(&out, check);
    out[check..check + CHECK_BYTES].copy_from_slice(&sum.to_be_bytes());
    Ok(out.into())
}

/// Writes a `traf`, and gives the place of its data offset.
fn put_track(out: &mut Vec<u8>, track: &Written<'_>) -> usize {
    let mut place = 0;
    put(out, *b"traf", |out| {
        put_full(out, *b"tfhd", (0, BASE_IS_MOOF), |out| out.put_u32(track.track));
        put_full(out, *b"tfdt", (1, 0), |out| out.put_u64(track.base));
        let mut flags = DATA_OFFSET | DURATION | SIZE;
        flags |= if track.sync.is_some() { FLAGS } else { 0 };
        flags |= if track.offsets.is_some() { OFFSET } else { 0 };
        put_full(out, *b"trun", (1, flags), |out| {
            out.put_u32(track.data.len() as u32);
            place = out.len();
            out.put_u32(0);
            for (at, (ticks, data)) in track.ticks.iter().zip(&track.data).enumerate() {
                out.put_u32(*ticks);
                out.put_u32(data.len() as u32);
                if let Some(sync) = &track.sync {
                    out.put_u32(if sync[at] { KEYFRAME } else { OTHER });
                }
                if let Some(offsets) = &track.offsets {
                    out.put_i32(offsets[at]);
                }
            }
        });
    });
    place
}

fn of_video((samples, base): (&[Sample], TimeBase)) -> Result<Option<Written<'_>>, CmafError> {
    let Some(first) = samples.first() else { return Ok(None) };
    let scale = Scale { num: base.num() };
    let mut written = Written {
        track: VIDEO_TRACK,
        base: scale.base(first.dts, first.pts)?,
        sync: Some(samples.iter().map(|sample| sample.keyframe).collect()),
        ticks: Vec::with_capacity(samples.len()),
        offsets: None,
        data: samples.iter().map(|sample| &sample.data).collect(),
    };
    let mut offsets = Vec::with_capacity(samples.len());
    let mut next = first.dts;
    for sample in samples {
        if sample.dts != next {
            return Err(CmafError::NotContiguous { pts: sample.pts });
        }
        next = scale.end(sample.dts, sample.ticks, sample.pts)?;
        written.ticks.push(scale.ticks(sample.ticks, sample.pts)?);
        offsets.push(scale.offset(sample.pts, sample.dts)?);
    }
    written.offsets = Some(offsets);
    Ok(Some(written))
}

/// Sound is decoded when it is heard. Only what is heard before 0 needs offsets: there is no negative decode time.
fn of_sound((samples, base): (&[SoundSample], TimeBase)) -> Result<Option<Written<'_>>, CmafError> {
    let Some(first) = samples.first() else { return Ok(None) };
    let scale = Scale { num: base.num() };
    let mut written = Written {
        track: SOUND_TRACK,
        base: scale.base(first.pts.max(0), first.pts)?,
        sync: None,
        ticks: Vec::with_capacity(samples.len()),
        offsets: None,
        data: samples.iter().map(|sample| &sample.data).collect(),
    };
    let mut next = first.pts;
    for sample in samples {
        if sample.pts != next {
            return Err(CmafError::NotContiguous { pts: sample.pts });
        }
        next = scale.end(sample.pts, sample.ticks, sample.pts)?;
        written.ticks.push(scale.ticks(sample.ticks, sample.pts)?);
    }
    if first.pts < 0 {
        written.offsets = Some(vec![scale.offset(first.pts, 0)?; samples.len()]);
    }
    Ok(Some(written))
}

/// Ticks of a stream to those of its track in the file: times the numerator.
#[derive(Clone, Copy)]
struct Scale {
    num: u32,
}

impl Scale {
    fn base(self, dts: i64, pts: i64) -> Result<u64, CmafError> {
        u64::try_from(dts).map_err(|_negative| CmafError::Time { what: "the DTS", pts })?;
        self.wide(dts, pts).map(i64::unsigned_abs)
    }

    /// The next unit's time; all times must fit into 63 bits, for readers count with signs.
    fn end(self, time: i64, ticks: u32, pts: i64) -> Result<i64, CmafError> {
        let end = time.checked_add(i64::from(ticks)).ok_or(CmafError::Time { what: "the end", pts })?;
        self.wide(end, pts).map(|_fits| end)
    }

    fn wide(self, time: i64, pts: i64) -> Result<i64, CmafError> {
        time.checked_mul(i64::from(self.num)).ok_or(CmafError::Time { what: "the time", pts })
    }

    fn ticks(self, ticks: u32, pts: i64) -> Result<u32, CmafError> {
        ticks.checked_mul(self.num).ok_or(CmafError::Time { what: "the duration", pts })
    }

    fn offset(self, pts: i64, dts: i64) -> Result<i32, CmafError> {
        self.wide(pts, pts)?;
        let offset = pts.checked_sub(dts).and_then(|ticks| ticks.checked_mul(i64::from(self.num)));
        let offset = offset.and_then(|offset| i32::try_from(offset).ok());
        offset.ok_or(CmafError::Time { what: "the distance from DTS to PTS", pts })
    }
}

/// Reads a part back: what was written, or an error. The samples share the part's bytes.
pub fn read_part(tracks: &Tracks, part: &Bytes) -> Result<Part, CmafError> {
    let layout = Layout::read(part)?;
    if layout.bytes != part.len() {
        return Err(CmafError::Foreign("mdat"));
    }
    let mut at = layout.media;
    let mut read = Part { sequence: layout.sequence, video: Vec::new(), sound: Vec::new() };
    for run in &layout.runs {
        let mut data = |size: u32| {
            let start = at;
            at += size as usize;
            part.slice(start..at)
        };
        match (run.track, &tracks.sound) {
            (VIDEO_TRACK, _) => read.video = video_of(run, tracks.video.time_base, &mut data)?,
            (SOUND_TRACK, Some(sound)) => read.sound = sound_of(run, sound.time_base, &mut data)?,
            _ => return Err(CmafError::Foreign("tfhd")),
        }
    }
    Ok(read)
}

fn video_of(
    run: &Run,
    base: TimeBase,
    data: &mut impl FnMut(u32) -> Bytes,
) -> Result<Vec<Sample>, CmafError> {
    let mut samples = Vec::with_capacity(run.entries.len());
    let mut dts = run.base;
    for entry in &run.entries {
        let pts = dts.checked_add(i64::from(entry.offset)).ok_or(CmafError::Foreign("trun"))?;
        samples.push(Sample {
            pts: unscaled(pts, base)?,
            dts: unscaled(dts, base)?,
            ticks: unscaled(i64::from(entry.ticks), base)? as u32,
            keyframe: entry.flags & NON_SYNC == 0,
            data: data(entry.size),
        });
        dts = dts.checked_add(i64::from(entry.ticks)).ok_or(CmafError::Foreign("trun"))?;
    }
    Ok(samples)
}

fn sound_of(
    run: &Run,
    base: TimeBase,
    data: &mut impl FnMut(u32) -> Bytes,
) -> Result<Vec<SoundSample>, CmafError> {
    let mut samples = Vec::with_capacity(run.entries.len());
    let Some(first) = run.entries.first() else { return Ok(samples) };
    if run.entries.iter().any(|entry| entry.offset != first.offset) {
        return Err(CmafError::Foreign("trun"));
    }
    let mut pts = run.base.checked_add(i64::from(first.offset)).ok_or(CmafError::Foreign("trun"))?;
    for entry in &run.entries {
        let ticks = unscaled(i64::from(entry.ticks), base)? as u32;
        samples.push(SoundSample { pts: unscaled(pts, base)?, ticks, data: data(entry.size) });
        pts = pts.checked_add(i64::from(entry.ticks)).ok_or(CmafError::Foreign("trun"))?;
    }
    Ok(samples)
}

/// Ticks of the file to those of the stream; what does not divide was not written by us.
fn unscaled(time: i64, base: TimeBase) -> Result<i64, CmafError> {
    let num = i64::from(base.num());
    if time % num == 0 { Ok(time / num) } else { Err(CmafError::Foreign("time")) }
}
