//! Receive, and where pictures are wanted decode and JPEG: no sampler, no queue, no file, no ledger.

use std::{
    io::{self, BufRead as _, Write as _},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use anyhow::{Context as _, Result, ensure};
use ocelli_ingest::{
    Source as _, Stop,
    pull::{RtspOptions, RtspSource, RtspUrl},
};
use ocelli_media::{AccessUnit, decode::Decoder as _, libav::LibavDecoder, pixel::jpeg::JpegEncoder};
use ocelli_net::AddressPolicy;

/// Until standard input ends. Without a quality everything is received and nothing done with it; then all pictures count, else
/// keyframes.
pub(crate) fn run(url: &RtspUrl, streams: usize, quality: Option<u8>) -> Result<()> {
    let (stop, pictures) = (Stop::default(), AtomicU64::new(0));
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..streams {
            threads.push(scope.spawn(|| one(url, &stop, quality, &pictures)));
        }
        for line in io::stdin().lock().lines() {
            line?;
            let mut out = io::stdout().lock();
            writeln!(out, "{}", pictures.load(Ordering::Relaxed))?;
            out.flush()?;
        }
        stop.stop();
        for thread in threads {
            thread.join().expect("a stream's thread does not panic")?;
        }
        Ok(())
    })
}

/// A stream as bare as can be: a runtime of its own, driven by the thread that waits for it.
fn one(url: &RtspUrl, stop: &Stop, quality: Option<u8>, pictures: &AtomicU64) -> Result<()> {
    let options = RtspOptions { stop: stop.clone(), ..RtspOptions::new(policy()?) };
    let mut source = RtspSource::open(url, options)?;
    let mut work = match quality {
        Some(quality) => Some((LibavDecoder::open(source.parameters())?, JpegEncoder::new(quality)?)),
        None => None,
    };
    while !stop.is_asked() {
        match source.next_unit() {
            Ok(Some(unit)) if work.is_none() || unit.container_keyframe => {
                if let Some((decoder, encoder)) = &mut work {
                    picture(decoder, encoder, &unit)?;
                }
                pictures.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) if stop.is_asked() => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A keyframe needs nothing before it, and nothing follows that needs it.
fn picture(decoder: &mut LibavDecoder, encoder: &mut JpegEncoder, unit: &AccessUnit) -> Result<()> {
    decoder.send(unit, true)?;
    decoder.send_end();
    let decoded = decoder.receive()?.context("a keyframe gives no picture")?;
    ensure!(!decoded.damaged, "damaged at PTS {}", decoded.pts);
    let frame = decoded.frame.context("a wanted picture has no pixels")??;
    encoder.encode(&frame.picture(), None)?;
    decoder.flush();
    Ok(())
}

/// What is measured runs on this machine.
pub(crate) fn policy() -> Result<AddressPolicy> {
    Ok(AddressPolicy::operator().with(["127.0.0.0/8".parse()?]))
}
