//! The floor: demux, decode of exactly the packets that the oracle names, and the work itself. No sampler, no queue, no output.
//!
//! - `floor extract CLIP PLAN QUALITY`: JPEG of the chosen pictures.
//! - `floor analyze CLIP PLAN HOME MODEL PRECISION INSTANCES`: for each chosen picture one bare run of the model on a tensor that is
//!   ready (filled once, from the first picture). With one instance everything is on one thread, with more each has its own.
//!
//! Prints the PTS of what it worked on.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use ocelli_analyze::runtime::{ModelInstance, Runtime as _, openvino::OpenVino};
use ocelli_benches::Plan;
use ocelli_media::{
    decode::Decoder as _,
    libav::{Demuxer, Frame, LibavDecoder},
    pixel::{
        jpeg::JpegEncoder,
        tensor::{ChannelOrder, Fit, TensorSpec, TensorWriter},
    },
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let worked = match arguments.as_slice() {
        ["extract", clip, plan, quality] => extract(clip, &Plan::read(Path::new(plan))?, quality.parse()?)?,
        ["analyze", clip, plan, model @ ..] => analyze(clip, &Plan::read(Path::new(plan))?, model)?,
        _ => bail!(
            "usage: floor extract CLIP PLAN QUALITY | floor analyze CLIP PLAN HOME MODEL PRECISION INSTANCES"
        ),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &worked)?;
    Ok(writeln!(out)?)
}

/// Decodes what the plan needs and hands over what it chose; their PTS.
fn decode(clip: &str, plan: &Plan, mut work: impl FnMut(Frame) -> Result<()>) -> Result<Vec<i64>> {
    let file = File::open(clip).with_context(|| clip.to_owned())?;
    let mut demuxer = Demuxer::open(Box::new(file))?;
    let mut decoder = LibavDecoder::open(demuxer.parameters())?;
    let chosen: BTreeSet<i64> = plan.chosen.iter().copied().collect();
    let mut worked = Vec::new();
    let mut pull = |decoder: &mut LibavDecoder| -> Result<()> {
        while let Some(decoded) = decoder.receive()? {
            ensure!(!decoded.damaged, "damaged at PTS {}", decoded.pts);
            if chosen.contains(&decoded.pts) {
                worked.push(decoded.pts);
                work(decoded.frame.context("a chosen picture has no pixels")??)?;
            }
        }
        Ok(())
    };
    let mut needed = plan.needed.iter().copied().peekable();
    let mut restarts = plan.restarts.iter().copied().peekable();
    let mut index = 0;
    while needed.peek().is_some() {
        let unit = demuxer.next_unit()?.context("the clip has fewer packets than its plan")?;
        if needed.next_if_eq(&index).is_some() {
            if restarts.next_if_eq(&index).is_some() {
                decoder.send_end();
                pull(&mut decoder)?;
                decoder.flush();
            }
            decoder.send(&unit, chosen.contains(&unit.pts))?;
            pull(&mut decoder)?;
        }
        index += 1;
    }
    decoder.send_end();
    pull(&mut decoder)?;
    // The tail of the file is read as well: nobody knows before that it is not needed.
    while index < plan.pictures && demuxer.next_unit()?.is_some() {
        index += 1;
    }
    Ok(worked)
}

fn extract(clip: &str, plan: &Plan, quality: u8) -> Result<Vec<i64>> {
    let mut encoder = JpegEncoder::new(quality)?;
    decode(clip, plan, |frame| {
        encoder.encode(&frame.picture(), None)?;
        Ok(())
    })
}

/// A model instance whose tensor is filled from the first picture it is given.
struct Bare {
    instance: Box<dyn ModelInstance>,
    ready: bool,
}

impl Bare {
    fn run(&mut self, frame: &Frame) -> Result<()> {
        if !self.ready {
            let &[1, 3, height, width] = self.instance.input_shape() else { bail!("not a picture model") };
            // Of the default model; a tensor of another model would be as ready.
            let mut writer = TensorWriter::new(TensorSpec {
                width: width as u32,
                height: height as u32,
                fit: Fit::Stretch,
                order: ChannelOrder::Rgb,
                scale: [1.0 / 127.5; 3],
                offset: [-1.0; 3],
            });
            writer.write(&frame.picture(), self.instance.input_mut()?)?;
            self.ready = true;
        }
        Ok(self.instance.run()?)
    }
}

fn analyze(clip: &str, plan: &Plan, model: &[&str]) -> Result<Vec<i64>> {
    let &[home, model, precision, instances] = model else {
        bail!("floor analyze CLIP PLAN HOME MODEL PRECISION INSTANCES")
    };
    let mut loaded = OpenVino::open(Path::new(home))?.load(Path::new(model), precision.parse()?)?;
    let count: usize = instances.parse()?;
    let mut bare = Vec::new();
    for _ in 0..count {
        bare.push(Bare { instance: loaded.instance()?, ready: false });
    }
    match bare.as_mut_slice() {
        [only] => decode(clip, plan, |frame| only.run(&frame)),
        several => on_threads(clip, plan, several),
    }
}

fn on_threads(clip: &str, plan: &Plan, instances: &mut [Bare]) -> Result<Vec<i64>> {
    let (pictures, queue) = sync_channel::<Frame>(instances.len());
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        let serve = |bare| scope.spawn(|| serve(bare, &queue));
        let threads: Vec<_> = instances.iter_mut().map(serve).collect();
        let worked = decode(clip, plan, |frame| Ok(pictures.send(frame)?));
        drop(pictures);
        for thread in threads {
            thread.join().map_err(|_panic| anyhow!("an instance panicked"))??;
        }
        worked
    })
}

fn serve(bare: &mut Bare, queue: &Mutex<Receiver<Frame>>) -> Result<()> {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(frame) = next else { return Ok(()) };
        bare.run(&frame)?;
    }
}
