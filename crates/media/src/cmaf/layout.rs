//! Where things are in a part, whatever its tracks are.

use super::{
    CmafError,
    boxes::{self, Atom, Fields, HEAD, child, children},
    part::{BASE_IS_MOOF, DATA_OFFSET, DURATION, FLAGS, OFFSET, SIZE},
};

/// Bytes of the checksum, which are the last ones of `moof`.
pub(super) const CHECK_BYTES: usize = 4;

/// One part's boxes, read.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) sequence: u32,
    pub(super) runs: Vec<Run>,
    /// Where the first sample begins. They follow each other without gaps up to the end.
    pub(super) media: usize,
    /// Of the whole part.
    pub(super) bytes: usize,
}

/// The samples of one track.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) track: u32,
    /// `baseMediaDecodeTime`.
    pub(super) base: i64,
    pub(super) entries: Vec<Entry>,
}

/// One sample, in ticks of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) ticks: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
    pub(super) offset: i32,
}

impl Layout {
    /// Reads the part at the head of `bytes`, which may run on. Time and memory are bounded by its bytes: each sample takes eight in
    /// `trun` at least.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, CmafError> {
        let moof = boxes::first(bytes).ok_or(CmafError::Truncated("moof"))?;
        if moof.name != *b"moof" {
            return Err(CmafError::Foreign("moof"));
        }
        let mdat = boxes::first(&bytes[moof.len()..]).ok_or(CmafError::Truncated("mdat"))?;
        if mdat.name != *b"mdat" {
            return Err(CmafError::Foreign("mdat"));
        }
        let (media, end) = (moof.len() + HEAD, moof.len() + mdat.len());
        let mut sequence = None;
        let (mut runs, mut check) = (Vec::<Run>::new(), None);
        let mut at = media;
        for atom in children(moof.body, "moof") {
            let atom = atom?;
            match &atom.name {
                b"mfhd" if sequence.is_none() => sequence = Some(read_sequence(atom)?),
                b"traf" => {
                    let run = read_run(atom, at)?;
                    if runs.iter().any(|earlier| earlier.track >= run.track) {
                        return Err(CmafError::Foreign("traf"));
                    }
                    for entry in &run.entries {
                        let size = usize::try_from(entry.size).ok();
                        at = size.and_then(|size| at.checked_add(size)).ok_or(CmafError::Foreign("trun"))?;
                    }
                    runs.push(run);
                }
                _ => check = Some(boxes::ours(&atom, boxes::CHECK).ok_or(CmafError::Foreign("moof"))?),
            }
        }
        let sequence = sequence.ok_or(CmafError::Foreign("moof"))?;
        if at != end || runs.is_empty() {
            return Err(CmafError::Foreign("trun"));
        }
        if check.is_some_and(|check| check != checksum(&bytes[..end], moof.len() - CHECK_BYTES)) {
            return Err(CmafError::Checksum);
        }
        Ok(Self { sequence, runs, media, bytes: end })
    }
}

fn read_sequence(mfhd: Atom<'_>) -> Result<u32, CmafError> {
    let mut fields = Fields::new(mfhd.body, "mfhd");
    fields.expect_version(0, 0)?;
    fields.u32()
}

/// A track whose first sample is at `media`, counted from the start of `moof`.
fn read_run(traf: Atom<'_>, media: usize) -> Result<Run, CmafError> {
    let mut tfhd = Fields::new(child(traf.body, *b"tfhd", "traf")?, "tfhd");
    tfhd.expect_version(0, BASE_IS_MOOF)?;
    let track = tfhd.u32()?;
    let mut tfdt = Fields::new(child(traf.body, *b"tfdt", "traf")?, "tfdt");
    tfdt.expect_version(1, 0)?;
    let base = i64::try_from(tfdt.u64()?).map_err(|_huge| CmafError::Foreign("tfdt"))?;
    let mut trun = Fields::new(child(traf.body, *b"trun", "traf")?, "trun");
    let needed = DATA_OFFSET | DURATION | SIZE;
    let flags = trun.u32()? ^ 1 << 24;
    let count = trun.u32()?;
    if flags & needed != needed || flags & !(needed | FLAGS | OFFSET) != 0 {
        return Err(CmafError::Foreign("trun"));
    }
    if usize::try_from(trun.u32()?).ok() != Some(media) {
        return Err(CmafError::Foreign("trun"));
    }
    let width = 8 + if flags & FLAGS != 0 { 4 } else { 0 } + if flags & OFFSET != 0 { 4 } else { 0 };
    let fits = usize::try_from(count).ok().and_then(|count| count.checked_mul(width));
    if count == 0 || fits != Some(trun.rest().len()) {
        return Err(CmafError::Truncated("trun"));
    }
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let (ticks, size) = (trun.u32()?, trun.u32()?);
        let sample_flags = if flags & FLAGS != 0 { trun.u32()? } else { 0 };
        let offset = if flags & OFFSET != 0 { trun.u32()?.cast_signed() } else { 0 };
        entries.push(Entry { ticks, size, flags: sample_flags, offset });
    }
    Ok(Run { track, base, entries })
}

/// CRC-32 of a part without the checksum itself, which lies at `place`.
pub(super) fn checksum(part: &[u8], place: usize) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&part[..place]);
    sum.update(&part[place + CHECK_BYTES..]);
    sum.finalize()
}
