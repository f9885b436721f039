//! The initialisation segment: `ftyp` and `moov`.

use bytes::{BufMut as _, Bytes};
use ocelli_model::TimeBase;

use super::{
    CmafError, SOUND_TRACK, VIDEO_TRACK,
    boxes::{RATE, TICK, put, put_full, put_ours},
    entry::Entry,
    sound,
};
use crate::{AudioParameters, CodecParameters, Rotation};

/// What a player must have before parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitSegment {
    /// `ftyp` and `moov`.
    pub bytes: Bytes,
    /// Codecs as RFC 6381 names them, such as `avc1.64001f,mp4a.40.2`.
    pub codecs: String,
    /// Coded size in pixels, before any turn.
    pub width: u32,
    /// See `width`.
    pub height: u32,
}

/// What the boxes of a track need.
struct Track<'a> {
    id: u32,
    time_base: TimeBase,
    matrix: [i32; 9],
    /// As shown, in pixels.
    size: (u32, u32),
    kind: Kind<'a>,
}

enum Kind<'a> {
    Video(&'a Entry, (u32, u32)),
    Sound(&'a AudioParameters),
}

/// The initialisation segment of these tracks. Pictures need the extradata that [`super::Framing`] makes.
pub fn init(video: &CodecParameters, audio: Option<&AudioParameters>) -> Result<InitSegment, CmafError> {
    let entry = Entry::of(video)?;
    let shape = entry.shape;
    let or = |container: u32, stream: u32| if container == 0 { stream } else { container };
    let (width, height) = (or(video.width, shape.width), or(video.height, shape.height));
    if width == 0 || height == 0 || width > u32::from(u16::MAX) || height > u32::from(u16::MAX) {
        return Err(CmafError::Configuration("size of the pictures"));
    }
    let mut codecs = entry.codecs.clone();
    if let Some(audio) = audio {
        codecs.push(',');
        codecs.push_str(&sound::name(audio)?);
    }
    let (across, down) = shape.pixel;
    let shown = (u64::from(width) * u64::from(across) / u64::from(down)).clamp(1, u64::from(u16::MAX)) as u32;
    let mut tracks = vec![Track {
        id: VIDEO_TRACK,
        time_base: video.time_base,
        matrix: matrix(video.rotation, (shown, height)),
        size: (shown, height),
        kind: Kind::Video(&entry, (width, height)),
    }];
    tracks.extend(audio.map(|audio| Track {
        id: SOUND_TRACK,
        time_base: audio.time_base,
        matrix: matrix(Rotation::None, (0, 0)),
        size: (0, 0),
        kind: Kind::Sound(audio),
    }));
    let mut bytes = Vec::with_capacity(1024 + video.extradata.len());
    put(&mut bytes, *b"ftyp", |out| {
        out.put_slice(b"iso6");
        out.put_u32(0);
        out.put_slice(b"iso6iso5mp41");
    });
    let mut written = Ok(());
    put(&mut bytes, *b"moov", |out| written = put_moov(out, &tracks));
    written?;
    Ok(InitSegment { bytes: bytes.into(), codecs, width, height })
}

/// The display matrix that turns a picture of this size upright, back into the first quadrant.
fn matrix(rotation: Rotation, (width, height): (u32, u32)) -> [i32; 9] {
    const ONE: i32 = 1 << 16;
    let (w, h) = ((width << 16).cast_signed(), (height << 16).cast_signed());
    let (a, b, c, d, x, y) = match rotation {
        Rotation::None => (ONE, 0, 0, ONE, 0, 0),
        Rotation::Clockwise => (0, ONE, -ONE, 0, h, 0),
        Rotation::Half => (-ONE, 0, 0, -ONE, w, h),
        Rotation::Counterclockwise => (0, -ONE, ONE, 0, 0, w),
    };
    [a, b, 0, c, d, 0, x, y, 1 << 30]
}

fn put_matrix(out: &mut Vec<u8>, matrix: [i32; 9]) {
    for value in matrix {
        out.put_i32(value);
    }
}

fn put_moov(out: &mut Vec<u8>, tracks: &[Track<'_>]) -> Result<(), CmafError> {
    put_full(out, *b"mvhd", (0, 0), |out| {
        out.put_u64(0); // creation and modification time
        out.put_u32(1000); // timescale, of nothing here
        out.put_u32(0); // duration: in fragments
        out.put_u32(0x1_0000); // rate
        out.put_u16(0x100); // volume
        out.put_bytes(0, 10);
        put_matrix(out, matrix(Rotation::None, (0, 0)));
        out.put_bytes(0, 24);
        out.put_u32(SOUND_TRACK + 1); // next_track_ID
    });
    for track in tracks {
        let mut written = Ok(());
        put(out, *b"trak", |out| written = put_track(out, track));
        written?;
    }
    put(out, *b"mvex", |out| {
        for track in tracks {
            put_full(out, *b"trex", (0, 0), |out| {
                out.put_u32(track.id);
                out.put_u32(1); // default_sample_description_index
                out.put_bytes(0, 12);
            });
        }
    });
    Ok(())
}

fn put_track(out: &mut Vec<u8>, track: &Track<'_>) -> Result<(), CmafError> {
    const ENABLED_IN_MOVIE: u32 = 3;
    let sounds = matches!(track.kind, Kind::Sound(_));
    put_full(out, *b"tkhd", (0, ENABLED_IN_MOVIE), |out| {
        out.put_u64(0);
        out.put_u32(track.id);
        out.put_bytes(0, 16);
        out.put_u32(0); // layer, alternate_group
        out.put_u32(if sounds { 0x100_0000 } else { 0 }); // volume
        put_matrix(out, track.matrix);
        out.put_u32(track.size.0 << 16);
        out.put_u32(track.size.1 << 16);
    });
    let mut written = Ok(());
    put(out, *b"mdia", |out| {
        put_full(out, *b"mdhd", (0, 0), |out| {
            out.put_u64(0);
            out.put_u32(track.time_base.den()); // timescale
            out.put_u32(0);
            out.put_u32(0x55c4_0000); // language "und"
        });
        put_full(out, *b"hdlr", (0, 0), |out| {
            out.put_u32(0);
            out.put_slice(if sounds { b"soun" } else { b"vide" });
            out.put_bytes(0, 12);
            out.put_slice(if sounds { b"sound\0" } else { b"video\0" });
        });
        put(out, *b"minf", |out| {
            if sounds {
                put_full(out, *b"smhd", (0, 0), |out| out.put_u32(0));
            } else {
                put_full(out, *b"vmhd", (0, 1), |out| out.put_u64(0));
            }
            put(out, *b"dinf", |out| {
                put_full(out, *b"dref", (0, 0), |out| {
                    out.put_u32(1);
                    put_full(out, *b"url ", (0, 1), |_same_file| {});
                });
            });
            put(out, *b"stbl", |out| written = put_tables(out, &track.kind));
        });
    });
    if track.time_base.num() != 1 {
        put_ours(out, TICK, track.time_base.num());
    }
    if let Kind::Sound(AudioParameters { sample_rate, .. }) = track.kind
        && u16::try_from(*sample_rate).is_err()
    {
        put_ours(out, RATE, *sample_rate);
    }
    written
}

/// Tables of samples, all empty: these are in fragments.
fn put_tables(out: &mut Vec<u8>, kind: &Kind<'_>) -> Result<(), CmafError> {
    let mut written = Ok(());
    put_full(out, *b"stsd", (0, 0), |out| {
        out.put_u32(1);
        match kind {
            Kind::Video(entry, size) => entry.put(out, *size),
            Kind::Sound(sound) => written = sound::put_entry(out, sound),
        }
    });
    for name in [*b"stts", *b"stsc", *b"stco"] {
        put_full(out, name, (0, 0), |out| out.put_u32(0));
    }
    put_full(out, *b"stsz", (0, 0), |out| out.put_u64(0));
    written
}
