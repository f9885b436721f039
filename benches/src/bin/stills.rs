//! `stills FOLDER QUALITY`: what one picture of a recording costs at least. For each PTS on standard input the references that it
//! needs, and itself, are decoded by the bare decoder out of the sealed segments of that folder, and it becomes a JPEG. Prints how long
//! decode and JPEG took, without the reading of files. Says at first which PTS there are.

use std::{
    collections::BTreeMap,
    fs::{File, read_dir},
    io::{self, BufRead as _, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use ocelli_media::{
    AccessUnit,
    bitstream::PictureReader,
    decode::Decoder as _,
    libav::{Demuxer, Frame, LibavDecoder},
    pixel::jpeg::JpegEncoder,
};
use serde_json::json;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, quality] = arguments.as_slice() else { bail!("usage: stills FOLDER QUALITY") };
    let quality = quality.parse()?;
    let places = places(Path::new(folder))?;
    told(&json!(places.keys().collect::<Vec<_>>()))?;
    for line in io::stdin().lock().lines() {
        let pts: i64 = line?.parse()?;
        let units = needed(places.get(&pts).with_context(|| format!("no picture has PTS {pts}"))?, pts)?;
        let began = now();
        let bytes = still(&units, pts, quality)?;
        let ms = began.elapsed().as_secs_f64() * 1e3;
        told(&json!({ "ms": ms, "decoded": units.len(), "bytes": bytes }))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn told(line: &serde_json::Value) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// In which segment each picture lies.
fn places(folder: &Path) -> Result<BTreeMap<i64, PathBuf>> {
    let mut places = BTreeMap::new();
    for file in read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        places.extend(units(&path)?.into_iter().map(|unit| (unit.pts, path.clone())));
    }
    Ok(places)
}

fn units(path: &Path) -> Result<Vec<AccessUnit>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut demuxer = Demuxer::open(Box::new(file))?;
    let mut units = Vec::new();
    while let Some(unit) = demuxer.next_unit()? {
        units.push(unit);
    }
    Ok(units)
}

/// In decode order, the picture last. Segments of these recordings begin with a keyframe that nothing reaches behind.
fn needed(path: &Path, pts: i64) -> Result<Vec<AccessUnit>> {
    let mut units = units(path)?;
    let at = units.iter().position(|unit| unit.pts == pts).context("it is gone")?;
    units.truncate(at + 1);
    let begins = units.iter().rposition(|unit| unit.container_keyframe).context("no keyframe")?;
    units.drain(..begins);
    let mut reader = PictureReader::new(&units[0].parameters);
    let mut kept = Vec::new();
    for unit in units {
        let reference = reader.read(&unit.data, unit.container_keyframe)?.reference;
        if reference || unit.pts == pts {
            kept.push(unit);
        }
    }
    Ok(kept)
}

/// Size of the JPEG.
fn still(units: &[AccessUnit], pts: i64, quality: u8) -> Result<usize> {
    let mut decoder = LibavDecoder::open(&units[0].parameters)?;
    for unit in units {
        decoder.send(unit, unit.pts == pts)?;
        if let Some(frame) = take(&mut decoder, pts)? {
            return jpeg(&frame, quality);
        }
    }
    decoder.send_end();
    let frame = take(&mut decoder, pts)?.context("the decoder gave no picture")?;
    jpeg(&frame, quality)
}

fn take(decoder: &mut LibavDecoder, pts: i64) -> Result<Option<Frame>> {
    while let Some(decoded) = decoder.receive()? {
        if decoded.pts == pts {
            ensure!(!decoded.damaged, "damaged at PTS {pts}");
            return Ok(Some(decoded.frame.context("a wanted picture has no pixels")??));
        }
    }
    Ok(None)
}

fn jpeg(frame: &Frame, quality: u8) -> Result<usize> {
    Ok(JpegEncoder::new(quality)?.encode(&frame.picture(), None)?.len())
}
