//! What stands before the media of a clip: `ftyp`, `moov` and the head of `mdat`.

use std::ops::Range;

use bytes::{BufMut as _, Bytes};
use ocelli_media::cmaf::{put_box as put, put_full_box as put_full};
use ocelli_model::TimeBase;

use super::boxes::{each, find, put_copy};

/// Bytes of the head of `mdat`, with a size of 64 bits.
const MDAT: u64 = 16;

/// One sample, in ticks of its stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) pts: i64,
    dts: i64,
    pub(super) size: u32,
    keyframe: bool,
}

impl Entry {
    pub(super) fn new(pts: i64, dts: i64, size: usize, keyframe: bool) -> Self {
        Self { pts, dts, size: size as u32, keyframe }
    }
}

/// Samples, and the chunks they lie in: those that follow each other in the file.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// Where a chunk begins, and with how many samples.
    chunks: Vec<(u64, u32)>,
    end: u64,
}

impl Table {
    /// A sample that lies at `at`, counted from the first byte of media.
    pub(super) fn push(&mut self, entry: Entry, at: u64) {
        match self.chunks.last_mut() {
            Some((_, samples)) if self.end == at => *samples += 1,
            _ => self.chunks.push((at, 1)),
        }
        self.end = at + u64::from(entry.size);
        self.entries.push(entry);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Gives each picture a DTS that suits a file which begins with the first: the PTS in their order, as much earlier as the most reordered
    /// needs. Those of a recording need not rise where ticks are as long as pictures, and such a file players cut at another picture.
    pub(super) fn decode_evenly(&mut self) {
        let mut times: Vec<i64> = self.entries.iter().map(|entry| entry.pts).collect();
        times.sort_unstable();
        let late = times.iter().zip(&self.entries).map(|(dts, entry)| dts.saturating_sub(entry.pts)).max();
        let late = late.unwrap_or(0);
        for (entry, dts) in self.entries.iter_mut().zip(times) {
            entry.dts = dts.saturating_sub(late);
        }
    }

    /// Ticks of the last sample, by those before it.
    pub(super) fn step(&self) -> i64 {
        let last = self.entries.windows(2).next_back();
        last.map_or(1, |pair| pair[1].dts.saturating_sub(pair[0].dts)).max(1)
    }
}

/// A track and its time base.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) base: TimeBase,
    pub(super) table: Table,
}

/// The head of a clip that shows `shown`, with so many bytes of media behind it. Nothing where a time does not fit.
pub(super) fn write(
    init: &[u8],
    video: &Track,
    sound: Option<&Track>,
    shown: Range<i64>,
    media: u64,
) -> Option<Bytes> {
    let moov = find(init, &[*b"moov"])?;
    let mut traks = each(moov, *b"trak");
    let (picture, speech) = (traks.next()?, traks.next());
    let clip = Shown { base: video.base, pts: shown };
    let mut out = Vec::new();
    put(&mut out, *b"ftyp", |out| {
        out.put_slice(b"isom");
        out.put_u32(0x200);
        out.put_slice(b"isomiso2mp41");
    });
    // Its own size is known once it is written: offsets count from behind it.
    let sized = |offset: u64| {
        let mut moov = Vec::new();
        let mut fits = Some(());
        put(&mut moov, *b"moov", |out| {
            clip.put_mvhd(out);
            fits = fits.and(clip.put_trak(out, picture, video, offset));
            if let (Some(speech), Some(sound)) = (speech, sound) {
                fits = fits.and(clip.put_trak(out, speech, sound, offset));
            }
        });
        fits.map(|()| moov)
    };
    let offset = out.len() as u64 + sized(0)?.len() as u64 + MDAT;
    out.extend_from_slice(&sized(offset)?);
    out.put_u32(1);
    out.put_slice(b"mdat");
    out.put_u64(media + MDAT);
    Some(out.into())
}

/// What is shown, in ticks of the pictures. The movie's own timescale is theirs, too.
struct Shown {
    base: TimeBase,
    pts: Range<i64>,
}

impl Shown {
    fn duration(&self) -> u64 {
        (self.pts.end - self.pts.start) as u64 * u64::from(self.base.num())
    }

    fn put_mvhd(&self, out: &mut Vec<u8>) {
        put_full(out, *b"mvhd", (1, 0), |out| {
            out.put_u64(0);
            out.put_u64(0);
            out.put_u32(self.base.den());
            out.put_u64(self.duration());
            out.put_u32(0x1_0000);
            out.put_u16(0x100);
            out.put_slice(&[0; 10]);
            for value in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
                out.put_u32(value);
            }
            out.put_slice(&[0; 24]);
            out.put_u32(3);
        });
    }

    /// A track, described as in the recording.
    fn put_trak(&self, out: &mut Vec<u8>, described: &[u8], track: &Track, offset: u64) -> Option<()> {
        // From `reserved` behind the duration on it is the same in all versions.
        let tkhd = find(described, &[*b"tkhd"])?.last_chunk::<60>()?;
        let id = {
            let full = find(described, &[*b"tkhd"])?;
            let at = if full.first() == Some(&1) { 20 } else { 12 };
            u32::from_be_bytes(*full.get(at..)?.first_chunk()?)
        };
        let mdia = find(described, &[*b"mdia"])?;
        let minf = find(mdia, &[*b"minf"])?;
        let first = track.table.entries.first()?;
        let last = track.table.entries.last()?;
        let num = u64::from(track.base.num());
        let length = u64::try_from(last.dts.checked_sub(first.dts)?.checked_add(track.table.step())?).ok()?;
        let mut fits = Some(());
        put(out, *b"trak", |out| {
            put_full(out, *b"tkhd", (1, 3), |out| {
                out.put_slice(&[0; 16]);
                out.put_u32(id);
                out.put_u32(0);
                out.put_u64(self.duration());
                out.put_slice(tkhd);
            });
            put(out, *b"edts", |out| fits = fits.and(self.put_elst(out, track)));
            put(out, *b"mdia", |out| {
                put_full(out, *b"mdhd", (1, 0), |out| {
                    out.put_slice(&[0; 16]);
                    out.put_u32(track.base.den());
                    out.put_u64(length.saturating_mul(num));
                    // Language undetermined.
                    out.put_u32(0x55c4_0000);
                });
                put_copy(out, mdia, *b"hdlr");
                put(out, *b"minf", |out| {
                    put_copy(out, minf, *b"vmhd");
                    put_copy(out, minf, *b"smhd");
                    put_copy(out, minf, *b"dinf");
                    put(out, *b"stbl", |out| {
                        if let Some(stbl) = find(minf, &[*b"stbl"]) {
                            put_copy(out, stbl, *b"stsd");
                        }
                        fits = fits.and(put_tables(out, track, offset));
                    });
                });
            });
        });
        fits
    }

    /// What is before the beginning is decoded and not shown; a track that begins later waits.
    fn put_elst(&self, out: &mut Vec<u8>, track: &Track) -> Option<()> {
        let first = track.table.entries.first()?;
        // Where the clip begins, in ticks of the track's timescale.
        let scaled = |ticks: i64, base: TimeBase| i128::from(ticks) * i128::from(base.num());
        let begin =
            scaled(self.pts.start, self.base) * i128::from(track.base.den()) / i128::from(self.base.den());
        let ahead = begin - scaled(first.dts, track.base);
        let wait = (-ahead).max(0) * i128::from(self.base.den()) / i128::from(track.base.den());
        let (wait, ahead) = (u64::try_from(wait).ok()?, i64::try_from(ahead.max(0)).ok()?);
        put_full(out, *b"elst", (1, 0), |out| {
            out.put_u32(1 + u32::from(wait > 0));
            if wait > 0 {
                out.put_u64(wait);
                out.put_i64(-1);
                out.put_u32(0x1_0000);
            }
            out.put_u64(self.duration().saturating_sub(wait));
            out.put_i64(ahead);
            out.put_u32(0x1_0000);
        });
        Some(())
    }
}

/// Runs of equal values.
fn runs<T: PartialEq + Copy>(values: impl Iterator<Item = T>) -> Vec<(u32, T)> {
    let mut runs = Vec::<(u32, T)>::new();
    for value in values {
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs
}

fn put_tables(out: &mut Vec<u8>, track: &Track, offset: u64) -> Option<()> {
    let Table { entries, chunks, end: _ } = &track.table;
    let num = i64::from(track.base.num());
    let steps = entries.windows(2).map(|pair| pair[1].dts.saturating_sub(pair[0].dts));
    let steps = steps.chain(std::iter::once(track.table.step()));
    let steps: Option<Vec<u32>> = steps.map(|ticks| u32::try_from(ticks.checked_mul(num)?).ok()).collect();
    let offsets: Option<Vec<i32>> = entries
        .iter()
        .map(|entry| i32::try_from(entry.pts.checked_sub(entry.dts)?.checked_mul(num)?).ok())
        .collect();
    let (steps, offsets) = (steps?, offsets?);
    put_full(out, *b"stts", (0, 0), |out| put_runs(out, &runs(steps.into_iter())));
    if offsets.iter().any(|offset| *offset != 0) {
        let offsets = offsets.into_iter().map(|offset| offset as u32);
        put_full(out, *b"ctts", (1, 0), |out| put_runs(out, &runs(offsets)));
    }
    if entries.iter().any(|entry| !entry.keyframe) {
        let keyframes: Vec<u32> =
            (1..).zip(entries).filter(|(_, entry)| entry.keyframe).map(|(number, _)| number).collect();
        put_full(out, *b"stss", (0, 0), |out| {
            out.put_u32(keyframes.len() as u32);
            for number in &keyframes {
                out.put_u32(*number);
            }
        });
    }
    put_full(out, *b"stsc", (0, 0), |out| {
        let runs = runs(chunks.iter().map(|(_, samples)| *samples));
        out.put_u32(runs.len() as u32);
        let mut chunk = 1;
        for (count, samples) in runs {
            out.put_u32(chunk);
            out.put_u32(samples);
            out.put_u32(1);
            chunk += count;
        }
    });
    put_full(out, *b"stsz", (0, 0), |out| {
        out.put_u32(0);
        out.put_u32(entries.len() as u32);
        for entry in entries {
            out.put_u32(entry.size);
        }
    });
    put_full(out, *b"co64", (0, 0), |out| {
        out.put_u32(chunks.len() as u32);
        for (at, _) in chunks {
            out.put_u64(offset + at);
        }
    });
    Some(())
}

fn put_runs(out: &mut Vec<u8>, runs: &[(u32, u32)]) {
    out.put_u32(runs.len() as u32);
    for (count, value) in runs {
        out.put_u32(*count);
        out.put_u32(*value);
    }
}
